"""Beyond the paper: identities at critical points of other losses, and of residual layers."""

import xarray as xr

from dmf.evidence.claim import Arm, Claim
from dmf.evidence.controls import Declared, Off, Value, declared, where
from dmf.evidence.eligibility import is_certified


def balance_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Imbalance over its tolerance, (cell, start)."""
    return evidence["imbalance"] / evidence["imbalance_tolerance"]


def residual_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Departure of -1/2 grad f X^T from lambda W_L W_L^T over its tolerance, (cell, start)."""
    return evidence["residual_gap"] / evidence["residual_tolerance"]


def power_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Departure of (W_L W_L^T)^L from X X^T over its tolerance, (cell, start)."""
    return evidence["power_gap"] / evidence["power_tolerance"]


def value_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Departure of the gradient's singular values over its tolerance, (cell, start)."""
    return evidence["value_gap"] / evidence["value_tolerance"]


def skew_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Difference of skew parts over its tolerance, (cell, start)."""
    return evidence["skew_gap"] / evidence["skew_tolerance"]


def difference_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """What gradients allow for equal norms, in units of the norms' difference, (cell, start)."""
    return evidence["norm_tolerance"] / evidence["norm_difference"]


def has_layers(evidence: xr.Dataset) -> xr.DataArray:
    """Cells whose factors are the layers, (cell,)."""
    return evidence["residual"] == 0


def has_residual_layers(evidence: xr.Dataset) -> xr.DataArray:
    """Cells whose factors are I + W_l, (cell,)."""
    return evidence["residual"] == 1


def is_negative(evidence: xr.Dataset) -> xr.DataArray:
    """Two residual scalars with a negative product, (cell, start)."""
    return evidence["negative"] == 1


def stopped(problem: str, **fields: Value) -> Declared:
    """Runs stopped early, whose tolerances are those of a converged run."""
    return declared(where(problem=problem), certified=1, **fields)


ANY_LOSS = Claim(
    title="At critical points of any loss, X has singular vectors of its gradient",
    source="Beyond Theorems 2 and 10",
    statements=("Beyond the paper: any loss",),
    statement=(
        r"At every critical point of $f(W_L \cdots W_1) + \lambda \sum_l \|W_l\|_F^2$ layers are balanced and, with "
        r"$R = -\frac{1}{2}\nabla f(X)$, $R X^\top = \lambda (X X^\top)^{1/L}$ and $X^\top R = \lambda (X^\top "
        r"X)^{1/L}$: kept pairs of $X$ are pairs of $R$ with singular values $\lambda x_i^{2/L - 1}$."
    ),
    statistic=(
        "over certified runs, wherever they ended, the largest departure from balance, of $R X^\\top$ and $X^\\top R$ "
        "from $\\lambda$ times the outer layers' squares, of these squares' powers from $X X^\\top$, and of the values "
        "of $R$ on kept pairs, in units of tolerance"
    ),
    tolerance=r"$\|G_l\|\,\|W_l\|$, in each identity as it holds at any point, and rounding",
    refuted_by="a critical point whose gradient has other singular vectors or values on the kept pairs",
    control="gradient descent stopped after four steps, declared to have converged",
    scope=has_layers,
    arms=(
        Arm(
            "balance",
            balance_ratio,
            stopped("cross-entropy"),
            stopped("cross-entropy", imbalance=Off(0, {"counted_gradient": 500})),
        ),
        Arm(
            "gradient",
            residual_ratio,
            stopped("cross-entropy"),
            stopped("cross-entropy", residual_gap=Off(0, {"counted_gradient": 20})),
        ),
        Arm(
            "powers",
            power_ratio,
            stopped("cross-entropy"),
            stopped("cross-entropy", power_gap=Off(0, {"counted_gradient": 5000})),
        ),
        Arm(
            "values",
            value_ratio,
            stopped("cross-entropy"),
            stopped("cross-entropy", value_gap=Off(0, {"counted_gradient": 20})),
        ),
    ),
    study="any_loss",
    eligible=is_certified,
    basis="identity",
)

RESIDUAL_CHAINS = Claim(
    title="Residual layers share their skew part, and not their norm",
    source="Beyond Theorem 2 and Corollary 13",
    statements=("Beyond the paper: any loss",),
    statement=(
        r"At every critical point of $f((I + W_L) \cdots (I + W_1)) + \lambda \sum_l \|W_l\|_F^2$ the layers satisfy "
        r"$W_{l+1} + W_{l+1}^\top W_{l+1} = W_l + W_l W_l^\top$, so that all have one skew part. Two residual scalars "
        "with a negative product never have one norm: Corollary 13 fails."
    ),
    statistic=(
        "over certified runs, wherever they ended, the largest departure from the identity and difference of skew "
        "parts, in units of tolerance; and what gradients allow for equal norms, in units of the norms' difference"
    ),
    tolerance=r"$(\|V_{l+1}\|\,\|G_{l+1}\| + \|V_l\|\,\|G_l\|) / 2\lambda$, $V_l = I + W_l$, and rounding",
    refuted_by="residual layers with different skew parts, or two scalars of a negative product with one norm",
    control=(
        "gradient descent stopped after four steps, declared to have converged; and scalars with a positive product, "
        "declared to have a negative one"
    ),
    scope=has_residual_layers,
    arms=(
        Arm(
            "identity",
            balance_ratio,
            stopped("squares"),
            stopped("squares", imbalance=Off(0, {"counted_gradient": 200})),
        ),
        Arm(
            "skew part", skew_ratio, stopped("squares"), stopped("squares", skew_gap=Off(0, {"counted_gradient": 200}))
        ),
        Arm(
            "norms differ",
            difference_ratio,
            declared(where(problem="positive"), negative=1),
            declared(where(problem="positive"), negative=1, norm_difference=Off(0, {"1": 2e-15})),
            concerns=is_negative,
        ),
    ),
    study="any_loss",
    eligible=is_certified,
    basis="identity",
)
