r"""The paper's closed forms for one target in ball arithmetic: roots, thresholds, critical values, the minimum.

Each formula is written again here, from the paper, and shares no code with `dmf.theory`. g(x) = (m - x)^2 +
\lambda L x^{2/L} has the slope 2 (h(x) - m), h(x) = x + \lambda x^{2/L - 1}; for L >= 3, h is convex with its minimum
m_loc at x_c, and increases from there: the larger root x of h(x) = m > m_loc is a local minimum of g. It is the global
one for m > m*, and 0 is for m < m*. Where a ball cannot say on which side of a threshold m lies, the result says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from flint import arb
from numpy.typing import NDArray

from dmf.proof.balls import in_balls, singular_values

if TYPE_CHECKING:
    from jaxtyping import Float64

Floats = NDArray[np.float64]
STEPS = 200  # Newton steps that a root may take; from x = m it takes about ten, near m_loc one a bit


@dataclass(frozen=True)
class Levels:
    r"""What the closed forms say of one target M at one depth and \lambda. `sigma` are the singular values of M."""

    sigma: list[arb]
    roots: list[arb]
    """the larger roots of the leading singular values that have one; for L = 2 those above lambda"""
    values: list[arb]
    """F_k, k = 0, ..., len(roots): the first k are kept at their larger roots and the others are zero"""
    kept: int
    """k of the minimum"""
    degenerate: bool
    """whether a singular value is not proved to differ from m_loc: then the list of levels may lack some"""
    exceptional: bool
    """whether one is not proved to differ from m*: then the minimum may have several minimizers"""

    @property
    def minimum(self) -> arb:
        """F*."""
        return self.values[self.kept]


def levels(matrix: Float64[Floats, "d_L d_0"], depth: int, lam: float) -> Levels:
    """The closed forms for a target, computed once for all runs of a cell."""
    found: Levels = _levels(matrix.tobytes(), matrix.shape, depth, lam)
    return found


@lru_cache(maxsize=64)
def _sigma(content: bytes, shape: tuple[int, int]) -> list[arb]:
    return singular_values(np.frombuffer(content).reshape(shape))


@lru_cache(maxsize=64)
@in_balls
def _levels(content: bytes, shape: tuple[int, int], depth: int, lam: float) -> Levels:
    sigma, weight = _sigma(content, shape), arb(lam)
    jump, turn = thresholds(depth, weight)
    roots = [larger_root(m, depth, weight) for m in sigma if m > turn]
    values = []
    for k in range(len(roots) + 1):
        kept = [scalar_value(m, x, depth, weight) for m, x in zip(sigma, roots[:k], strict=False)]
        values.append(sum([*kept, *(m * m for m in sigma[k:])], arb(0)))
    return Levels(
        sigma,
        roots,
        values,
        sum(m > jump for m in sigma),
        any(not (m > turn or m < turn) for m in sigma),
        depth > 2 and any(not (m > jump or m < jump) for m in sigma),
    )


def thresholds(depth: int, lam: arb) -> tuple[arb, arb]:
    """(m*, m_loc) (eq. 20-24); both are lambda for L = 2."""
    if depth == 2:
        return lam, lam
    power = arb(depth) / (2 * (depth - 1))
    x_jump = (lam * (depth - 2)) ** power
    return x_jump * (depth - 1) / (depth - 2), inflection(depth, lam) * 2 * (depth - 1) / (depth - 2)


def inflection(depth: int, lam: arb) -> arb:
    """x_c, where h is smallest; L >= 3."""
    return (lam * (depth - 2) / depth) ** (arb(depth) / (2 * (depth - 1)))


def h(x: arb, depth: int, lam: arb) -> arb:
    """Half the slope of g, plus m; x > 0."""
    return x + lam * x ** (arb(2) / depth - 1)


def scalar_value(m: arb, x: arb, depth: int, lam: arb) -> arb:
    """g(x), x > 0."""
    return (m - x) ** 2 + lam * depth * x ** (arb(2) / depth)


def larger_root(m: arb, depth: int, lam: arb) -> arb:
    """A ball around the larger root of h(x) = m for every m of a ball that is proved to lie above m_loc.

    Newton's method from x = m gives candidates for the ends. Beyond x_c the root increases with m and h with x: x is no
    larger than the root of m if h(x) <= m, and no smaller if h(x) >= m.
    """
    if depth == 2:
        return m - lam
    turn = inflection(depth, lam)
    guess = _newton(m.mid(), depth, lam.mid())
    slope = 1 + (arb(2) / depth - 1) * lam * guess ** (arb(2) / depth - 2)
    width = (arb(m.rad()) / slope.abs_lower() + guess * arb(2) ** -100).mid()
    for _ in range(60):
        low, high = guess - width, guess + width
        below = low > turn and h(low, depth, lam) <= m.lower()
        if below and h(high, depth, lam) >= m.upper():
            return low.union(high)
        width = 4 * width
    return turn.union(m)


def _newton(m: arb, depth: int, lam: arb) -> arb:
    """Near the larger root of h(x) = m, without a bound on its error: h is convex, steps from x = m descend to it."""
    x = m
    for _ in range(STEPS):
        pull = lam * x ** (arb(2) / depth - 1)
        slope = 1 + (arb(2) / depth - 1) * pull / x
        step = ((x + pull - m) / slope).mid()
        x = (x - step).mid()
        if abs(step) <= abs(x) * arb(2) ** -110:
            break
    return x
