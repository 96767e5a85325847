"""Penalties of singular values that studies share, and two global searches that know no closed form of them.

The searches look for the minimizers of (m - x)^2 + g(x) over x >= 0.

The first asks at one m: every local minimum of a fine grid, sharpened. The second asks at all m at once: x minimizes
for some m iff (x, x^2 + g(x)) is on the lower convex hull of that curve, and m is half the slope there; so an edge of
the hull that skips points of the grid is an exceptional scalar, its ends the two minimizers.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from scipy import optimize

from dmf import theory
from dmf.theory.certificate import EPS, ROUNDING_SCALAR

Floats = npt.NDArray[np.float64]
MU = 2.0  # (m - x)^2 is mu/2 (m - x)^2
FINEST = 4 * EPS  # of brentq
POINTS = 2000
HALVINGS = 44  # of two steps of the grid: to the rounding of the grid's end
STEEP = 1e-8  # where the grid begins, in units of its end: a penalty may be steep at zero
SKIPPED = 0.01  # length of an edge, in units of the grid's end, from which it is a jump: 20 steps of the grid


class Function(Protocol):
    """A function g of x >= 0 and its slope from the right."""

    def __call__(self, x: npt.ArrayLike) -> Floats:
        """G at x."""

    def slope(self, x: npt.ArrayLike) -> Floats:
        """g' at x."""


class Jump(NamedTuple):
    """An exceptional scalar m = `at`, and its two minimizers `low` < `high`."""

    at: float
    low: float
    high: float


@dataclass(frozen=True)
class Caps:
    """g(x) = sum_i weights_i min(x, caps_i): concave, an exceptional scalar at each cap that is far from others."""

    weights: tuple[float, ...]
    caps: tuple[float, ...]

    def __call__(self, x: npt.ArrayLike) -> Floats:
        """g(x), shape of x."""
        capped = np.minimum(np.asarray(x, dtype=np.float64)[..., None], self.caps)
        return np.asarray(np.sum(capped * self.weights, axis=-1))

    def slope(self, x: npt.ArrayLike) -> Floats:
        """g'(x) from the right, shape of x."""
        under = np.asarray(x, dtype=np.float64)[..., None] < self.caps
        return np.asarray(np.sum(under * np.array(self.weights), axis=-1))

    def known(self) -> list[Jump]:
        """At cap c of weight w with weight r beyond it: m = c + w/4 + r/2, with minimizers c - w/4 and c + w/4."""
        beyond = np.append(np.cumsum(self.weights[::-1])[::-1][1:], 0.0)
        cells = zip(self.weights, self.caps, beyond, strict=True)
        return [Jump(c + w / 4 + r / 2, c - w / 4, c + w / 4) for w, c, r in cells]

    def prox(self, m: npt.ArrayLike, mu: float) -> Floats:
        """The minimizer for every m >= 0, shape of m; mu is 2."""
        m = np.asarray(m, dtype=np.float64)
        passed = np.sum(m[..., None] > [jump.at for jump in self.known()], axis=-1)
        left = np.append(np.cumsum(self.weights[::-1])[::-1], 0.0)
        return np.asarray(np.maximum(m - left[passed] / mu, 0.0))


PENALTIES: dict[str, theory.Penalty | Caps] = {
    "l_2/3": theory.Power.of_depth(3, 0.3),
    "l_1/3": theory.Power.of_depth(6, 0.3),
    "l_0.13": theory.Power(0.7, 0.13),
    "l_1": theory.Power(1.0, 1.0),
    "log": theory.Log(1.0, 0.1),
    "log, wide": theory.Log(0.4, 3.0),
    "Geman": theory.Geman(1.0, 0.2),
    "Geman, wide": theory.Geman(0.6, 4.0),
    "MCP": theory.Mcp(0.8, 0.3),
    "MCP, wide": theory.Mcp(1.2, 3.0),
    "SCAD": theory.Scad(0.9, 1.2),
    "SCAD, wide": theory.Scad(1.0, 3.7),
    "two caps": Caps((1.0, 0.8), (1.0, 2.5)),
    "three caps": Caps((0.5, 0.5, 0.5), (0.5, 1.5, 3.0)),
}


def exceptional(g: theory.Penalty | Caps) -> list[Jump]:
    """The exceptional scalars m > 0 in closed form, in their order."""
    if isinstance(g, Caps):
        return g.known()
    tie = g.tie(MU)
    return [] if tie.unique else [Jump(tie.at, tie.low, tie.high)]


def threshold(g: theory.Penalty | Caps) -> float:
    """Where the minimizer leaves zero, for a penalty without an exceptional scalar."""
    return float(g.slope(0.0)) / MU


def local_minima(g: Function, m: float, most: float | None = None) -> Floats:
    """All local minima of (m - x)^2 + g(x) on x >= 0 for m >= 0, shape (minima, 2): value, x; lowest first.

    They are looked for up to `most`; a g that does not decrease has none above m.

    Where the slope turns from falling to rising between two points of a fine grid; and the grid's lowest point, should
    that be lower by more than rounding. Low values do not tell: where the objective is flat, rounding makes them.
    """
    x = _grid(1.05 * m if most is None else most)
    slopes = 2 * (x - m) + g.slope(x)
    turns = np.flatnonzero((slopes[:-1] < 0) & (slopes[1:] >= 0))
    found = [0.0] if slopes[0] >= 0 else []
    found += [_sharpened(g, m, x[i], x[i + 1]) for i in turns]
    values = (m - x) ** 2 + g(x)
    places = np.array([*found, x[values.argmin()]])
    rows = np.column_stack([(m - places) ** 2 + g(places), places])
    rows = rows if rows[-1, 0] < rows[:-1, 0].min() - ROUNDING_SCALAR * m**2 else rows[:-1]
    return np.asarray(rows[np.argsort(rows[:, 0], kind="stable")])


class Envelope:
    """The lower convex hull of x^2 + g(x), and from it a minimizer for each of many m of any sign at once."""

    def __init__(self, g: Function, most: float) -> None:
        """For minimizers up to `most`."""
        self.g, self.x = g, _grid(most)
        self.corners = np.array(_lower_hull(self.x, self.x**2 + g(self.x)))
        curve = self.x[self.corners] ** 2 + g(self.x[self.corners])
        self.breaks = np.diff(curve) / np.diff(self.x[self.corners]) / 2

    def minimizers(self, m: Floats) -> Floats:
        """A minimizer for every m, shape of m: the corner's neighbours bracket it, bisection sharpens it."""
        corner = self.corners[np.searchsorted(self.breaks, m)]
        low, high = self.x[np.maximum(corner - 1, 0)], self.x[np.minimum(corner + 1, len(self.x) - 1)]
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            rises = 2 * (middle - m) + self.g.slope(middle) >= 0
            low, high = np.where(rises, low, middle), np.where(rises, middle, high)
        at_zero = (corner == 0) & (self.g.slope(np.zeros_like(m)) >= 2 * m)
        return np.where(at_zero, 0.0, high)


def jumps(g: Function, most: float) -> list[Jump]:
    """Every exceptional scalar m >= 0 with minimizers below `most`, in their order."""
    x = _grid(most)
    curve = x**2 + g(x)
    corners = _lower_hull(x, curve)
    edges = [(a, b) for a, b in pairwise(corners) if x[b] - x[a] >= SKIPPED * most]
    return [_exact(g, x, curve, low, high) for low, high in edges]


def _grid(most: float) -> Floats:
    near = np.geomspace(STEEP, 1 / POINTS, 200)[:-1]
    return np.asarray(most * np.concatenate([[0.0], near, np.linspace(0, 1, POINTS + 1)[1:]]))


def _lower_hull(x: Floats, y: Floats) -> list[int]:
    """Corners of the lower convex hull of points with rising x (Andrew's monotone chain)."""
    corners: list[int] = []
    for i in range(len(x)):
        while len(corners) > 1:
            a, b = corners[-2:]
            if (y[b] - y[a]) * (x[i] - x[a]) < (y[i] - y[a]) * (x[b] - x[a]):
                break
            corners.pop()
        corners.append(i)
    return corners


def _exact(g: Function, x: Floats, curve: Floats, low: int, high: int) -> Jump:
    """The m at which the minima on either side of the barrier between two corners are level, and these minima."""
    chord = np.interp(x[low : high + 1], x[[low, high]], curve[[low, high]])
    top = low + int(np.argmax(curve[low : high + 1] - chord))
    below, above = x[top - 1], x[top + 1]

    def ends(m: float) -> tuple[float, float]:
        return _sharpened(g, m, 0.0, below), _sharpened(g, m, above, x[-1])

    def lead(m: float) -> float:
        a, b = ends(m)
        return float(a**2 + g(a) - b**2 - g(b) - 2 * m * (a - b))

    guess = (curve[high] - curve[low]) / (x[high] - x[low]) / 2
    width = x[-1] / POINTS
    at = float(optimize.brentq(lead, guess - width, guess + width, xtol=1e-15, rtol=FINEST))
    return Jump(at, *ends(at))


def _sharpened(g: Function, m: float, low: float, high: float) -> float:
    """The minimum between two points, where the slope changes its sign; `low` where it rises from there on."""

    def slope(x: float) -> float:
        return float(2 * (x - m) + g.slope(x))

    if not slope(low) < 0:
        return float(low)
    return float(optimize.brentq(slope, low, high, xtol=1e-300, rtol=FINEST))
