"""Beyond the paper: spectrum, Morse index and zero modes of every critical point in closed form."""

import numpy as np
import xarray as xr

from dmf.claims._spectra import count_ratio, departure_ratio
from dmf.evidence.claim import Claim
from dmf.evidence.eligibility import is_certified
from dmf.theory.certificate import RESOLUTION


def index_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """The worse of an eigenvalue's departure and of the counts of negative and zero ones, (cell, start)."""
    departure = departure_ratio(evidence)
    counts = count_ratio(evidence, evidence["morse_index"], evidence["orbit_dimension"])
    return departure.where(departure > counts, counts)


def generic_targets(evidence: xr.Dataset) -> xr.DataArray:
    """Cells with distinct singular values, none at m_loc, (cell,)."""
    return (evidence["singular_gap"] > RESOLUTION) & (evidence["degenerate_distance"] > RESOLUTION)


def pretend_distinct(controls: xr.Dataset) -> xr.Dataset:
    """Critical points of a target with two equal singular values, declared distinct."""
    return controls.assign(singular_gap=xr.full_like(controls["singular_gap"], np.inf))


CLAIM = Claim(
    order=23,
    title="The Morse index of every critical point is known",
    source="Beyond Chen et al.",
    statement=(
        r"If the $\sigma_i$ are distinct and none equals $m_{loc}$, a critical point that puts each $x_i$ on zero, on "
        r"the small or on the large root has, for $L \geq 3$, as many negative Hessian eigenvalues as there are small "
        r"roots and pairs $i, j$ with $\sigma_i > \sigma_j$, $x_j \neq 0$ and $x_i$ not on its large root. Its zero "
        r"eigenvalues are as many as its orbit has dimensions. (For $L = 2$ each $x_i = 0$ with $\sigma_i > \lambda$ "
        r"adds $d_1 - r$ negative ones.)"
    ),
    statistic=(
        r"over all combinations of roots: largest departure of an eigenvalue from the closed form, in units of "
        r"tolerance $\tau$, of $|e|/\tau$ over those that should be zero, and of $\tau/|e|$ over all others, "
        r"infinite where the sign is wrong"
    ),
    tolerance=r"the one of the Hessian spectrum, with $\delta$ from the smallest nonzero $|e|$",
    refuted_by="a critical point with one eigenvalue off, or one negative or zero eigenvalue too many or too few",
    control=r"a target with $\sigma_1 = \sigma_2$, declared distinct: its roots can trade places at no cost",
    scope=generic_targets,
    ratio=index_ratio,
    counterexample=pretend_distinct,
    study="critical_points",
    eligible=is_certified,
)
