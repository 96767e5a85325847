"""One false case among honest ones of the extensions is found and named; untouched controls contradict nothing."""

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr

from dmf.claims import load_claim
from dmf.evidence.judge import find
from dmf.grid.config import Certificate

Halves = tuple[xr.Dataset, xr.Dataset]
Load = Callable[[str], Halves]

# claim, field to corrupt in one speaking case, what it becomes in units of which field
CORRUPTIONS = [
    ("layer_lambdas", "distance", 1.5, "distance_tolerance"),
    ("layer_lambdas", "value_gap", -1.5, "value_tolerance"),
    ("layer_lambdas", "norm_gap", 1.5, "norm_tolerance"),
    ("layer_lambdas", "spread", 1.5, "spread_tolerance"),
    ("layer_lambdas", "spread", float("nan"), "spread_tolerance"),
    ("convention", "distance", 1.5, "distance_tolerance"),
    ("convention", "value_gap", 1.5, "value_tolerance"),
    ("bottleneck", "distance", 1.5, "distance_tolerance"),
    ("bottleneck", "value_gap", -1.5, "value_tolerance"),
    ("bottleneck", "norm_gap", 1.5, "norm_tolerance"),
    ("bottleneck_tie", "set_distance", 1.5, "distance_tolerance"),
    ("bottleneck_tie", "norm_gap", 1.5, "norm_tolerance"),
    ("bottleneck_tie", "value_gap", float("nan"), "value_tolerance"),
    ("penalized_matrices", "value_gap", -1.5, "value_tolerance"),
    ("penalized_matrices", "distance", 1.5, "distance_tolerance"),
    ("penalized_matrices", "spread", 1.5, "distance_tolerance"),
]


def spoken(name: str, evidence: xr.Dataset) -> tuple[int, int]:
    """The last case that eligible in the claim's scope."""
    claim = load_claim(name)
    cell, start = np.argwhere((claim.eligible(evidence) & claim.scope(evidence)).transpose("cell", "start").values)[-1]
    return int(cell), int(start)


@pytest.mark.parametrize(("name", "field", "units", "unit"), CORRUPTIONS)
def test_one_false_case_among_honest_ones_is_found_and_named(
    name: str, field: str, units: float, unit: str, study: Load
) -> None:
    claim = load_claim(name)
    evidence = study(claim.study)[0].copy(deep=True)
    cell, start = spoken(name, evidence)
    evidence[field].values[cell, start] = units * evidence[unit].values[cell, start]
    found = find(claim, evidence, Certificate())
    assert found.word == "violated"
    assert found.worst is not None
    case = evidence.isel(cell=cell, start=start)
    assert found.worst["draw"] == case["draw"].item()
    for key in {"depth", "form", "penalty"} & found.worst.keys():
        assert found.worst[key] == case[key].item()


@pytest.mark.parametrize(
    "name", ["layer_lambdas", "convention", "bottleneck", "bottleneck_tie", "general_penalty", "penalized_matrices"]
)
def test_controls_contradict_only_where_their_hypothesis_is_declared(name: str, study: Load) -> None:
    claim = load_claim(name)
    controls = study(claim.study)[1]
    assert find(claim, controls, Certificate()).word != "violated"
    assert find(claim, claim.arms[0].far(controls), Certificate()).word == "violated"


def test_runs_on_the_cut_that_agree_contradict_that_there_are_many_minimizers(study: Load) -> None:
    evidence = study("bottleneck")[0].copy(deep=True)
    evidence["spread"].values[:] = 0.0
    assert find(load_claim("bottleneck_tie"), evidence, Certificate()).word == "violated"


def test_a_run_above_the_lowest_is_not_heard(study: Load) -> None:
    evidence = study("weights")[0].copy(deep=True)
    cell, start = spoken("convention", evidence)
    evidence["distance"].values[cell, start] = 1.0
    evidence["lowest"].values[cell, start] = 0
    assert find(load_claim("convention"), evidence, Certificate()).word == "confirmed"


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("found", lambda case: case["predicted"] + 1.5 * case["x_tolerance"]),
        ("value", lambda case: case["predicted_value"] - 1.5 * case["value_tolerance"]),
        ("gap", lambda case: case["value_tolerance"] / 1.5),
        ("gap", lambda case: np.nan),
    ],
)
def test_one_false_scalar_is_found_and_named(field: str, change: Callable[[xr.Dataset], object], study: Load) -> None:
    evidence = study("penalties")[0].copy(deep=True)
    evidence[field].values[3, 4] = change(evidence.isel(cell=3, start=4))
    found = find(load_claim("general_penalty"), evidence, Certificate())
    assert found.word == "violated"
    assert found.worst is not None
    assert found.worst["penalty"] == evidence["penalty"].values[3]


@pytest.mark.parametrize(("field", "value"), [("jumps", 0), ("jumps", 3), ("jump_error", 1.5)])
def test_a_jump_missed_made_up_or_misplaced_is_found(field: str, value: float, study: Load) -> None:
    evidence = study("penalties")[0].copy(deep=True)
    evidence[field].values[0] = value
    assert find(load_claim("general_penalty"), evidence, Certificate()).word == "violated"
