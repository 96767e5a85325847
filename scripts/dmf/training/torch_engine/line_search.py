"""The line search of compiled_engine/line_search.py for a batch of runs: one trial a round, each on its own search."""

from typing import NamedTuple

import torch
from torch import Tensor

from dmf.training.constants import APPROXIMATE, CURVATURE, DECREASE, EXTEND_LEAST, EXTEND_MOST, FLAT, MARGIN


class Search(NamedTuple):
    """Searches of B runs, (B,) each: the trial step, value and slope of the origin, the bracket's ends, the trials."""

    t: Tensor
    value: Tensor
    slope: Tensor
    low: Tensor
    low_value: Tensor
    low_slope: Tensor
    high: Tensor
    high_value: Tensor
    high_slope: Tensor
    tried: Tensor

    @classmethod
    def none(cls, count: int, device: torch.device) -> "Search":
        """Searches that are still to begin."""
        return cls(*torch.zeros(len(cls._fields), count, dtype=torch.float64, device=device).unbind(0))


def begin(search: Search, runs: Tensor, value: Tensor, slope: Tensor) -> None:
    """Start the searches of the mask `runs` from F(0) and a negative F'(0), with t = 1, the quasi-Newton step."""
    for goal, source in ((search.value, value), (search.slope, slope), (search.low_value, value)):
        put(goal, runs, source)
    put(search.low_slope, runs, slope)
    search.t.masked_fill_(runs, 1.0)
    search.low.masked_fill_(runs, 0.0)
    search.high.masked_fill_(runs, torch.inf)
    search.tried.masked_fill_(runs, 0.0)


def judge(search: Search, runs: Tensor, value: Tensor, slope: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
    """Which trials of the mask `runs`, with F(t) and F'(t), are accepted, and where F changed by rounding only.

    The others of `runs` get their next trial in t. `scale` is the size of the terms whose sum F is.
    """
    change, steepness = value - search.value, search.slope
    flat = change.abs() <= FLAT * scale
    level = flat & (slope <= (2 * APPROXIMATE - 1) * steepness)
    near = (value + slope).isfinite() & ((change <= DECREASE * search.t * steepness) | level)
    accepted = runs & near & (slope >= CURVATURE * steepness)
    rejected = runs & ~accepted
    search.tried.add_(runs)
    _narrow(search, rejected & near, rejected & ~near, value, slope)
    put(search.t, rejected, torch.where(search.high.isinf(), _extended(search), _between(search)))
    return accepted, flat


def put(goal: Tensor, rows: Tensor, source: Tensor) -> None:
    """Overwrite goal (B, ...) by source where the mask `rows` (B,) is true."""
    mask = rows.view(-1, *[1] * (goal.ndim - 1))
    torch.where(mask, source, goal, out=goal)


def _narrow(search: Search, to_low: Tensor, to_high: Tensor, value: Tensor, slope: Tensor) -> None:
    """Move the lower end to the trials of one mask, the upper end to those of the other."""
    trial = (search.t, value, slope)
    for goal, source in zip((search.low, search.low_value, search.low_slope), trial, strict=True):
        put(goal, to_low, source)
    for goal, source in zip((search.high, search.high_value, search.high_slope), trial, strict=True):
        put(goal, to_high, source)


def _extended(search: Search) -> Tensor:
    """The secant's zero of F', within a range of the lower end."""
    growth = search.slope / (search.slope - search.low_slope)
    return search.low * torch.where(growth > 0, growth.clamp(EXTEND_LEAST, EXTEND_MOST), EXTEND_MOST)


def _between(search: Search) -> Tensor:
    """The minimum of the cubic through both ends (Nocedal & Wright, eq. 3.59); the middle where there is none."""
    width = search.high - search.low
    left, right = search.low_slope * width, search.high_slope * width
    middle = left + right - 3 * (search.high_value - search.low_value)
    root = (middle * middle - left * right).sqrt()
    share = 1 - (right + root - middle) / (right - left + 2 * root)
    share = torch.where(share.isfinite(), share.clamp(MARGIN, 1 - MARGIN), 0.5)
    return search.low + width * share
