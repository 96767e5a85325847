"""Chen et al.: critical points are local minima exactly for large roots on a prefix; all others are strict saddles."""

import xarray as xr

from dmf.claims._spectra import clearance
from dmf.claims.morse_index import generic_targets, pretend_distinct
from dmf.evidence.claim import Claim
from dmf.evidence.eligibility import is_certified


def saddle_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Depth -e_1 of the lowest eigenvalue over its tolerance on prefixes, the inverse elsewhere, (cell, start)."""
    depth = -evidence["spectrum"].isel(eigen=0) / evidence["spectrum_tolerance"]
    return depth.where(evidence["prefix"] == 1, clearance(depth))


CLAIM = Claim(
    order=17,
    title="Every critical point but the large roots on a prefix is a strict saddle",
    source="Chen, Jiang and Wang (2025), eq. 79",
    statement=(
        r"If the $\sigma_i$ are distinct and none equals $m_{loc}$, then for $L \geq 3$ a critical point is a local "
        r"minimum if $x_1, \ldots, x_k$ are on their large roots and all others are zero, for some $k$; in every other "
        r"combination of roots $\nabla^2 F$ has a negative eigenvalue. (For $L = 2$ only the largest $k$ is a minimum.)"
    ),
    statistic=(
        r"with $e_1$ the lowest eigenvalue and $\tau$ its tolerance: largest $-e_1/\tau$ over minima and "
        r"$\tau/(-e_1)$ over saddles, infinite where $e_1 \geq 0$"
    ),
    tolerance=r"the one of the Hessian spectrum, with $\delta$ from the smallest nonzero $|e|$",
    refuted_by="a negative eigenvalue at large roots on a prefix, or none at another critical point",
    control=r"a target with $\sigma_1 = \sigma_2$, declared distinct: zero and large, in either order, are minimal",
    scope=generic_targets,
    ratio=saddle_ratio,
    counterexample=pretend_distinct,
    study="critical_points",
    eligible=is_certified,
)
