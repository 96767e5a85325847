"""Beyond the paper: the scale of balanced starts from which on a singular value is kept."""

import xarray as xr

from dmf.evidence.claim import Arm, Claim
from dmf.evidence.controls import Off, declared, where
from dmf.evidence.eligibility import is_certified


def threshold_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Departure of the separating scale from the closed form over its tolerance, (cell, start)."""
    return abs(evidence["found"] - evidence["predicted"]) / evidence["threshold_tolerance"]


def is_aligned(evidence: xr.Dataset) -> xr.DataArray:
    """Cells whose starts are in the target's singular bases, (cell,)."""
    return evidence["aligned"] == 1


BASINS = Claim(
    title="A balanced start keeps a singular value exactly if it begins above the small root",
    source="Beyond equation 79",
    statements=("Beyond the paper: basins",),
    statement=(
        r"From layers $s_0 U_l U_{l-1}^\top$ in the singular bases of $M$, gradient descent with small steps keeps "
        r"$\sigma_i$ iff $s_0^L$ is larger than the small root of $h(x) = \sigma_i$ ($L \geq 3$)."
    ),
    statistic="largest departure of the separating scale from the closed form, in units of tolerance",
    tolerance=(
        "the width of the bracket in which descent on the whole problem leaves the scale, and rounding over how fast "
        "the unstable point is left"
    ),
    refuted_by="a start above the small root that loses its value, or one below it that keeps it",
    control="starts as balanced but in other bases, declared to be in the target's",
    scope=is_aligned,
    arms=(
        Arm(
            "scale",
            threshold_ratio,
            declared(where(problem="other bases"), aligned=1),
            declared(where(problem="ordinary"), found=Off("predicted", {"1": 5e-8})),
        ),
    ),
    study="basins",
    eligible=is_certified,
)
