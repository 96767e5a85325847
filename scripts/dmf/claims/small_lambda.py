"""Remark 7: as lambda -> 0 the largest Hessian eigenvalue tends to that of the unregularized flat minimum."""

import numpy as np
import xarray as xr

from dmf.evidence.claim import Claim
from dmf.evidence.eligibility import is_minimal

SMALL = 0.02  # lambda / lambda_c: the expansion's third term is then below its second


def expansion_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Distance of lambda_max from limit and slope, over twice the next term and the run's tolerance, (cell, start)."""
    depth, lam = evidence["depth"], evidence["lam"]
    expansion = evidence["limit"] - (6 * depth - 8) * lam
    next_term = 2 * (depth - 1) * (depth - 2) / depth * evidence["reduced"] * lam
    return abs(evidence["largest"] - expansion) / (2 * next_term + evidence["tolerance"])


def small_lambda(evidence: xr.Dataset) -> xr.DataArray:
    """Cells of small lambda, (cell,)."""
    return evidence["relative"] < SMALL


def pretend_minimal(controls: xr.Dataset) -> xr.Dataset:
    """Runs that ended in the spurious minimum at zero, declared to be minimizers."""
    cells = controls.isel(cell=np.flatnonzero(controls["kind"].values == "spurious"))
    return cells.assign(minimal=cells["certified"])


CLAIM = Claim(
    order=7,
    title="As λ vanishes, sharpness tends to that of the flattest unregularized minimum",
    source="Remark 7",
    statement=(
        r"$\lambda_{\max} = 2L|m|^{2-2/L} - (6L - 8)\lambda + O(\lambda^2)$ at every minimizer. The limit is the "
        r"remark's. The slope follows from $x = m - \lambda m^{2/L-1} + O(\lambda^2)$, and so does the next term, "
        r"$-\frac{2(L-1)(L-2)}{L} |m|^{2/L-2} \lambda^2$."
    ),
    statistic=(
        r"largest distance of $\lambda_{\max}$ at a trained minimizer from its limit and slope, over four decades of "
        r"$\lambda$, in units of tolerance"
    ),
    tolerance="twice the next term of the expansion, and the tolerance of an eigenvalue of Theorem 6",
    refuted_by=r"a trained minimizer at small $\lambda$ whose $\lambda_{\max}$ has another limit or another slope",
    control=r"runs that ended in the spurious zero, where $\lambda_{\max} = 2\lambda$, declared to be minimizers",
    scope=small_lambda,
    ratio=expansion_ratio,
    counterexample=pretend_minimal,
    study="scalar_hessian",
    eligible=is_minimal,
)
