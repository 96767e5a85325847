"""Nothing is trained twice: a larger grid trains what is new, a relabelled one nothing, an edit what it concerns."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from dmf.claims import CLAIMS, load_claims
from dmf.dataset.store import read
from dmf.figures import figure_studies
from dmf.studies.contract import OF_THE_GRID
from harness import ENVIRONMENT, ROOT, TINY, Workflow


@pytest.fixture
def copy(trained: Workflow, tmp_path: Path) -> Workflow:
    """The trained grid in a separate folder, with Snakemake's bookkeeping."""
    folder = tmp_path / "copy"
    shutil.copytree(trained.folder, folder)
    return Workflow(folder)


def test_a_finished_grid_plans_nothing(copy: Workflow) -> None:
    assert copy.planned("all") == {}


# The tiny grid has two groups of targets (3 x 3 and 2 x 3) at each depth, and its tiles hold a whole group.
LARGER: dict[str, tuple[dict[str, Any], int, int]] = {
    # what changes: (configuration, new tiles, groups to assemble again)
    "a lambda for every group": ({"lambdas": {"relative": [0.1, 0.3, 1.2]}}, 4, 4),
    "a depth": ({"depths": [2, 3, 4]}, 2, 2),
    "more starts": ({"starts": {"scales": [0.5, 2], "count": 6}}, 4, 4),
    "a scale": ({"starts": {"scales": [0.5, 1, 2], "count": 4}}, 4, 4),
    "a scheme": ({"starts": {"schemes": ["gaussian", "balanced"], "scales": [0.5, 2], "count": 4}}, 4, 4),
    "a target of a known shape": (
        {"targets": [*TINY["targets"], {"name": "c", "kind": "gaussian", "shape": [3, 3]}]},
        2,
        2,
    ),
    "another definition of a target": (
        {"targets": [{**TINY["targets"][0], "singular_values": [2, 1.5]}, TINY["targets"][1]]},
        2,
        2,
    ),
    "a tighter tolerance": ({"certificate": {"gradient_norm": 1e-11}}, 4, 4),
    "another seed": ({"seed": 8}, 4, 4),
}
SMALLER: dict[str, tuple[dict[str, Any], int]] = {
    # what changes: (configuration, groups to assemble again)
    "fewer lambdas": ({"lambdas": {"relative": [0.3]}}, 4),
    "fewer depths": ({"depths": [3]}, 0),
    "fewer targets": ({"targets": TINY["targets"][:1]}, 0),
    "fewer starts": ({"starts": {"scales": [0.5, 2], "count": 3}}, 4),
    "another order of everything": (
        {"depths": [3, 2], "lambdas": {"relative": [1.2, 0.3]}, "targets": TINY["targets"][::-1]},
        4,
    ),
}
ALL_CHECKED = sum(claim.study in OF_THE_GRID for claim in load_claims().values())
LABELLED = ("collapse", "layer_norms", "targets")
ALL_DRAWN = sum(study in OF_THE_GRID for study in figure_studies().values())


@pytest.mark.parametrize("name", LARGER)
def test_only_what_is_new_is_trained(copy: Workflow, name: str) -> None:
    change, tiles, groups = LARGER[name]
    copy.write({**deepcopy(TINY), **change})
    planned = copy.planned("runs")
    assert planned.get("train", 0) == tiles
    assert planned.get("assemble", 0) == groups


@pytest.mark.parametrize("name", SMALLER)
def test_a_smaller_grid_trains_nothing_and_writes_a_smaller_report(copy: Workflow, name: str) -> None:
    change, groups = SMALLER[name]
    copy.write({**deepcopy(TINY), **change})
    planned = copy.planned("all")
    assert planned.pop("assemble", 0) == groups
    assert planned.pop("draw_targets", 0) == ("targets" in change)
    assert planned == {
        **{"certify": 1, "check": ALL_CHECKED, "draw": ALL_DRAWN},
        **{"join_cells": 1, "write_report": 1, "verify": 1, "all": 1},
    }


def test_the_smaller_report_holds_only_what_is_wanted(copy: Workflow) -> None:
    copy.write({**deepcopy(TINY), "depths": [3], "figures": []})
    result = copy("--quiet", "rules", "progress", "--", "report")
    assert result.returncode == 0, result.stderr
    verdicts = json.loads((copy.folder / "reports/tiny/verdicts/collapse.json").read_text())
    assert verdicts["finding"]["runs"] == 32
    assert json.loads((copy.folder / "reports/tiny/provenance.json").read_text())["runs"] == 32


def test_other_tile_sizes_and_the_number_of_runs_a_cell_needs_train_nothing(copy: Workflow) -> None:
    copy.write({**deepcopy(TINY), "tiles": {"seconds": 0.001}})
    assert copy.planned("all").keys() <= {"write_report", "verify", "all"}
    copy.write({**deepcopy(TINY), "certificate": {"runs_per_cell": 3, "cells": 0.9}})
    judged = {"check": ALL_CHECKED, "join_cells": 1}
    assert copy.planned("all") == {**judged, "write_report": 1, "verify": 1, "all": 1}


def test_a_title_is_the_report_alone_and_a_label_is_also_in_the_figures_that_show_it(copy: Workflow) -> None:
    copy.write({**deepcopy(TINY), "title": "Another title"})
    assert copy.planned("all") == {"write_report": 1, "verify": 1, "all": 1}
    relabelled = deepcopy(TINY)
    relabelled["targets"][0]["label"] = "The first target"
    copy.write(relabelled)
    assert copy.planned("all") == {"draw": len(LABELLED), "write_report": 1, "verify": 1, "all": 1}


def test_an_extended_grid_keeps_every_old_number(trained: Workflow, copy: Workflow) -> None:
    extended = deepcopy(TINY)
    extended["lambdas"]["relative"].insert(0, 0.7)
    extended["starts"]["count"] = 5
    copy.write(extended)
    result = copy("--quiet", "rules", "progress", "--", "runs")
    assert result.returncode == 0, result.stderr
    for old_file in sorted((trained.folder / "data/tiny/runs").glob("*.nc")):
        old, new = read(old_file), read(copy.folder / "data/tiny/runs" / old_file.name)
        kept = new.sel(lam_label=old["lam_label"]).isel(
            start=[i for i, draw in enumerate(new["draw"].values) if draw < 4]
        )
        for name in ("objective", "end_to_end", "layer_norm_sq", "iterations"):
            assert (kept[name].values == old[name].values).all(), name


@pytest.fixture(scope="module")
def checkout(trained: Workflow, tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """A copy of this checkout that may be edited, and the trained grid, copied with new ages as `cp -r` does."""
    root, folder = tmp_path_factory.mktemp("checkout"), tmp_path_factory.mktemp("edited") / "grid"
    shutil.copy(ROOT / "Snakefile", root)
    shutil.copy(ROOT / "CITATION.cff", root)
    for part in ("workflow", "scripts"):
        shutil.copytree(
            ROOT / part, root / part, ignore=shutil.ignore_patterns("__pycache__"), copy_function=shutil.copy
        )
    shutil.copytree(trained.folder, folder)
    return Workflow(folder, root)


def test_another_checkout_of_the_same_code_reruns_nothing(checkout: Workflow) -> None:
    """As a fresh clone, whose files are all younger than the results."""
    assert checkout.planned("all") == {}


@contextmanager
def edited(file: Path) -> Iterator[None]:
    """The file with a line more, and afterwards as it was but for its age, which decides nothing."""
    text = file.read_bytes()
    file.write_bytes(text + b"\n")
    try:
        yield
    finally:
        file.write_bytes(text)


REPORT = {"write_report": 1, "verify": 1, "all": 1}
JUDGED = {"check": ALL_CHECKED, "join_cells": 1, **REPORT}
CERTIFIED = {"certify": 1, "draw": ALL_DRAWN, **JUDGED}
TRAINED = {"train": 4, "train_controls": 1, "assemble": 4, **CERTIFIED}
EDITS: dict[str, dict[str, int]] = {
    "figures/collapse.py": {"draw": 1, **REPORT},
    "claims/extensions.py": REPORT,  # their studies are not in the grid
    "report/page.css": REPORT,
    "report/explorer/theory.js": REPORT,
    "evidence/judge.py": JUDGED,
    "evidence/certify.py": {"train_controls": 1, **CERTIFIED},
    "theory/spectrum.py": {"train_controls": 1, **CERTIFIED},
    "theory/scalar.py": {"draw_targets": 1, **TRAINED},  # a lambda may be given in units of lambda_c
    "grid/seeds.py": {"draw_targets": 1, **TRAINED},
    "training/compiled_engine/lbfgs.py": TRAINED,
    "studies/scalar.py": {},
    "cli/main.py": {},
    "errors.py": {},
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edited_module_runs_what_imports_it_and_nothing_else(checkout: Workflow, name: str) -> None:
    with edited(checkout.root / "scripts/dmf" / name):
        assert checkout.planned("all") == EDITS[name]


def test_a_claim_is_checked_again_with_those_that_import_it(checkout: Workflow) -> None:
    with edited(checkout.root / "scripts/dmf/claims/uniqueness.py"):
        command = checkout.command("--dry-run", "--", "all")
        planned = subprocess.run(command, cwd=checkout.folder, env=ENVIRONMENT, capture_output=True, text=True).stdout
    checked = set(re.findall(r"verdicts/([a-z_]+)\.json", "\n".join(re.findall(r"^ +output: (.*)$", planned, re.M))))
    sources = {path.stem: path.read_text() for path in (checkout.root / "scripts/dmf/claims").glob("*.py")}
    importers = {name for name, text in sources.items() if "dmf.claims.uniqueness import" in text}
    assert importers
    files = {"uniqueness", *importers}
    wanted = {n for n, c in load_claims().items() if c.study in OF_THE_GRID and CLAIMS[n] in files}
    assert {"uniqueness", "layer_norms"} <= wanted
    assert checked == wanted
