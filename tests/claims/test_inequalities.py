"""One false case among honest ones of the inequalities is found and named; untouched controls contradict nothing."""

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr

from dmf.claims import load_claim
from dmf.evidence.judge import find
from dmf.grid.config import Certificate

Halves = tuple[xr.Dataset, xr.Dataset]
Load = Callable[[str], Halves]

# claim, kind of case to corrupt, what its gap becomes in units of its tolerance
CORRUPTIONS = [
    ("von_neumann", "unrelated", -1.5),
    ("von_neumann", "shared vectors", -1.5),
    ("von_neumann", "tilted on one side", float("nan")),
    ("von_neumann_equality", "shared vectors", 1.5),
    ("von_neumann_equality", "shared vectors", -1.5),
    ("von_neumann_equality", "tilted on both sides", 1e2),  # above zero, below what its angle demands
    ("von_neumann_equality", "one sign flipped", 0.5),
    ("von_neumann_equality", "paired otherwise", 0.0),
    ("variational", "sheared", -1.5),
    ("variational", "balanced", -1.5),
    ("variational_equality", "balanced", 1.5),
    ("variational_equality", "sheared", 0.5),
    ("variational_equality", "unrelated layers", -2.0),
]


@pytest.mark.parametrize(("name", "kind", "units"), CORRUPTIONS)
def test_one_false_case_among_honest_ones_is_found_and_named(name: str, kind: str, units: float, study: Load) -> None:
    evidence = study("inequalities")[0].copy(deep=True)
    amount = evidence["amount"].where(evidence["kind"] == kind, -1)
    cell, start = np.unravel_index(np.argmax(amount.values), amount.shape)
    evidence["gap"].values[cell, start] = units * evidence["gap_tolerance"].values[cell, start]
    found = find(load_claim(name), evidence, Certificate())
    assert found.word == "violated"
    case = evidence.isel(cell=cell, start=start)
    assert found.worst == {key: case[key].item() for key in ("inequality", "kind", "shape", "depth", "draw")}


@pytest.mark.parametrize("name", sorted({name for name, _, _ in CORRUPTIONS}))
def test_controls_contradict_only_where_their_hypothesis_is_declared(name: str, study: Load) -> None:
    assert find(load_claim(name), study("inequalities")[1], Certificate()).word != "violated"


def test_a_case_without_certificate_is_not_heard(study: Load) -> None:
    evidence = study("inequalities")[0].copy(deep=True)
    evidence["gap"].values[0, 0] = -1.0
    evidence["certified"].values[0, 0] = 0
    assert find(load_claim("von_neumann"), evidence, Certificate()).word == "confirmed"
