"""The line search of one run: judges a trial step and names the next one.

A trial t is accepted when the weak Wolfe conditions hold (Nocedal & Wright, eq. 3.6)

    F(t) <= F(0) + c1 t F'(0)   and   F'(t) >= c2 F'(0),

or when, with |F(t) - F(0)| at the rounding level of F, slopes alone say so: F'(t) <= (2 delta - 1) F'(0) replaces the
first condition (approximate Wolfe: Hager & Zhang 2005, eq. 4.1). Without this no gradient norm below about
sqrt(eps) is reachable.
"""

from __future__ import annotations

import numpy as np

from dmf.training.compiled_engine import kernel
from dmf.training.constants import (
    APPROXIMATE,
    CURVATURE,
    DECREASE,
    EXTEND_LEAST,
    EXTEND_MOST,
    FLAT,
    MARGIN,
)
from dmf.training.result import Array

# A search is a block of places: value and slope of its origin, position, value and slope of its bracket's ends, trials.
VALUE, SLOPE, LOW, LOW_VALUE, LOW_SLOPE, HIGH, HIGH_VALUE, HIGH_SLOPE, TRIED = range(9)
PLACES = 9


@kernel
def begin(lanes: Array, search: int, v: int, value: float, slope: float) -> None:
    """Start the search at place `search` of lane v from F(0) and a negative F'(0)."""
    lanes[search + VALUE, v], lanes[search + SLOPE, v] = value, slope
    lanes[search + LOW, v], lanes[search + LOW_VALUE, v], lanes[search + LOW_SLOPE, v] = 0.0, value, slope
    lanes[search + HIGH, v] = np.inf
    lanes[search + TRIED, v] = 0.0


@kernel
def judge(
    lanes: Array, search: int, v: int, t: float, value: float, slope: float, scale: float
) -> tuple[bool, bool, float]:
    """Judge the trial t with F(t) and F'(t): is it accepted, did F change by rounding only, and what is the next t?

    `scale` is the size of the terms whose sum F is. A trial that is not finite is one that went too far.
    """
    lanes[search + TRIED, v] += 1
    change, steepness = value - lanes[search + VALUE, v], lanes[search + SLOPE, v]
    flat = abs(change) <= FLAT * scale
    level = flat and slope <= (2 * APPROXIMATE - 1) * steepness
    near = np.isfinite(value + slope) and (change <= DECREASE * t * steepness or level)
    if near and slope >= CURVATURE * steepness:
        return True, flat, t
    end = search + LOW if near else search + HIGH
    lanes[end, v], lanes[end + 1, v], lanes[end + 2, v] = t, value, slope
    low, high = lanes[search + LOW, v], lanes[search + HIGH, v]
    if np.isinf(high):
        return False, flat, low * _growth(steepness, lanes[search + LOW_SLOPE, v])
    width = high - low
    left, right = lanes[search + LOW_SLOPE, v] * width, lanes[search + HIGH_SLOPE, v] * width
    return False, flat, low + width * _share(lanes[search + HIGH_VALUE, v] - lanes[search + LOW_VALUE, v], left, right)


@kernel
def _growth(steepness: float, slope: float) -> float:
    """The secant's zero of F', in units of the lower end, from F' at the origin and there."""
    growth = steepness / (steepness - slope)
    return min(max(growth, EXTEND_LEAST), EXTEND_MOST) if growth > 0 else EXTEND_MOST


@kernel
def _share(rise: float, left: float, right: float) -> float:
    """The minimum of the cubic through both ends, as a share of the bracket; the middle where there is none.

    `rise` is the difference of the ends' values, `left` and `right` their slopes times the bracket's width
    (Nocedal & Wright, eq. 3.59).
    """
    middle = left + right - 3 * rise
    root = np.sqrt(middle * middle - left * right)
    share = 1 - (right + root - middle) / (right - left + 2 * root)
    return min(max(share, MARGIN), 1 - MARGIN) if np.isfinite(share) else 0.5
