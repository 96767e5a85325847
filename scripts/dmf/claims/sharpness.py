"""Beyond the paper: where a run ends, spurious or not, F is as sharp as the closed form of its level says."""

import xarray as xr

from dmf.evidence.claim import Claim
from dmf.evidence.eligibility import everywhere, is_certified


def sharpness_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Distance of the largest Hessian eigenvalue from that of the run's level, over its tolerance, (cell, start)."""
    return abs(evidence["end_sharpness"] - evidence["predicted_sharpness"]) / evidence["sharpness_tolerance"]


def pretend_minimal(controls: xr.Dataset) -> xr.Dataset:
    """Runs that ended on lower levels, declared to be at the global minimum."""
    return controls.assign(predicted_sharpness=controls["sharpness_at_minimum"])


CLAIM = Claim(
    order=25,
    title="Every run ends with the sharpness of its level",
    source="Beyond Theorem 6",
    statement=(
        r"At every local minimum that keeps the $k$ leading singular values, $\lambda_{\max}(\nabla^2 F)$ is the "
        r"largest eigenvalue of the closed-form spectrum at level $k$. It need not depend on $k$: in the cells "
        r"of this study it is the same for all $k \geq 1$, so that spurious minima are exactly as sharp as global ones "
        r"and sharpness cannot tell them apart; only zero is flatter, with $2\lambda$ for $L \geq 3$."
    ),
    statistic=(
        r"largest distance between $\lambda_{\max}$ at the end of a trained run, from products of the Hessian with "
        "directions, and the closed form of the level it ended on, in units of tolerance"
    ),
    tolerance=(
        r"Weyl: $C\delta + (64 + N)\,\varepsilon\,\lambda_{\max}$, as for the Hessian spectrum, with $\mu_k$, $C$ and "
        "$s_1$ of the level"
    ),
    refuted_by="a certified run whose largest eigenvalue is not that of its level",
    control=r"runs that ended on the levels $k < k^*$, declared to be at the global minimum",
    scope=everywhere,
    ratio=sharpness_ratio,
    counterexample=pretend_minimal,
    study="trajectories",
    eligible=is_certified,
)
