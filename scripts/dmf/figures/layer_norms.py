"""Corollary 13: one norm for all layers of all minimizers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from dmf import theory
from dmf.evidence.controls import EXCEPTIONAL, control_cells
from dmf.figures import _curves, _runs, _style
from dmf.figures.figure import Figure


def compose(evidence: xr.Dataset, controls: xr.Dataset, labels: Mapping[str, str]) -> Canvas:
    """Layer norms of one target against lambda, of all targets against tolerance, and of the control."""
    canvas, axes = _style.blank(2.9, 1, 3, width_ratios=[1.15, 1.15, 0.8])
    runs = _named(_runs.eligible_runs(_runs.run_table(evidence)))
    control = _runs.run_table(control_cells(controls, EXCEPTIONAL))
    control = _named(control[_runs.is_minimizer(control)])
    first = _runs.targets_of(evidence)[0]
    _one_target(axes[0, 0], evidence.isel(cell=np.flatnonzero(evidence["target"].values == first)), runs, first)
    _style.panel(axes[0, 0], "a", _style.label_of(labels, first))
    _runs.against_tolerance(axes[0, 1], runs, control, r"$\max_l\,|\,\|W_l\|_F^2 - \alpha^2|$")
    _style.panel(axes[0, 1], "b", f"{len(runs):,} minimizers")
    _control(axes[0, 2], control)
    _style.panel(axes[0, 2], "c", r"control, $\sigma_2 = m^{\ast}$")
    handles = _style.depth_handles(_runs.depths_of(evidence))
    _style.legend_above(canvas, [*handles, _style.control_handle("control")])
    return canvas


def _named(runs: pd.DataFrame) -> pd.DataFrame:
    alpha_sq = runs["predicted_layer_norm_sq"]
    deviation = np.maximum(runs["layer_norm_sq_max"] - alpha_sq, alpha_sq - runs["layer_norm_sq_min"])
    return runs.assign(deviation=deviation, tolerance=runs["layer_norm_tolerance"])


def _one_target(axes: Axes, cells: xr.Dataset, runs: pd.DataFrame, target: str) -> None:
    """The range over layers and runs, and the closed form, against lambda / lambda_c."""
    for depth in _runs.depths_of(cells):
        part = cells.isel(cell=np.flatnonzero(cells["depth"].values == depth))
        _curves.draw_curve(axes, part, "predicted_layer_norm_sq", 1.0, _style.depth_colour(depth))
    runs = runs[runs["target"] == target]
    if runs.empty:
        _style.say_empty(axes)
    for end in ("layer_norm_sq_min", "layer_norm_sq_max"):
        _style.scatter_by_depth(axes, runs, "relative", end, size=11)
    _style.lambda_axis(axes, cells["relative"].values)
    tallest = float(max(cells["predicted_layer_norm_sq"].max(), runs["layer_norm_sq_max"].max() if len(runs) else 0))
    axes.set(ylim=(0, 1.08 * tallest if tallest > 1e-3 else 1), ylabel=r"$\|W_l\|_F^2$, smallest and largest")


def _control(axes: Axes, runs: pd.DataFrame) -> None:
    """Both ends of every run of the control, by the scale of its start."""
    axes.set(xlabel="scale of the start", ylabel=r"$\|W_l\|_F^2$")
    if runs.empty:
        _style.say_empty(axes)
        return
    scales = sorted(runs["scale"].unique())
    spread = 0.6 * (runs["draw"] / max(int(runs["draw"].max()), 1) - 0.5)
    place = runs["scale"].map(scales.index) + spread
    for end in ("layer_norm_sq_min", "layer_norm_sq_max"):
        axes.scatter(
            place,
            runs[end],
            s=14,
            marker="x",
            linewidths=0.8,
            color=_style.CONTROL,
            rasterized=True,
            zorder=4,
        )
    axes.set_xticks(range(len(scales)), [f"{scale:g}" for scale in scales])
    axes.set(xlim=(-0.6, len(scales) - 0.4), ylim=(0, 1.25 * float(runs["layer_norm_sq_max"].max())))
    depth, lam, alpha_sq, kept = (
        runs[name].iloc[0] for name in ("depth", "lam", "predicted_layer_norm_sq", "kept_at_minimum")
    )
    # The two minimizers differ by the one singular value that is x_J in one of them and 0 in the other.
    step = float(theory.jump(depth, lam)) ** (2 / depth)
    other = 1 if kept == 2 else 2
    for k, height in ((kept, alpha_sq), (other, alpha_sq + (other - kept) * step)):
        axes.annotate(
            f"$k = {k}$",
            (len(scales) - 0.45, height),
            (0, -9),
            textcoords="offset points",
            ha="right",
            va="center",
        )
        axes.axhline(height, color=_style.INK, linewidth=0.7, linestyle=(0, (4, 3)), zorder=1)


FIGURE = Figure(
    title="One norm for every layer of every minimizer",
    caption=(
        r"(a) Smallest and largest $\|W_l\|_F^2$ over the layers of every certified minimizer of one target "
        r"(marks, which coincide) and the closed form $\alpha^2 = \sum_i x_i^{2/L}$ (lines, broken where the "
        r"rank of $X^*$ falls). (b) For all targets: deviation of the "
        "farthest layer against what the run's gradient norm allows. (c) On the exceptional set two values of "
        r"$\alpha^2$ coexist (dashed: closed form), and the scale of the start chooses."
    ),
    refuted_by=r"in (a) two marks apart at one $\lambda$ and depth; in (b) a mark of a depth on the red ground",
    compose=compose,
)
