"""Runs that are not there are places without a value: nothing else changes, and none of them can speak."""

import numpy as np
import pytest
import xarray as xr

from dmf.claims import load_claims
from dmf.dataset.assemble import assemble
from dmf.dataset.missing import missing_block
from dmf.dataset.schema import MISSING, check_runs
from dmf.evidence.certify import certify
from dmf.evidence.judge import find
from dmf.figures import figure_studies, load_figure
from dmf.grid.cells import Group
from dmf.grid.config import Certificate
from small import Trained

CLAIMS = {name: claim for name, claim in load_claims().items() if claim.study == "runs"}


@pytest.fixture(scope="module")
def partial(trained: Trained) -> dict[Group, xr.Dataset]:
    """The small grid without the runs of one group, and without those of one lambda and three starts in another."""
    project, found = trained.project, {}
    for place, (group, whole) in enumerate(trained.groups.items()):
        nothing = missing_block(project.block(group), project.targets, project.grid)
        parts = [whole.isel(lam_label=[1], start=slice(3, None))] if place == 1 else [] if place == 2 else [whole]
        found[group] = assemble(project.block(group), [("nothing", nothing), *(("a part", part) for part in parts)])
        check_runs(found[group], "assembled")
    return found


def test_what_is_there_is_in_its_place_and_the_rest_is_missing(
    trained: Trained, partial: dict[Group, xr.Dataset]
) -> None:
    lost = []
    for group, whole in trained.groups.items():
        found = partial[group]
        missing = found["status"].values == MISSING
        lost.append(int(missing.sum()))
        for name in ("matrix", "lam", "gradient_tolerance", "target_fingerprint", "scheme", "scale", "draw"):
            np.testing.assert_array_equal(found[name].values, whole[name].values, err_msg=name)
        for name in ("objective", "end_to_end", "layer_norm_sq", "status", "iterations"):
            np.testing.assert_array_equal(found[name].values[~missing], whole[name].values[~missing], err_msg=name)
        assert np.isnan(found["objective"].values[missing]).all()
        assert found.attrs["training"] == whole.attrs["training"]
    sizes = [whole["objective"].size for whole in trained.groups.values()]
    assert lost == [0, sizes[1] - sizes[1] * 5 // 16, sizes[2], *[0] * (len(sizes) - 3)]


def test_no_missing_run_speaks_and_the_others_speak_as_before(
    trained: Trained, partial: dict[Group, xr.Dataset]
) -> None:
    evidence = certify(partial.values())
    there = (evidence["status"] != MISSING).transpose("cell", "start")
    for name, claim in CLAIMS.items():
        eligible = claim.eligible(evidence)
        assert not (eligible & ~there).any(), name
        np.testing.assert_array_equal(
            eligible.values, claim.eligible(trained.evidence).where(there, False).values, name
        )
        finding = find(claim, evidence, Certificate())
        whole = find(claim, trained.evidence, Certificate())
        assert finding.statistic is not None, name
        assert finding.statistic <= whole.statistic, name  # type: ignore[operator]
        assert (finding.runs, finding.cells) == (whole.runs, whole.cells), name
        assert finding.runs_counted < whole.runs_counted, name


def test_too_few_runs_confirm_nothing(trained: Trained) -> None:
    project = trained.project
    blocks = [missing_block(project.block(group), project.targets, project.grid) for group in trained.groups]
    first, whole = next(iter(trained.groups.items()))
    some = [assemble(project.block(first), [("nothing", blocks[0]), ("a part", whole)]), *blocks[1:]]
    for name, claim in CLAIMS.items():
        assert find(claim, certify(blocks), Certificate()).word == "inconclusive", name
        assert find(claim, certify(some), Certificate()).word == "inconclusive", name


def test_every_figure_can_be_drawn_of_a_grid_with_missing_runs(
    partial: dict[Group, xr.Dataset], controls: xr.Dataset
) -> None:
    evidence = certify(partial.values())
    for name, study in figure_studies().items():
        if study == "runs":
            load_figure(name).compose(evidence, controls, {})
