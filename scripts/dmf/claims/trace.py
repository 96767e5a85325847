"""Theorem 15 and the question after it: the trace of the Hessian, its lower bound, and where that is attained."""

import numpy as np
import xarray as xr

from dmf.claims.uniqueness import ENLARGED, TWO_MINIMIZERS
from dmf.evidence.claim import ONE_ORBIT, Arm, Claim
from dmf.evidence.controls import ORDINARY, SADDLE, declared, where
from dmf.evidence.eligibility import larger, outside_exceptional_set
from dmf.evidence.fields import Evidence

MATRICES, SCALAR = (ORDINARY, f"{ORDINARY}-wide"), "moved-scalar"  # targets of control cells


def shortfall_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """How far the trace falls below the bound, over its tolerance; negative above it. Shape (cell, start)."""
    runs = Evidence(evidence)
    return (runs.trace_bound - runs.hessian_trace) / runs.trace_tolerance


def certified_at_zero(cells: xr.Dataset, field: xr.DataArray) -> xr.DataArray:
    """whether they are certified and keep nothing."""
    at_zero = (cells["kept"] == 0) & (cells["certified"] == 1)
    return at_zero.astype(field.dtype)


TRACE_BOUND = Claim(
    title="The Hessian trace is bounded below",
    source="Theorem 15",
    statements=("Theorem 15",),
    statement=(
        r"At every minimizer with $X^* \neq 0$, $\operatorname{tr} \nabla^2 F \geq 2L\,\|X^*\|_F^2 / \alpha^2 + "
        r"2\lambda N$; the bound is $2\lambda N$ where $X^* = 0$."
    ),
    statistic="largest shortfall of the trace below the bound over all certified minimizers, in units of tolerance",
    tolerance=(
        r"$2L\,d^2\,((s_1 + \delta)^{2L-2} - s_1^{2L-2})$ with $d$ the largest width and $\delta = 2\|\nabla F\| / \mu$"
    ),
    refuted_by="a certified minimizer whose exact trace lies below the bound by more than its certificate allows",
    control=(
        r"critical points at zero for $\lambda < \lambda_c$, with trace $2\lambda N$, declared to be minimizers; near "
        r"the edge, minimizers of $1 \times 1$ targets, which attain the bound, shrunk by little more than the "
        "tolerance"
    ),
    scope=outside_exceptional_set,
    arms=(
        Arm(
            "shortfall",
            shortfall_ratio,
            # Zero is a local minimum for three layers or more, and a saddle for two.
            declared(where(kind=ORDINARY, depth=(3, 4, 6)), minimal=certified_at_zero)
            + declared(where(kind=SADDLE), minimal=certified_at_zero),
            declared(where(kind="near: shortfall")),
        ),
    ),
    fact=ONE_ORBIT,
)


def trace_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """The worse of: distance from the closed form, and from what attaining the bound or not means, (cell, start).

    Just below the collapse of depth 2 the bound is missed by less than a tolerance: there only the first is decided.
    """
    return larger(exact_ratio(evidence), attained_ratio(evidence).where(attains(evidence), missed_ratio(evidence)))


def exact_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Distance of the trace from the closed form, over its tolerance, (cell, start)."""
    runs = Evidence(evidence)
    return abs(runs.hessian_trace - runs.predicted_trace) / runs.trace_tolerance


def attained_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Distance of the trace from the bound, over its tolerance, (cell, start)."""
    runs = Evidence(evidence)
    return abs(runs.hessian_trace - runs.trace_bound) / runs.trace_tolerance


def missed_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """The tolerance over the slack above the bound, infinite where there is none, (cell, start).

    Zero where the least slack there can be is below twice the tolerance: then nothing is decided.
    """
    runs = Evidence(evidence)
    tolerance = runs.trace_tolerance
    slack = (runs.hessian_trace - runs.trace_bound) / tolerance
    resolved = _least_slack(evidence) > 2 * tolerance
    return (1 / slack.where(slack > 0)).fillna(np.inf).where(resolved, 0.0)


def attains(evidence: xr.Dataset) -> xr.DataArray:
    """Cells whose minimizers attain the bound, (cell,)."""
    return Evidence(evidence).attains == 1


def misses(evidence: xr.Dataset) -> xr.DataArray:
    """Cells whose minimizers do not attain the bound, (cell,)."""
    return ~attains(evidence)


def _least_slack(evidence: xr.Dataset) -> xr.DataArray:
    """2 (alpha^2 / r)^{L-1}, which the slack exceeds wherever the bound is not attained (docs/theory.md), (cell,)."""
    runs = Evidence(evidence)
    slack: xr.DataArray = 2 * (runs.predicted_layer_norm_sq / runs.kept_at_minimum.clip(1)) ** (runs.depth - 1)
    return slack


TRACE_ATTAINED = Claim(
    title="All minimizers are equally flat, and the trace bound is rarely attained",
    source="Beyond the paper",
    statements=("Open question",),
    statement=(
        r"The paper asks whether the bound of Theorem 15 is attained. All minimizers with one $X$ are $W_l \to Q_l "
        "W_l Q_{l-1}^T$ of one another, $Q_l$ orthogonal, $Q_0 = Q_L = I$, which leaves the Hessian spectrum alone, "
        r"so the trace is the same at all of them: $\operatorname{tr} \nabla^2 F = \sum_l 2\, a_{L-l}\, b_{l-1} + "
        r"2\lambda N$ with $a_k = b_k = \sum_i s_i^{2k}$ for $k \geq 1$, $a_0 = d_L$, $b_0 = d_0$. Each product obeys "
        r"$a_{L-l}\, b_{l-1}\, a_1 \geq a_L$, with equality iff one $s_i$ is not zero and, in the first and last "
        "layer, $d_0 = 1$ and $d_L = 1$: the bound is attained iff $X^* = 0$, or $d_0 = d_L = 1$, for any "
        "hidden widths."
    ),
    statistic=(
        "over all certified minimizers, the larger of the distance of the trace from the closed form and, where the "
        "bound should be attained, its distance from the bound; where it should be missed, the tolerance over the "
        r"slack, unless the least slack there can be, $2 (\alpha^2 / r)^{L-1}$, is below twice the tolerance; in units "
        "of tolerance"
    ),
    tolerance="the one of Theorem 15",
    refuted_by=(
        "two minimizers of one target with different traces, a minimizer that attains the bound where it should not, "
        "or one that misses it where it should attain it"
    ),
    control=(
        r"targets with $\sigma_2 = m^*$ (scalars with $\sigma_1 = m^*$), declared unexceptional: their two minimizers "
        "lie on different orbits and have different traces; minimizers enlarged by a tenth; minimizers that attain the "
        "bound declared not to, and the reverse; near the edge, minimizers enlarged until the trace, or its slack, is "
        "off by little more than the tolerance"
    ),
    scope=outside_exceptional_set,
    arms=(
        Arm("closed form", exact_ratio, TWO_MINIMIZERS + ENLARGED, declared(where(kind="near: trace"))),
        Arm(
            "attained",
            attained_ratio,
            declared(where(kind=ORDINARY, target=MATRICES), attains=1),
            declared(where(kind="near: trace", target=SCALAR)),
            concerns=attains,
        ),
        Arm(
            "missed",
            missed_ratio,
            declared(where(kind=ORDINARY, target=f"{ORDINARY}-scalar"), attains=0),
            declared(where(kind="near: slack"), attains=0),
            concerns=misses,
        ),
    ),
    fact=ONE_ORBIT,
)
