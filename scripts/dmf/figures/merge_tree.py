"""The tree on which the levels' local minima merge as the bound on F grows."""

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
    """A panel a cell: leaves at their value of F, joins at the closed forms, and the passes that strings found."""
    cells = evidence.sizes["cell"]
    rows = -(-cells // 2)
    canvas, axes = _style.blank(2.6 * rows, rows, -(-cells // rows))
    levels: set[int] = set()
    for axis, letter, place in zip(axes.ravel(), "abcdefgh", range(cells), strict=False):
        cell = evidence.isel(cell=place)
        kept = cell["leaf_kept"].values
        levels |= {int(k) for k in kept[np.isfinite(kept)]}
        _tree(axis, cell)
        if not (cell["certified"].values == 1).any():
            _style.say_empty(axis, "no certified pass")
        _style.panel(axis, letter, rf"$L = {int(cell['depth'])}$, widths {cell['widths'].item()}".replace(",", ", "))
    for axis in axes.ravel()[cells:]:
        axis.set_axis_off()
    for axis in axes[:, 0]:
        axis.set_ylabel("$F$")
    _style.legend_above(
        canvas,
        [
            *(
                Line2D([], [], color=_style.level_colour(k), marker="o", markersize=5, linestyle="", label=f"keeps {k}")
                for k in sorted(levels)
            ),
            Line2D([], [], color=_style.INK, label="merges, closed form"),
            _string("pass of strings"),
        ],
    )
    return canvas


def _string(label: str) -> Line2D:
    return Line2D(
        [], [], color=_style.CONTROL, marker="D", markerfacecolor="none", markersize=4.5, linestyle="", label=label
    )


def _tree(axis: Axes, cell: xr.Dataset) -> None:
    """Leaves in a row, joined two clusters at a time in the order of the closed forms' heights."""
    values = cell["leaf_value"].values[np.isfinite(cell["leaf_value"].values)]
    kept = cell["leaf_kept"].values
    cluster = {leaf: [leaf] for leaf in range(len(values))}  # of each leaf all that are joined to it
    middle = {leaf: float(leaf) for leaf in cluster}  # of the cluster that a leaf is in
    top = dict(enumerate(values.tolist()))  # and where its stem ends
    heights = cell["predicted_height"].values
    for pair in np.argsort(heights)[: np.isfinite(heights).sum()]:
        one, other = int(cell["one"].values[pair]), int(cell["other"].values[pair])
        height = float(heights[pair])
        if other in cluster[one]:
            continue
        for leaf in (one, other):
            axis.vlines(middle[leaf], top[leaf], height, color=_style.INK, linewidth=1)
        axis.hlines(height, middle[one], middle[other], color=_style.INK, linewidth=1)
        joined = cluster[one] + cluster[other]
        mark = other - 0.5 if height == top[one] else (middle[one] + middle[other]) / 2
        at = (middle[min(joined)] + middle[max(joined)]) / 2
        if cell["certified"].values[pair] == 1:
            axis.plot(
                mark,
                cell["height"].values[pair],
                color=_style.CONTROL,
                marker="D",
                markerfacecolor="none",
                markersize=5,
            )
        for leaf in joined:
            cluster[leaf], middle[leaf], top[leaf] = joined, at, height
    axis.vlines(at, height, height + 0.06 * (height - values.min()), color=_style.INK, linewidth=1)
    for leaf, value in enumerate(values):
        axis.plot(leaf, value, marker="o", markersize=5, color=_style.level_colour(int(kept[leaf])), zorder=4)
    axis.set_xlim(-0.6, len(values) - 0.4)
    axis.set_xticks([])
    axis.grid(visible=False, axis="x")


FIGURE = Figure(
    title="The merge tree of levels",
    caption=(
        "Leaves are the local minima: of every level, by how many singular values it keeps, and of the largest level "
        r"one for each of its pieces. Going up, the pieces of $\{F \leq c\}$ that hold two leaves merge where their "
        r"stems meet, at the closed forms $H_k$: the value between them is at its small root, and for $L = 2$ at zero. "
        "Marks are the lowest passes that strings between two leaves found. In the third panel the level that "
        "keeps all is not the lowest."
    ),
    refuted_by="a mark below its line, or off it",
    compose=compose,
)
