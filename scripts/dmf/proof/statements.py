r"""What each claim on runs says of one proved minimizer, decided on balls.

The minimizer \theta' is within \rho of the stored \theta. Its X, layer norms, trace and imbalance are those of \theta,
enclosed, widened by what \rho allows; F and its curvature come from the proof. A statement *holds* where the balls of
its two sides meet (equations) or are in the order that it says (inequalities), *fails* where they are apart or in the
other order, and is *undecided* where neither is proved: a hypothesis that the balls cannot tell, or an order that they
cannot. Equations can be refuted, not proved, by numbers; the width of the balls is what a pass is worth.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from flint import arb, arb_mat
from numpy.typing import NDArray

from dmf.proof.balls import exact, in_balls, lower, nearest, norm, singular_values, upper, within
from dmf.proof.hessian import Point, point
from dmf.proof.levels import Levels, levels
from dmf.proof.minimizer import Proof

if TYPE_CHECKING:
    from jaxtyping import Float64

Floats = NDArray[np.float64]

HOLDS, FAILS, UNDECIDED = 1, 0, -1
SAYS = {HOLDS: "holds", FAILS: "fails", UNDECIDED: "undecided"}


@dataclass(frozen=True)
class Minimizer:
    """A proved minimizer as balls, and the closed forms of its cell."""

    layers: Sequence[Floats]
    matrix: Floats
    lam: float
    proof: Proof
    at: Point
    forms: Levels

    @property
    def depth(self) -> int:
        """L."""
        return len(self.layers)

    @cached_property
    def objective(self) -> arb:
        """F."""
        return arb(self.proof.objective.low).union(arb(self.proof.objective.high))

    @cached_property
    def moved(self) -> arb:
        r"""||X' - X||_F <= \sqrt{L} t^{L-1} \rho, changing one layer at a time."""
        return arb(self.depth).sqrt() * arb(self.proof.spectral) ** (self.depth - 1) * arb(self.proof.radius)

    @cached_property
    def least(self) -> arb:
        r"""A lower bound on the singular values of X that are not zero, of any critical point.

        They obey sigma_i = x + \lambda x^{2/L - 1} with some singular value of M (docs/theory.md, section 1). So x is
        sigma_i - \lambda for L = 2, and x^{1 - 2/L} >= \lambda / sigma_1 for L >= 3.
        """
        sigma, lam = self.forms.sigma, self.at.lam
        if self.depth > 2:
            return (lam / sigma[0]) ** (arb(self.depth) / (self.depth - 2)) if sigma[0] > 0 else arb(1)
        above = [m - lam for m in sigma if not m < lam]
        return above[-1] if above else arb(1)  # nothing is kept, and any bound is true

    @cached_property
    def values(self) -> list[arb]:
        """Singular values of X, descending: by Weyl's inequality, and zero where that is below `least`."""
        product = nearest(self.at.product)
        off = norm(self.at.product - exact(product))
        balls = [within(x, self.moved + off).nonnegative_part() for x in singular_values(product)]
        return [arb(0) if x.upper() < self.least else x for x in balls]

    @cached_property
    def rank(self) -> int | None:
        """The rank of X, None where it is not proved."""
        return sum(x > 0 for x in self.values) if all(x > 0 or x == 0 for x in self.values) else None

    @cached_property
    def layer_norms_sq(self) -> list[arb]:
        """||W_l||_F^2."""
        return [within(norm(layer), arb(self.proof.radius)) ** 2 for layer in self.at.layers]

    @cached_property
    def trace(self) -> arb:
        r"""2 \lambda N + 2 \sum_l ||A_l||_F^2 ||B_l||_F^2; a chain of k layers moves by \sqrt{k} t^{k-1} \rho."""
        total = 2 * self.at.lam * sum(layer.size for layer in self.layers)
        for number, (above, below) in enumerate(zip(self.at.above, self.at.below, strict=True)):
            total += 2 * (self._moved_norm(above, self.depth - 1 - number) * self._moved_norm(below, number)) ** 2
        return total

    def _moved_norm(self, chain: arb_mat, factors: int) -> arb:
        if factors == 0:
            return norm(chain)
        top, radius = arb(self.proof.spectral), arb(self.proof.radius)
        return within(norm(chain), arb(factors).sqrt() * top ** (factors - 1) * radius)

    @cached_property
    def schatten(self) -> arb:
        r"""S(X) = ||M - X||_F^2 + \lambda L \sum_i x_i^{2/L}."""
        misfit = within(norm(self.at.residual), self.moved) ** 2
        return misfit + self.at.lam * self.depth * self._power_sum(self.values)

    def _power_sum(self, values: Sequence[arb]) -> arb:
        r"""\sum_i x_i^{2/L} of balls that may reach zero: t^{2/L} increases."""
        return sum((_power(x, self.depth) for x in values), arb(0))

    @cached_property
    def alpha_sq(self) -> arb:
        r"""\alpha^2 = \sum_i x_i^{2/L} of the closed form."""
        return self._power_sum(self.forms.roots[: self.forms.kept])

    @cached_property
    def bound(self) -> arb:
        r"""The paper's bound on the trace, less 2 \lambda N."""
        kept = self.forms.roots[: self.forms.kept]
        return 2 * self.depth * sum((x * x for x in kept), arb(0)) / self.alpha_sq if kept else arb(0)

    @cached_property
    def predicted_trace(self) -> arb:
        """The trace at minimizers from the closed form (docs/theory.md, section 3)."""
        layer = [_power(x, 2 * self.depth) for x in self.forms.roots[: self.forms.kept]]  # s_i = x_i^{1/L}

        def total(power: int, width: int) -> arb:
            return arb(width) if power == 0 else sum((s ** (2 * power) for s in layer), arb(0))

        widths, depth = self.at.widths, self.depth
        terms = [total(depth - k, widths[-1]) * total(k - 1, widths[0]) for k in range(1, depth + 1)]
        return 2 * sum(terms, arb(0)) + 2 * self.at.lam * sum(layer.size for layer in self.layers)

    @cached_property
    def level(self) -> int | None:
        """The only level k whose value the objective may have; None where none or several fit, or the list may lack."""
        if self.forms.degenerate:
            return None
        values = self.forms.values if self.depth > 2 else [self.forms.minimum]
        fits = [k for k, value in enumerate(values) if self.objective.overlaps(value)]
        return (fits[0] if self.depth > 2 else self.forms.kept) if len(fits) == 1 else None

    @property
    def is_global(self) -> bool:
        """Whether the minimizer is proved to be a global one: its level is the minimum's and no other's."""
        return not self.forms.exceptional and self.level == self.forms.kept


def _power(x: arb, depth: int) -> arb:
    """x^{2/L} for every x >= 0 of a ball."""
    power = arb(2) / depth
    low, high = x.lower(), x.upper()
    return (low**power if low > 0 else arb(0)).union(high**power if high > 0 else arb(0))


@in_balls
def minimizer(layers: Sequence[Float64[Floats, "_ _"]], matrix: Floats, lam: float, proof: Proof) -> Minimizer:
    """The proved minimizer near [W_1, ..., W_L], for `decide`; `proof` is what `prove` made of the same numbers."""
    return Minimizer(layers, matrix, lam, proof, point(layers, matrix, lam), levels(matrix, len(layers), lam))


@in_balls
def decide(found: Minimizer) -> dict[str, int]:
    """HOLDS, FAILS or UNDECIDED for every claim on runs, by its name."""
    return {name: statement(found) for name, statement in STATEMENTS.items()}


def _meets(one: arb, other: arb) -> int:
    if not (one.is_finite() and other.is_finite()):
        return UNDECIDED
    return HOLDS if one.overlaps(other) else FAILS


def _all(words: Sequence[int]) -> int:
    return FAILS if FAILS in words else UNDECIDED if UNDECIDED in words else HOLDS


def _at_minimum(statement: Callable[[Minimizer], int]) -> Callable[[Minimizer], int]:
    """A statement on global minimizers off the exceptional set: undecided where the balls do not prove both."""

    def guarded(found: Minimizer) -> int:
        return statement(found) if found.is_global else UNDECIDED

    return guarded


def _balanced(found: Minimizer) -> int:
    """Theorem 2: W_{l+1}^T W_{l+1} - W_l W_l^T, which a move of the layers changes by 2 t rho each and rho^2."""
    radius, top = arb(found.proof.radius), arb(found.proof.spectral)
    allowed = 4 * top * radius + 2 * radius**2
    pairs = zip(found.at.layers, found.at.layers[1:], strict=False)
    sizes = [norm(after.transpose() * after - layer * layer.transpose()) for layer, after in pairs]
    return _all([FAILS if size > allowed else HOLDS for size in sizes])


def _schatten(found: Minimizer) -> int:
    """Theorem 3: F = S(X) at critical points, and S(X) = F* at global minimizers."""
    words = [_meets(found.objective, found.schatten)]
    return _all([*words, _meets(found.schatten, found.forms.minimum)] if found.is_global else words)


def _unique(found: Minimizer) -> int:
    r"""Theorem 10: X has the singular values x_i and the bases of M, in the same order: <X, M> = \sum x_i sigma_i."""
    kept = found.forms.roots[: found.forms.kept]
    predicted = [*kept, *[arb(0)] * (len(found.values) - len(kept))]
    words = [_meets(x, y) for x, y in zip(found.values, predicted, strict=True)]
    target = exact(found.matrix)
    for one, other in ((found.at.product, target), (found.at.product.transpose(), target.transpose())):
        mixed = one * other.transpose()
        skew = norm(mixed - mixed.transpose())
        words.append(FAILS if skew > 2 * found.forms.sigma[0] * found.moved else HOLDS)
    inner = (found.at.product * target.transpose()).trace()
    ordered = sum((x * m for x, m in zip(predicted, found.forms.sigma, strict=True)), arb(0))
    return _all([*words, _meets(within(inner, norm(target) * found.moved), ordered)])


def _layer_norms(found: Minimizer) -> int:
    return _all([_meets(size, found.alpha_sq) for size in found.layer_norms_sq])


def _collapse(found: Minimizer) -> int:
    """Corollary 14: X = 0 iff lambda > lambda_c(sigma_1), that is sigma_1 < m*, iff no singular value is kept."""
    size = norm(found.at.product)
    away = size > found.moved
    if found.forms.kept == 0:
        return FAILS if away else HOLDS
    return HOLDS if away else FAILS if found.rank == 0 else UNDECIDED


def _trace_bound(found: Minimizer) -> int:
    """Theorem 15. Where the bound is attained no ball is above it: then the two must meet."""
    fixed = 2 * found.at.lam * sum(layer.size for layer in found.layers)
    slack = found.trace - fixed - found.bound
    if slack < 0:
        return FAILS
    return HOLDS if slack >= 0 or found.forms.kept == 0 or _attains(found) else UNDECIDED


def _attains(found: Minimizer) -> bool:
    return found.forms.kept == 0 or found.matrix.shape == (1, 1)


def _trace_attained(found: Minimizer) -> int:
    fixed = 2 * found.at.lam * sum(layer.size for layer in found.layers)
    slack = found.trace - fixed - found.bound
    strict = _meets(slack, arb(0)) if _attains(found) else HOLDS if slack > 0 else FAILS if slack < 0 else UNDECIDED
    return _all([_meets(found.trace, found.predicted_trace), strict])


def _on_level(found: Minimizer) -> int:
    """Equation 79 and its list of local minima; for L = 2 all are global."""
    if found.forms.degenerate:
        return UNDECIDED
    values = found.forms.values if found.depth > 2 else [found.forms.minimum]
    return HOLDS if any(found.objective.overlaps(value) for value in values) else FAILS


STATEMENTS: dict[str, Callable[[Minimizer], int]] = {
    "balancedness": _balanced,
    "schatten": _schatten,
    "uniqueness": _at_minimum(_unique),
    "layer_norms": _at_minimum(_layer_norms),
    "collapse": _at_minimum(_collapse),
    "trace_bound": _at_minimum(_trace_bound),
    "levels": _on_level,
    "trace_attained": _at_minimum(_trace_attained),
}


@in_balls
def product_distance(one: Minimizer, other: Minimizer) -> tuple[float, float]:
    """(||X - X'||_F of the stored points, sum of both radii): the minimizers differ where the first is larger.

    The first is rounded down and the second up.
    """
    return lower(norm(one.at.product - other.at.product)), upper(one.moved + other.moved)
