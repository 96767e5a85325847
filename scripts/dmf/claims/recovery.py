"""Equations 97-99 and Theorem 3 with a linear map: proximal gradient steps and the nuclear norm."""

import numpy as np
import xarray as xr

from dmf.evidence.claim import Arm, Claim
from dmf.evidence.controls import Declared, Value, ValueOf, declared, where
from dmf.evidence.eligibility import is_certified

LAYERED = tuple(f"power 2/{depth}" for depth in (2, 3, 4, 5))  # penalties that layers have
WIDE, NARROW = "factorization", "factorization, width 1"


def short_enough(evidence: xr.Dataset) -> xr.DataArray:
    """Cells whose mu is above the Lipschitz constant of grad f, (cell,)."""
    return evidence["mu"] > 1


def every_walk(evidence: xr.Dataset) -> xr.DataArray:
    """All of them, (cell, start): a step needs no certificate."""
    return xr.ones_like(evidence["certified"]) == 1


def shortfall_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """The worst step's missing decrease, in units of rounding, (cell, start)."""
    return evidence["shortfall"]


def short_by_digits(cells: xr.Dataset, field: xr.DataArray) -> xr.DataArray:
    """2e-14 of the terms of the objective, which lacks at no step that its rounding hides."""
    return 2e-14 * cells["energy"] / cells["shortfall_rounding"]


PROXIMAL_DECREASE = Claim(
    title="Every proximal gradient step decreases the objective",
    source="Equations 97-99 (Lu et al., 2014)",
    statements=("Equations 97-99",),
    statement=(
        r"With $\mu > \ell$, the Lipschitz constant of $\nabla f$, every step of $X_{k+1} = "
        r"\operatorname{GSVT}(X_k - \nabla f(X_k) / \mu)$ lowers $H = f + \sum_i g(\sigma_i)$ by at least "
        r"$\frac{\mu - \ell}{2} \|X_{k+1} - X_k\|_F^2$."
    ),
    statistic=(
        r"largest $\frac{\mu - \ell}{2} \|X_{k+1} - X_k\|_F^2 - (H(X_k) - H(X_{k+1}))$ over all steps of a walk, in "
        "units of tolerance"
    ),
    tolerance=(
        r"rounding of two values of $H$: $16\,\epsilon\,(\|b\|^2 + \ell \|X\|_F^2 + \sum_i g(\sigma_i))$ each, "
        r"$\epsilon = 2^{-52}$"
    ),
    refuted_by="a step that lowers the objective by less, beyond rounding",
    control=r"steps of $\mu = 0.4\,\ell$, declared to have $\mu > \ell$",
    scope=short_enough,
    arms=(
        Arm(
            "shortfall",
            shortfall_ratio,
            declared(where(run="too long steps"), mu=1.05),
            declared(where(run="stopped early"), shortfall=short_by_digits),
        ),
    ),
    study="proximal_gradient",
    eligible=every_walk,
    basis="identity",
)


def ended(evidence: xr.Dataset) -> xr.DataArray:
    """Cells whose walks went on until a step was small, (cell,)."""
    return evidence["fixed"] == 1


def stationarity_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """The departure on the kept directions over what the last step allows, (cell, start)."""
    return evidence["stationarity"] / _step_allows(evidence)


def beyond_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """The departure beyond the kept directions over what the last step allows, (cell, start)."""
    return evidence["beyond"] / _step_allows(evidence)


def layered_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """The gradient norm of balanced layers over what the last step allows, (cell, start)."""
    return evidence["layered"] / evidence["layered_factor"] / _step_allows(evidence)


def has_layers(evidence: xr.Dataset) -> xr.DataArray:
    """Walks on a penalty that layers have, (cell, start)."""
    return evidence["layered_factor"] < np.inf


def _step_allows(evidence: xr.Dataset) -> xr.DataArray:
    return evidence["per_step"] * evidence["step"] + evidence["floor"]


def at_rest(**fields: Value) -> Declared:
    """Walks that were stopped early, declared to have come to rest."""
    return declared(where(run="stopped early"), step=LAST_STEP, certified=1, fixed=1, **fields)


# A last step as the study ends with, and a departure that it does not explain.
LAST_STEP, SEEN = 1e-9, 5e-8


FIXED_POINTS = Claim(
    title="Proximal gradient steps come to rest at critical points",
    source="Equations 97-99 (Lu et al., 2014); Theorems 2 and 3",
    statements=("Equations 97-99",),
    statement=(
        r"A fixed point $X = U \operatorname{diag}(\sigma) V^\top$ has $\nabla f = -U \operatorname{diag}(g'(\sigma)) "
        r"V^\top$ on the matrices that share its row or column space, and $\|\nabla f\|_2$ beyond these is at most "
        r"$\mu$ times the threshold. For $g = \lambda L \sigma^{2/L}$, $L$ balanced layers of $X$ are critical for "
        r"$\|A(W_L \cdots W_1) - b\|^2 + \lambda \sum_l \|W_l\|_F^2$."
    ),
    statistic="largest of the three departures, in units of tolerance",
    tolerance=(
        r"what the last step allows, $(\mu + \ell) \|X_{k+1} - X_k\|_F$, and rounding, "
        r"$64\,\epsilon\,(\|b\| + \ell \|X\|_F)$; of layers, $\sqrt{L}\,\sigma_1^{(L-1)/L}$ times that"
    ),
    refuted_by="a walk that came to rest at a point that is not critical, or whose layers are not",
    control="walks stopped after six steps, declared to have come to rest",
    scope=ended,
    arms=(
        Arm("kept directions", stationarity_ratio, at_rest(), at_rest(stationarity=SEEN)),
        Arm("others", beyond_ratio, at_rest(beyond=ValueOf("stationarity")), at_rest(beyond=SEEN)),
        Arm(
            "layers",
            layered_ratio,
            at_rest(layered=ValueOf("stationarity"), layered_factor=1),
            declared(where(run="stopped early", penalty=LAYERED), step=LAST_STEP, certified=1, fixed=1, layered=SEEN),
            concerns=has_layers,
        ),
    ),
    study="proximal_gradient",
    eligible=is_certified,
)


def two_wide_layers(evidence: xr.Dataset) -> xr.DataArray:
    """Factorizations with two layers as wide as the matrix, (cell,)."""
    return (evidence["method"] == WIDE) & (evidence["depth"] == 2)


def above_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """How far the value is above the convex minimum, in units of what the gradient allows, (cell, start)."""
    return evidence["excess"] / evidence["excess_most"]


def below_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """How far it is below, in units of what duality allows, (cell, start)."""
    return -evidence["excess"] / evidence["excess_least"]


def negated(cells: xr.Dataset, field: xr.DataArray) -> xr.DataArray:
    """theirs, negated."""
    return -field


def narrow(**fields: Value) -> Declared:
    """Layers with one hidden unit, declared wide."""
    return declared(where(method=NARROW, rank=(2, 3)), method=WIDE, **fields)


# Truths have spectral norm 1, so that lambda, 3e-4, is a unit of the objective: a tenth and a thirtieth of it are seen.
SEEN_ABOVE, SEEN_BELOW = 3e-5, 1e-5

NUCLEAR_NORM = Claim(
    title="Two layers with weight decay minimize the nuclear norm's problem",
    source="Theorem 3 with a linear map in the fit (Section 4)",
    statements=("Theorem 3",),
    statement=(
        r"For $L = 2$ and hidden widths of at least $\min(d_0, d_L)$, a local minimum of $\|A(W_2 W_1) - b\|^2 + "
        r"\lambda (\|W_1\|_F^2 + \|W_2\|_F^2)$ has the value $\min_X \|A(X) - b\|^2 + 2 \lambda \|X\|_*$."
    ),
    statistic=(
        "difference between the trained objective and the one that soft thresholding finds, in units of tolerance"
    ),
    tolerance=(
        r"above: $\|\nabla F\| \left(\frac{\|\theta\|}{2} + \frac{F}{2 \lambda s}\right)$, $s$ the smallest singular "
        "value that the layers keep; below: the duality gap of the other point; and rounding"
    ),
    refuted_by="a certified pair of wide layers with another value",
    control="layers with one hidden unit, declared wide, and their excess a lack",
    scope=two_wide_layers,
    arms=(
        Arm("above", above_ratio, narrow(), narrow(excess=SEEN_ABOVE)),
        Arm("below", below_ratio, narrow(excess=negated), narrow(excess=-SEEN_BELOW)),
    ),
    study="recovery",
    eligible=is_certified,
)
