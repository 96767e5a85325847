"""Strings over the pass between two pieces of the set of minimizers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D

from dmf.figures import _style
from dmf.figures.figure import Figure

MOST = 4  # panels


def compose(evidence: xr.Dataset, controls: xr.Dataset, labels: Mapping[str, str]) -> Canvas:
    """F above its minimum along relaxed strings, a panel a cell with several pieces; depths differ where they can."""
    split = np.flatnonzero(evidence["predicted_pieces"].values > 1)
    shown = _style.evenly(split.tolist(), MOST)
    canvas, axes = _style.blank(2.7, 1, max(len(shown), 1))
    for axis, letter, place in zip(axes[0], "abcdefg", shown, strict=False):
        cell = evidence.isel(cell=place)
        colour = _style.depth_colour(int(cell["depth"]))
        certified = cell["string_certified"].values == 1
        for values in cell["string_values"].values[certified]:
            axis.plot(np.linspace(0, 1, len(values)), values, color=colour, linewidth=0.8, alpha=0.7)
        axis.axhline(float(cell["barrier"]), color=_style.INK, linestyle=(0, (1, 2)), zorder=5)
        axis.axhline(float(cell["level_difference"]), color=_style.CONTROL, linewidth=0.8, zorder=1)
        axis.set_xlabel("along the string")
        axis.set_ylim(0, 1.35 * float(cell["barrier"]))
        widths = str(cell["widths"].item()) if "widths" in cell.coords else ""
        _style.panel(axis, letter, f"$L = {int(cell['depth'])}$, {int(cell['pieces'])} pieces {widths}".strip())
        if not certified.any():
            _style.say_empty(axis, "no certified pass")
    axes[0, 0].set_ylabel("$F - F^*$")
    _style.legend_above(
        canvas,
        [
            Line2D([], [], color=_style.INK, linestyle=(0, (1, 2)), label="pass, closed form"),
            Line2D([], [], color=_style.CONTROL, label="level with one value less"),
        ],
    )
    return canvas


FIGURE = Figure(
    title="The pass between two pieces of the minimizers",
    caption=(
        "$F$ above its minimum along strings that were relaxed between two minimizers that no rotations join. Dotted: "
        r"the lowest pass in closed form, which is at the small root of $h(x) = \sigma_n$; green: the level with one "
        r"singular value less, a local minimum for $L \geq 3$ that is a little lower, and for $L = 2$ the pass itself."
    ),
    refuted_by="a string that stays below the dotted line",
    compose=compose,
)
