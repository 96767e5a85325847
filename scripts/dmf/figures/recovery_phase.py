"""Experiment: phase diagram of recovery, rank against measurements, for every penalty and both ways to minimize it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from dmf.figures import _recovery, _style
from dmf.figures.figure import Figure

NOTE: Mapping[str, Any] = {"ha": "center", "va": "center", "color": _style.FAINT, "style": "italic"}


def compose(evidence: xr.Dataset, controls: xr.Dataset, labels: Mapping[str, str]) -> Canvas:
    """A row a problem and method, a column a depth; in each a square a rank and number of measurements."""
    table = _recovery.shares(evidence)
    depths = _recovery.depths(table)
    problems = list(dict.fromkeys(kind for kind, _ in _recovery.panels(table)))
    rows = [(problem, method) for problem in problems for method in _recovery.METHODS]
    canvas, axes = _style.blank(0.7 + 1.12 * len(rows), len(rows), len(depths), sharex=True)
    for row, (problem, method) in zip(axes, rows, strict=True):
        for axis, depth in zip(row, depths, strict=True):
            here = table[(table["problem"] == problem) & (table["method"] == method) & (table["depth"] == depth)]
            _diagram(axis, here)
        row[0].set_ylabel(_recovery.METHODS[method].replace(", ", ",\n") + "\n" + problem + ", rank")
    for axis, depth in zip(axes[0], depths, strict=True):
        axis.set_title(f"$L = {depth}$" + (" (nuclear norm)" if depth == 2 else ""))
    for axis in axes[-1]:
        axis.set_xlabel("measurements")
    canvas.colorbar(axes[0, 0].collections[0], ax=axes, label="share recovered", aspect=30, pad=0.02)
    return canvas


def grid(table: pd.DataFrame) -> pd.DataFrame:
    """Shares of one panel, a row a rank, a column a number of measurements; NaN where none was tried."""
    return table.pivot_table(index="rank", columns="measurements", values="share")


def _diagram(axes: Axes, table: pd.DataFrame) -> None:
    axes.grid(False)
    if table.empty:
        axes.set(yticks=[])
        axes.spines[:].set_visible(False)
        axes.tick_params(bottom=False)
        axes.text(
            0.5, 0.5, "convex: one minimum,\nhowever reached", transform=axes.transAxes, fontsize=_style.small(), **NOTE
        )
        return
    shares = grid(table)
    counts, ranks = shares.columns.to_numpy(dtype=float), shares.index.to_numpy(dtype=float)
    step = float(np.diff(counts).min()) if len(counts) > 1 else 1.0
    edges = np.append(counts - step / 2, counts[-1] + step / 2)
    sides = np.append(ranks - 0.5, ranks[-1] + 0.5)
    look: Mapping[str, Any] = {"edgecolor": "face", "linewidth": 0.2}  # no seams between squares
    axes.pcolormesh(edges, sides, shares, vmin=0, vmax=1, cmap="mako", zorder=0.5, **look)
    for rank, free in table.groupby("rank")["free"].first().items():
        for colour, width in (("white", 3.4), ("#d1495b", 1.6)):
            axes.plot([free, free], [float(str(rank)) - 0.5, float(str(rank)) + 0.5], color=colour, linewidth=width)
    axes.set(yticks=ranks, xticks=counts[:: 2 if len(counts) > 4 else 1], facecolor=_style.WINDOW)
    axes.set_yticklabels([f"{int(rank)}" for rank in ranks])


FIGURE = Figure(
    title="Which matrices can be recovered",
    caption=(
        r"An experiment, no theorem. $8 \times 8$ matrices of low rank, seen through Gaussian measurements (sensing) "
        "or single entries (completion), without noise: the share of instances that are recovered to a relative error "
        r"of 2 %, the same instances in every panel. Weight decay: $L$ layers trained by L-BFGS at $\lambda = 3 \times "
        r"10^{-3}$, then at $3 \times 10^{-4}$, from one Gaussian start; and, from the same start, at $\lambda = 0.1$ "
        "and then down to there, where singular values that the truth has die on the way. Penalty: accelerated "
        r"proximal steps on $\lambda L \|X\|_{S_{2/L}}^{2/L}$, along six $\lambda$ from 0.1 to $3 \times 10^{-4}$, "
        "from the matrix of least norm. Bars: degrees of freedom of the rank; left of them other matrices of that rank "
        "agree with all measurements. Grey was not tried."
    ),
    refuted_by=(
        "a square left of its bar that is not dark; for $L = 2$, where both are one convex problem, panels of the same "
        "problem that differ in more than an instance at the limit of 2 %"
    ),
    compose=compose,
    experiment=True,
)
