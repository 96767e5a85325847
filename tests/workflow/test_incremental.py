"""Nothing is trained twice: a larger grid trains what is new, a relabelled one trains nothing."""

import shutil
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from dmf.dataset.store import read
from harness import TINY, Workflow


@pytest.fixture
def copy(trained: Workflow, tmp_path: Path) -> Workflow:
    """The trained grid in a folder of its own, with Snakemake's bookkeeping."""
    folder = tmp_path / "copy"
    shutil.copytree(trained.folder, folder)
    return Workflow(folder)


def test_a_finished_grid_plans_nothing(copy: Workflow) -> None:
    assert copy.planned("all") == {}


# The tiny grid has two groups of targets (3 x 3 and 2 x 3) at each depth, and its tiles hold a whole group.
EXTENSIONS: dict[str, tuple[dict[str, Any], int, int]] = {
    # what changes: (configuration, new tiles, groups to assemble again)
    "a lambda for every group": ({"lambdas": {"relative": [0.1, 0.3, 1.2]}}, 4, 4),
    "a depth": ({"depths": [2, 3, 4]}, 2, 2),
    "more starts": ({"starts": {"scales": [0.5, 2], "count": 6}}, 4, 4),
    "a scale": ({"starts": {"scales": [0.5, 1, 2], "count": 4}}, 4, 4),
    "a target of a known shape": (
        {"targets": [*TINY["targets"], {"name": "c", "kind": "gaussian", "shape": [3, 3]}]},
        2,
        2,
    ),
    "another order of everything": (
        {"depths": [3, 2], "lambdas": {"relative": [1.2, 0.3]}, "targets": TINY["targets"][::-1]},
        0,
        4,
    ),
    "other tile sizes": ({"tiles": {"seconds": 0.001}}, 0, 0),
    "fewer lambdas": ({"lambdas": {"relative": [0.3]}}, 0, 4),
    "a tighter tolerance": ({"certificate": {"gradient_norm": 1e-11}}, 4, 4),
    "another seed": ({"seed": 8}, 4, 4),
}


@pytest.mark.parametrize("name", EXTENSIONS)
def test_only_what_is_new_is_trained(copy: Workflow, name: str) -> None:
    change, tiles, groups = EXTENSIONS[name]
    copy.write({**deepcopy(TINY), **change})
    planned = copy.planned("runs")
    assert planned.get("train", 0) == tiles
    assert planned.get("assemble", 0) == groups


def test_a_relabelled_report_trains_nothing(copy: Workflow) -> None:
    relabelled = deepcopy(TINY)
    relabelled["title"] = "Another title"
    relabelled["targets"][0]["label"] = "The first target"
    copy.write(relabelled)
    planned = copy.planned("all")
    assert planned.pop("write_report") == 1
    assert set(planned) <= {"draw", "verify", "all"}


def test_an_extended_grid_keeps_every_old_number(trained: Workflow, copy: Workflow) -> None:
    extended = deepcopy(TINY)
    extended["lambdas"]["relative"].insert(0, 0.7)
    extended["starts"]["count"] = 5
    copy.write(extended)
    result = copy("--quiet", "rules", "progress", "--", "runs")
    assert result.returncode == 0, result.stderr
    for old_file in sorted((trained.folder / "data/tiny/runs").glob("*.nc")):
        old, new = read(old_file), read(copy.folder / "data/tiny/runs" / old_file.name)
        kept = new.sel(lam=old["lam"]).isel(start=[i for i, draw in enumerate(new["draw"].values) if draw < 4])
        for name in ("objective", "end_to_end", "layer_norm_sq", "iterations"):
            assert (kept[name].values == old[name].values).all(), name


def test_an_edited_figure_does_not_retrain(trained: Workflow) -> None:
    # By Snakemake's own account of inputs: training must not list any file of the rooms above it.
    listing = trained("--dry-run", "--forceall", "--", "runs").stdout
    training = [line for line in listing.splitlines() if "scripts/dmf/" in line]
    assert training
    assert not any(room in line for line in training for room in ("figures/", "report/", "claims/", "console/"))
