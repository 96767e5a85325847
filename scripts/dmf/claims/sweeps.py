"""Beyond the paper: what a sweep of weight decay says of its runs, for any loss and any network."""

import numpy as np
import xarray as xr

from dmf.evidence.claim import Arm, Claim
from dmf.evidence.controls import Off, declared, where


def call_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Excess that the sweep finds over what it allows, above 1 where it calls the run not global, (cell, start)."""
    return evidence["excess"] / evidence["excess_tolerance"]


def bound_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Excess that the sweep finds less the run's own over the minimum, over tolerance, (cell, start)."""
    tolerance = evidence["excess_tolerance"] + evidence["true_tolerance"]
    return (evidence["excess"] - evidence["true_excess"]) / tolerance


def slope_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Departure of the secant from the mean of the norms at its ends, over half of their difference, (cell, start)."""
    return abs(evidence["secant"] - evidence["norm_middle"]) / evidence["slope_tolerance"]


def is_minimal(evidence: xr.Dataset) -> xr.DataArray:
    """Runs known to be global, (cell, start)."""
    return evidence["minimal"] == 1


def is_known(evidence: xr.Dataset) -> xr.DataArray:
    """Certified runs at a lambda whose minimum is known, (cell, start)."""
    return ((evidence["certified"] == 1) & np.isfinite(evidence["true_excess"])).transpose("cell", "start")


def is_coupled(evidence: xr.Dataset) -> xr.DataArray:
    """Cells whose decay is that of the recorded lambda, (cell,)."""
    return evidence["coupled"] == 1


FALSE_SWEEPS = declared(where(problem=("weight_decay", "decoupled")), coupled=1)

SWEEPS = Claim(
    title="A sweep of weight decay proves of some runs that they are not global, and of no global run",
    source="Beyond Theorem 3",
    statements=("Beyond the paper: sweeps",),
    statement=(
        r"For any loss $\ell$ and any network $v(\lambda) = \min_\theta \ell + \lambda \|\theta\|^2$ is concave in "
        r"$\lambda$ with slope $\|\theta^*\|^2$. So a run is not global if another one's weights cost less at its "
        r"$\lambda$, and then by no more than it is above the minimum. Along a path of minimizers the value grows "
        r"between two $\lambda$ by at least the later and at most the earlier $\|\theta\|^2$ times their difference."
    ),
    statistic=(
        "largest of: the excess that a sweep finds for a run known to be global; that excess less the known one; the "
        "departure of the slope from the norm; each in units of tolerance"
    ),
    tolerance=(
        "the rule's own rounding; for known minima rounding and what the gradient allows; for slopes half of the "
        "difference of the norms at both ends, and rounding of the values over the step"
    ),
    refuted_by="a run known to be global that the sweep of its network calls not global",
    control=(
        r"sweeps that record an optimizer's weight_decay, $2\lambda$, in place of $\lambda$; and sweeps of Adam with "
        "decoupled decay, declared to be global minimizers"
    ),
    scope=is_coupled,
    arms=(
        Arm(
            "false alarms",
            call_ratio,
            FALSE_SWEEPS,
            declared(where(problem="ordinary"), excess=Off(0, {"value": 1e-13})),
            concerns=is_minimal,
        ),
        Arm(
            "excess",
            bound_ratio,
            FALSE_SWEEPS,
            declared(where(problem="ordinary"), excess=Off("true_excess", {"value": 6e-13})),
        ),
        Arm(
            "slope",
            slope_ratio,
            declared(where(problem="weight_decay"), coupled=1),
            declared(where(problem="ordinary"), secant=Off("norm_middle", {"norm_middle": 1e-6})),
        ),
    ),
    study="sweeps",
    eligible=is_known,
)
