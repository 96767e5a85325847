"""Beyond the paper: gradient flow and gradient descent on the regularized landscape, and where they are slow."""

import xarray as xr

from dmf.evidence.claim import Arm, Claim
from dmf.evidence.controls import Declared, Off, Value, ValueOf, declared, where
from dmf.evidence.eligibility import everywhere, is_certified


def law_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Departure from the law of decay over its tolerance, (cell, start)."""
    return evidence["law_gap"] / evidence["law_tolerance"]


def is_flow(evidence: xr.Dataset) -> xr.DataArray:
    """Gradient flows that halving the step does not move, (cell, start)."""
    return ((evidence["is_flow"] == 1) & (evidence["certified"] == 1)).transpose("cell", "start")


FLOW_BALANCE = Claim(
    title="Gradient flow forgets the imbalance of its start at the rate 4λ, for any loss",
    source="Beyond Theorem 2",
    statements=("Beyond the paper: dynamics",),
    statement=(
        r"Along the gradient flow of $f(W_L \cdots W_1) + \lambda \sum_l \|W_l\|_F^2$, for any $f$, "
        r"$W_{l+1}^\top W_{l+1} - W_l W_l^\top = e^{-4\lambda t}$ times the same at the start."
    ),
    statistic="largest departure from the law over times and layers, in units of tolerance",
    tolerance=(
        "how far halving the step moves the layers, which is about 255 times the error that is left at order 8, times "
        "twice their norms; and rounding of all steps"
    ),
    refuted_by="a flow whose layers forget their imbalance at another rate, or not alike",
    control="gradient descent with finite steps, and steps along the signs of the gradient, declared to be flows",
    scope=everywhere,
    arms=(
        Arm(
            "law",
            law_ratio,
            declared(is_flow=1),
            declared(where(method="steps"), is_flow=1, law_gap=Off(0, {"1": 1.5e-10})),
        ),
    ),
    study="flow",
    eligible=is_flow,
    basis="identity",
)


def rate_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Departure of the rate from the closed form over its tolerance, (cell, start)."""
    return abs(evidence["rate"] - evidence["predicted_rate"]) / evidence["rate_tolerance"]


def best_rate_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Departure of the best rate from the closed form over its tolerance, (cell, start)."""
    return abs(evidence["best_rate"] - evidence["predicted_best_rate"]) / evidence["best_rate_tolerance"]


def below_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Gradient norm below the edge over that of a run that has converged, (cell, start)."""
    return evidence["below_gradient"] / evidence["below_tolerance"]


def above_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Gradient norm of a run that has left over the largest one above the edge, (cell, start)."""
    return evidence["leaving_tolerance"] / evidence["above_gradient"]


def growth_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Departure of the growth above the edge from the closed form over its tolerance, (cell, start)."""
    return abs(evidence["growth"] - evidence["predicted_growth"]) / evidence["growth_tolerance"]


def flat_along_the_orbit_only(evidence: xr.Dataset) -> xr.DataArray:
    """Cells whose critical points have no zero modes but the orbit's, (cell,)."""
    return evidence["extra_zero_modes"] == 0


def quartic(**fields: Value) -> Declared:
    """Minimizers around which F grows quartically, declared to be flat along their orbit only."""
    return declared(where(problem="quartic"), extra_zero_modes=0, **fields)


def ordinary(**fields: Value) -> Declared:
    """Minimizers that meet the hypothesis, with fields declared otherwise."""
    return declared(where(problem="ordinary"), **fields)


LARGEST_STEP = Claim(
    title="Rates of gradient descent, and its largest stable step, follow from the spectrum",
    source="Beyond Theorem 6",
    statements=("Beyond the paper: dynamics",),
    statement=(
        r"Near a local minimum that is flat along its orbit only, gradient descent with step $\eta < "
        r"2/\lambda_{\max}$ converges, its gradient shrinking in the limit by $\max(1 - \eta\mu, \eta\lambda_{\max} "
        r"- 1)$ a step, at best by $(\kappa - 1)/(\kappa + 1)$, $\kappa = \lambda_{\max}/\mu$; with a larger one it "
        r"leaves, by $\eta\lambda_{\max} - 1$ a step. $\mu$ and $\lambda_{\max}$ are in closed form, at every level."
    ),
    statistic=(
        r"the largest of: departure of three rates, at steps $1/\lambda_{\max}$, $2/(\mu + \lambda_{\max})$ and 1.02 "
        r"times $2/\lambda_{\max}$, in units of tolerance; the gradient after steps of 0.98 times that, in units of "
        "what has converged; and 1000 times the gradient at the start, in units of the largest one at 1.02"
    ),
    tolerance=(
        r"of rates: how much they change from the first to the second half of a window, $\eta C e$ averaged over it, "
        r"$C$ the Lipschitz constant of the Hessian and $e$ the distance from the end, and rounding of gradients"
    ),
    refuted_by=r"a run that leaves below $2/\lambda_{\max}$, one that stays above it, or another rate",
    control=(
        r"two layers with $\lambda$ equal to a singular value, where $F$ grows quartically along one direction and "
        "descent has no rate, declared to be flat along the orbit only; there, a gradient that does not grow, and the "
        "rate below the edge declared to be the growth above it"
    ),
    scope=flat_along_the_orbit_only,
    arms=(
        Arm("rate", rate_ratio, quartic(), ordinary(rate=Off("predicted_rate", {"1": 2e-5}))),
        Arm("best rate", best_rate_ratio, quartic(), ordinary(best_rate=Off("predicted_best_rate", {"1": 4e-5}))),
        Arm("below", below_ratio, quartic(), ordinary(below_gradient=Off(0, {"start_gradient": 2}))),
        Arm(
            "above",
            above_ratio,
            quartic(above_gradient=ValueOf("start_gradient")),
            ordinary(above_gradient=Off(0, {"start_gradient": 100})),
        ),
        Arm(
            "growth",
            growth_ratio,
            quartic(growth=ValueOf("rate")),
            ordinary(growth=Off("predicted_growth", {"1": 5e-5})),
        ),
    ),
    study="descent",
    eligible=is_certified,
    basis="formula",
)


def power_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Departure of one over the power of time from the closed form over its tolerance, (cell, start)."""
    return abs(evidence["power"] - evidence["predicted_power"]) / evidence["power_tolerance"]


def factor_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Departure of the factor of that power from the closed form over its tolerance, (cell, start)."""
    return abs(evidence["factor"] - evidence["predicted_factor"]) / evidence["factor_tolerance"]


def is_degenerate(evidence: xr.Dataset) -> xr.DataArray:
    """Cells with a singular value at lambda (two layers) or at m_loc (more), (cell,)."""
    return evidence["degenerate"] == 1


def away() -> Declared:
    """Critical points of slightly larger values, declared to be degenerate."""
    return declared(where(problem="away"), degenerate=1)


SLOW_POINTS = Claim(
    title="At degenerate points gradient flow falls as a power of time, with a known factor",
    source="Beyond equation 79",
    statements=("Beyond the paper: slow points",),
    statement=(
        r"Two layers, $k$ singular values equal to $\lambda$: $t^2 (F - F^*) \to k/16$ along almost every gradient "
        r"flow to a minimizer. $L \geq 3$, one $\sigma_i = m_{loc}$: $t^3 (F - F_c) \to 1 / (12 L (L-1)^2 s^{4L-6})$, "
        r"$s = (\lambda (L-2)/L)^{1/(2L-2)}$, along flows to the points that keep it, of value $F_c$."
    ),
    statistic=(
        "departure of one over the power of time, and of its factor, from the closed forms, in units of tolerance"
    ),
    tolerance=(
        "how much the extrapolation over windows of time that double changed last, which is about three times what is "
        "left; how far a coarser integration moves it; and rounding of $F$"
    ),
    refuted_by="a flow that falls with another power, or with another factor",
    control=(
        "flows to minimizers of slightly larger singular values, which fall exponentially, declared to be degenerate"
    ),
    scope=is_degenerate,
    arms=(
        Arm(
            "power",
            power_ratio,
            away(),
            declared(where(problem="ordinary", depth=2), power=Off("predicted_power", {"1": 6e-7})),
        ),
        Arm(
            "factor",
            factor_ratio,
            away(),
            declared(where(problem="ordinary", depth=3), factor=Off("predicted_factor", {"predicted_factor": 0.01})),
        ),
    ),
    study="slow_points",
    eligible=is_certified,
)
