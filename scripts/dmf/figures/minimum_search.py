"""What a global minimizer costs: runs until the first certified one, by depth and lambda."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import seaborn as sns
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure as Canvas

from dmf.figures import _style
from dmf.figures.figure import Figure

UNFOUND = "#b3362b"
PANELS = (("a", 0.5, "median over targets"), ("b", 1.0, "hardest target"))


def compose(evidence: xr.Dataset, controls: xr.Dataset, labels: Mapping[str, str]) -> Canvas:
    """Two heat maps depth x lambda: the median over targets, and the largest."""
    cells = cell_table(evidence)
    order = _style.lambda_order(cells)
    depths = cells["depth"].nunique()
    canvas, axes = _style.blank(1.5 + 2 * (0.35 + 0.24 * depths), 2, 1, sharex=True)
    top = max(2.0, float(cells["runs"].max()))
    for axis, (letter, quantile, text) in zip(axes[:, 0], PANELS, strict=True):
        _heat(axis, costs(cells, order, quantile), top)
        _style.panel(axis, letter, text)
    colours = axes[0, 0].collections[0]
    canvas.colorbar(colours, ax=axes, label="runs until the first certified minimum", aspect=20, pad=0.02)
    _style.lambda_ticks(axes[-1, 0], order)
    return canvas


def cell_table(evidence: xr.Dataset) -> pd.DataFrame:
    """Every cell as a row."""
    return evidence[["runs", "certified", "relative"]].isel(start=0).to_dataframe().reset_index()


def costs(cells: pd.DataFrame, order: list[str], quantile: float) -> pd.DataFrame:
    """The quantile over targets of the runs spent, rows depths, columns lambda; infinite where it was not found.

    The larger of two middle ones, so that a cell without success is never averaged away.
    """
    spent = cells.assign(runs=cells["runs"].where(cells["certified"] == 1, np.inf))
    table = (
        spent.groupby(["depth", "lam_label"])["runs"].quantile(quantile, interpolation="higher").unstack("lam_label")
    )
    return table.reindex(columns=order)


def _heat(axes: Axes, table: pd.DataFrame, top: float) -> None:
    unfound = np.isinf(table.to_numpy())
    sns.heatmap(
        table.mask(unfound),
        ax=axes,
        vmin=1,  # else seaborn looks for the extremes, and there are none where nothing was found
        vmax=top,
        norm=LogNorm(1, top),
        cmap="mako_r",
        cbar=False,
        annot=table.map(lambda runs: "" if np.isnan(runs) else f"{runs:.0f}"),
        fmt="",
        annot_kws={"fontsize": 7.5},
        linewidths=0.4,
        linecolor="white",
        rasterized=True,
    )
    for row, column in np.argwhere(unfound):
        axes.text(column + 0.5, row + 0.5, "–", color=UNFOUND, ha="center", va="center", fontweight="bold")
    axes.set_yticks(np.arange(len(table)) + 0.5, [f"$L = {depth}$" for depth in table.index], rotation=0)
    axes.set(xlabel="", ylabel="")
    axes.tick_params(length=0)
    axes.grid(False)


FIGURE = Figure(
    title="What a global minimizer costs",
    caption=(
        "Runs until the first certified global minimizer, when starts of four schemes and five scales are tried in "
        "turn in each cell: (a) the median over targets, (b) the hardest target. A dash: not found within the "
        r"budget. Just above $\lambda_c$, and wherever some singular value lies between $m_{loc}$ and $m^*$, starts of "
        "the usual scale keep what the global minimizer drops, and the search has to come down to small ones."
    ),
    refuted_by=(
        "for $L = 2$, where every local minimum is global, more than a run or two: runs that end without a certificate "
        "are spent too"
    ),
    compose=compose,
)
