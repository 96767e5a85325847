"""Theorem 6: all minimizers of a scalar problem have one Hessian spectrum, whatever it is."""

import xarray as xr

from dmf.claims.scalar_hessian import pretend_unexceptional
from dmf.evidence.claim import Claim
from dmf.evidence.eligibility import is_minimal, outside_exceptional_set


def spread_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Largest difference of an eigenvalue from the cell's first minimizer's, over both tolerances, (cell, start)."""
    first = is_minimal(evidence).argmax("start")
    away = abs(evidence["spectrum"] - evidence["spectrum"].isel(start=first)).max("eigen")
    return away / (evidence["tolerance"] + evidence["tolerance"].isel(start=first))


CLAIM = Claim(
    order=6,
    title="All minimizers of a scalar problem have one Hessian spectrum",
    source="Theorem 6",
    statement=r"For $|m| \neq m^*$ the spectrum of $\nabla^2 F$ is the same at all minimizers of the scalar problem.",
    statistic=(
        "largest difference between the eigenvalues at two trained minimizers of one problem, with different signs "
        "and starts, in units of both tolerances; no closed form is used"
    ),
    tolerance="twice that of the spectrum's closed form: each of the two is a certificate away from its minimizer",
    refuted_by="two certified minimizers of one problem with different spectra",
    control=r"scalars at $\pm m^*$, declared not to be there: minimizers at $0$ and at $x_J$ have different spectra",
    scope=outside_exceptional_set,
    ratio=spread_ratio,
    counterexample=pretend_unexceptional,
    study="scalar_hessian",
    eligible=is_minimal,
)
