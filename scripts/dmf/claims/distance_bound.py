"""Beyond the paper: the bound on the distance to the minimizers that every certificate rests on."""

import xarray as xr

from dmf.evidence.claim import Claim
from dmf.evidence.eligibility import is_certified


def distance_over_bound(evidence: xr.Dataset) -> xr.DataArray:
    """Distance to the minimizers over 2 ||grad F|| / mu, (cell, start)."""
    return evidence["distance"] / evidence["bound"]


def flat_along_the_orbit_only(evidence: xr.Dataset) -> xr.DataArray:
    """Cells whose minimizers have no zero modes but the orbit's, (cell,)."""
    return evidence["extra_zero_modes"] == 0


def pretend_nondegenerate(controls: xr.Dataset) -> xr.Dataset:
    """Minimizers with more zero modes than their orbit has, declared to have no more."""
    return controls.assign(extra_zero_modes=xr.zeros_like(controls["extra_zero_modes"]))


CLAIM = Claim(
    order=24,
    title="The gradient bounds the distance to the minimizers",
    source="Beyond Theorem 6",
    statement=(
        r"Let the minimizers be flat along their orbit only, $\mu$ their smallest positive Hessian eigenvalue and $C$ "
        r"the Lipschitz constant of the Hessian. Then every $\theta$ at a distance of at most $\mu / C$ from them "
        r"is at most $2\,\|\nabla F(\theta)\| / \mu$ away. Every certificate rests on this."
    ),
    statistic=(
        "largest distance to the minimizers, found by alternating Procrustes steps over the orbit, in units of the "
        "bound"
    ),
    tolerance=(
        r"$2\,\|\nabla F\| / \mu$: with the nearest minimizer at a distance $r$ across the orbit, "
        r"$\|\nabla F\| \geq \mu r - C r^2 / 2 \geq \mu r / 2$; and 64 rounding units of $\|\theta\|$"
    ),
    refuted_by="a point near the minimizers that is farther from them than its gradient allows",
    control=(
        r"depth 2 with $\lambda$ equal to a singular value, where $F$ grows only quartically along one direction more "
        r"than the orbit's, declared to be flat along its orbit only"
    ),
    scope=flat_along_the_orbit_only,
    ratio=distance_over_bound,
    counterexample=pretend_nondegenerate,
    study="distances",
    eligible=is_certified,
)
