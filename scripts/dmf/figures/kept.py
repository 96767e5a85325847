"""P(k): how many singular values a run keeps, by depth, kind of start and lambda."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.patches import Patch

from dmf.figures import _runs, _style
from dmf.figures._style import MOST_LEVELS, NOWHERE
from dmf.figures.figure import Figure

MOST_DEPTHS, MOST_SERIES = 4, 6


def compose(evidence: xr.Dataset, controls: xr.Dataset, labels: Mapping[str, str]) -> Canvas:
    """Panels depth x kind of start; in each the shares P(k) of all k, stacked, against lambda / lambda_c."""
    runs = _runs.run_table(evidence)
    all_depths = _runs.depths_of(evidence)
    all_series = list(runs[["scheme", "scale"]].drop_duplicates().itertuples(index=False, name=None))
    depths, series = _style.evenly(all_depths, MOST_DEPTHS), _style.evenly(all_series, MOST_SERIES)
    levels = sorted(set(runs["kept"].clip(upper=MOST_LEVELS - 1)))
    canvas, axes = _style.blank(0.8 + 1.35 * len(depths), len(depths), len(series), sharex=True, sharey=True)
    _style.lambda_axis(axes[0, 0], runs["relative"])  # all panels share their axes
    axes[0, 0].set(xlabel="", ylim=(0, 1), yticks=[0, 0.5, 1], yticklabels=["0", "0.5", "1"])
    for row, depth in zip(axes, depths, strict=True):
        for axis, (scheme, scale) in zip(row, series, strict=True):
            own = (runs["depth"] == depth) & (runs["scheme"] == scheme) & (runs["scale"] == scale)
            _panel(axis, runs[own], levels)
            if depth == depths[0]:
                axis.set_title(f"{scheme} × {scale:g}")
        row[0].set_ylabel(f"$L = {depth}$\nshare")
    left_out = _style.of_all(len(depths), len(all_depths), "depths")
    left_out += _style.of_all(len(series), len(all_series), "kinds of start")
    canvas.supxlabel(_style.LAMBDA_RATIO + left_out, fontsize="medium")
    _style.legend_above(canvas, [_handle(k, k == MOST_LEVELS - 1 == levels[-1]) for k in levels])
    return canvas


def shares(runs: pd.DataFrame, levels: list[int]) -> pd.DataFrame:
    """The share of runs that keep k values, a column a level k, a row a lambda: lambda / lambda_c, in rising order.

    The last of the levels that a figure tells apart stands for all higher ones, too.
    """
    kept = runs["kept"].clip(upper=MOST_LEVELS - 1)
    relative = runs.groupby("lam_label")["relative"].median()
    table = pd.crosstab(runs["lam_label"], kept, normalize="index").reindex(columns=levels, fill_value=0.0)
    return table.set_axis(relative.loc[table.index]).sort_index()


def _panel(axes: Axes, runs: pd.DataFrame, levels: list[int]) -> None:
    """The shares of all levels on top of each other, from the most values kept to none: they add up to 1."""
    if runs.empty:
        _style.say_empty(axes, "no run")
        return
    order = sorted(levels, key=lambda k: (k == NOWHERE, -k))
    table = shares(runs, order)
    axes.set_autoscale_on(False)  # else every layer moves the limits of all panels
    axes.stackplot(
        table.index,
        *[table[k] for k in order],
        colors=[_style.level_colour(k) for k in order],
        linewidth=0.3,
        edgecolor="white",
    )
    axes.axvline(1, color="white", linewidth=1.6, zorder=3)
    axes.axvline(1, color="black", linewidth=0.9, linestyle=(0, (4, 3)), zorder=4)


def _handle(k: int, merged: bool) -> Patch:
    label = "no level" if k == NOWHERE else rf"$k \geq {k}$" if merged else f"$k = {k}$"
    return Patch(color=_style.level_colour(k), label=label)


FIGURE = Figure(
    title="How many singular values a run keeps",
    caption=(
        "Of all runs, the share that ended, certified, on the level that keeps the $k$ leading singular values of the "
        r"target, as the height of its colour, against $\lambda$, by depth (rows), scheme and scale of the start "
        r"(columns), over all targets. The darker, the more is kept; the lightest is collapse to zero. For $L = 2$ the "
        r"shares are those of the global minima for every scale; for $L \geq 3$ small starts collapse to $k = 0$ far "
        r"below $\lambda_c$ (dashed), and large ones keep singular values beyond it. Grey: uncertified runs and "
        "certified ones at no level. The census has the shares over all $\\lambda$, with intervals."
    ),
    refuted_by=r"for $L = 2$ shares that depend on the scale of the start, with every run certified",
    compose=compose,
)
