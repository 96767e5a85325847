"""Theorem 10: the end-to-end minimizer is unique outside the exceptional set."""

import numpy as np
import xarray as xr

from dmf.evidence.claim import Claim
from dmf.evidence.controls import EXCEPTIONAL, control_cells
from dmf.evidence.eligibility import larger, outside_exceptional_set


def distance_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """The larger of ||X - X*||_F and the misalignment of singular vectors, over their tolerance, (cell, start)."""
    return larger(evidence["distance"], evidence["misalignment"]) / evidence["distance_tolerance"]


def pretend_unexceptional(controls: xr.Dataset) -> xr.Dataset:
    """The trained exceptional target with its hypothesis declared met: two minimizers where one is claimed."""
    cells = control_cells(controls, EXCEPTIONAL)
    return cells.assign(exceptional_distance=xr.full_like(cells["exceptional_distance"], np.inf))


CLAIM = Claim(
    order=10,
    title="The end-to-end minimizer is unique",
    source="Theorem 10",
    statement=(
        r"If no singular value of $M$ equals the threshold $m^*(L, \lambda)$, then every minimizer of $F$ has the "
        r"same product $X = W_L \cdots W_1$, which has the singular vectors of $M$: $X = \sum_i x_i u_i v_i^T$."
    ),
    statistic=(
        r"largest $\|X - X^*\|_F$ over all certified minimizers, in units of the tolerance of each run; beside it, "
        r"and as a distance of the same size, the misalignment $\max(\|X M^T - M X^T\|_F, \|X^T M - M^T X\|_F) / "
        r"(2\sigma_1)$. It is zero iff $X$ and $M$ share bases of singular vectors, uses no closed form and no gap, "
        r"so that repeated singular values need no care, and is at most $\|X - X^*\|_F$ if $X^*$ shares them"
    ),
    tolerance=(
        r"$\sqrt{L}\,(s_1 + \delta)^{L-1} \delta$ with $\delta = 2\|\nabla F\| / \mu$, $\mu$ the smallest positive "
        "Hessian eigenvalue and $s_1^L$ the spectral norm of $X^*$"
    ),
    refuted_by="two certified minimizers of one target whose products differ by more than their certificates allow",
    control=(
        r"a $3 \times 3$ target with $\sigma_2 = m^*$, trained to both of its minimizers and declared unexceptional"
    ),
    scope=outside_exceptional_set,
    ratio=distance_ratio,
    counterexample=pretend_unexceptional,
)
