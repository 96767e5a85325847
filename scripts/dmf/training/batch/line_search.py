"""A line search for a batch of runs in lockstep: one trial a round, each run on its own search.

A trial t is accepted when the weak Wolfe conditions hold (Nocedal & Wright, eq. 3.6)

    F(t) <= F(0) + c1 t F'(0)   and   F'(t) >= c2 F'(0),

or when, with |F(t) - F(0)| at the rounding level of F, slopes alone say so: F'(t) <= (2 delta - 1) F'(0) replaces the
first condition (approximate Wolfe: Hager & Zhang 2005, eq. 4.1). Without this no gradient norm below about
sqrt(eps) is reachable.
"""

import numpy as np
from numpy.typing import NDArray

from dmf.training.result import Array

Mask = NDArray[np.bool_]

_DECREASE = 1e-4  # c1
_CURVATURE = 0.9  # c2
_APPROXIMATE = 0.1  # Hager and Zhang's delta
_ROUNDING = 50 * np.finfo(np.float64).eps  # F is a sum of squares of at most a few hundred terms
_EXTEND = (2.0, 10.0)  # the next trial's range, in units of this one, while no upper end is known
_MARGIN = 0.1  # the share of the bracket next to each end that a trial keeps clear of, so that brackets shrink
_TRIALS = 30


class LineSearch:
    """For every run the trial step t (B,), and the bracket's ends as rows (position, value, slope) of (3, B).

    `flat` (B,) tells after judge whether F changed by no more than its rounding level.
    """

    def __init__(self, count: int) -> None:
        """Make room for `count` searches; begin starts them."""
        self.t = np.zeros(count)
        self.flat = np.zeros(count, dtype=np.bool_)
        self._trials = np.zeros(count, dtype=np.int64)
        self._origin = np.zeros((3, count))
        self._lower = np.zeros((3, count))
        self._upper = np.zeros((3, count))

    @property
    def value(self) -> Array:
        """F(0) (B,)."""
        value: Array = self._origin[1]
        return value

    def begin(self, runs: Mask, value: Array, slope: Array) -> None:
        """Start the searches of `runs` from F(0) and a negative F'(0) (B,), with t = 1, the quasi-Newton step."""
        origin = np.stack((np.zeros_like(value), value, slope))
        np.copyto(self._origin, origin, where=runs)
        np.copyto(self._lower, origin, where=runs)
        np.copyto(self._upper[0], np.inf, where=runs)
        np.copyto(self.t, 1.0, where=runs)
        np.copyto(self._trials, 0, where=runs)

    def keep(self, slots: NDArray[np.int64]) -> None:
        """Keep these searches only, in this order."""
        self.t, self.flat, self._trials = self.t[slots], self.flat[slots], self._trials[slots]
        self._origin, self._lower, self._upper = (a[:, slots] for a in (self._origin, self._lower, self._upper))

    def judge(self, value: Array, slope: Array, scale: Array) -> Mask:
        """Which trials, with F(t) and F'(t) (B,), are accepted; the others get their next trial in t.

        `scale` (B,) is the size of the terms whose sum F is. A trial that is not finite is one that went too far.
        """
        change, steepness = value - self._origin[1], self._origin[2]
        decreasing = change <= _DECREASE * self.t * steepness
        self.flat = np.abs(change) <= _ROUNDING * scale
        level = self.flat & (slope <= (2 * _APPROXIMATE - 1) * steepness)
        near = np.isfinite(value + slope) & (decreasing | level)
        accepted: Mask = near & (slope >= _CURVATURE * steepness)
        self._trials += 1
        rejected = np.flatnonzero(~accepted)
        if len(rejected):
            trial = np.stack((self.t[rejected], value[rejected], slope[rejected]))
            self._narrow(rejected, near[rejected], trial)
        return accepted

    def exhausted(self) -> Mask:
        """Which searches have had all their trials."""
        return self._trials >= _TRIALS

    def _narrow(self, runs: NDArray[np.int64], near: Mask, trial: Array) -> None:
        """Move the lower end to trials not far enough (`near`), the upper end to the others; choose the next t."""
        lower = np.where(near, trial, self._lower[:, runs])
        upper = np.where(near, self._upper[:, runs], trial)
        self._lower[:, runs], self._upper[:, runs] = lower, upper
        low, high = lower[0], upper[0]
        share = _minimum_of_cubic(lower, upper)
        share = np.clip(np.where(np.isfinite(share), share, 0.5), _MARGIN, 1 - _MARGIN)
        steepness = self._origin[2, runs]
        growth = steepness / (steepness - lower[2])  # the secant's zero of F', in units of t
        growth = np.clip(np.where(growth > 0, growth, np.inf), *_EXTEND)
        self.t[runs] = np.where(np.isinf(high), low * growth, low + share * (high - low))


def _minimum_of_cubic(lower: Array, upper: Array) -> Array:
    """The minimum, in units of the bracket from its lower end, of the cubic through both ends' values and slopes.

    Nocedal & Wright, eq. 3.59. Not finite where there is none.
    """
    width = upper[0] - lower[0]
    left, right = lower[2] * width, upper[2] * width
    middle = left + right - 3 * (upper[1] - lower[1])
    root = np.sqrt(middle * middle - left * right)
    share: Array = 1 - (right + root - middle) / (right - left + 2 * root)
    return share
