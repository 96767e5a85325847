"""Each comparison of a claim on a study has a near control that a tolerance 30 times too loose misses.

Where the tolerance is over the number, as of leads and gaps that must not be zero, it is one 30 times too small.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from dmf.claims import load_claim, load_claims
from dmf.evidence.claim import Arm, Detection
from dmf.evidence.controls import Off
from dmf.evidence.judge import detections

Load = Callable[[str], tuple[xr.Dataset, xr.Dataset]]
LOOSER = 30.0
ARMS = [
    (name, arm.name)
    for name, claim in load_claims().items()
    if claim.study not in ("runs", "proofs")
    for arm in claim.arms
]
# What no field holds: constants of the claim, and errors that the study gives in units of rounding.
OF_CONSTANTS = {
    ("measure_zero", "slope"),
    ("general_penalty", "jumps"),
    ("small_lambda", "expansion"),
    *((name, arm) for name in ("branch_end", "threshold") for arm in ("near it", "on its side")),
}
ALLOWED = ("bound", "excess_most", "excess_least", "per_step", "floor", "shortfall_rounding", "imbalance_slope")


def near(name: str, arm: Arm, controls: xr.Dataset) -> Detection:
    """What one arm of a claim says of its near control."""
    alone = replace(load_claim(name), arms=(arm,))
    return next(found for found in detections(alone, controls) if found.distance == "near")


def arm_of(name: str, arm: str) -> Arm:
    return next(one for one in load_claim(name).arms if one.name == arm)


@pytest.mark.parametrize(("name", "arm"), ARMS)
def test_it_is_detected_and_by_a_tolerance_30_times_looser_it_is_not(name: str, arm: str, study: Load) -> None:
    controls = study(load_claim(name).study)[1]
    own = arm_of(name, arm)
    found = near(name, own, controls)
    assert not found.missed
    assert found.statistic is not None
    assert 2 < found.statistic < LOOSER
    assert near(name, replace(own, ratio=lambda evidence: own.ratio(evidence) / LOOSER), controls).missed


@pytest.mark.parametrize(("name", "arm"), [pair for pair in ARMS if pair not in OF_CONSTANTS])
def test_what_it_declares_does_not_follow_the_tolerance(name: str, arm: str, study: Load) -> None:
    """One that did, as a field of 1.5 times its own tolerance, would be detected for any."""
    controls = study(load_claim(name).study)[1]
    looser = controls.copy(deep=True)
    for field in map(str, controls.data_vars):
        allowed = "tolerance" in field and field != "gradient_tolerance"  # that one is the certificate's
        if allowed or field in ALLOWED or field == "imbalance_floor":
            looser[field] = controls[field] * LOOSER
    before, after = (near(name, arm_of(name, arm), one).statistic for one in (controls, looser))
    assert before is not None
    assert after is not None
    factor = after / before if after > before else before / after
    assert factor == pytest.approx(LOOSER, rel=1e-6)


def test_a_field_off_its_place_is_off_by_its_parts_of_scales() -> None:
    cells = xr.Dataset(
        {"x": ("cell", [1.0, -2.0]), "size": (("cell", "start"), [[-1.0, 2.0, 3.0], [4.0, 5.0, np.nan]])}
    )
    off = Off("x", {"size*x": 0.1, "1": 0.5})(cells, cells["size"])
    np.testing.assert_allclose(off, [[1.6, 1.7, 1.8], [-0.7, -0.5, np.nan]], rtol=1e-15)
    assert off.dims == ("cell", "start")
    assert Off(0, {"1": 2})(cells, cells["x"]).values.tolist() == [2, 2]
    assert str(Off("x", {"size*x": 0.1, "1": 0.5})) == "their x and 0.1 of their size times their x and 0.5"
    assert str(Off(0, {"size": 2})) == "2 of their size"
