"""The orbit of minimizers of a 2 x 2 target, drawn, and F on the straight line between two of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from dmf.figures import _style
from dmf.figures.figure import Figure

DEPTH = 2  # the orbit is two circles there
SHOWN = 8  # pairs drawn


def compose(evidence: xr.Dataset, controls: xr.Dataset, labels: Mapping[str, str]) -> Canvas:
    """Both components of the orbit with trained runs on them; and F along lines at every depth."""
    depths = sorted({int(depth) for depth in evidence["depth"].values})
    canvas, axes = _style.blank(2.9, 1, 1 + len(depths))
    _circles(axes[0, 0], evidence.isel(cell=evidence["depth"].values.tolist().index(DEPTH)))
    for axis, letter, depth in zip(axes[0, 1:], "bcdef", depths, strict=False):
        place = evidence["depth"].values.tolist().index(depth)
        _lines(axis, evidence.isel(cell=[place]), depth)
        _style.panel(axis, letter, f"$L = {depth}$")
    axes[0, 1].set_ylabel("$F - F^*$")
    _style.legend_above(
        canvas,
        [
            Line2D([], [], color="black", label="on the line, trained"),
            Line2D([], [], color=_style.FAINT, linestyle=(0, (1, 2)), label="closed form"),
            Line2D([], [], color=_style.CONTROL, label="along the orbit"),
        ],
    )
    return canvas


def _circles(axes: Axes, cell: xr.Dataset) -> None:
    """A circle for each sign of det Q_1, the inner one for -1; every certified minimizer at its angle."""
    minimal = (cell["minimal"] == 1).values
    turn = np.linspace(0, 2 * np.pi, 200)
    for sign, radius in ((1, 1.0), (-1, 0.6)):
        axes.plot(radius * np.cos(turn), radius * np.sin(turn), color=_style.INK, linewidth=0.7, zorder=1)
        angle = cell["angle"].values[minimal & (cell["orientation"].values == sign)]
        place: NDArray[np.float64] = radius * np.array([np.cos(angle), np.sin(angle)])
        axes.scatter(place[0], place[1], s=16, color=_style.depth_colour(DEPTH), linewidths=0, zorder=3)
    axes.set(aspect="equal", xticks=[], yticks=[])
    axes.axis("off")
    _style.panel(axes, "a", r"angle of $Q_1$")
    if not minimal.any():
        _style.say_empty(axes)


def _lines(axes: Axes, cell: xr.Dataset, depth: int) -> None:
    pairs = np.flatnonzero(((cell["minimal"] == 1) & (cell["pair_certified"] == 1)).values[0])[:SHOWN]
    t = cell["t"].values
    for start in pairs:
        here = cell.isel(cell=0, start=int(start))
        axes.plot(t, here["line"], color=_style.depth_colour(depth), linewidth=1, zorder=2)
        axes.plot(t, here["line_predicted"], color=_style.FAINT, linestyle=(0, (1, 2)), linewidth=1, zorder=3)
        axes.plot(t, here["path"], color=_style.CONTROL, linewidth=1, zorder=4)
    axes.set_xlabel("$t$")
    if not pairs.size:
        _style.say_empty(axes)


FIGURE = Figure(
    title="The orbit of minimizers",
    caption=(
        r"A $2 \times 2$ target. (a) At $L = 2$ the minimizers are two circles, $W_1 = Q_1 W_1^{(0)}$; a mark is a "
        r"trained run at its angle; $\det Q_1 = -1$ inside. (b) to (d) $F$ above its minimum on straight lines between "
        "two trained minimizers (coloured), with the closed form at $L = 2$ (dotted), and along the rotations that "
        "join those of one component (green): flat, while every line has a barrier."
    ),
    refuted_by="a coloured line that touches zero between its ends, or a green one that leaves it",
    compose=compose,
)
