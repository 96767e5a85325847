"""Where runs ended: how often each kind of start finds the global minimum."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import seaborn as sns
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from dmf.figures import _runs, _style
from dmf.figures.figure import Figure

MOST_DEPTHS = 6


def compose(evidence: xr.Dataset, controls: xr.Dataset, labels: Mapping[str, str]) -> Canvas:
    """A heat map a depth: share of runs that ended at the global minimum, by start and lambda."""
    runs = _runs.run_table(evidence)
    all_depths = _runs.depths_of(evidence)
    depths = _style.evenly(all_depths, MOST_DEPTHS)
    rows = len(runs[["scheme", "scale"]].drop_duplicates())
    canvas, axes = _style.blank(0.9 + len(depths) * (0.36 + 0.17 * rows), len(depths), 1, sharex=True)
    order = _style.lambda_order(runs)
    for axis, depth in zip(axes[:, 0], depths, strict=True):
        here = runs[runs["depth"] == depth]
        _heat(axis, here, order)
        uncertified = int((here["certified"] != 1).sum())
        axis.set_title(f"$L = {depth}$: {len(here):,} runs, {uncertified:,} without a certificate")
    canvas.colorbar(axes[0, 0].collections[0], ax=axes, label="share at the global minimum", aspect=30, pad=0.02)
    _style.lambda_ticks(axes[-1, 0], order, _style.of_all(len(depths), len(all_depths), "depths"))
    return canvas


def shares(runs: pd.DataFrame, order: list[str]) -> pd.DataFrame:
    """Share of runs at the global minimum: rows (scheme, scale), columns the lambda labels in that order."""
    table = runs.assign(found=runs["minimal"] == 1).pivot_table(
        index=["scheme", "scale"], columns="lam_label", values="found", aggfunc="mean"
    )
    return table.reindex(columns=order)


def _heat(axes: Axes, runs: pd.DataFrame, order: list[str]) -> None:
    table = shares(runs, order)
    few = table.shape[1] <= 10
    sns.heatmap(
        table,
        ax=axes,
        vmin=0,
        vmax=1,
        cmap="mako",
        cbar=False,
        annot=few,
        fmt=".2f",
        annot_kws={"fontsize": 8},
        linewidths=0.4,
        linecolor="white",
        rasterized=True,
    )
    axes.set_yticks(np.arange(len(table)) + 0.5, [f"{scheme} {scale:g}" for scheme, scale in table.index], rotation=0)
    axes.set(xlabel="", ylabel="")
    axes.tick_params(length=0)
    axes.grid(False)  # a depth without some lambda leaves holes
    above = [bool((runs.loc[runs["lam_label"] == label, "relative"] > 1).all()) for label in order]
    if any(above) and not all(above):
        axes.axvline(above.index(True), color="white", linewidth=3)


FIGURE = Figure(
    title="Where runs ended",
    caption=(
        "Share of runs that ended, certified, at the global minimum, over all targets and draws, by the "
        r"scheme and scale of the start (rows) and $\lambda$ (columns). The others ended in spurious minima, "
        "or without a certificate. The scale of the start decides the basin; this is why minimizers need an "
        r"exhaustive search of starts. The wider gap is at $\lambda_c$."
    ),
    refuted_by=(
        r"for $L = 2$, where every local minimum is global, a share below one from starts with a density (gaussian, "
        "identity) and with every run certified"
    ),
    compose=compose,
)
