"""What the workflow makes of a grid, decided without Snakemake and without writing anything."""

import json
import shutil
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

from dmf.claims import claim_module, load_claims
from dmf.code import SCRIPTS, code_fingerprint
from dmf.dataset.store import write
from dmf.dataset.targets import targets_dataset
from dmf.errors import UserError
from dmf.figures import figure_studies
from dmf.plan import WorkflowPlan, canonical, plan_workflow, plugins
from dmf.studies import FRONTIER, study_names
from small import SMALL, Trained

OFF = {"studies": [], "figures": [], "refute": {"runs": 0}, "minimum_search": {"runs": 0}, "prove": {"runs": 0}}
SAYS = {"identity": "as made elsewhere"}  # every file says what it is of
STUDIES = {claim.study for claim in load_claims().values()} | set(figure_studies().values())


def planned(**changes: Any) -> WorkflowPlan:
    return plan_workflow({**deepcopy(SMALL), **changes}, "small.yaml")


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.fixture
def archive(trained: Trained, tmp_path: Path) -> Path:
    """The data folder of the small grid without studies and searches, copied from elsewhere."""
    folder = tmp_path / "elsewhere"
    write(targets_dataset(trained.project.targets, 3).assign_attrs(SAYS), folder / "targets.nc")
    for group, runs in trained.groups.items():
        write(runs.assign_attrs(SAYS), folder / "runs" / f"{group.name}.nc")
    write(xr.Dataset(attrs={"settings": trained.project.training, **SAYS}), folder / "controls.nc")
    return folder


def test_a_small_grid_plans_one_chunk_for_each_shape_and_depth(in_tmp: Path) -> None:
    plan = planned(**OFF)
    # Targets of 3 x 4 and 2 x 2, hidden layers as wide as the narrower side, depths 2 and 3.
    assert set(plan.chunks) == {"L2-3x3x4", "L2-2x2x2", "L3-3x3x3x4", "L3-2x2x2x2"}
    assert list(plan.evidence_chunks) == ["evidence"]
    assert sum(tile.runs for tile in plan.tiles.values()) == 2 * 2 * 2 * 2 * 4
    assert plan.every == (1, 1)
    assert plan.labels == plan.labels_of("targets") == {"a": "a", "b": "b"}
    assert plan.labels_of("orbit") == {}
    assert [name for name, _, *_ in plan.definitions] == ["a", "b"]
    data = "data/small"
    assert plan.folders == (data, data, "reports/small", f"{data}/runs", f"{data}/logs", f"{data}/benchmarks")


def test_every_tile_is_assembled_and_every_chunk_certified_once(in_tmp: Path) -> None:
    plan = planned(**OFF, tiles={"seconds": 1e-4, "chunk_mib": 1 / 1024})
    assert len(plan.evidence_chunks) > 1
    assert len(plan.tiles) > len(plan.chunks) > 4
    assembled = {file for chunk in plan.chunks for file in plan.tiles_of(chunk)}
    assert assembled == {f"data/small/tiles/{name}.nc" for name in plan.tiles}
    certified = [file for name in plan.evidence_chunks for file in plan.runs_of(name)]
    assert sorted(certified) == sorted(f"data/small/runs/{chunk}.nc" for chunk in plan.chunks)
    assert plan.evidence_of("runs") == [f"data/small/{name}.nc" for name in plan.evidence_chunks]


def test_figures_of_very_many_runs_read_one_file_with_those_that_they_draw(in_tmp: Path) -> None:
    small = planned(**OFF)
    large = planned(**OFF | {"figures": ["collapse", "targets"], "starts": {"count": 200_000}})
    assert small.thinned == []
    assert small.drawn_of("runs") == small.evidence_of("runs")
    assert large.thinned == large.drawn_of("runs") == large.drawn_of("targets") == ["data/small/thinned.nc"]
    made = large.products.product_of("reports/small/figures/collapse.svg")
    assert made.inputs == ("data/small/thinned.nc", "data/small/controls.nc")
    assert large.products.product_of("data/small/thinned.nc").inputs == tuple(large.evidence_of("runs"))
    assert large.predicted_seconds("thin", {}) > small.predicted_seconds("thin", {})


def test_what_is_turned_off_leaves_out_what_reads_it(in_tmp: Path) -> None:
    off, on = planned(**OFF), planned()
    assert set(off.claims.values()) <= {"runs", "targets"}
    assert off.figures == {}
    assert list(off.settings) == ["controls.nc"]
    assert (off.found, off.searched, off.measured, off.drawn_studies()) == ([], [], [], [])
    assert on.claims == {name: claim.study for name, claim in load_claims().items() if claim.study not in FRONTIER}
    assert on.figures == {name: study for name, study in figure_studies().items() if study not in FRONTIER}
    assert on.found == ["reports/small/refute.json"]
    assert (on.proofs, off.proofs) == (["data/small/proofs.nc"], [])
    assert on.searched == ["data/small/studies/minimum_search.nc"]
    assert on.measured == ["data/small/studies/networks.nc", "data/small/studies/practice.nc"]


def test_one_study_alone_brings_its_own_claims_and_figures(in_tmp: Path) -> None:
    plan = planned(**{**OFF, "studies": ["scalar"], "figures": "all"})
    expected = {"runs", "targets", "scalar"} & STUDIES
    assert set(plan.claims.values()) | set(plan.figures.values()) == expected
    assert plan.evidence_of("scalar") == ["data/small/studies/scalar.nc"]
    assert plan.controls_of("scalar") == "data/small/studies/scalar.nc"
    assert plan.made_with("scalar") == plan.settings["studies/scalar.nc"] != ""
    assert plan.drawn_studies() == ["data/small/studies/scalar.nc"]


@pytest.mark.parametrize("name", FRONTIER)
def test_a_study_beyond_the_problem_is_made_where_it_is_named_and_not_where_all_are_asked_for(
    in_tmp: Path, name: str
) -> None:
    assert f"studies/{name}.nc" not in planned().settings
    named = planned(**{**OFF, "studies": [name]})
    assert f"studies/{name}.nc" in named.settings
    assert name in {*named.claims.values(), *figure_studies().values()}


def test_claims_on_runs_are_checked_with_trained_controls_and_those_on_targets_with_the_targets(in_tmp: Path) -> None:
    plan = planned(**OFF)
    assert plan.controls_of("runs") == "data/small/controls.nc"
    assert plan.made_with("runs") == plan.project.training
    assert plan.controls_of("targets") == "data/small/targets.nc"
    assert plan.made_with("targets") == ""


def test_every_file_that_something_reads_is_one_with_settings_or_of_the_grid(in_tmp: Path) -> None:
    plan = planned()
    for study in [*plan.claims.values(), *plan.figures.values()]:
        made = plan.controls_of(study).removeprefix("data/small/")
        assert made in {*plan.settings, "targets.nc"}, study


@pytest.mark.parametrize(
    ("key", "known"), [("studies", "all or names out of"), ("figures", "all or names out of")], ids=str
)
def test_an_unknown_name_is_one_line_that_names_file_key_and_value(in_tmp: Path, key: str, known: str) -> None:
    with pytest.raises(UserError) as caught:
        planned(**{key: ["nothing"]})
    line = str(caught.value)
    assert line.startswith(f"small.yaml: {key}: got 'nothing', expected {known}")
    assert "\n" not in line


@pytest.mark.parametrize("config", [{"archive": "nowhere"}, {"incomplete": "maybe"}, {"depths": [1]}], ids=str)
def test_nonsense_is_one_line(in_tmp: Path, config: dict[str, Any]) -> None:
    with pytest.raises(UserError) as caught:
        planned(**config)
    assert "\n" not in str(caught.value)


# What changes, and the files that are then made with other settings.
SETTINGS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "a title": ({"title": "another"}, set()),
    "a label": ({"targets": [{**SMALL["targets"][0], "label": "A"}, SMALL["targets"][1]]}, set()),
    "a lambda": ({"lambdas": {"relative": [0.3]}}, {"studies/minimum_search.nc", "proofs.nc"}),
    "a depth": ({"depths": [2]}, {"studies/minimum_search.nc", "proofs.nc"}),
    "the number of starts": ({"starts": {"scales": [0.5, 2], "count": 5}}, {"proofs.nc"}),
    "the number of proofs": ({"prove": {"runs": 100}}, {"proofs.nc"}),
    "the effort to refute": ({"refute": {"runs": 400}}, {"refute.nc"}),
    "the effort to find a minimum": ({"minimum_search": {"runs": 3}}, {"studies/minimum_search.nc"}),
    "what a verdict needs": ({"certificate": {"runs_per_cell": 3, "cells": 0.9}}, set()),
    "the optimizer": (
        {"optimizer": {"name": "lbfgs", "memory": 7}},
        {"controls.nc", "proofs.nc", "refute.nc", "studies/minimum_search.nc"},
    ),
    "the seed": (
        {"seed": 4},
        {
            "controls.nc",
            "proofs.nc",
            "refute.nc",
            "studies/minimum_search.nc",
            *(f"studies/{name}.nc" for name in study_names() if name not in FRONTIER),
        },
    ),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_change_where_what_they_make_changes_and_nowhere_else(in_tmp: Path, name: str) -> None:
    change, expected = SETTINGS[name]
    before, after = planned().settings, planned(**change).settings
    assert before.keys() == after.keys()
    assert {file for file in before if before[file] != after[file]} == expected


def test_equal_values_give_equal_texts_whatever_their_order(in_tmp: Path) -> None:
    assert canonical({"b": [1, 2.5], "a": "λ"}) == canonical({"a": "λ", "b": (1, 2.5)})
    assert json.loads(canonical({"b": 1e-10})) == {"b": 1e-10}
    turned = dict(reversed(deepcopy(SMALL).items()))
    assert plan_workflow(turned, "x").settings == planned().settings
    defaults = {"certificate": {"gradient_norm": 1.0e-10}, "optimizer": {"name": "lbfgs"}, "hidden_widths": "same"}
    assert planned(**defaults).settings == planned().settings


def test_an_archive_is_read_and_all_that_is_made_lies_elsewhere(archive: Path, in_tmp: Path) -> None:
    before = files(archive)
    plan = planned(**OFF, archive="elsewhere")
    assert not plan.source.trains
    assert not plan.source.makes_inputs
    assert plan.folders.data == "elsewhere"
    assert plan.folders.runs == "elsewhere/runs"
    assert not any(
        folder.startswith("elsewhere") for folder in (plan.folders.made, *plan.folders[2:3], plan.folders.logs)
    )
    assert plan.folders.made != planned(**OFF).folders.made  # evidence of trained runs stays as it is
    assert plan.controls_of("runs") == "elsewhere/controls.nc"
    assert plan.made_with("runs") == plan.project.training
    with plan.hold():
        plan.sweep(print)
        plan.begin(runs_here=True, say=print)
        assert files(archive) == before
    assert not (in_tmp / "data/small/tiles.jsonl").exists()
    assert plan.chunks.keys() == planned(**OFF).chunks.keys()


def test_an_archive_needs_every_file_unless_the_report_is_incomplete(archive: Path, in_tmp: Path) -> None:
    wanted = {**OFF, "studies": ["scalar"], "archive": "elsewhere"}
    with pytest.raises(UserError, match=r"elsewhere/studies/scalar\.nc: no such file"):
        planned(**wanted)
    lost = next(iter((archive / "runs").glob("L3-*")))
    lost.unlink()
    plan = planned(**wanted, incomplete=True)
    assert plan.absent == ["studies/scalar.nc"]
    assert "studies/scalar.nc" not in plan.settings
    assert "scalar" not in plan.claims.values()
    assert plan.trained_of(lost.stem) == []
    other = next(chunk for chunk in plan.chunks if chunk != lost.stem)
    assert plan.trained_of(other) == [f"elsewhere/runs/{other}.nc"]


def test_what_there_is_of_a_grid_is_reported_in_separate_folders(in_tmp: Path) -> None:
    whole, part = planned(**OFF), planned(**OFF, incomplete=True)
    assert part.folders.data == whole.folders.data
    assert set(part.folders[1:]).isdisjoint(whole.folders)
    assert not part.source.trains
    assert part.source.makes_inputs  # targets, controls and studies take seconds
    assert part.controls_of("runs") == whole.controls_of("runs")
    chunk = next(iter(part.chunks))
    assert part.trained_of(chunk) == []
    (file,) = part.tiles_of(chunk)
    Path(file).parent.mkdir(parents=True)
    Path(file).touch()
    assert part.trained_of(chunk) == [file]


def test_planning_is_the_same_twice_and_writes_nothing(in_tmp: Path) -> None:
    config = deepcopy(SMALL)
    first, second = (plan_workflow(config, "small.yaml") for _ in range(2))
    assert list(first.tiles) == list(second.tiles)
    assert (first.settings, first.claims, first.figures) == (second.settings, second.claims, second.figures)
    assert config == SMALL
    assert files(in_tmp) == set()


def test_under_a_prefix_the_same_files_of_the_same_identities_are_made(in_tmp: Path) -> None:
    plan, other = planned(**OFF), plan_workflow({**deepcopy(SMALL), **OFF}, "module", root="some/where/")
    assert other.folders == plan.folders  # rules name them so, and Snakemake puts the prefix before them
    assert other.products.paths == [f"some/where/{path}" for path in plan.products.paths]
    for path in plan.products.paths:
        assert other.products.identity(f"some/where/{path}") == plan.products.identity(path)
    with other.hold():
        other.sweep(print)
        other.begin(runs_here=True, say=print)
    assert {"some/where/data/small/grid.yaml", "some/where/data/small/tiles.jsonl"} <= files(in_tmp)
    assert not (in_tmp / "data").exists()
    chunk = next(iter(other.chunks))
    (tile,) = other.tiles_of(chunk)
    assert other.trained_of(chunk) == []
    (in_tmp / "some/where" / tile).parent.mkdir()
    (in_tmp / "some/where" / tile).touch()
    assert other.trained_of(chunk) == [tile]


def test_under_a_prefix_an_archive_is_found_from_the_working_directory(archive: Path, in_tmp: Path) -> None:
    plan = plan_workflow({**deepcopy(SMALL), **OFF, "archive": "elsewhere"}, "module", root="some/where/")
    assert plan.folders.data == plan.placed.folders.data == str(in_tmp / "elsewhere")  # no prefix comes before it
    assert plan.placed.folders.made == "some/where/data/small/archived"


def test_the_first_job_finds_the_grid_recorded_and_held(in_tmp: Path) -> None:
    plan = planned(**OFF)
    with plan.hold():
        plan.begin(runs_here=True, say=print)
        assert {"data/small/grid.yaml", "data/small/tiles.jsonl", "reports/small"} <= files(in_tmp)
        assert list(planned(**OFF).tiles) == list(plan.tiles)


def test_the_steps_that_load_a_plug_in_by_name_rerun_for_it() -> None:
    assert plugins("check", "collapse") == ("dmf.claims.collapse",)
    assert plugins("draw", "collapse") == ("dmf.figures.collapse",)
    assert plugins("study", "scalar") == ("dmf.studies.scalar",)
    assert plugins("train") == plugins("certify") == ()
    on_runs = {claim_module(name) for name, claim in load_claims().items() if claim.study == "runs"}
    assert set(plugins("refute")) == set(plugins("judge_attempts")) == on_runs
    assert set(plugins("verify")) == {claim_module(name) for name in load_claims()}
    assert set(plugins("report")) == set(plugins("paper")) > set(plugins("verify"))
    for step in ("check", "draw", "study", "report"):
        for module in plugins(step, {"study": "scalar"}.get(step, "collapse")):
            assert SCRIPTS.joinpath(*module.split(".")).with_suffix(".py").is_file()


def test_the_code_of_a_check_is_that_of_its_claim(in_tmp: Path) -> None:
    plan = planned(**OFF)
    assert plan.code("check", "collapse") == code_fingerprint("check", "dmf.claims.collapse")
    assert plan.code("check", "collapse") != plan.code("check", "levels")


def test_a_second_attempt_asks_for_more(in_tmp: Path) -> None:
    plan = planned(**OFF)
    tile, chunk = next(iter(plan.tiles)), next(iter(plan.chunks))
    asked = (
        (plan.train_mb, tile),
        (plan.train_minutes, tile),
        (plan.assemble_mb, chunk),
        (plan.certify_mb, "evidence"),
    )
    for ask, name in asked:
        assert ask(name, 2) == 2 * ask(name, 1) > 0


IMPORTS = """
import json, sys
from dmf.plan import plan_workflow
plan = plan_workflow(json.loads(sys.argv[1]), "small.yaml", trains_here=False)
plan.code("check", "collapse"), plan.code("report")
print(*sorted({"torch", "seaborn", "matplotlib", "numba", "pandas"} & sys.modules.keys()))
"""


def test_planning_imports_no_library_that_trains_or_draws(tmp_path: Path) -> None:
    command = [sys.executable, "-c", IMPORTS, json.dumps(SMALL)]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert set(found.stdout.split()).isdisjoint({"torch", "seaborn", "matplotlib", "numba"})
    assert list(tmp_path.iterdir()) == []


def test_a_copy_of_the_data_is_the_plan_of_the_original(archive: Path, in_tmp: Path) -> None:
    shutil.copytree(archive, in_tmp / "copy")
    one, other = (planned(**OFF, archive=folder) for folder in ("elsewhere", "copy"))
    assert (list(one.tiles), one.settings, one.claims) == (list(other.tiles), other.settings, other.claims)
