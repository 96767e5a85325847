"""Raising lambda slowly against training at lambda at once: how often either finds the global minimum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D

from dmf.evidence.wilson import wilson
from dmf.figures import _style
from dmf.figures.figure import Figure

PLAIN, ANNEALED = "lbfgs", "continuation"
LOOKS: Mapping[str, dict[str, Any]] = {
    PLAIN: {"color": _style.FAINT, "marker": "o"},
    ANNEALED: {"color": "#8a4fbe", "marker": "^"},
}
APART = 0.012  # how far the two optimizers' marks are moved apart
WIDE = 0.06  # half of the width of a line


def compose(evidence: xr.Dataset, controls: xr.Dataset, labels: Mapping[str, str]) -> Canvas:
    """Panels depth x scale of the start; in each a share a lambda for either optimizer, with its interval."""
    tables = {name: shares(evidence.isel(cell=(evidence["optimizer"] == name).values)) for name in LOOKS}
    control = shares(controls)
    depths = [int(depth) for depth in np.unique(evidence["depth"].values)]
    scales = np.unique(evidence["scale"].values).tolist()
    canvas, axes = _style.blank(0.8 + 1.35 * len(depths), len(depths), len(scales), sharex=True, sharey=True)
    for row, depth in zip(axes, depths, strict=True):
        for axis, scale in zip(row, scales, strict=True):
            for shift, (name, table) in zip((-APART, APART), tables.items(), strict=True):
                _marks(axis, here(table, depth, scale), shift, LOOKS[name])
            told = here(tables[ANNEALED], depth, scale)
            place = told.index.to_numpy()
            axis.hlines(told["highest_is_global"], place - WIDE, place + WIDE, color=_style.INK, linewidth=0.9)
            null = here(control, depth, scale)
            axis.plot(null.index - APART, null["share"], linestyle="", marker="x", color=_style.CONTROL, markersize=3.5)
            axis.set(xlim=(0, 1), ylim=(-0.05, 1.05), xticks=[0, 0.5, 1], xticklabels=["0", "0.5", "1"])
            if depth == depths[0]:
                axis.set_title(f"start scale {scale:g}")
            if depth == depths[-1]:
                axis.set_xlabel(_style.LAMBDA_RATIO)
        row[0].set_ylabel(f"$L = {depth}$\nshare")
    _style.legend_above(canvas, _handles())
    return canvas


def shares(evidence: xr.Dataset) -> pd.DataFrame:
    """Share of runs at the global minimum, rows (depth, scale, relative), with Wilson's interval.

    `highest_is_global` is the share of cells whose highest local minimum is the global one.
    """
    fields = evidence[["minimal", "most_kept", "kept_at_minimum", "relative"]].to_dataframe().reset_index()
    fields = fields.assign(
        relative=fields["relative"].round(9), highest_is_global=fields["most_kept"] == fields["kept_at_minimum"]
    )
    table = fields.groupby(["depth", "scale", "relative"]).agg(
        count=("minimal", "sum"), total=("minimal", "size"), highest_is_global=("highest_is_global", "mean")
    )
    low, high = wilson(table["count"], table["total"])
    return table.assign(share=table["count"] / table["total"], low=low, high=high)


def here(table: pd.DataFrame, depth: int, scale: float) -> pd.DataFrame:
    """The rows of one panel, by relative."""
    inside = (table.index.get_level_values("depth") == depth) & (table.index.get_level_values("scale") == scale)
    return table[inside].droplevel(["depth", "scale"])


def _marks(axes: Axes, table: pd.DataFrame, shift: float, look: Mapping[str, Any]) -> None:
    place = table.index.to_numpy() + shift
    axes.vlines(place, table["low"], table["high"], color=look["color"], linewidth=0.9, alpha=0.7)
    axes.plot(place, table["share"], markersize=4, linestyle="", **look)


def _handles() -> list[Line2D]:
    names = {PLAIN: r"at $\lambda$ at once", ANNEALED: r"raising $\lambda$"}
    marks = [Line2D([], [], linestyle="", markersize=4.5, label=names[name], **look) for name, look in LOOKS.items()]
    rule = Line2D([], [], color=_style.INK, linewidth=0.9, label=r"cells with $k_{\max} = k^{\ast}$")
    return [*marks, rule, _style.control_handle(r"control, raised from $0.999\,\lambda$")]


FIGURE = Figure(
    title="Raising λ slowly does not replace a search",
    caption=(
        r"Share of runs that end, certified, at the global minimum: trained by L-BFGS at $\lambda$ at once, and at "
        r"eight values of $\lambda$ from a hundredth of it upwards, from the same starts; Gaussian $4 \times 4$ "
        "targets, Wilson's 95 % intervals for the runs of each mark. Continuation carries singular values along their "
        r"branch until the branch ends. So, but for small starts of deep factorizations, it ends on the highest level, "
        r"$k_{\max} = \#\{i : \sigma_i > m_{loc}\}$, for every start, and finds the global minimum in just those "
        r"cells in which no $\sigma_i$ lies between $m_{loc}$ and $m^*$ (lines). It does much better than small plain "
        "starts, which fall to zero. It is no better than large ones, and more draws do not help it."
    ),
    refuted_by="for $L = 2$, where every local minimum is global, a share below one; a control far off the plain share",
    compose=compose,
)
