"""P(k): how many singular values a run keeps, by depth, kind of start and lambda, with confidence intervals."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D

from dmf.evidence.wilson import wilson
from dmf.figures import _runs, _style
from dmf.figures._style import MOST_LEVELS, NOWHERE
from dmf.figures.figure import Figure

MOST_DEPTHS, MOST_SERIES = 4, 6
MOST_MARKS = 12  # on a curve; more would touch each other


def compose(evidence: xr.Dataset, controls: xr.Dataset, labels: Mapping[str, str]) -> Canvas:
    """Panels depth x kind of start; in each a curve P(k) for every k, with a band, against lambda / lambda_c."""
    runs = _runs.run_table(evidence)
    all_depths = _runs.depths_of(evidence)
    all_series = list(runs[["scheme", "scale"]].drop_duplicates().itertuples(index=False, name=None))
    depths, series = _style.evenly(all_depths, MOST_DEPTHS), _style.evenly(all_series, MOST_SERIES)
    levels = sorted(set(runs["kept"].clip(upper=MOST_LEVELS - 1)))
    canvas, axes = _style.blank(0.8 + 1.35 * len(depths), len(depths), len(series), sharex=True, sharey=True)
    for row, depth in zip(axes, depths, strict=True):
        for axis, (scheme, scale) in zip(row, series, strict=True):
            own = (runs["depth"] == depth) & (runs["scheme"] == scheme) & (runs["scale"] == scale)
            _panel(axis, runs[own], levels)
            if depth == depths[0]:
                axis.set_title(f"{scheme} × {scale:g}")
        row[0].set_ylabel(f"$L = {depth}$\n$P(k)$")
    for axis in axes[-1]:
        _style.lambda_axis(axis, runs["relative"])
        axis.set_xlabel("")
        axis.set_ylim(-0.03, 1.03)
    left_out = _style.of_all(len(depths), len(all_depths), "depths")
    left_out += _style.of_all(len(series), len(all_series), "kinds of start")
    canvas.supxlabel(_style.LAMBDA_RATIO + left_out, fontsize="medium")
    _style.legend_above(canvas, [_handle(k, k == MOST_LEVELS - 1 == levels[-1]) for k in levels])
    return canvas


def shares(runs: pd.DataFrame, k: int, most: int) -> pd.DataFrame:
    """Share of runs that keep k (at least k for k = most), with its interval: one row a lambda, by lambda / lambda_c.

    k = NOWHERE counts uncertified runs and certified ones at no level.
    """
    hit = runs["kept"] >= k if k == most else runs["kept"] == k
    table = (
        runs.assign(hit=hit)
        .groupby("lam_label")
        .agg(relative=("relative", "median"), count=("hit", "sum"), total=("hit", "size"))
    )
    low, high = wilson(table["count"], table["total"])
    return table.assign(share=table["count"] / table["total"], low=low, high=high).sort_values("relative")


def _panel(axes: Axes, runs: pd.DataFrame, levels: list[int]) -> None:
    if runs.empty:
        _style.say_empty(axes, "no run")
        return
    for k in levels:
        table = shares(runs, k, MOST_LEVELS - 1)
        # Zeros are drawn only next to other shares: those of all levels would hide one another.
        seen = table["count"] > 0
        shown = table[["share", "low", "high"]].where(
            seen | seen.shift(1, fill_value=False) | seen.shift(-1, fill_value=False)
        )
        colour = _style.level_colour(k)
        axes.fill_between(table["relative"], shown["low"], shown["high"], color=colour, alpha=0.3, linewidth=0)
        marker = "." if len(table) <= MOST_MARKS else None
        axes.plot(table["relative"], shown["share"], color=colour, marker=marker, markersize=3.5, linewidth=1)
    axes.axvline(1, color=_style.INK, linewidth=0.7, linestyle=(0, (4, 3)), zorder=1)


def _handle(k: int, merged: bool) -> Line2D:
    label = "no level" if k == NOWHERE else rf"$k \geq {k}$" if merged else f"$k = {k}$"
    return Line2D([], [], color=_style.level_colour(k), marker=".", markersize=4.5, label=label)


FIGURE = Figure(
    title="How many singular values a run keeps",
    caption=(
        "Share of runs that ended, certified, on the level that keeps the $k$ leading singular values of the target, "
        r"against $\lambda$, by depth (rows), scheme and scale of the start (columns), over all targets. Bands "
        "are Wilson's 95 % intervals for the runs of each λ; pooled runs scatter less than that, if anything. "
        "Zeros are drawn only next to other shares. For $L = 2$ the shares are those of the global minima for every "
        r"scale; for $L \geq 3$ small starts collapse to $k = 0$ far below $\lambda_c$, and large ones keep "
        "singular values beyond it. Grey: uncertified runs and certified ones at no level."
    ),
    refuted_by=r"for $L = 2$ shares that depend on the scale of the start, with every run certified",
    compose=compose,
)
