"""make with hostile files and paths: nothing that a user writes runs, and a bad file is one line, soon."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

import pytest
import yaml

from corpus.configurations import BOMB, MERGED, TOO_MANY
from dmf.evidence.claim import Verdict
from harness import ROOT, TINY, Workflow
from signed import changed, sign

TOUCH = ("; touch PWNED;", "$(touch PWNED)", "`touch PWNED`", "| touch PWNED", "&& touch PWNED", "\ntouch PWNED\n")
QUOTES = ("", "'", '"', "]", "))", "\\")
TARGETS = "\ndepths: [3]\nlambdas: {relative: [0.5]}\ntargets: [{name: g, kind: gaussian, shape: [3, 3]}]\n"
MEMORY = 2 * 2**30  # bytes that a process may take here
SECONDS = 10.0  # for the start of Python, on a busy machine; the bombs of these tests would take years


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout in which setup is done."""
    return set_up(tmp_path / "a checkout")


def set_up(folder: Path) -> Path:
    """Make the folder a checkout in which setup is done, with a space in its name; what is run here may leave PWNED."""
    folder.mkdir()
    for name in ("Snakefile", "workflow", "scripts"):
        (folder / name).symlink_to(ROOT / name)
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, folder / name)
    (folder / ".venv").mkdir()
    (folder / ".venv/bin").symlink_to(Path(sys.prefix, "bin"))
    (folder / ".venv/installed").touch()
    return folder


def make(
    folder: Path, *arguments: str, seconds: float = 300, out: int | IO[str] = subprocess.PIPE, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Call make. A make around the tests, and its GRID, must not reach this one."""
    outside = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MAKE", "MFLAGS")) and name not in ("GRID", "ARCHIVE")
    }
    outside |= {"PYTHONPATH": str(ROOT / "scripts"), "TERM": "dumb", "OMP_NUM_THREADS": "1", **environment}
    command = ["make", *arguments]
    with subprocess.Popen(
        command,
        cwd=folder,
        env=outside,
        stdout=out,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as begun:
        resource.prlimit(begun.pid, resource.RLIMIT_DATA, (MEMORY, MEMORY))  # what it starts inherits this
        try:
            output, errors = begun.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(begun.pid, signal.SIGKILL)  # make alone would leave what it waits for
            raise
    return subprocess.CompletedProcess(command, begun.returncode, output, errors)


def refusal(result: subprocess.CompletedProcess[str], folder: Path) -> str:
    """The one line with which make refused; holds it to having run and written nothing."""
    assert result.returncode == 2, result.stdout + result.stderr
    lines = [line for line in result.stderr.splitlines() if not line.startswith("make: ***")]
    assert len(lines) == 1, result.stderr
    assert result.stdout == ""
    assert not list(folder.rglob("PWNED"))
    assert not {path.name for path in folder.iterdir()} & {"data", "reports", ".snakemake"}
    return lines[0]


@pytest.mark.parametrize("goal", ["all", "verdicts"])
def test_no_text_of_a_grid_file_reaches_a_shell(checkout: Path, goal: str) -> None:
    for command, quote in [*zip(TOUCH, QUOTES, strict=True), *zip(TOUCH, reversed(QUOTES), strict=True)]:
        (checkout / "grid.yaml").write_text(yaml.safe_dump({"grid": f"x {quote}{command} {quote}[ a"}) + TARGETS)
        line = refusal(make(checkout, goal, "GRID=grid.yaml"), checkout)
        assert line.startswith("grid.yaml: grid: got ")
        assert "expected letters, digits" in line


NAMES = [
    "my grids", "a'b", 'a"b', "a;touch PWNED", "a`touch PWNED`", "$(touch PWNED)", "$(shell touch PWNED)",
    "$$(touch PWNED)", "${shell touch PWNED}", "a\ntouch PWNED\n", "-n", "--eval=$(shell touch PWNED)", "a#b", "a\\",
    "a&touch PWNED", "*", "~", "a|touch PWNED", "a>PWNED", "1e3", "{x}", "[x]", "a: b", "ä",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_any_name_of_a_file_is_only_a_name(checkout: Path, name: str) -> None:
    (checkout / f"{name}.yaml").write_text("grid: t\ndepth: 1\n")
    for result in (make(checkout, f"GRID={name}.yaml"), make(checkout, GRID=f"{name}.yaml")):
        line = refusal(result, checkout)
        assert line.endswith("depth: unknown key; did you mean depths? (and 3 more)")


@pytest.mark.parametrize("name", [*NAMES, "a #b"])
def test_any_name_of_an_archive_is_only_a_name(checkout: Path, name: str) -> None:
    (checkout / name).mkdir()
    (checkout / name / "grid.yaml").write_text("grid: t" + TARGETS)
    result = make(checkout, f"ARCHIVE={name}")  # as far as Snakemake and our own check of the folder
    assert result.returncode == 2
    [line] = [line for line in result.stderr.splitlines() if "***" not in line and "profile" not in line]
    assert "archive: got " in line or f"{name}/targets.nc: no such file" in line, line
    assert not list(checkout.rglob("PWNED"))


MAPPINGS = BOMB.replace("[x, x]", "{x: 1, y: 1}").replace("[", "{x: ").replace(", *", ", y: *").replace("]", "}")
BAD: dict[str, tuple[bytes, str]] = {
    "no YAML": (b"grid: [1, 2\ndepths: 3", "not valid YAML"),
    "Latin-1": (b"grid: \xf6", "not readable as text"),
    "empty": (b"", "got None: expected a mapping"),
    "a list": (b"[1, 2]", "expected a mapping"),
    "no name": (TARGETS.encode(), "grid: missing"),
    "no text": (b"grid: [a, b]" + TARGETS.encode(), "grid: got ['a', 'b']: expected text"),
    "a number": (b"grid: 12" + TARGETS.encode(), "grid: got 12: expected text"),
    "an empty name": (b"grid: ''" + TARGETS.encode(), "grid: got '': expected letters"),
    "a path": (b"grid: ../x" + TARGETS.encode(), "grid: got '../x': expected letters"),
    "a long name": (b"grid: " + b"a" * 9000 + TARGETS.encode(), "expected at most 64 characters"),
    "a longer name": (b"grid: " + b"a" * 10**6 + TARGETS.encode(), "a value of 1,000,000 characters"),
    "a bomb of lists": (BOMB.encode(), TOO_MANY),
    "a bomb of merge keys": (MERGED.encode(), TOO_MANY),
    "a bomb of mappings": (MAPPINGS.encode(), TOO_MANY),
    "a number in base 60": (b"grid: 1" + b":59" * 10**5 + TARGETS.encode(), "a value of 300,001 characters"),
    "Python": (b"grid: !!python/object/apply:os.system [touch PWNED]", "not valid YAML"),
}


@pytest.mark.parametrize("goal", ["all", "verdicts"])
@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_one_line_soon_and_nothing_is_written(checkout: Path, name: str, goal: str) -> None:
    content, fragment = BAD[name]
    (checkout / "bad.yaml").write_bytes(content)
    began = time.monotonic()
    line = refusal(make(checkout, goal, "GRID=bad.yaml", seconds=2 * SECONDS), checkout)
    assert time.monotonic() - began < SECONDS
    assert line.startswith("bad.yaml: ")
    assert fragment in line


def test_a_template_in_a_file_is_not_run(checkout: Path) -> None:
    text = '__use_yte__: true\ngrid: \'?__import__("os").system("touch PWNED") or "x"\'' + TARGETS
    (checkout / "grid.yaml").write_text(text)
    assert "__use_yte__: unknown key" in refusal(make(checkout, "GRID=grid.yaml"), checkout)


@pytest.mark.parametrize("goal", ["all", "verdicts"])
def test_what_is_no_file_is_refused(checkout: Path, goal: str) -> None:
    (checkout / "folder").mkdir()
    os.mkfifo(checkout / "pipe")
    for name, fragment in {
        "folder": "is a folder, a device or a pipe",
        "pipe": "is a folder, a device or a pipe",
        "nowhere.yaml": "no such file",
        "a" * 5000: "not readable",
    }.items():
        line = refusal(make(checkout, goal, f"GRID={name}", seconds=2 * SECONDS), checkout)
        assert line.startswith(f"{name}: " if len(name) < 500 else name[:500])  # of a long line the middle is left out
        assert fragment in line


def test_the_workflow_refuses_the_file_of_an_archive_before_snakemake_reads_it(workflow: Workflow) -> None:
    (workflow.folder / "copy").mkdir()
    yte = '__use_yte__: true\nx: \'?__import__("os").system("touch PWNED")\'\n'
    for content, fragment in ((yte, "unknown key"), (MERGED, TOO_MANY), ("a: [", "not valid YAML")):
        (workflow.folder / "copy/grid.yaml").write_text(content)
        result = workflow("--quiet", "all", "--config", "archive=copy")
        assert result.returncode == 1
        [line] = [line for line in result.stderr.splitlines() if line.strip()]
        assert line.startswith("copy/grid.yaml: ")
        assert fragment in line
    assert not list(workflow.folder.rglob("PWNED"))


@pytest.mark.parametrize("key", ["grid", "archive", "incomplete"])
def test_the_workflow_refuses_a_bomb_that_snakemake_lets_through(workflow: Workflow, key: str) -> None:
    file = workflow.folder / "grid.yaml"
    file.write_text(BOMB.replace("grid:", f"{key}:"))
    result = workflow("--quiet", "all")
    assert result.returncode == 1
    [line] = [line for line in result.stderr.splitlines() if line.strip()]
    assert key in line or "unknown key" in line
    assert len(line) < 300


@pytest.mark.parametrize("name", ["$(touch PWNED)", "`touch PWNED`", "a'b", 'a"b', "a\\b", "x{x}", "a\nb"])
def test_a_name_of_an_archive_that_snakemake_would_hand_to_a_shell_is_refused(workflow: Workflow, name: str) -> None:
    (workflow.folder / name).mkdir()
    (workflow.folder / name / "grid.yaml").write_text("grid: t" + TARGETS)
    quoted = name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    result = workflow("--quiet", "all", "--config", f'archive="{quoted}"')
    assert result.returncode == 1
    [line] = [line for line in result.stderr.splitlines() if line.strip()]
    assert line.startswith("archive: got ")
    assert "rename the folder" in line


NAMED = "my grids; touch PWNED/-a b.yaml"
SMALL = {**TINY, "figures": []}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A checkout where make has run a small grid from an odd folder, and what it printed."""
    folder = set_up(tmp_path_factory.mktemp("made") / "a checkout")
    (folder / NAMED).parent.mkdir()
    (folder / NAMED).write_text(yaml.safe_dump(SMALL))
    result = make(folder, f"GRID={NAMED}")
    assert result.returncode == 0, result.stderr
    return folder, result.stdout


@pytest.fixture
def finished(made: tuple[Path, str], tmp_path: Path) -> Path:
    """A copy of that checkout, to change."""
    shutil.copytree(made[0], tmp_path / "a checkout", symlinks=True)
    return tmp_path / "a checkout"


def test_make_runs_a_grid_and_prints_its_table(made: tuple[Path, str]) -> None:
    folder, printed = made
    assert "Verdicts of grid tiny" in printed
    assert "Report: reports/tiny/index.html" in printed
    assert (folder / "reports/tiny/verified.txt").exists()
    assert not list(folder.rglob("PWNED"))


def test_make_again_prints_the_same_table_though_nothing_is_to_be_done(made: tuple[Path, str], finished: Path) -> None:
    result = make(finished, f"GRID={NAMED}")
    assert (result.returncode, result.stdout) == (0, made[1])
    assert "progress" not in result.stderr


def test_a_table_that_cannot_be_printed_is_one_line_and_a_status(finished: Path) -> None:
    with Path("/dev/full").open("w") as full:
        result = make(finished, f"GRID={NAMED}", out=full)
    assert result.returncode == 2
    assert "standard output: No space left on device; make room and call again" in result.stderr


def test_make_verdicts_prints_the_same_table_and_runs_nothing(made: tuple[Path, str]) -> None:
    folder, printed = made
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    result = make(folder, "verdicts", f"GRID={NAMED}")
    assert (result.returncode, result.stdout, result.stderr) == (0, printed, "")
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()} == before


def test_a_run_that_fails_shows_no_table_of_the_run_before(finished: Path) -> None:
    config = {**SMALL, "targets": [{"name": "x", "kind": "file", "path": "no.npy"}]}
    (finished / NAMED).write_text(yaml.safe_dump(config))
    result = make(finished, f"GRID={NAMED}")
    assert result.returncode == 2
    assert "no.npy: no such file" in result.stderr
    assert "Verdicts" not in result.stdout + result.stderr


def test_a_violation_shows_its_table_and_fails(finished: Path) -> None:
    """Verify sees a verdict that was changed by hand, and is as old as before."""
    file = finished / "reports/tiny/verdicts/layer_norms.json"
    before, verdict = file.stat(), Verdict.from_json(json.loads(file.read_text()))
    file.write_text(json.dumps(changed(verdict, "finding", "violated").as_json()))
    sign(finished / "reports/tiny")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    (finished / "reports/tiny/verified.txt").unlink()
    result = make(finished, f"GRID={NAMED}")
    assert (result.returncode, result.stdout) == (2, "")
    assert "Verdicts of grid tiny" in result.stderr
    assert "layer_norms" in result.stderr
    assert "is violated" in result.stderr


def test_an_archive_in_an_odd_folder_gives_the_same_table(made: tuple[Path, str], checkout: Path) -> None:
    folder = "my copies & more/tiny; touch PWNED"
    shutil.copytree(made[0] / "data/tiny", checkout / folder)
    result = make(checkout, f"ARCHIVE={folder}")
    assert result.returncode == 0, result.stderr
    assert result.stdout == made[1]
    assert not list(checkout.rglob("PWNED"))
