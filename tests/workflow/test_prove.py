"""The step that proves runs: what it makes, what reads it, and a grid without it."""

from copy import deepcopy
from pathlib import Path

from dmf.cli.main import main
from dmf.dataset.store import read
from dmf.report.proofs import read_proved
from harness import TINY, Workflow


def test_runs_are_proved_and_the_page_the_table_and_the_verdicts_say_so(tmp_path: Path) -> None:
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
    # A grid that asks for fewer proofs makes them again, and trains nothing.
    workflow.write({**deepcopy(TINY), "figures": [], "prove": {"runs": 20}})
    planned = workflow.planned("all")
    assert planned["prove"] == 1
    assert "train" not in planned
