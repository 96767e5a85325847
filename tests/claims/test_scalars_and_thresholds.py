"""Claims on scalars, random targets and thresholds: one false case among honest ones is found and named."""

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr

from dmf.claims import load_claim
from dmf.evidence.judge import find
from dmf.grid.config import Certificate

Halves = tuple[xr.Dataset, xr.Dataset]
Corruption = Callable[[xr.Dataset, int, int], None]
CERTIFICATE = Certificate()


def scale(name: str, factor: float) -> Corruption:
    def corrupt(evidence: xr.Dataset, cell: int, start: int) -> None:
        evidence[name].values[cell, start] *= factor

    return corrupt


def put(name: str, value: float) -> Corruption:
    def corrupt(evidence: xr.Dataset, cell: int, start: int) -> None:
        evidence[name].values[cell, start] = value

    return corrupt


def third_eigenvalue(evidence: xr.Dataset, cell: int, start: int) -> None:
    evidence["spectrum"].values[cell, start, 2] *= 1 + 1e-4


CORRUPTIONS: list[tuple[str, dict[str, object], Corruption]] = [
    ("scalar_formula", {"depth": 7, "strength": 2.0}, scale("farthest", 1 + 1e-13)),
    ("scalar_formula", {"depth": 40, "strength": 0.5}, scale("value", 1 - 1e-12)),
    ("scalar_formula", {"depth": 2, "strength": 10.0}, put("value", np.nan)),
    ("scalar_unique", {"depth": 3, "strength": 1 + 1e-9}, put("gap", 0.0)),
    ("scalar_unique", {"depth": 2, "strength": 2.0}, put("gap", 0.0)),
    ("two_minimizers", {"depth": 4, "sign": -1}, scale("end_to_end", 1 + 1e-6)),
    ("two_minimizers", {"depth": 8, "sign": 1}, scale("objective", 1 - 1e-9)),
    ("scalar_hessian", {"depth": 5, "m": 2.0, "relative": 0.1}, third_eigenvalue),
    ("hessian_constant", {"depth": 5, "m": 2.0, "relative": 0.1}, third_eigenvalue),
    ("small_lambda", {"depth": 6, "m": -0.5, "relative": 1e-3}, scale("largest", 1 - 1e-4)),
    ("small_lambda", {"depth": 2, "m": 2.0, "relative": 1e-5}, scale("largest", 1 - 1e-6)),
    ("measure_zero", {"shape": "3 x 3", "depth": 4}, put("slope_low", 0.94)),
    ("measure_zero", {"shape": "8 x 8", "depth": 3}, put("slope_high", 1.06)),
    ("threshold", {"target": "tied", "depth": 3}, scale("global", 1 + 3e-6)),
    ("threshold", {"target": "close", "depth": 2}, scale("global", 1 - 3e-6)),
    ("branch_end", {"target": "gaussian-1", "depth": 6}, scale("branch", 1 + 3e-6)),
    ("branch_end", {"target": "spread", "depth": 4}, scale("branch", 1 - 3e-6)),
    ("jump", {"target": "spread", "depth": 4}, put("jump", 1.9)),
    ("jump", {"target": "tied", "depth": 2}, put("jump", 1e-4)),
]


def corrupted(
    name: str, where: dict[str, object], corrupt: Corruption, study: Callable[[str], Halves]
) -> tuple[xr.Dataset, int, int]:
    claim = load_claim(name)
    evidence = study(claim.study)[0].copy(deep=True)
    here = np.all(
        [
            np.isclose(evidence[key].values, value) if isinstance(value, float) else evidence[key].values == value
            for key, value in where.items()
        ],
        axis=0,
    )
    eligible = (claim.eligible(evidence) & claim.scope(evidence)).values & here[:, None]
    cell, start = np.argwhere(eligible)[-1]
    corrupt(evidence, int(cell), int(start))
    return evidence, int(cell), int(start)


@pytest.mark.parametrize(("name", "where", "corrupt"), CORRUPTIONS)
def test_one_false_case_among_honest_ones_is_found_and_named(
    name: str, where: dict[str, object], corrupt: Corruption, study: Callable[[str], Halves]
) -> None:
    evidence, cell, start = corrupted(name, where, corrupt, study)
    found = find(load_claim(name), evidence, CERTIFICATE)
    assert found.word == "violated"
    case = evidence.isel(cell=cell, start=start)
    assert found.worst == {key: case[key].item() for key in case.coords}
    assert found.worst.items() >= {key: case[key].item() for key in where}.items()


@pytest.mark.parametrize(("name", "where", "corrupt"), CORRUPTIONS)
def test_the_same_falsehood_in_a_case_without_certificate_is_not_heard(
    name: str, where: dict[str, object], corrupt: Corruption, study: Callable[[str], Halves]
) -> None:
    evidence, cell, start = corrupted(name, where, corrupt, study)
    for field in {"certified", "minimal"} & set(evidence.data_vars):
        evidence[field].values[cell, start] = 0
    assert find(load_claim(name), evidence, CERTIFICATE).word == "confirmed"


@pytest.mark.parametrize(
    "name", ["scalar_formula", "scalar_unique", "two_minimizers", "scalar_hessian", "hessian_constant", "small_lambda"]
)
def test_the_control_violates_only_because_its_hypothesis_is_false(name: str, study: Callable[[str], Halves]) -> None:
    """Untouched, the control cells are honest evidence: nothing but the counterexample makes them contradict."""
    claim = load_claim(name)
    assert find(claim, study(claim.study)[1], CERTIFICATE).word != "violated"


def test_two_minimizers_needs_both_to_be_reached(study: Callable[[str], Halves]) -> None:
    evidence = study("two_minimizers")[0].copy(deep=True)
    evidence["certified"].values[:, evidence["scale"].values > 1] = 0
    assert find(load_claim("two_minimizers"), evidence, CERTIFICATE).word == "inconclusive"


@pytest.mark.parametrize("name", ["global", "branch"])
def test_an_end_on_the_wrong_side_is_a_violation_however_near(name: str, study: Callable[[str], Halves]) -> None:
    evidence = study("thresholds")[0].copy(deep=True)
    closed = {"global": "lambda_c", "branch": "lambda_s"}[name]
    evidence[name].values[4, 0] = evidence[closed].values[4] * (1 + 1e-9)
    claim = {"global": "threshold", "branch": "branch_end"}[name]
    found = find(load_claim(claim), evidence, CERTIFICATE)
    assert found.word == "violated"
    assert found.worst is not None
    assert found.worst["end"] == "below"
