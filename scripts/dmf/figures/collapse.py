"""Corollary 14: the end-to-end product collapses to zero at lambda_c (the paper's Fig. 3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from dmf import theory
from dmf.figures import _curves, _runs, _style
from dmf.figures.figure import Figure

MOST_TARGETS = 6
MOST_DEPTHS = 5
MOST_VECTOR_MARKS = 100  # in a panel


def compose(evidence: xr.Dataset, controls: xr.Dataset, labels: Mapping[str, str]) -> Canvas:
    """A row a target, a column a depth."""
    all_targets, all_depths = _runs.targets_of(evidence), _runs.depths_of(evidence)
    targets, depths = _style.evenly(all_targets, MOST_TARGETS), _style.evenly(all_depths, MOST_DEPTHS)
    height = 0.9 + (2.2 if len(targets) == 1 else 1.2 * len(targets))
    canvas, axes = _style.blank(height, len(targets), len(depths), sharex=True, sharey=True)
    for row, target in zip(axes, targets, strict=True):
        for axis, depth in zip(row, depths, strict=True):
            here = (evidence["target"].values == target) & (evidence["depth"].values == depth)
            _panel(axis, evidence.isel(cell=np.flatnonzero(here)), depth)
            axis.set_title(" ")  # keeps the height of the row's name, which may be wider than a panel
            axis.text(0.96, 0.95, f"$L = {depth}$", transform=axis.transAxes, ha="right", va="top")
        name = _style.label_of(labels, target)
        row[0].annotate(name, (0, 1), (0, 4), xycoords="axes fraction", textcoords="offset points").set_in_layout(False)
    for axis in axes.flat:
        _style.lambda_axis(axis, evidence["relative"].values)
        axis.set_xlabel("")
    tallest = max(float((evidence[name] / evidence["sigma_1"]).max()) for name in ("predicted_norm", "end_to_end_norm"))
    axes[0, 0].set_ylim(-0.09, 1.1 * max(tallest, 0.5))
    left_out = _style.of_all(len(targets), len(all_targets), "targets")
    left_out += _style.of_all(len(depths), len(all_depths), "depths")
    canvas.supxlabel(_style.LAMBDA_RATIO + left_out, fontsize="medium")
    canvas.supylabel(r"$\|X\|_F\,/\,\sigma_1$", fontsize="medium")
    _style.legend_above(canvas, _handles())
    return canvas


def _panel(axes: Axes, cells: xr.Dataset, depth: int) -> None:
    """One target at one depth: the closed form, the best run of each lambda, and runs in spurious minima."""
    end_of_branch = float(theory.branch_lambda(1.0, depth) / theory.critical_lambda(1.0, depth))
    axes.axvspan(1, end_of_branch, color=_style.WINDOW, linewidth=0, zorder=0)
    runs = best_and_spurious(_runs.run_table(cells))
    if cells.sizes["cell"] == 0:
        _style.say_empty(axes, "not in this grid")
        return
    unit = float(cells["sigma_1"].values[0])
    colour = _style.depth_colour(depth)
    _curves.draw_curve(axes, cells, "predicted_norm", unit, colour)
    if runs.empty:
        _style.say_empty(axes)
        return
    best, spurious = runs[runs["best"]], runs[runs["spurious"]]
    # Runs of one level lie on one point: a mark a level is enough.
    spurious = spurious.drop_duplicates(["relative", "kept"])
    _marks(axes, spurious, unit, "x", markersize=3, color=_style.FAINT, markeredgewidth=0.6)
    _marks(axes, best, unit, "o", markersize=3.8, color=colour, markeredgecolor="white", markeredgewidth=0.4)


def _marks(axes: Axes, runs: pd.DataFrame, unit: float, marker: str, **look: Any) -> None:
    """One mark a run; pixels where there are many, so that the SVG stays small."""
    height = runs["end_to_end_norm"] / unit
    many = len(runs) > MOST_VECTOR_MARKS
    axes.plot(runs["relative"], height, linestyle="", marker=marker, zorder=4, rasterized=many, **look)


def best_and_spurious(runs: pd.DataFrame) -> pd.DataFrame:
    """Certified runs with columns `best` (lowest objective of its cell) and `spurious` (not a global minimum)."""
    runs = runs[runs["certified"] == 1]
    lowest = runs.groupby("cell")["objective"].idxmin()
    return runs.assign(best=runs.index.isin(lowest), spurious=runs["minimal"] != 1)


def _handles() -> list[Line2D | Patch]:
    return [
        Line2D([], [], color=_style.INK, label="closed form"),
        Line2D([], [], linestyle="", marker="o", markersize=4, color=_style.INK, label="best of all starts"),
        Line2D([], [], linestyle="", marker="x", markersize=4, color=_style.FAINT, label="ended elsewhere"),
        Patch(color=_style.WINDOW, label=r"$\lambda_c < \lambda < \lambda_s$"),
    ]


FIGURE = Figure(
    title="Collapse of the end-to-end product",
    caption=(
        r"Norm of the product against $\lambda$ for each target (row) and depth (column): closed form, the "
        r"certified run with the lowest objective, and certified runs that ended elsewhere. At $\lambda_c$ "
        "(dashed) the minimizer jumps to zero from height $x_J$, continuously only for $L = 2$; in the grey "
        r"window a nonzero spurious minimum outlives it, and zero is spurious at every $\lambda < \lambda_c$ "
        r"for $L \geq 3$. Further left, one singular value after the other is lost in the same way."
    ),
    refuted_by=(
        r"a best run away from the curve: above zero to the right of $\lambda_c$, or at zero to the left of it"
    ),
    compose=compose,
)
