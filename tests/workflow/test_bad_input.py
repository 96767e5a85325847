"""A wrong configuration stops the workflow with one line before anything is written."""

from copy import deepcopy
from typing import Any

import pytest

from harness import TINY, Workflow

CASES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "unknown key": ({"depth": [2]}, ["depth", "unknown key"]),
    "lambda not positive": ({"lambdas": {"absolute": [-0.5]}}, ["lambdas.absolute.0", "-0.5", "greater than 0"]),
    "depth too small": ({"depths": [1]}, ["depths.0", "1", "2"]),
    "grid name with a slash": ({"grid": "a/b"}, ["grid", "a/b"]),
    "narrow layer": ({"hidden_widths": 1}, ["hidden_widths", "got 1", "min(d_0, d_L) = 3"]),
    "missing file": (
        {"targets": [{"name": "x", "kind": "file", "path": "nowhere.npy"}]},
        ["targets.0 (x)", "nowhere.npy", "no such file"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_one_line_exit_code_one_and_nothing_written(workflow: Workflow, case: str) -> None:
    change, fragments = CASES[case]
    path = workflow.write({**deepcopy(TINY), **change})
    result = workflow("--quiet", "all")
    assert result.returncode == 1
    lines = [line for line in result.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, result.stderr
    for fragment in [str(path), *fragments]:
        assert fragment in lines[0]
    assert not (workflow.folder / "data").exists()
    assert not (workflow.folder / "reports").exists()
