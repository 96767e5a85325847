"""A wrong configuration stops the workflow with one line before anything is written."""

import os
import sys
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from corpus.target_files import PICKLED, crashing_mat
from dmf import __version__
from harness import TINY, Workflow

CASES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "unknown key": ({"depth": [2]}, ["depth", "unknown key"]),
    "lambda not positive": ({"lambdas": {"absolute": [-0.5]}}, ["lambdas.absolute.0", "-0.5", "greater than 0"]),
    "depth too small": ({"depths": [1]}, ["depths.0", "1", "2"]),
    "grid name with a slash": ({"grid": "a/b"}, ["grid", "a/b"]),
    "narrow layer": ({"hidden_widths": 1}, ["hidden_widths", "got 1", "min(d_0, d_L) = 3"]),
    "a data set that is none": (
        {"targets": [{"name": "x", "kind": "dataset", "dataset": "mnist"}]},
        ["targets.0.dataset", "got 'mnist'", "'digits', 'iris'"],
    ),
    "missing file": (
        {"targets": [{"name": "x", "kind": "file", "path": "nowhere.npy"}]},
        ["targets.0 (x)", "nowhere.npy", "no such file"],
    ),
}


# Files that would run code, wait for ever, or fill the memory, and what refuses them.
FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "pickled.npy": (lambda path: path.write_bytes(PICKLED), "Object arrays cannot be loaded"),
    "pipe.csv": (os.mkfifo, "is a folder, a device or a pipe"),
    "crashing.mat": (lambda path: path.write_bytes(crashing_mat()), "its reader crashed"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_harmful_file_is_refused_in_one_line_and_nothing_is_written(workflow: Workflow, name: str) -> None:
    make, fragment = FILES[name]
    make(workflow.folder / name)
    workflow.write({**deepcopy(TINY), "targets": [{"name": "x", "kind": "file", "path": name}]})
    result = workflow("--quiet", "all")
    assert result.returncode == 1
    [line] = [line for line in result.stderr.splitlines() if line.strip()]
    assert f"targets.0 (x): {name}: " in line
    assert fragment in line
    assert {path.name for path in workflow.folder.iterdir()} - {".snakemake"} == {"grid.yaml", name}


def test_a_package_that_is_missing_is_named_in_one_line(workflow: Workflow) -> None:
    """Rules are read before Snakemake makes any environment."""
    missing = 'raise ModuleNotFoundError("No module named \'filelock\'", name="filelock")'
    (workflow.folder / "filelock.py").write_text(missing)
    path = os.pathsep.join([str(workflow.folder), os.environ.get("PYTHONPATH", "")])
    without = replace(workflow, environment={**workflow.environment, "PYTHONPATH": path})
    without.write(TINY)
    result = without("--quiet", "all", "--dry-run")
    assert result.returncode == 1
    assert result.stderr.strip() == (
        f"dmf: filelock is not installed in {sys.prefix}, where snakemake runs; "
        f"pip install dmf-landscape=={__version__}, or in a checkout: make setup"
    )


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


def test_lists_and_keys_inside_of_keys_are_taken_from_the_command_line(workflow: Workflow) -> None:
    workflow.write({**deepcopy(TINY), "depths": [2]})
    given = ["depths=[3,4]", 'starts={"count":9}', 'lambdas={"relative":[0.5]}']
    result = workflow("--quiet", "all", "--config", *given, "--", "preflight")
    assert result.returncode == 0, result.stderr
    scales = len(TINY["starts"]["scales"])
    assert f"{len(TINY['targets']) * 2 * 9 * scales}, " in result.stderr
    wrong = workflow("--quiet", "all", "--config", "depths=[3,four]", "--", "preflight")
    assert "depths.1: got 'four': expected a whole number" in wrong.stderr
