"""Extension: a hidden width below the rank cuts X* to its largest directions, uniquely off two exceptional sets."""

import xarray as xr

from dmf.claims._extensions import departure, is_lowest
from dmf.evidence.claim import Claim
from dmf.theory.certificate import RESOLUTION


def off_both_sets(evidence: xr.Dataset) -> xr.DataArray:
    """Cells with no kept value at m* and no tie at the cut, (cell,)."""
    return (evidence["threshold_distance"] > RESOLUTION) & (evidence["cut_distance"] > RESOLUTION)


def pretend_apart(controls: xr.Dataset) -> xr.Dataset:
    """Targets with a tie at the cut, declared to have none."""
    return controls.assign(cut_distance=xr.ones_like(controls["cut_distance"]))


CLAIM = Claim(
    order=28,
    title="A bottleneck keeps the largest directions",
    source="Extension of Theorem 10",
    statement=(
        r"With a hidden width $r < \min(d_0, d_L)$, $X^* = \sum_{i \leq r} x^*(\sigma_i)\, u_i v_i^\top$: the "
        r"minimizer of Theorem 10, cut to rank $r$. It is unique unless some $\sigma_i = m^*$ with $i \leq r$, or "
        r"$\sigma_r = \sigma_{r+1} > m^*$."
    ),
    statistic=(
        r"over the lowest trained runs, the largest departure of $X$, of $F$ and of $\|W_l\|_F^2$ from the closed "
        "form, in units of tolerance"
    ),
    tolerance=(
        r"$\delta = 2\|\nabla F\|/\mu$ as for the claims on runs, $\mu$ from the Hessian's blocks at rank $r$; it "
        r"grows as $1/(\sigma_r - \sigma_{r+1})$ towards the cut"
    ),
    refuted_by=(
        r"a lowest run that keeps another direction, however near $\sigma_{r+1}$ is to $\sigma_r$: to $2 \cdot 10^{-5}$"
    ),
    control=r"targets with $\sigma_r = \sigma_{r+1}$, declared to lie off the cut",
    scope=off_both_sets,
    ratio=departure,
    counterexample=pretend_apart,
    study="bottleneck",
    eligible=is_lowest,
)
