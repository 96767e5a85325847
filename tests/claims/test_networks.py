"""Claims on networks: one false run among honest ones is found and named; runs on other inputs do not count."""

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr

from dmf.claims import load_claim
from dmf.evidence.judge import find
from dmf.grid.config import Certificate

Halves = tuple[xr.Dataset, xr.Dataset]
Load = Callable[[str], Halves]

# claim, data set, field, what is added to it
CORRUPTIONS = [
    ("white_inputs", "digits-white", "level_gap", 1e-8),
    ("white_inputs", "condition-1", "level_gap", -1e-8),
    ("white_inputs", "condition-1", "distance", 1e-6),
    ("white_inputs", "other-white", "misalignment", 1e-6),
    ("white_inputs", "digits-white", "layer_norm_sq_max", 1e-6),
    ("white_inputs", "condition-1", "layer_norm_sq_min", -1e-6),
    ("white_inputs", "condition-1", "level_gap", np.nan),
    ("any_inputs", "condition-100", "imbalance", 1e-6),
    ("any_inputs", "digits-correlated", "singular_value_gap", 1e-6),
    ("any_inputs", "condition-30", "norm_gap", 1e-6),
    ("any_inputs", "rank-3", "off_span", 1e-6),
    ("any_inputs", "condition-10", "residual_gap", 1e-6),
    ("any_inputs", "condition-10", "residual_gap", np.nan),
]


@pytest.mark.parametrize(("name", "data", "field", "amount"), CORRUPTIONS)
def test_one_false_run_among_honest_ones_is_found_and_named(
    name: str, data: str, field: str, amount: float, study: Load
) -> None:
    claim = load_claim(name)
    evidence = study("networks")[0].copy(deep=True)
    counted = evidence["certified"] == 1
    if name == "white_inputs":  # where product and layer norms count
        counted = counted & (evidence["minimal"] == 1) & np.isfinite(evidence["radius"])
    places = counted.transpose("cell", "start").values & (evidence["target"].values == data)[:, None]
    cell, start = np.argwhere(places)[-1]
    evidence[field].values[cell, start] += amount
    found = find(claim, evidence, Certificate())
    assert found.word == "violated"
    assert found.worst is not None
    assert found.worst["target"] == data
    for key in ("lam_label", "depth", "scheme", "scale", "draw"):
        assert found.worst[key] == evidence[key].values[cell if evidence[key].dims == ("cell",) else start]


@pytest.mark.parametrize("name", ["white_inputs", "any_inputs"])
def test_controls_contradict_only_where_their_hypothesis_is_declared(name: str, study: Load) -> None:
    assert find(load_claim(name), study("networks")[1], Certificate()).word != "violated"


def test_correlated_runs_say_nothing_of_white_inputs(study: Load) -> None:
    evidence = study("networks")[0]
    scope = load_claim("white_inputs").scope(evidence).values
    np.testing.assert_array_equal(scope, evidence["inputs"].values == "white")


def test_correlated_inputs_violate_at_every_condition_and_already_at_the_mildest(study: Load) -> None:
    """The claim tells white inputs apart from others without being told which are which."""
    claim, evidence = load_claim("white_inputs"), study("networks")[0]
    for data in ("condition-3", "condition-10", "digits-correlated"):
        cells = evidence.isel(cell=np.flatnonzero(evidence["target"].values == data))
        assert find(claim, cells.assign(white=xr.ones_like(cells["white"])), Certificate()).word == "violated"


def test_stopping_early_breaks_each_part_of_the_claim_on_any_inputs(study: Load) -> None:
    claim, control = load_claim("any_inputs"), study("networks")[1]
    false = claim.arms[0].far(control)
    for gap, allowed in (("norm_gap", "norm_gap_tolerance"), ("residual_gap", "residual_tolerance")):
        assert (false[gap] > false[allowed]).all(), gap
