"""Theorems 3, 9 and 22: deep factorization and the Schatten quasi-norm, and the inequalities that link them."""

import xarray as xr

from dmf.evidence.claim import ONE_ORBIT, Arm, Claim
from dmf.evidence.controls import MOVED_VALUES, ORDINARY, Off, ValueOf, declared, where
from dmf.evidence.eligibility import everywhere, is_certified, is_eligible
from dmf.evidence.fields import Evidence

# Near controls of the two inequalities, in units of the larger side: twelve digits of it are to be seen, so that more
# than that is a gap; and a gap of ten roundings is none.
SEEN, UNSEEN = 2e-13, 2e-15


def pairs(evidence: xr.Dataset) -> xr.DataArray:
    """Pairs of matrices whose singular values are paired in non-increasing order, (cell,)."""
    return (evidence["inequality"] == "von Neumann") & (evidence["hypothesis"] == 1)


def excess_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """How far the smaller side is above the larger one, over what rounding allows; negative below it, (cell, start)."""
    return -evidence["gap"] / evidence["gap_tolerance"]


VON_NEUMANN = Claim(
    title="Von Neumann's trace inequality",
    source="Theorem 9, Remark 32",
    statements=(
        "Theorem 9",
        "Remark 32",
    ),
    statement=r"$\langle A, B\rangle \leq \sum_i \sigma_i(A)\,\sigma_i(B)$, singular values in non-increasing order.",
    statistic=r"largest $\langle A, B\rangle - \sum_i \sigma_i(A)\,\sigma_i(B)$ over pairs, in units of tolerance",
    tolerance=(
        r"rounding of two SVDs and one inner product of $n$ by $n$ matrices: "
        r"$8 n \epsilon\,(\sigma_1(A) \sum_i \sigma_i(B) + \sigma_1(B) \sum_i \sigma_i(A))$, $\epsilon = 2^{-52}$"
    ),
    refuted_by="a pair of matrices whose inner product is above the sum by more than rounding",
    control="pairs with shared singular vectors, the values of one taken in increasing order and declared ordered",
    scope=pairs,
    arms=(
        Arm(
            "excess",
            excess_ratio,
            declared(where(kind="increasing order"), hypothesis=1),
            declared(where(kind="tilted"), gap=Off(0, {"larger": -SEEN})),
        ),
    ),
    study="inequalities",
    eligible=is_certified,
    basis="formula",
)


def equality_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """The gap over its tolerance, (cell, start)."""
    return abs(evidence["gap"]) / evidence["gap_tolerance"]


def apart_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """The tolerance over the gap, (cell, start): infinite where the gap is not above zero."""
    gap = evidence["gap"]
    return evidence["gap_tolerance"] / gap.where(gap > 0, 0.0)


def least_gap_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """What the gap lacks to its lower bound over its tolerance, (cell, start)."""
    return (evidence["least_gap"] - evidence["gap"]) / evidence["gap_tolerance"]


def made_equal(evidence: xr.Dataset) -> xr.DataArray:
    """Cells made to be cases of equality, (cell,)."""
    return evidence["equality"] == 1


def made_unequal(evidence: xr.Dataset) -> xr.DataArray:
    """All other cells, (cell,)."""
    return ~made_equal(evidence)


def equality_arms(kind: str) -> tuple[Arm, Arm]:
    """Equality where it must be, and none elsewhere; the controls are cells of that kind, which are no equalities."""
    cells = where(kind=kind)
    return (
        Arm(
            "equality",
            equality_ratio,
            declared(cells, equality=1),
            declared(cells, equality=1, gap=Off(0, {"larger": SEEN})),
            concerns=made_equal,
        ),
        Arm(
            "apart",
            apart_ratio,
            declared(cells, gap=0),
            declared(cells, gap=Off(0, {"larger": UNSEEN})),
            concerns=made_unequal,
        ),
    )


VON_NEUMANN_EQUALITY = Claim(
    title="Von Neumann's inequality is an equality only for shared singular vectors",
    source="Theorem 9, Appendix C",
    statements=(
        "Theorem 9",
        "Remark 32",
    ),
    statement=(
        r"$\sum_i \sigma_i(A)\,\sigma_i(B) - \langle A, B\rangle$ is zero if $A$ and $B$ have the same singular "
        r"vectors, in the same order, and else at least $\frac{1}{2} \sum_k (\sigma_k(A) - \sigma_{k+1}(A))"
        r"(\sigma_k(B) - \sigma_{k+1}(B))\,(\|\sin\Theta_k\|_F^2 + \|\sin\Phi_k\|_F^2)$, $\Theta_k$ and $\Phi_k$ the "
        r"angles between the spaces of the $k$ leading left and right singular vectors."
    ),
    statistic=(
        "shared vectors: largest gap in units of tolerance; else: largest tolerance in units of the gap, and what the "
        "gap lacks to its lower bound in units of tolerance"
    ),
    tolerance="the one of Theorem 9; angles go down to 0.0001, whose square is far above it",
    refuted_by="a gap without shared vectors that rounding explains, or one with shared vectors that it does not",
    control=(
        "pairs whose singular vectors are tilted against each other, declared to share them, to have no gap, and half "
        "of the least one"
    ),
    scope=pairs,
    arms=(
        *equality_arms("tilted"),
        Arm(
            "least gap",
            least_gap_ratio,
            declared(where(kind="tilted"), gap=Off(0, {"least_gap": 0.5})),
            declared(where(kind="tilted"), gap=Off("least_gap", {"larger": -SEEN})),
            concerns=made_unequal,
        ),
    ),
    study="inequalities",
    eligible=is_certified,
    basis="formula",
)


def schatten_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """|F - S(X)| over its tolerance, (cell, start)."""
    runs = Evidence(evidence)
    return abs(runs.objective - runs.schatten) / runs.minimum_tolerance


def minimum_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """|S(X) - min S| over its tolerance, (cell, start)."""
    runs = Evidence(evidence)
    return abs(runs.schatten - runs.minimum) / runs.minimum_tolerance


def inequality_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """How far S(X) is above F, over rounding; negative below it, (cell, start)."""
    runs = Evidence(evidence)
    return (runs.schatten - runs.objective) / runs.schatten_rounding


def not_eligible(evidence: xr.Dataset) -> xr.DataArray:
    """All other runs, (cell, start)."""
    return ~is_eligible(evidence)


def made_value_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """|F - min S| at the layers made from X*, over its tolerance, (cell, start)."""
    runs = Evidence(evidence)
    ratio = abs(runs.factorized - runs.minimum) / runs.minimum_tolerance
    return ratio.broadcast_like(runs.objective)


def made_gradient_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """The gradient norm at the layers made from X*, over its tolerance, (cell, start)."""
    runs = Evidence(evidence)
    return (runs.factorized_gradient / runs.factorized_tolerance).broadcast_like(runs.objective)


def doubled(cells: xr.Dataset, field: xr.DataArray) -> xr.DataArray:
    """twice what it is."""
    return 2 * field


def halved(cells: xr.Dataset, field: xr.DataArray) -> xr.DataArray:
    """half of what it is."""
    return field / 2


SCHATTEN = Claim(
    title="Deep factorization minimizes a Schatten quasi-norm",
    source="Theorem 3",
    statements=("Theorem 3",),
    statement=(
        r"$\min_{W_1, \ldots, W_L} F = \min_X S(X)$ with $S(X) = \|M - X\|_F^2 + \lambda L\, \|X\|_{S_{2/L}}^{2/L}$. "
        "The product $X$ of a minimizer of $F$ minimizes $S$; a minimizer of $S$ factorizes into one of $F$; and $F "
        r"\geq S(X)$ at every point (the variational form)."
    ),
    statistic=(
        r"the largest of: $|F - S(X)|$ and $|S(X) - \min S|$ at trained minimizers; $S(X) - F$ at all other certified "
        r"runs; and, the other way, $|F - \min S|$ and $\|\nabla F\|$ at layers $W_l = U_l\, "
        r"\mathrm{diag}(x_i^{1/L})\, U_{l-1}^T$ made from $X^*$ with random $U_1, \ldots, U_{L-1}$, one in each cell; "
        "each in units of its tolerance"
    ),
    tolerance=(
        r"$\min S \leq S(X) \leq F \leq \min F + 2\tau^2/\mu$ with $\tau$ the largest certified $\|\nabla F\|$, so "
        r"the steep powers of small singular values do no harm; for the rest rounding: $L (d + 2) \epsilon\, "
        r"(\|M\|_F^2 + F)$ for values with $d$ the largest width, and for the gradient of made layers $\|\nabla^2 "
        r"F\|$ times the rounding of the layers"
    ),
    refuted_by=(
        "a trained point below the Schatten objective of its own product, a certified minimizer that differs from it "
        "or from its minimum, or a factorization of $X^*$ that is no critical point"
    ),
    control=(
        "minimizers with $W_1$ doubled and $W_L$ halved, which leaves $X$ alone, and minimizers enlarged by a tenth, "
        "both declared to be minimizers; minimizers with a tenth less of their objective, and runs with half of it; "
        r"made layers declared to have twice their objective, and the gradient norm $\sigma_1$; near the edge, the "
        "same by little more than the tolerance"
    ),
    scope=everywhere,
    arms=(
        Arm(
            "F is S",
            schatten_ratio,
            declared(where(kind="unbalanced"), minimal=1) + declared(where(kind="too low")),
            declared(where(kind="near: wasteful"), minimal=1),
            concerns=is_eligible,
        ),
        Arm(
            "S is minimal",
            minimum_ratio,
            declared(where(kind="larger layers"), minimal=1),
            declared(where(kind="near: above the minimum"), minimal=1),
            concerns=is_eligible,
        ),
        Arm(
            "F is not below S",
            inequality_ratio,
            declared(where(kind=ORDINARY), objective=halved, minimal=0),
            declared(where(kind=MOVED_VALUES), minimal=0),
            concerns=not_eligible,
        ),
        Arm(
            "F of made layers",
            made_value_ratio,
            declared(where(kind=ORDINARY), factorized=doubled),
            declared(where(kind=MOVED_VALUES)),
        ),
        Arm(
            "gradient of made layers",
            made_gradient_ratio,
            declared(where(kind=ORDINARY), factorized_gradient=ValueOf("sigma_1")),
            declared(where(kind=MOVED_VALUES)),
        ),
    ),
    eligible=is_certified,
    fact=ONE_ORBIT,
)


def factorizations(evidence: xr.Dataset) -> xr.DataArray:
    """Factorizations whose layers are wide enough for their product, (cell,)."""
    return (evidence["inequality"] == "variational") & (evidence["hypothesis"] == 1)


VARIATIONAL = Claim(
    title="No factorization costs less than the Schatten quasi-norm",
    source="Theorem 22 (Appendix A, eq. 131)",
    statements=("Theorem 22",),
    statement=(
        r"$\|X\|_{S_{2/L}}^{2/L} \leq \frac{1}{L} \sum_l \|W_l\|_F^2$ for all layers with $W_L \cdots W_1 = X$ and "
        r"hidden widths of at least $\operatorname{rank} X$."
    ),
    statistic="largest excess of the quasi-norm over the mean layer cost, in units of tolerance",
    tolerance=(
        r"rounding of a product and an SVD: $\sum_i \frac{2}{L} \sigma_i^{2/L - 1} \cdot 4 n L \epsilon "
        r"\prod_l \|W_l\|_2 + 4 n \epsilon \cdot \frac{1}{L} \sum_l \|W_l\|_F^2$, $\epsilon = 2^{-52}$"
    ),
    refuted_by="layers that multiply to a matrix and cost less than its quasi-norm by more than rounding",
    control="layers too narrow to multiply to $X$, declared to be a factorization of it",
    scope=factorizations,
    arms=(
        Arm(
            "excess",
            excess_ratio,
            declared(where(kind="too narrow"), hypothesis=1, certified=1),
            declared(where(kind="sheared apart"), gap=Off(0, {"larger": -SEEN})),
        ),
    ),
    study="inequalities",
    eligible=is_certified,
    basis="formula",
)


VARIATIONAL_EQUALITY = Claim(
    title="The quasi-norm is attained exactly at balanced factorizations",
    source="Theorem 22 (Appendix A, eq. 136-138)",
    statements=("Theorem 22",),
    statement=(
        r"$\frac{1}{L} \sum_l \|W_l\|_F^2 = \|W_L \cdots W_1\|_{S_{2/L}}^{2/L}$ if and only if "
        r"$W_{l+1}^\top W_{l+1} = W_l W_l^\top$ for all $l$."
    ),
    statistic=(
        "balanced layers: largest gap in units of tolerance; others, from scaled and sheared to unrelated ones: "
        "largest tolerance in units of the gap"
    ),
    tolerance="the one of the inequality; shears go down to 0.0001, whose square is far above it",
    refuted_by="a gap of unbalanced layers that rounding explains, or one of balanced layers that it does not",
    control="factorizations with two layers sheared against each other, declared balanced, and to have no gap",
    scope=factorizations,
    arms=equality_arms("sheared apart"),
    study="inequalities",
    eligible=is_certified,
    basis="formula",
)
