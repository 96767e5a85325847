"""A report that somebody sent: whatever was changed in it is named, alone where it can be seen, else with its data."""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import xarray as xr

from dmf.cli.main import main
from dmf.dataset.manifest import MANIFEST
from dmf.dataset.stamps import Stamp, expecting
from dmf.dataset.store import read, write
from dmf.evidence.cases import table_csv
from dmf.evidence.claim import Verdict
from dmf.report.verdicts import csv_text, read_verdicts
from dmf.report.verify import _table
from harness import Workflow
from signed import changed, sign

Forge = Callable[[Path], None]


@pytest.fixture
def sent(trained: Workflow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A report in a separate folder, next to a copy of its data."""
    shutil.copytree(trained.folder / "reports/tiny", tmp_path / "sent")
    shutil.copytree(trained.folder / "data/tiny", tmp_path / "copied")
    monkeypatch.chdir(tmp_path)
    return Path("sent")


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    """The lines of a check that fails; none where it passes."""
    status = main(["verify", *arguments])
    captured = capsys.readouterr()
    assert (status == 0) == (captured.err == ""), captured.err
    assert (status == 0) == (captured.out != "")
    return captured.err.splitlines()


def test_an_honest_report_passes_alone_and_with_its_data(sent: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    assert main(["verify", "sent"]) == 0
    assert "was not checked: give the folder of the data" in capsys.readouterr().out
    assert main(["verify", "sent", "--data", "copied"]) == 0
    assert "follow again from the runs in copied" in capsys.readouterr().out
    assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()} == before


def test_a_flipped_bit_and_a_lost_file_of_any_kind_are_named(sent: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kinds = {(path.parent, path.suffix): path for path in sorted(sent.rglob("*")) if path.is_file()}
    for path in kinds.values():
        whole = path.read_bytes()
        flipped = bytearray(whole)
        flipped[len(whole) // 2] ^= 1
        path.write_bytes(flipped)
        assert [line for line in said(capsys, "sent") if line.startswith(f"{path}: ")], path
        path.unlink()
        if path.name != "verified.txt":
            assert said(capsys, "sent"), path
        path.write_bytes(whole)
    assert said(capsys, "sent") == []


def test_a_file_that_no_job_wrote_is_named(sent: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (sent / "verdicts" / "bonus.json").write_text("{}")
    (line,) = said(capsys, "sent")
    assert line == f"{sent}/verdicts/bonus.json: no record in manifest/ says who wrote it"


def reworded(sent: Path) -> None:
    path = sent / "verdicts/collapse.json"
    path.write_text(path.read_text().replace('"word": "confirmed"', '"word": "violated"'))


def better(sent: Path) -> None:
    """A smaller statistic, with the word and the margin that belong to it."""
    path = sent / "verdicts/collapse.json"
    verdict = Verdict.from_json(json.loads(path.read_text()))
    path.write_text(json.dumps(replace(verdict, finding=replace(verdict.finding, statistic=0.001)).as_json()))


def other_table(sent: Path) -> None:
    path = sent / "verdicts.csv"
    path.write_text(path.read_text().replace("collapse", "relapse"))


def other_cells(sent: Path) -> None:
    path = sent / "verdicts/collapse.csv"
    path.write_text(path.read_text().replace("0.3c", "0.4c"))


def other_page(sent: Path) -> None:
    path = sent / "index.html"
    path.write_text(path.read_text().replace('<tr data-words="confirmed">', '<tr data-words="violated">', 1))


def other_numbers_on_the_page(sent: Path) -> None:
    path = sent / "index.html"
    page = path.read_text()
    place = page.index('data-value="0.')
    path.write_text(page[:place] + page[place:].replace('data-value="0.', 'data-value="0.0', 1))


def other_settings(sent: Path) -> None:
    path = sent / "grid.yaml"
    path.write_text(path.read_text().replace("seed: 7", "seed: 8"))


def no_figure(sent: Path) -> None:
    (sent / "figures/kept.svg").unlink()


def verified_though_violated(sent: Path) -> None:
    path = sent / "verdicts/collapse.json"
    path.write_text(
        json.dumps(changed(Verdict.from_json(json.loads(path.read_text())), "control", "confirmed").as_json())
    )


FORGERIES: dict[Forge, str] = {
    reworded: "verdicts/collapse.json: not a readable verdict",
    better: "verdicts/collapse.json: says other than its cells: .*statistic 0.001 instead of ",
    other_table: "verdicts.csv: is not the table of the verdicts",
    other_cells: "verdicts/collapse.csv: is not the table of its cells",
    other_page: "index.html: does not show the verdict on ",
    other_numbers_on_the_page: "index.html: does not show the verdict on ",
    other_settings: "grid.yaml: is not the configuration",
    no_figure: "index.html: shows or links to figures/kept.svg, which is missing",
    verified_though_violated: "verified.txt: is there, but collapse",
}


@pytest.mark.parametrize("forge", FORGERIES, ids=lambda forge: forge.__name__)
def test_a_forger_who_signs_one_change_is_found_alone(
    sent: Path, capsys: pytest.CaptureFixture[str], forge: Forge
) -> None:
    forge(sent)
    sign(sent)
    lines = said(capsys, "sent")
    assert [line for line in lines if re.match(f"{sent}/{FORGERIES[forge]}", line)], lines


def all_of_it(sent: Path) -> None:
    """A forger who changes the cells, the verdict, the tables and the page, and signs them."""
    cells = sent / "cells/runs.nc"
    table = read(cells)
    row = table["claim"].values.tolist().index("collapse")
    statistic = table["statistic"].values.copy()
    statistic[row] /= 8  # a power of two: all follows exactly
    write(table.assign(statistic=(("claim", "cell"), statistic, table["statistic"].attrs)), cells)
    path = sent / "verdicts/collapse.json"
    verdict = Verdict.from_json(json.loads(path.read_text()))
    assert verdict.finding.statistic is not None
    forged = replace(verdict, finding=replace(verdict.finding, statistic=verdict.finding.statistic / 8))
    path.write_text(json.dumps(forged.as_json()))
    (sent / "verdicts/collapse.csv").write_text(table_csv(_table(read(cells), "collapse")))
    (sent / "verdicts.csv").write_text(csv_text(read_verdicts(sorted((sent / "verdicts").glob("*.json")))))
    page = (sent / "index.html").read_text()
    for name in ("statistic", "margin"):
        was, now = (f'data-value="{getattr(one.finding, name)}"' for one in (verdict, forged))
        assert page.count(was) == 1
        page = page.replace(was, now)
    (sent / "index.html").write_text(page)


def test_a_forger_who_changes_all_of_it_is_found_with_the_data(sent: Path, capsys: pytest.CaptureFixture[str]) -> None:
    all_of_it(sent)
    sign(sent)
    assert said(capsys, "sent") == []  # alone, a report cannot show that its numbers come from runs
    lines = said(capsys, "sent", "--data", "copied")
    assert [line for line in lines if re.search(r"collapse.json: finding is not what the data say: .*statistic", line)]


def test_data_of_another_seed_or_altered_are_named(sent: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = Path("copied/controls.nc")
    whole, controls = path.read_bytes(), read(path)
    with expecting({path: Stamp("0123456789abcdef")}):
        write(controls, path)
    lines = said(capsys, "sent", "--data", "copied")
    assert any(line.startswith("sent/verdicts/collapse.json: is not of these data") for line in lines)
    path.write_bytes(whole)
    with expecting({path: Stamp(controls.attrs["identity"])}):
        write(controls.assign_attrs(settings="those of another seed"), path)
    assert any(
        "copied/controls.nc: settings: found those of" in line for line in said(capsys, "sent", "--data", "copied")
    )
    path.write_bytes(whole[: len(whole) // 2])
    (line,) = said(capsys, "sent", "--data", "copied")
    assert "copied/controls.nc: not a readable" in line


def test_a_report_of_other_code_says_with_which_version_to_check_it(
    sent: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dmf.plan.code_fingerprint", lambda *step: "other code")
    lines = said(capsys, "sent", "--data", "copied")
    assert any(
        "sent: was made by other code than this, or of other data; its provenance says" in line for line in lines
    )


def test_a_folder_that_is_no_report_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = said(capsys, str(tmp_path))
    assert line.startswith(f"{tmp_path}: no folder {MANIFEST} here; expected a report")


def test_nothing_in_a_hostile_report_steers_the_terminal(sent: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (sent / "figures" / "\x1b[2J\n.svg").write_text("")
    (sent / "verdicts/collapse.json").write_text('{"claim": "\x1b[31m"}')
    sign(sent)
    main(["verify", "sent"])
    assert "\x1b" not in capsys.readouterr().err


def test_a_report_with_external_entities_reads_no_other_file(sent: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A link in place of a file is followed by nobody unnoticed: what it leads to has another fingerprint."""
    path = sent / "census.csv"
    path.unlink()
    path.symlink_to("/etc/passwd")
    assert any(line.startswith(f"{path}: content does not match") for line in said(capsys, "sent"))
    assert isinstance(read(sent / "cells/runs.nc"), xr.Dataset)
