"""Theorem 15: the Hessian trace is bounded below at every minimizer."""

import numpy as np
import xarray as xr

from dmf.evidence.claim import Claim
from dmf.evidence.controls import ORDINARY, control_cells
from dmf.evidence.eligibility import outside_exceptional_set


def shortfall_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """How far the trace falls below the bound, over its tolerance; negative above it. Shape (cell, start)."""
    return (evidence["trace_bound"] - evidence["hessian_trace"]) / evidence["trace_tolerance"]


def pretend_minimal(controls: xr.Dataset) -> xr.Dataset:
    """Runs that ended in the spurious minimum at zero, declared to be minimizers."""
    cells = control_cells(controls, ORDINARY)
    at_zero = (cells["kept"] == 0) & (cells["certified"] == 1)
    return cells.assign(minimal=at_zero.astype(np.int8))


CLAIM = Claim(
    order=15,
    title="The Hessian trace is bounded below",
    source="Theorem 15",
    statement=(
        r"At every minimizer with $X^* \neq 0$, $\operatorname{tr} \nabla^2 F \geq 2L\,\|X^*\|_F^2 / \alpha^2 + "
        r"2\lambda N$; the bound is $2\lambda N$ where $X^* = 0$."
    ),
    statistic="largest shortfall of the trace below the bound over all certified minimizers, in units of tolerance",
    tolerance=(
        r"$2L\,d^2\,((s_1 + \delta)^{2L-2} - s_1^{2L-2})$ with $d$ the largest width and $\delta = 2\|\nabla F\| / \mu$"
    ),
    refuted_by="a certified minimizer whose exact trace lies below the bound by more than its certificate allows",
    control=r"critical points at zero for $\lambda < \lambda_c$, with trace $2\lambda N$, declared to be minimizers",
    scope=outside_exceptional_set,
    ratio=shortfall_ratio,
    counterexample=pretend_minimal,
)
