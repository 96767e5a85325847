"""Phase diagram of the collapse: where certified runs end, over lambda / lambda_c and depth."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from numpy.typing import NDArray

from dmf import theory
from dmf.figures import _runs, _style
from dmf.figures.figure import Figure

MOST_DEPTHS = 12
MOST_COLUMNS = 40
MARGIN = 1.1  # of the first and the last column beyond the last lambda


def compose(evidence: xr.Dataset, controls: xr.Dataset, labels: Mapping[str, str]) -> Canvas:
    """Two panels with a band a depth: the share of certified runs at zero, and at the global minimum."""
    runs = _runs.run_table(evidence)
    runs = runs[runs["certified"] == 1]
    all_depths = _runs.depths_of(evidence)
    depths = _style.evenly(all_depths, MOST_DEPTHS)
    canvas, axes = _style.blank(1.1 + 0.42 * max(len(depths), 3), 1, 2, sharey=True)
    names = {"at_zero": "share at zero", "at_minimum": "share at the global minimum"}
    ended = runs.assign(at_zero=runs["kept"] == 0, at_minimum=runs["minimal"] == 1)
    for axis, letter, (field, name) in zip(axes[0], "ab", names.items(), strict=True):
        for band, depth in enumerate(depths):
            _band(axis, band, depth, ended[ended["depth"] == depth], field)
        _style.panel(axis, letter, name)
        _style.lambda_axis(axis, evidence["relative"].values)
        axis.axvline(1, color="white", linewidth=1.8, alpha=0.7, zorder=0.9)  # the line of lambda_c shows on the dark
        axis.set(yticks=range(len(depths)), ylim=(-0.5, len(depths) - 0.5))
        axis.grid(False)
        axis.tick_params(axis="y", length=0)
        if runs.empty:
            _style.say_empty(axis)
    axes[0, 0].set_yticklabels([f"{depth}" for depth in depths])
    axes[0, 0].set_ylabel("depth $L$" + _style.of_all(len(depths), len(all_depths), "depths"))
    if not runs.empty:
        canvas.colorbar(axes[0, 0].collections[0], ax=axes, label="share of certified runs", aspect=20, pad=0.02)
    return canvas


def shares(runs: pd.DataFrame, field: str, lambda_s: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Edges (n + 1,) of columns in lambda / lambda_c and the share (n,) of `runs` with `field` in each, NaN for none.

    A column's edges lie halfway to its neighbours, or at lambda_c or `lambda_s` where one lies between, so that no
    column mixes their two sides.
    """
    ratios = np.array(_style.evenly(np.unique(runs["relative"].round(12)).tolist(), MOST_COLUMNS))
    inner = (ratios[1:] + ratios[:-1]) / 2
    for threshold in (lambda_s, 1.0):
        inner[(ratios[:-1] < threshold) & (threshold < ratios[1:])] = threshold
    edges = np.concatenate([ratios[:1] / MARGIN, inner, ratios[-1:] * MARGIN])
    column = np.searchsorted(inner, runs["relative"].to_numpy())
    share = runs.groupby(column)[field].mean().reindex(range(len(ratios)))
    return edges, share.to_numpy(dtype=np.float64)


def _band(axes: Axes, band: int, depth: int, runs: pd.DataFrame, field: str) -> None:
    """One depth's shares, with a bar at lambda_s."""
    lambda_s = float(theory.branch_lambda(1.0, depth) / theory.critical_lambda(1.0, depth))
    axes.axhspan(band - 0.46, band + 0.46, color=_style.WINDOW, linewidth=0, zorder=0)
    if not runs.empty:
        edges, share = shares(runs, field, lambda_s)
        axes.pcolormesh(edges, [band - 0.46, band + 0.46], share[None], vmin=0, vmax=1, cmap="mako", zorder=0.5)
    for colour, width in (("white", 3.6), ("#d1495b", 1.6)):
        axes.plot([lambda_s, lambda_s], [band - 0.46, band + 0.46], color=colour, linewidth=width, zorder=3)
    if band == 0:
        axes.annotate(
            r"$\lambda_s$",
            (lambda_s, -0.5),
            (7, 8),
            textcoords="offset points",
            color="#d1495b",
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1},
        )


FIGURE = Figure(
    title="Phase diagram of the collapse",
    caption=(
        r"Certified runs of all targets and starts, by $\lambda / \lambda_c$ and depth: (a) the share that ended at "
        r"$X = 0$, (b) the share at the global minimum. Dashed: $\lambda_c$, where the global minimum collapses. Bars: "
        r"$\lambda_s$, where the last nonzero local minimum ends; at $L = 2$ the two are one. Between them nonzero "
        r"runs are spurious, below $\lambda_c$ those at zero are. Columns end at the thresholds; grey is where no run "
        "is certified."
    ),
    refuted_by=(
        r"in (a) a share below one to the right of $\lambda_s$, where zero is the only critical point; for $L = 2$ and "
        "starts with a density (gaussian, identity), a share above zero to the left of it"
    ),
    compose=compose,
)
