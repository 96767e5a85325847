"""Extension: the second exceptional set, a tie at a bottleneck's cut. Many minimizers, one value, one layer norm."""

import xarray as xr

from dmf.claims._extensions import departure, is_lowest
from dmf.evidence.claim import Claim
from dmf.evidence.eligibility import larger
from dmf.theory.certificate import RESOLUTION


def on_the_cut(evidence: xr.Dataset) -> xr.DataArray:
    """Cells with a tie above m* at the cut and no kept value at m*, (cell,)."""
    return (evidence["cut_distance"] <= RESOLUTION) & (evidence["threshold_distance"] > RESOLUTION)


def tie_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Departure from the set, or tolerance over half of how far minimizers lie apart, the larger, (cell, start)."""
    lack = 2 * evidence["distance_tolerance"] / evidence["spread"]  # runs that agree may be two tolerances apart
    return larger(departure(evidence, "set_distance"), lack.transpose("cell", "start"))


def pretend_tied(controls: xr.Dataset) -> xr.Dataset:
    """Targets beside the cut, declared to be on it."""
    return controls.assign(cut_distance=xr.zeros_like(controls["cut_distance"]))


CLAIM = Claim(
    order=29,
    title="A tie at the bottleneck is a second exceptional set",
    source="Extension of Corollary 13",
    statement=(
        r"For $\sigma_r = \sigma_{r+1} > m^*$ every choice of directions within the tie is a minimizer of the same "
        "value. $X^*$ is not unique, for $L = 2$ either, but all layers of all minimizers still have one norm: unlike "
        "at $m^*$, Corollary 13 holds on this set."
    ),
    statistic=(
        r"over the lowest trained runs, the largest of: distance of $X$ from the set, departure of $F$ and of "
        r"$\|W_l\|_F^2$ from the closed form, each in units of tolerance; and the tolerance in units of half the "
        "distance between the products of two such runs"
    ),
    tolerance=r"$\delta = 2\|\nabla F\|/\mu$ with $\mu$ the smallest curvature across the set of minimizers",
    refuted_by="runs on the cut that agree in X, end off the set, or have another objective or layer norm",
    control=r"targets with $\sigma_r - \sigma_{r+1} = 0.02$, declared to be tied: their runs agree",
    scope=on_the_cut,
    ratio=tie_ratio,
    counterexample=pretend_tied,
    study="bottleneck",
    eligible=is_lowest,
)
