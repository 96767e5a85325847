"""Minimizers of parallel branches: how flat each is, against what its first branch holds."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D

from dmf.figures import _style
from dmf.figures.figure import Figure


def compose(evidence: xr.Dataset, controls: xr.Dataset, labels: Mapping[str, str]) -> Canvas:
    """A panel a cell, and one for branches of two layers."""
    two = controls.isel(cell=np.flatnonzero(controls["kind"].values == "two layers"))
    canvas, axes = _style.blank(2.6, 1, evidence.sizes["cell"] + 1)
    for place, letter in zip(range(evidence.sizes["cell"]), "abcdefg", strict=False):
        _minimizers(axes[0, place], letter, evidence.isel(cell=place), None)
    if two.sizes["cell"]:
        _minimizers(axes[0, -1], "abcdefg"[evidence.sizes["cell"]], two.isel(cell=0), _style.CONTROL)
    axes[0, 0].set_ylabel("trace above the flattest")
    _style.legend_above(
        canvas,
        [
            Line2D([], [], color=_style.INK, marker="o", markersize=4.5, linestyle="", label="a minimizer"),
            _style.control_handle("two layers: a continuum"),
        ],
    )
    return canvas


def _minimizers(axes: Axes, letter: str, cell: xr.Dataset, colour: str | None) -> None:
    depth = int(cell["depth"])
    minimal = cell["minimal"].values == 1
    above = cell["trace"].values[minimal] - np.min(cell["trace"].values[minimal], initial=np.inf)
    axes.scatter(
        cell["first_norm"].values[minimal],
        above,
        s=16,
        color=colour or _style.depth_colour(depth),
        marker="x" if colour else _style.depth_marker(depth),
        linewidths=0.9 if colour else 0,
        zorder=3,
    )
    axes.set_xlabel(r"$\|W_1^1\|_F^2$")
    if above.size and above.max() < 1e-6:
        axes.set_ylim(-1, 20)
    _style.panel(axes, letter, f"$L = {depth}$, {int(cell['branches'])} branches")
    if not minimal.any():
        _style.say_empty(axes)


FIGURE = Figure(
    title="Minimizers of parallel branches",
    caption=(
        "Sums of two or three chains. A mark is a trained global minimizer: the trace of its Hessian above that of "
        r"the flattest one found, against $\|W_1^1\|_F^2$, which says which directions the first branch holds. All "
        "marks of a panel have one product $X^*$. With three layers or more the marks are few points, and the trace "
        "is larger where directions share a branch; with two layers (last panel) they are a continuum of one trace."
    ),
    refuted_by="marks between those points, or marks of one height in a panel other than the last",
    compose=compose,
)
