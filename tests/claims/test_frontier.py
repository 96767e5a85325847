"""Claims beyond the paper's problem: one false case among honest ones is named; controls alone say nothing."""

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr

from dmf.claims import load_claim, load_claims
from dmf.evidence.judge import find
from dmf.figures import figure_studies
from dmf.grid.config import Certificate, load
from dmf.studies import FRONTIER, study_names

Load = Callable[[str], tuple[xr.Dataset, xr.Dataset]]
CLAIMS = [name for name, claim in load_claims().items() if claim.study in FRONTIER]

# claim, field to corrupt in one counted case, what it becomes in units of which field
CORRUPTIONS = [
    ("branches", "value_gap", -1.5, "value_tolerance"),
    ("branches", "distance", 1.5, "distance_tolerance"),
    ("branches", "split", 1.5, "split_tolerance"),
    ("branches", "norm_gap", 1.5, "norm_tolerance"),
    ("branches", "trace_gap", -1.5, "trace_tolerance"),
    ("branches", "trace_spread", 1.5, "trace_tolerance"),
    ("branches", "norm_spread", 1.5, "norm_tolerance"),
    ("branches", "distance", float("nan"), "distance_tolerance"),
    ("any_model", "fit_gap", 1.5, "fit_tolerance"),
    ("any_model", "weight_gap", 1.5, "weight_tolerance"),
    ("any_model", "norm_gap", 1.5, "norm_tolerance"),
    ("any_model", "closed_gap", 1.5, "weight_tolerance"),
    ("any_model", "fit_gap", float("nan"), "fit_tolerance"),
    ("equal_norms", "norm_spread", 1.5, "spread_tolerance"),
    ("sweeps", "excess", 1.5, "excess_tolerance"),
    ("sweeps", "true_excess", -1e-12, "value"),
    ("sweeps", "secant", 1.5, "value"),
    ("sensitivity", "derivative_gap", 1.5, "derivative_tolerance"),
    ("sensitivity", "asymmetry", 3, "derivative_tolerance"),
    ("sensitivity", "spectrum_gap", 1e-8, "size"),
    ("sensitivity", "degrees", 1.001, "predicted_degrees"),
    ("stein", "covariance", 1.2, "mean_degrees"),
    ("missing_entries", "observed_gap", 1.5, "observed_tolerance"),
    ("missing_entries", "norm_gap", 1.5, "norm_tolerance"),
    ("missing_entries", "flip_gap", 1.5, "flip_tolerance"),
    ("missing_entries", "moved", 0.5, "moved_tolerance"),
    ("missing_entries", "count", 0.5, "predicted_count"),
    ("real_depth", "found", 1.001, "predicted"),
    ("real_depth", "found_tie", 1.001, "predicted_tie"),
    ("mixed_norms", "value_gap", -1.5, "value_tolerance"),
    ("mixed_norms", "distance", 1.5, "distance_tolerance"),
    ("mixed_norms", "energy_gap", 1.5, "energy_tolerance"),
    ("mixed_norms", "imbalance", 1.5, "imbalance_tolerance"),
    ("any_loss", "imbalance", 1.5, "imbalance_tolerance"),
    ("any_loss", "residual_gap", 1.5, "residual_tolerance"),
    ("any_loss", "power_gap", 1.5, "power_tolerance"),
    ("any_loss", "value_gap", 1.5, "value_tolerance"),
    ("residual_chains", "imbalance", 1.5, "imbalance_tolerance"),
    ("residual_chains", "skew_gap", 1.5, "skew_tolerance"),
    ("residual_chains", "norm_difference", 0.5, "norm_tolerance"),
    ("components", "pieces", 2, "predicted_pieces"),
    ("components", "signs", 0.5, "predicted_pieces"),
    ("components", "end_gap", 1.5, "end_tolerance"),
    ("components", "path", 1.5, "path_tolerance"),
    ("components", "lowest_pass", 0.999, "barrier"),
    ("components", "end_gap", float("nan"), "end_tolerance"),
    ("merge_tree", "height", 0.9999, "predicted_height"),
    ("basins", "found", 1.001, "predicted"),
    ("flow_balance", "law_gap", 1.5, "law_tolerance"),
    ("largest_step", "rate", 0.9, "predicted_rate"),
    ("largest_step", "best_rate", 1.1, "predicted_best_rate"),
    ("largest_step", "below_gradient", 1.5, "below_tolerance"),
    ("largest_step", "above_gradient", 0.7, "leaving_tolerance"),
    ("largest_step", "growth", 1.001, "predicted_growth"),
    ("slow_points", "power", 1.01, "predicted_power"),
    ("slow_points", "factor", 1.01, "predicted_factor"),
    ("counterexamples", "found", 1.0, "promised"),
    ("counterexamples", "exact", 3.0, "promised"),
]


@pytest.mark.parametrize(("name", "field", "units", "unit"), CORRUPTIONS)
def test_one_false_case_among_honest_ones_is_found_and_named(
    name: str, field: str, units: float, unit: str, study: Load
) -> None:
    claim = load_claim(name)
    evidence = study(claim.study)[0].copy(deep=True)
    concerned = np.logical_or.reduce([np.isfinite(arm.departure(evidence)) for arm in claim.arms])
    counted = (claim.eligible(evidence) & claim.scope(evidence)).transpose("cell", "start").values & concerned
    cell, start = np.argwhere(counted)[-1]
    place = (cell, start) if evidence[field].ndim == 2 else cell
    evidence[field].values[place] = units * evidence[unit].values[place]
    found = find(claim, evidence, Certificate())
    assert found.word == "violated"
    assert found.worst is not None
    case = evidence.isel(cell=int(cell), start=int(start))
    for key, value in found.worst.items():  # a number of the cell is false in all of its starts
        if evidence[field].ndim == 2 or evidence[key].dims == ("cell",):
            assert value == case[key].item()


@pytest.mark.parametrize("name", CLAIMS)
def test_honest_cases_confirm_it_and_every_field_of_its_arms_can_violate_it(name: str, study: Load) -> None:
    claim = load_claim(name)
    honest, _ = study(claim.study)
    assert find(claim, honest, Certificate()).word == "confirmed"
    assert len({corrupted for own, corrupted, *_ in CORRUPTIONS if own == name}) >= len(claim.arms)


@pytest.mark.parametrize("name", CLAIMS)
def test_controls_contradict_only_where_something_is_declared_of_them(name: str, study: Load) -> None:
    claim = load_claim(name)
    controls = study(claim.study)[1]
    assert find(claim, controls, Certificate()).word != "violated"
    for arm in claim.arms:
        assert find(claim, arm.far(controls), Certificate()).word == "violated", arm.name


def test_the_grid_of_the_frontier_names_all_of_its_studies_and_each_has_a_claim_or_a_figure() -> None:
    grid = load("config/grids/frontier.yaml")
    assert list(grid.studies) == list(FRONTIER)
    assert set(FRONTIER) <= set(study_names())
    drawn = {study for study in figure_studies().values() if study in FRONTIER}
    assert {load_claim(name).study for name in CLAIMS} | drawn == set(FRONTIER)
