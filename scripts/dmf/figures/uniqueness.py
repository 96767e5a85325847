"""Theorem 10: how far the products of all certified minimizers are from the one closed-form minimizer."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import seaborn as sns
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from dmf.evidence.controls import EXCEPTIONAL, control_cells
from dmf.figures import _runs, _style
from dmf.figures.figure import Figure

LEAST = 1e-12  # smaller ratios of distance to tolerance are counted there


def compose(evidence: xr.Dataset, controls: xr.Dataset, labels: Mapping[str, str]) -> Canvas:
    """Distance against tolerance, run by run, and the distribution of their ratio."""
    canvas, axes = _style.blank(3.1, 1, 2)
    runs = _named(_runs.eligible_runs(_runs.run_table(evidence)))
    control = _runs.run_table(control_cells(controls, EXCEPTIONAL))
    control = _named(control[_runs.is_minimizer(control)])
    apart, ratios = axes[0]
    _runs.against_tolerance(apart, runs, control, r"$\|X - X^{\ast}\|_F$")
    _style.panel(apart, "a", f"{len(runs):,} certified minimizers")
    _distribution(ratios, runs, control)
    _style.panel(ratios, "b", "distribution of the ratio")
    handles = _style.depth_handles(_runs.depths_of(evidence))
    _style.legend_above(canvas, [*handles, _style.control_handle(r"control, $\sigma_2 = m^{\ast}$")])
    return canvas


def _named(runs: pd.DataFrame) -> pd.DataFrame:
    return runs.assign(deviation=runs["distance"], tolerance=runs["distance_tolerance"])


def _distribution(axes: Axes, runs: pd.DataFrame, control: pd.DataFrame) -> None:
    """Share of runs up to each ratio distance / tolerance: a curve a depth, and the control's."""
    axes.set(xscale="log", xlim=(LEAST, 10), xlabel="distance / tolerance", ylabel="share of runs")
    if runs.empty:
        _style.say_empty(axes)
    colours = {depth: _style.depth_colour(int(str(depth))) for depth in runs["depth"].unique()}
    parts = [(runs[runs["depth"] == depth], colour) for depth, colour in colours.items()]
    for part, colour in [*parts, (control, _style.CONTROL)]:
        if not part.empty:
            ratio = (part["deviation"] / part["tolerance"]).clip(lower=LEAST)
            sns.ecdfplot(x=ratio, color=colour, ax=axes)
            axes.set_xlim(right=max(axes.get_xlim()[1], 10 * float(ratio.max())))
    axes.axvspan(1, axes.get_xlim()[1], color=_style.REFUTED, linewidth=0, zorder=0)
    axes.axvline(1, color=_style.INK, linewidth=0.8)
    axes.set(xlabel="distance / tolerance", ylabel="share of runs", ylim=(0, 1.03))


FIGURE = Figure(
    title="One product for all minimizers",
    caption=(
        r"Distance of the trained product $X = W_L \cdots W_1$ from the closed-form $X^*$, for every certified "
        r"global minimizer of every target, depth and $\lambda$, against the distance that its own gradient "
        r"norm allows ($\sqrt{L}\,(s_1 + \delta)^{L-1}\delta$ with $\delta = 2\|\nabla F\|/\mu$). The line is "
        "distance = tolerance. Distances below $10^{-20}$ are drawn there, ratios below $10^{-12}$ counted "
        "there. Crosses: the exceptional control, whose second minimizer lies at distance $x_J$ from the "
        "first."
    ),
    refuted_by="a mark of a depth on the red ground, where only the control may be",
    compose=compose,
)
