"""Three ReLU layers: values of all starts over the best one, and how far fits are from its fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D

from dmf.figures import _style
from dmf.figures.figure import Figure

MARKERS = "osD^v"
LEAST = 1e-10  # an excess of zero is drawn here
CLOSE = 1e-4  # of ||labels||^2: what counts as reached


def compose(evidence: xr.Dataset, controls: xr.Dataset, labels: Mapping[str, str]) -> Canvas:
    """Sorted excess of each draw of data, and distance of fits against excess; a mark is a start."""
    canvas, axes = _style.blank(3.2, 1, 2)
    handles = []
    for half, control in ((evidence, False), (controls, True)):
        for place in range(half.sizes["cell"]):
            cell = half.isel(cell=place)
            excess = np.maximum((cell["value"] - cell["best"]).values / float(cell["energy"]), LEAST)
            colour = _style.CONTROL if control else _style.depth_colour(place + 2)
            marker = "x" if control else MARKERS[place % len(MARKERS)]
            look: dict[str, Any] = {"color": colour, "marker": marker, "markersize": 3.5, "linestyle": ""}
            share = np.linspace(0, 100, len(excess), endpoint=False)
            axes[0, 0].plot(share, np.sort(excess), **look)
            axes[0, 1].plot(excess, np.maximum(cell["fit_gap"].values, LEAST), **look)
            name = "two layers, certified" if control else f"data {place + 1}"
            reached = 100 * float((cell["reached"] == 1).mean())
            handles.append(Line2D([], [], label=f"{name}: {reached:.0f} %", **look))
    axes[0, 0].axhline(CLOSE, color=_style.FAINT, linewidth=0.8)
    axes[0, 1].axvline(CLOSE, color=_style.FAINT, linewidth=0.8)
    axes[0, 0].set_yscale("log")
    axes[0, 1].set_xscale("log")
    axes[0, 1].set_yscale("log")
    axes[0, 0].set_xlabel("starts in order of value, %")
    axes[0, 1].set_xlabel("excess over the best value")
    _style.panel(axes[0, 0], "a", r"excess over the best value seen, in $\|y\|^2$")
    _style.panel(axes[0, 1], "b", "distance of fits from the lowest run's")
    _style.legend_above(canvas, handles)
    return canvas


FIGURE = Figure(
    title="Three ReLU layers, without a certificate",
    caption=(
        r"Starts of three-layer ReLU networks on four draws of data: (a) their values over the lowest one in units of "
        r"$\|y\|^2$, sorted, (b) distance of their fits from the lowest run's. The legend has the share within "
        "$10^{-4}$ (line). Nothing certifies that the lowest value is the minimum. Green: two layers, whose minimum is "
        "certified."
    ),
    refuted_by="fits that stay apart as the excess falls",
    compose=compose,
    experiment=True,
)
