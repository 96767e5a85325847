"""Extensions of eq. 2: other penalties, of scalars and of matrices."""

import numpy as np
import xarray as xr

from dmf.evidence.claim import Arm, Claim
from dmf.evidence.controls import Declared, Off, Value, ValueOf, declared
from dmf.evidence.eligibility import everywhere, is_certified


def is_off(evidence: xr.Dataset) -> xr.DataArray:
    """Scalars that are not exceptional, (cell, start)."""
    return evidence["exceptional"] == 0


def minimizer_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Distance of the lowest minimum from the closed form, over its tolerance, (cell, start)."""
    return abs(evidence["found"] - evidence["predicted"]) / evidence["x_tolerance"]


def minimum_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Distance of its value from the closed form's, over its tolerance, (cell, start)."""
    return abs(evidence["value"] - evidence["predicted_value"]) / evidence["value_tolerance"]


def lead_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Rounding over the lead of the lowest minimum, (cell, start)."""
    return evidence["value_tolerance"] / evidence["gap"]


def jumps_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """The error of exceptional scalars over their tolerance, infinite where their number differs, (cell, start)."""
    missed = evidence["jump_error"].where(evidence["jumps"] == evidence["known_jumps"], np.inf)
    return missed.broadcast_like(evidence["found"]).transpose("cell", "start")


def on_the_set(**fields: Value) -> Declared:
    """Scalars on the exceptional set, declared to be off it."""
    return declared(exceptional=0, **fields)


GENERAL_PENALTY = Claim(
    title="Any non-decreasing penalty has a unique minimizer off a countable set",
    source="Extension of Theorems 5 and 10, eq. 97-99",
    statements=("Beyond the paper: penalties",),
    statement=(
        r"For $g$ non-decreasing and lower semicontinuous with $g(0) = 0$, $\|M - X\|_F^2 + \sum_i g(\sigma_i(X))$ has "
        r"one minimizer iff no $\sigma_i(M)$ is in a countable set, where $(m - x)^2 + g(x)$ has several. For powers, "
        "logarithm, Geman's, MCP and SCAD penalties it has one positive element at most; a concave $g$ may have more."
    ),
    statistic=(
        "the largest of: departure of the lowest minimum and of its value from the closed form, rounding in units of "
        "its lead over the next one; and departure of every exceptional scalar and its two minimizers, found as edges "
        "of a convex hull, in units of rounding; infinite where their number differs"
    ),
    tolerance=(
        r"$64\epsilon$ times $m^2$ for values, and $m$ over the curvature $1 + g''(x)/2$ for minimizers; an "
        "exceptional scalar errs by the rounding of values over twice the distance of its minimizers"
    ),
    refuted_by=(
        "two minima of one value at a scalar that is not exceptional, to $10^{-9}$ of it; a jump that the closed form "
        "does not have, or one that the search does not find"
    ),
    control=(
        "scalars on the exceptional set, declared to be off it; there, a minimizer and a minimum declared to be off by "
        "a hundredth, and no jump to be known"
    ),
    scope=everywhere,
    arms=(
        # Thirteen digits of m are to be seen; a lead of ten roundings is none.
        Arm(
            "minimizer",
            minimizer_ratio,
            on_the_set(found=Off("predicted", {"m": 0.01})),
            on_the_set(found=Off("predicted", {"m": 3e-13})),
            concerns=is_off,
        ),
        Arm(
            "minimum",
            minimum_ratio,
            on_the_set(value=Off("predicted_value", {"m*m": 0.01})),
            on_the_set(value=Off("predicted_value", {"m*m": 1e-13})),
            concerns=is_off,
        ),
        Arm("lead", lead_ratio, on_the_set(), on_the_set(gap=Off(0, {"m*m": 2e-15})), concerns=is_off),
        Arm("jumps", jumps_ratio, declared(known_jumps=0), declared(jump_error=ValueOf("moved_error"))),
    ),
    study="penalties",
    eligible=is_certified,
    basis="formula",
)


def hypothesis(evidence: xr.Dataset) -> xr.DataArray:
    """Cells with no exceptional singular value and a penalty that does not decrease, (cell,)."""
    return evidence["hypothesis"] == 1


def value_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Departure of the minimum from the closed form over its tolerance, (cell, start)."""
    return abs(evidence["value_gap"]) / evidence["value_tolerance"]


def matrix_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Distance of the best matrix from the closed form over its tolerance, (cell, start)."""
    return evidence["distance"] / evidence["distance_tolerance"]


def others_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Distance of equally good matrices from the best one over its tolerance, (cell, start)."""
    return evidence["spread"] / evidence["distance_tolerance"]


def without_hypothesis(**fields: Value) -> Declared:
    """Targets and penalties that do not meet the hypotheses, declared to meet them."""
    return declared(hypothesis=1, **fields)


PENALIZED_MATRICES = Claim(
    title="Other penalties of matrices: the target's singular vectors, each value minimized separately",
    source="Extension of Theorem 10, eq. 97-99",
    statements=("Beyond the paper: penalties",),
    statement=(
        r"For non-decreasing $g$ the minimizer of $\|M - X\|_F^2 + \sum_i g(\sigma_i(X))$ is $\sum_i x_i u_i v_i^\top$ "
        r"with $x_i$ the minimizer of $(\sigma_i - x)^2 + g(x)$, and unique where no $\sigma_i$ is exceptional."
    ),
    statistic=(
        r"over $2 \times 2$ targets, for the best matrix of a search over all singular vectors: departure of its "
        "objective and of itself from the closed form, and the largest distance of an equally good one, in units of "
        "tolerance"
    ),
    tolerance=(
        r"$64\epsilon\,\|M\|_F^2$ for the objective; for matrices what an objective that close allows, $\propto "
        r"\sqrt{\epsilon}$, by the remainder of von Neumann's inequality"
    ),
    refuted_by=(
        "a matrix with other singular vectors and an objective as low, or two different matrices of the same one"
    ),
    control=(
        r"targets with $\sigma_2$ on the exceptional set, and $g(x) = -x/2$, which decreases, on a target of rank 1; "
        "declared to meet the hypotheses; their objectives declared to be off by a hundredth, and their best matrices "
        "as far off as equally good ones are"
    ),
    scope=hypothesis,
    arms=(
        # Targets have norms of 1 to 6. A value to twelve digits is a matrix to half as many.
        Arm(
            "minimum",
            value_ratio,
            without_hypothesis(value_gap=0.01),
            without_hypothesis(value_gap=2e-12),
        ),
        Arm(
            "best matrix",
            matrix_ratio,
            without_hypothesis(distance=ValueOf("spread")),
            without_hypothesis(distance=2e-5),
        ),
        Arm("others", others_ratio, without_hypothesis(), without_hypothesis(spread=2e-5)),
    ),
    study="penalized_matrices",
    eligible=is_certified,
    basis="formula",
)
