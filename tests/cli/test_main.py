"""The command prints the verdicts of a report in words, and one line where there are none."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from dmf import __version__
from dmf.cli.main import main
from dmf.cli.verdicts import summary, verdict_columns
from dmf.evidence.claim import Detection, Finding, Verdict
from dmf.report.proofs import OfClaim, Proved
from signed import sign

GOOD = Finding(0.25, 1200, 1100, 1000, 990, 50, 40, 38, 38, None)
WORST = {"target": "t", "depth": 3, "lam_label": "0.5c", "scheme": "gaussian", "scale": 1.0, "draw": 0}
FALSE = Finding(7.0, 10, 10, 10, 10, 1, 1, 1, 1, WORST)
SILENT = Finding(None, 10, 0, 0, 0, 1, 1, 0, 1, None)


def verdict(name: str, finding: Finding = GOOD, seen: int = 3) -> Verdict:
    return Verdict(
        name,
        f"title of {name}",
        f"source of {name}",
        finding,
        (Detection("distance", "near", 3, seen, 1.4 if seen == 3 else 0.4, {}),),
    )


VERDICTS = [
    verdict("uniqueness"),
    verdict("layer_norms", finding=FALSE),
    verdict("collapse", finding=SILENT, seen=2),
]


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """The folder of a report with three verdicts."""
    folder = tmp_path / "reports" / "tiny"
    (folder / "verdicts").mkdir(parents=True)
    for one in VERDICTS:
        (folder / "verdicts" / f"{one.claim}.json").write_text(json.dumps(one.as_json()))
    sign(folder)
    return folder


def rows_of(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in re.split("[│┃]", line)[1:-1]] for line in text.splitlines() if "│" in line]


NUMBERS = {
    "uniqueness": ["training", "confirmed", "0.25", "0.75", "1,000/1,200", "–", "38/40/50", "detected"],
    "layer_norms": ["training", "violated", "7", "-6", "10/10", "–", "1/1/1", "detected"],
    "collapse": ["training", "inconclusive", "none", "none", "0/10", "–", "0/1/1", "MISSED"],
}


def table_of(report: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int) -> str:
    monkeypatch.setenv("COLUMNS", str(width))
    assert main(["verdicts", str(report)]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def test_the_table_says_everything_in_words(
    report: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = table_of(report, capsys, monkeypatch, 180)
    assert "Verdicts of grid tiny" in text
    names = [verdict.claim for verdict in VERDICTS]  # in the order of the paper
    assert rows_of(text) == [[name, f"title of {name}", f"source of {name}", *NUMBERS[name]] for name in names]
    assert "No room" not in text


@pytest.mark.parametrize(
    ("width", "columns"),
    [(80, ["claim", "verdict", "statistic", "counted", "control"]), (50, ["claim", "verdict", "control"])],
)
def test_a_narrow_terminal_has_fewer_columns_and_not_cut_ones(
    report: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int, columns: list[str]
) -> None:
    lines = table_of(report, capsys, monkeypatch, width).splitlines()
    (heading,) = [line for line in lines if line.startswith("┃")]
    assert heading.replace("┃", " ").split() == columns
    assert all(len(line) <= width for line in lines if line[0] in "┏┃┡│└")
    assert not any("…" in line for line in lines)
    assert any(line.startswith("No room for what it says, source, ") for line in lines)


def test_one_line_says_what_all_verdicts_come_to(report: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verdicts", str(report)]) == 0
    line = "1 confirmed, 1 violated, 1 inconclusive; 2 of 3 controls detected; least margin: layer_norms -6"
    assert line in capsys.readouterr().out.splitlines()
    assert summary(VERDICTS[:1]).startswith("1 confirmed, 0 violated; 1 of 1 controls detected; least margin: uniq")
    identity = verdict("balancedness", finding=replace(GOOD, statistic=0.999))  # of these, rounding decides the margin
    assert summary([*VERDICTS[:1], identity]).endswith("least margin: uniqueness 0.75")
    assert summary(VERDICTS[2:]) == "0 confirmed, 0 violated, 1 inconclusive; 0 of 1 controls detected"


def test_runs_that_were_proved_have_a_column() -> None:
    proved = Proved(5, 4, 2, 9, 0.5, {"uniqueness": OfClaim(5, 4, 4, 0, 0)}, 1, [])
    (column,) = [column for column in verdict_columns(VERDICTS, proved) if column.heading == "proved"]
    assert column.cells == ["4/5", "–", "–"]


def test_verdicts_are_printed_in_the_order_of_the_paper(report: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verdicts", str(report)]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert [row[0] for row in rows_of(captured.out) if row[0]] == ["uniqueness", "layer_norms", "collapse"]
    assert "index.html" not in captured.out


def test_the_page_is_pointed_to_where_there_is_one(report: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (report / "index.html").touch()
    assert main(["verdicts", str(report)]) == 0
    assert f"Report: {report / 'index.html'}\n" in capsys.readouterr().out


def test_a_report_is_found_by_its_grid_whose_file_need_not_be_whole(
    report: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(report.parents[1])
    Path("mine.yaml").write_text("grid: tiny\nunknown: 1\n")
    assert main(["verdicts", "--grid", "mine.yaml"]) == 0
    assert "Verdicts of grid tiny" in capsys.readouterr().out
    Path("mine.yaml").write_text("grid: ../reports/tiny\n")
    assert main(["verdicts", "--grid=mine.yaml"]) == 1
    assert capsys.readouterr().err.startswith("mine.yaml: grid: got '../reports/tiny': expected letters")
    assert main(["check-grid", "mine.yaml"]) == 1
    with pytest.raises(SystemExit):
        main(["verdicts", str(report), "--grid", "mine.yaml"])


@pytest.mark.parametrize("there", [True, False])
def test_a_folder_without_verdicts_is_one_line_and_exit_status_1(
    there: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path if there else tmp_path / "none"
    assert main(["verdicts", str(folder)]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == f"{folder}: no verdicts here; expected a folder such as reports/default after a run\n"


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"claim": "uniqueness"}'])
def test_a_damaged_verdict_is_one_line_and_exit_status_1(
    content: str, report: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (report / "verdicts" / "uniqueness.json").write_text(content)
    assert main(["verdicts", str(report)]) == 1
    assert "uniqueness.json: content does not match its fingerprint" in capsys.readouterr().err
    sign(report)
    assert main(["verdicts", str(report)]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert "uniqueness.json: not a readable verdict" in captured.err


def test_a_verdict_on_a_claim_that_is_no_more_is_still_shown(report: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archived = replace(VERDICTS[0], claim="dropped", title="A statement since withdrawn")
    (report / "verdicts" / "dropped.json").write_text(json.dumps(archived.as_json()))
    sign(report)
    assert main(["verdicts", str(report)]) == 0
    assert "A statement since" in capsys.readouterr().out


def test_the_version_and_the_usage(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, status in ((["--version"], 0), ([], 2), (["nothing"], 2)):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert caught.value.code == status
    captured = capsys.readouterr()
    assert captured.out == f"{__version__}\n"
    assert captured.err.splitlines()[0].startswith("dmf: the following arguments are required: command; dmf --help")


MISSPELT = {
    "verdict reports/x": "dmf: command: got verdict, expected one of run, report, verdicts, ",
    "verdcts reports/x": "; did you mean verdicts?; dmf --help says how to call it",
    "predict m.csv --dpeth 3 --lam 0.1": "dmf predict: --dpeth: unknown option; did you mean --depth?; ",
    "predict m.csv --depth=3 --lamm=0.1": "dmf predict: --lamm: unknown option; did you mean --lam?; ",
    "predict m.csv --depth 3": "dmf predict: the following arguments are required: --lam; dmf predict --help says",
    "predict m.csv --depth three --lam 0.1": "dmf predict: argument --depth: invalid int value: 'three'; ",
    "predict m.csv --map covarianc --depth 3 --lam 1": "--map: got covarianc, expected one of none, covariance, corr",
    "predict m.csv n.csv --depth 3 --lam 0.1": "dmf: unrecognized arguments: n.csv; dmf --help says how to call it",
}


@pytest.mark.parametrize("words", MISSPELT)
def test_a_wrong_call_is_one_line_with_the_name_that_was_meant(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(words.split())
    assert caught.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert MISSPELT[words] in captured.err


def test_options_may_be_cut_short_as_before_and_values_may_look_like_options(in_tmp: Path) -> None:
    (in_tmp / "--dpeth.csv").write_text("1,2\n3,4\n")
    assert main(["predict", "--dep", "3", "--lam", "0.5c", "--", "--dpeth.csv"]) == 0


def test_the_package_is_the_command() -> None:
    called = subprocess.run([sys.executable, "-m", "dmf", "--version"], capture_output=True, text=True, timeout=60)
    assert (called.returncode, called.stdout) == (0, f"{__version__}\n")


def test_a_command_loads_its_own_libraries_alone(in_tmp: Path) -> None:
    (in_tmp / "grid.yaml").write_text("grid: [")
    code = "import sys; from dmf.cli.main import main; main(); sys.exit('xarray' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code, "check-grid", "grid.yaml"], check=False).returncode == 0
    assert subprocess.run([sys.executable, "-c", code, "verdicts", "."], check=False).returncode == 1


@pytest.mark.parametrize("package", ["yaml", "pydantic"])
def test_a_package_that_is_missing_is_one_line_with_what_brings_it(package: str, in_tmp: Path) -> None:
    code = f"import sys; sys.modules['{package}'] = None; from dmf.cli.main import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "predict", "4,2,1", "--depth", "3", "--lam", "0.5c"]
    called = subprocess.run(command, capture_output=True, text=True, check=False)
    assert called.returncode == 1
    brings = "pip install dmf-landscape brings it"
    assert called.stderr == f"dmf: {package} is not installed in {sys.prefix}; {brings}\n"


def test_a_reader_that_has_enough_is_no_error() -> None:
    code = "import sys; from dmf.cli.main import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "explain"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as begun:
        assert begun.stdout is not None
        assert begun.stderr is not None
        begun.stdout.close()
        assert begun.stderr.read() == b""
    assert begun.returncode == 1


DMF = f"{sys.executable} -c 'import sys; from dmf.cli.main import main; sys.exit(main())'"
CLOSED = "standard output is closed; expected a terminal, a file or a pipe"
FULL = "standard output: No space left on device; make room and call again"
LOST = {
    "explain >&-": CLOSED,
    "--help >&-": CLOSED,
    "predict m.csv --depth 3 --lam 0.1 --json >&-": CLOSED,
    "explain >/dev/full": FULL,
    "--help >/dev/full": FULL,
    "predict --help >/dev/full": FULL,
    "predict m.csv --depth 3 --lam 0.1 --json >/dev/full": FULL,
    "explain >/dev/full 2>/dev/full": "",
    "explain >/dev/full 2>&-": "",
    "predict nowhere.csv --depth 3 --lam 0.1 2>&-": "",
}


@pytest.mark.parametrize("words", LOST)
def test_output_that_is_lost_is_a_failure_in_one_line(in_tmp: Path, words: str) -> None:
    (in_tmp / "m.csv").write_text("1,2\n3,4\n")
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    command = ["bash", "-c", f"{DMF} {words}"]
    lost = subprocess.run(command, env=buffered, capture_output=True, text=True, timeout=120)
    assert (lost.returncode, lost.stdout, lost.stderr.strip()) == (1, "", LOST[words])


WATCHED = """
import sys
from dmf.cli import main
run = main._run
main._run = lambda arguments: (print("on", file=sys.stderr, flush=True), run(arguments))[1]
sys.exit(main.main())
"""


@pytest.mark.parametrize("words", [["explain"], ["advise", "m.csv", "--depth", "3", "--rank", "2"]])
def test_an_interrupt_is_one_line_at_any_moment(in_tmp: Path, words: list[str]) -> None:
    """From the command's first act on; before it Python itself starts, in hundredths of a second."""
    (in_tmp / "m.csv").write_text("\n".join(",".join(str((3 * i + j * j) % 11) for j in range(8)) for i in range(8)))
    for delay in (0.0, 0.2, 0.4, 0.8):
        with subprocess.Popen(
            [sys.executable, "-c", WATCHED, *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as begun:
            assert begun.stderr is not None
            assert begun.stderr.readline() == "on\n"
            time.sleep(delay)
            begun.send_signal(signal.SIGINT)
            lines = begun.stderr.read().splitlines()
        assert (begun.returncode, lines) in ((130, ["interrupted"]), (0, [])), delay


DROPPED = """
import signal, sys, time
from dmf.cli import main

class Last:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)  # Python drops what is raised here

def run(arguments):
    last = Last()
    del last
    time.sleep(60)
    return 0

main._run = run
sys.exit(main.main())
"""


def test_an_interrupt_that_python_drops_is_not_lost() -> None:
    begun = subprocess.run([sys.executable, "-c", DROPPED], capture_output=True, text=True, timeout=50)
    assert (begun.returncode, begun.stdout, begun.stderr) == (130, "", "interrupted\n")


THREADS = """
import sys
from dmf.cli.main import main
sys.argv = ["dmf", "predict", sys.argv[1], "--depth", "2", "--lam", "0.5c"]
main()
from threadpoolctl import threadpool_info
print({one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"})
"""


@pytest.mark.parametrize(("given", "used"), [({}, 1), ({"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"}, 2)])
def test_a_command_takes_one_thread_or_as_many_as_the_shell_says(
    given: dict[str, str], used: int, tmp_path: Path
) -> None:
    (tmp_path / "m.csv").write_text("2,0\n0,1\n")
    kept = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    command = [sys.executable, "-c", THREADS, str(tmp_path / "m.csv")]
    done = subprocess.run(command, env=kept | given, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == str({used})
