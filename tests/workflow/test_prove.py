"""The step that proves runs: what it makes, what reads it, and a grid without it."""

import shutil
from copy import deepcopy
from pathlib import Path

import pytest

from dmf.claims import load_claims
from dmf.cli.main import main
from dmf.dataset.store import read
from dmf.report.proofs import read_proved
from harness import TINY, Workflow


def load_claims_on(studies: set[str]) -> list[str]:
    return [name for name, claim in load_claims().items() if claim.study in studies]


def test_runs_are_proved_and_the_page_the_table_and_the_verdicts_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    workflow = Workflow(tmp_path)
    workflow.write({**deepcopy(TINY), "figures": [], "prove": {"runs": 4000}})
    result = workflow("--quiet", "all")
    assert result.returncode == 0, result.stderr
    proofs = read(tmp_path / "data/tiny/proofs.nc")
    assert (proofs["certified"].values[proofs["draw"].values >= 0] == 1).all()
    proved = read_proved(tmp_path / "reports/tiny")
    assert proved is not None
    assert proved.cells == proved.of_cells == 8
    page = (tmp_path / "reports/tiny/index.html").read_text()
    assert 'id="proofs"' in page
    assert 'id="claim-minimizers_agree"' in page
    assert "minimizers_agree: confirmed" in (tmp_path / "reports/tiny/verified.txt").read_text()
    assert main(["prove", str(tmp_path / "data/tiny/proofs.nc")]) == 0
    assert workflow.planned("all") == {}
    monkeypatch.chdir(tmp_path)
    assert main(["verify", "reports/tiny", "--data", "data/tiny"]) == 0, capsys.readouterr().err
    summary = Path("reports/tiny/proofs.json")
    whole = summary.read_bytes()
    summary.write_bytes(whole.replace(b'"undecided": 0', b'"undecided": 1', 1))
    assert main(["verify", "reports/tiny"]) == 1
    assert "proofs.json" in capsys.readouterr().err
    summary.write_bytes(whole)
    # A copy brings its proofs: nothing is trained or proved for a report of it.
    shutil.copytree(tmp_path / "data/tiny", tmp_path / "copies/tiny")
    archived = workflow.planned("all", "--config", "archive=copies/tiny")
    assert archived["check"] == len(load_claims_on({"runs", "targets", "proofs"}))
    assert not {"prove", "train"} & set(archived)
    # A grid that asks for fewer proofs makes them again, and trains nothing.
    workflow.write({**deepcopy(TINY), "figures": [], "prove": {"runs": 20}})
    planned = workflow.planned("all")
    assert planned["prove"] == 1
    assert "train" not in planned
