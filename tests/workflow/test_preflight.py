"""`snakemake preflight` says what a grid takes and trains nothing."""

from copy import deepcopy

from harness import TINY, Workflow


def test_the_goal_prints_what_the_grid_takes_and_trains_nothing(workflow: Workflow) -> None:
    workflow.write(deepcopy(TINY))
    result = workflow("--quiet", "all", "--", "preflight")
    assert result.returncode == 0, result.stderr
    assert "64, 64 of them to be trained" in result.stderr
    assert not list(workflow.folder.rglob("*.nc"))
