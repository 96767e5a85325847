"""Claims on recovery: one false case among honest ones is found and named; controls are false in one thing only."""

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr

from dmf.claims import load_claim
from dmf.evidence.judge import find
from dmf.grid.config import Certificate

Halves = tuple[xr.Dataset, xr.Dataset]
Load = Callable[[str], Halves]

# claim, cells to corrupt, the variable, its new value in units of another variable
CORRUPTIONS = [
    ("proximal_decrease", {"penalty": "SCAD"}, "shortfall", 1.5, None),
    ("proximal_decrease", {"penalty": "power 2/5"}, "shortfall", float("nan"), None),
    ("fixed_points", {"penalty": "log"}, "stationarity", 1.5, "per_step"),
    ("fixed_points", {"penalty": "power 2/3"}, "beyond", 1.5, "per_step"),
    ("fixed_points", {"penalty": "power 2/4"}, "layered", 1.5, "layered_factor"),
    ("fixed_points", {"penalty": "power 2/4"}, "layered", float("nan"), None),
    ("fixed_points", {"penalty": "Geman"}, "stationarity", float("nan"), None),
    ("nuclear_norm", {"problem": "sensing", "rank": 3, "depth": 2}, "excess", 1.5, "excess_most"),
    ("nuclear_norm", {"problem": "completion", "rank": 1, "depth": 2}, "excess", -1.5, "excess_least"),
    ("nuclear_norm", {"problem": "completion", "rank": 2, "depth": 2}, "excess", float("nan"), None),
]


@pytest.mark.parametrize(("name", "where", "field", "value", "unit"), CORRUPTIONS)
def test_one_false_case_among_honest_ones_is_found_and_named(
    name: str, where: dict[str, object], field: str, value: float, unit: str | None, study: Load
) -> None:
    claim = load_claim(name)
    evidence = study(claim.study)[0].copy(deep=True)
    here = np.all([evidence[key].values == wanted for key, wanted in where.items()], axis=0)
    cell, start = np.argwhere((claim.eligible(evidence) & claim.scope(evidence)).values & here[:, None])[-1]
    case = {"cell": int(cell), "start": int(start)}
    if unit in ("per_step", "layered_factor"):
        allowed = evidence["per_step"] * evidence["step"] + evidence["floor"]
        value *= float((allowed * (evidence["layered_factor"] if unit == "layered_factor" else 1))[case])
    elif unit:
        value *= float(evidence[unit][case])
    evidence[field].values[cell, start] = value
    found = find(claim, evidence, Certificate())
    assert found.word == "violated"
    named = evidence.isel(case)
    assert found.worst
    assert found.worst == {key: named[key].item() for key in found.worst}


@pytest.mark.parametrize("name", ["proximal_decrease", "fixed_points", "nuclear_norm"])
def test_the_control_violates_only_because_it_is_declared_to_be_what_it_is_not(name: str, study: Load) -> None:
    claim = load_claim(name)
    controls = study(claim.study)[1]
    assert find(claim, controls, Certificate()).word != "violated"
    assert find(claim, claim.arms[0].far(controls), Certificate()).word == "violated"


def test_a_walk_that_did_not_come_to_rest_is_not_heard(study: Load) -> None:
    evidence = study("proximal_gradient")[0].copy(deep=True)
    evidence["stationarity"].values[0, 0], evidence["certified"].values[0, 0] = 1.0, 0
    assert find(load_claim("fixed_points"), evidence, Certificate()).word == "confirmed"
