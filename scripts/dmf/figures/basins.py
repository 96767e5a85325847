"""How many singular values balanced starts keep, by their scale."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D

from dmf.figures import _style
from dmf.figures.figure import Figure


def compose(evidence: xr.Dataset, controls: xr.Dataset, labels: Mapping[str, str]) -> Canvas:
    """A panel a cell: the number kept as a step, and the closed-form scales; starts in other bases in the first."""
    canvas, axes = _style.blank(2.5, 1, evidence.sizes["cell"])
    others = controls.isel(cell=np.flatnonzero(controls["problem"].values == "other bases"))
    for axis, letter, place in zip(axes[0], "abcdefg", range(evidence.sizes["cell"]), strict=False):
        cell = evidence.isel(cell=place)
        same = (others["lam"].values == float(cell["lam"])) & (others["depth"].values == int(cell["depth"]))
        for number in np.flatnonzero(same):
            other = others.isel(cell=int(number))
            axis.step(other["scan_scale"], other["scan_kept"], color=_style.CONTROL, where="mid", linewidth=1)
        colour = _style.depth_colour(int(cell["depth"]))
        axis.plot(cell["scan_scale"], cell["scan_kept"], color=colour, linestyle="", marker="o", markersize=2.5)
        for threshold in cell["thresholds"].values:
            axis.axvline(threshold, color=_style.INK, linestyle=(0, (1, 2)), linewidth=0.9, zorder=1)
        axis.set_xlim(0, 2.2 * float(cell["thresholds"].max()))
        axis.set_yticks(range(4))
        axis.set_xlabel("$s_0$")
        _style.panel(axis, letter, rf"$L = {int(cell['depth'])}$, $\lambda = {float(cell['lam']):g}$")
    axes[0, 0].set_ylabel("values kept")
    _style.legend_above(
        canvas,
        [
            Line2D([], [], color=_style.INK, linestyle=(0, (1, 2)), label="small root, closed form"),
            Line2D(
                [], [], color=_style.INK, marker="o", markersize=3, linestyle="", label="starts in the target's bases"
            ),
            Line2D([], [], color=_style.CONTROL, label="in other bases"),
        ],
    )
    return canvas


FIGURE = Figure(
    title="Basins of balanced starts",
    caption=(
        "Singular values that gradient descent keeps, against the scale of a balanced start. From starts in the "
        r"target's bases (marks) each $\sigma_i$ is kept exactly above the $L$-th root of its small root (dotted); "
        "from starts in other bases (green) not."
    ),
    refuted_by="a step of the marks that is not at a dotted line",
    compose=compose,
)
