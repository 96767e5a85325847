"""Theorem 5 and Fig. 2: at the two exceptional scalars there are two minimizers, and training reaches both."""

import xarray as xr

from dmf.evidence.claim import Claim
from dmf.evidence.eligibility import outside_exceptional_set


def pair_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Distance to the nearer of 0 and x_J, and of F to m^2, the larger over its tolerance, (cell, start)."""
    place = abs(evidence["end_to_end"] - evidence["jump"].where(is_far(evidence), 0.0)) / evidence["tolerance"]
    value = abs(evidence["objective"] - evidence["m"] ** 2) / evidence["value_tolerance"]
    return place.where(place > value, value)


def is_far(evidence: xr.Dataset) -> xr.DataArray:
    """Runs that ended away from zero, (cell, start)."""
    far: xr.DataArray = abs(evidence["end_to_end"]) > abs(evidence["jump"]) / 2
    return far


def both_found(evidence: xr.Dataset) -> xr.DataArray:
    """Certified runs of cells where some certified run ended at zero and some away from it, (cell, start)."""
    certified, far = evidence["certified"] == 1, is_far(evidence)
    both = (certified & far).any("start") & (certified & ~far).any("start")
    return (certified & both).transpose("cell", "start")


def on_exceptional_set(evidence: xr.Dataset) -> xr.DataArray:
    """Cells with |m| = m*, (cell,)."""
    return ~outside_exceptional_set(evidence)


def pretend_at_threshold(controls: xr.Dataset) -> xr.Dataset:
    """Scalars at +-1.1 m*, declared to be at +-m*."""
    return controls.assign(exceptional_distance=xr.zeros_like(controls["exceptional_distance"]))


CLAIM = Claim(
    order=5,
    title="Two scalars have two minimizers",
    source="Theorem 5, Fig. 2",
    statement=r"For $m = \pm m^*$ and $L \geq 3$ both $0$ and $\pm x_J$ are minimizers, with $F = m^2$ at both.",
    statistic=(
        r"largest distance of a trained product from the nearer of $0$ and $x_J$, and of $F$ from $m^2$, over all runs "
        "of the scalars where both were reached, in units of tolerance"
    ),
    tolerance=(
        r"for the product $\sqrt{L}\,(x_J^{1/L} + \delta)^{L-1}\delta$ with $\delta = 2\|\nabla F\| / \mu$, for $F$ "
        r"$2\|\nabla F\|^2 / \mu$, with $\mu = 2\lambda$, below the curvature at either point; and rounding"
    ),
    refuted_by=r"a run at $\pm m^*$ that converges elsewhere, or runs at $0$ and at $x_J$ with different objectives",
    control=r"scalars trained at $\pm 1.1\,m^*$, declared to be at $\pm m^*$",
    scope=on_exceptional_set,
    ratio=pair_ratio,
    counterexample=pretend_at_threshold,
    study="two_minimizers",
    eligible=both_found,
)
