"""Corollary 14 and Fig. 3: measured thresholds over predicted ones, and the height of the jump between."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from dmf.evidence.eligibility import BRACKET, is_certified
from dmf.figures import _style
from dmf.figures.figure import Figure

QUESTIONS = (("global", "lambda_c", -0.2), ("branch", "lambda_s", 0.2))  # measured, predicted, and where in a column
NARROW = 0.15  # half of what a column's brackets spread over


def compose(evidence: xr.Dataset, controls: xr.Dataset, labels: Mapping[str, str]) -> Canvas:
    """Brackets around either threshold, the jump by depth, and what small starts alone would have measured."""
    canvas, axes = _style.blank(2.9, 1, 3, width_ratios=[1.3, 1, 0.8])
    depths = [int(depth) for depth in np.unique(evidence["depth"].values)]
    certified = evidence.isel(cell=np.flatnonzero(is_certified(evidence).all("start").values))
    _brackets(axes[0, 0], certified, depths)
    _jump(axes[0, 1], certified, depths)
    _control(axes[0, 2], certified, controls, depths)
    _style.panel(axes[0, 0], "a", "measured brackets")
    _style.panel(axes[0, 1], "b", "height at the threshold")
    _style.panel(axes[0, 2], "c", "small starts only")
    _style.legend_above(canvas, [*_style.depth_handles(depths), _style.control_handle("control")])
    return canvas


def _columns(axes: Axes, depths: list[int]) -> None:
    axes.set_xticks(range(len(depths)), [str(depth) for depth in depths])
    axes.set(xlabel="depth $L$", xlim=(-0.5, len(depths) - 0.5))


def _brackets(axes: Axes, cells: xr.Dataset, depths: list[int]) -> None:
    """Both ends of every bracket relative to the prediction, in parts per million."""
    _columns(axes, depths)
    axes.set(ylabel=r"measured / predicted $-\,1$, in $10^{-6}$", ylim=(-1.3, 1.3))
    axes.axhline(0, color=_style.INK, linewidth=0.7, zorder=1)
    for side in (1, -1):
        axes.axhspan(side, 1.3 * side, color=_style.REFUTED, linewidth=0, zorder=0)
    if not cells.sizes["cell"]:
        _style.say_empty(axes, "no certified bracket")
    for measured, predicted, shift in QUESTIONS:
        ends = ((cells[measured] - cells[predicted]) / cells[predicted] / BRACKET).transpose("cell", "start").values
        for depth in depths:
            rows = np.flatnonzero(cells["depth"].values == depth)
            column = depths.index(depth) + shift + np.linspace(-NARROW, NARROW, max(len(rows), 2))
            for place, (low, high) in zip(column, ends[rows], strict=False):
                axes.plot([place, place], [low, high], color=_style.depth_colour(depth), linewidth=1, zorder=3)
                face = "white" if measured == "branch" else _style.depth_colour(depth)
                look: dict[str, Any] = {
                    "markerfacecolor": face,
                    "color": _style.depth_colour(depth),
                    "markeredgewidth": 0.8,
                }
                axes.plot(place, (low + high) / 2, marker=_style.depth_marker(depth), markersize=3.5, zorder=4, **look)


def _jump(axes: Axes, cells: xr.Dataset, depths: list[int]) -> None:
    """Largest singular value just below and just above the threshold, and x_J."""
    _columns(axes, depths)
    axes.set(ylabel=r"$\|X\|_2\,/\,\sigma_1$", ylim=(-0.06, 1))
    height = (cells["jump"] / cells["sigma_1"]).transpose("cell", "start").values
    for depth in depths:
        rows = np.flatnonzero(cells["depth"].values == depth)
        predicted = (depth - 2) / (depth - 1)
        here = depths.index(depth)
        axes.plot([here - 0.3, here + 0.3], [predicted, predicted], color=_style.INK, linewidth=0.9, zorder=2)
        for end, face in ((0, _style.depth_colour(depth)), (1, "white")):
            place = here + np.linspace(-0.2, 0.2, max(len(rows), 2))[: len(rows)]
            look: dict[str, Any] = {"color": _style.depth_colour(depth), "markerfacecolor": face, "markersize": 4}
            marker = _style.depth_marker(depth)
            axes.plot(place, height[rows, end], linestyle="", marker=marker, zorder=3 + end, **look)


def _control(axes: Axes, cells: xr.Dataset, controls: xr.Dataset, depths: list[int]) -> None:
    """Measured over predicted collapse, with all starts and with small ones only."""
    _columns(axes, depths)
    axes.set(ylabel=r"measured $/\,\lambda_c$", ylim=(0, 1.15))
    axes.axhline(1, color=_style.INK, linewidth=0.7, zorder=1)
    for found, marker, colour in ((cells, "o", _style.INK), (controls, "x", _style.CONTROL)):
        found = found.isel(cell=np.flatnonzero(np.isin(found["depth"].values, depths)))
        place = [depths.index(int(depth)) for depth in found["depth"].values]
        ratio = (found["global"].isel(start=0) / found["lambda_c"]).values
        axes.plot(place, ratio, linestyle="", marker=marker, color=colour, markersize=4.5, zorder=3)


FIGURE = Figure(
    title="Both thresholds, measured from trained runs alone",
    caption=(
        r"(a) Brackets of $\lambda_c$, where the lowest trained run becomes zero (filled), and of $\lambda_s$, where "
        r"the last nonzero local minimum ends (hollow), relative to their closed forms; one a target. (b) Largest "
        r"singular value of the lowest run just below (filled) and just above (hollow) the threshold, and $x_J$ "
        r"(lines). (c) The same search from small starts only stops at the spurious zero, far below $\lambda_c$."
    ),
    refuted_by="in (a) a bracket that misses 0; in (b) a filled mark off its line",
    compose=compose,
)
