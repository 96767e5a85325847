"""Remark 12: at m = m* two minimizers of the same value, and training that finds both (the paper's Fig. 2)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from dmf import theory
from dmf.evidence.controls import EXCEPTIONAL, EXCEPTIONAL_SCALAR, control_cells
from dmf.figures import _curves, _runs, _style
from dmf.figures.figure import Figure


def compose(evidence: xr.Dataset, controls: xr.Dataset, labels: Mapping[str, str]) -> Canvas:
    """The scalar control on its objective, and the matrix control by distance and objective."""
    canvas, axes = _style.blank(2.9, 1, 2)
    _scalar(axes[0, 0], _certified(controls, EXCEPTIONAL_SCALAR))
    _matrix(axes[0, 1], _certified(controls, EXCEPTIONAL))
    _style.panel(axes[0, 0], "a", r"control $1 \times 1$, $m = m^{\ast}$")
    _style.panel(axes[0, 1], "b", r"control $3 \times 3$, $\sigma_2 = m^{\ast}$")
    return canvas


def _certified(controls: xr.Dataset, name: str) -> pd.DataFrame:
    runs = _runs.run_table(control_cells(controls, name))
    return runs[runs["certified"] == 1]


def _scalar(axes: Axes, runs: pd.DataFrame) -> None:
    axes.set(xlabel=r"$|x| = |w_L \cdots w_1|$", ylabel="$g(x)$")
    if runs.empty:
        _style.say_empty(axes)
        return
    m, depth, lam = (runs[name].iloc[0] for name in ("sigma_1", "depth", "lam"))
    far = float(theory.jump(depth, lam))
    x = _curves.cusp_axis(-0.45 * far, 1.85 * far)
    axes.plot(x, theory.scalar_objective(x, m, depth, lam), color=_style.depth_colour(depth))
    axes.axhline(m**2, color=_style.INK, linewidth=0.7, linestyle=(0, (4, 3)), zorder=1)
    _marks(axes, runs, "end_to_end_norm", "objective")
    for place, name in ((0.0, "0"), (far, "$x_J$")):
        count = int(np.count_nonzero(np.abs(runs["end_to_end_norm"] - place) < far / 4))
        _note(axes, (place, m**2), (0, -18), f"{name}: {count} runs")
    axes.set(xlim=(x[0], x[-1]), ylim=(m**2 - 0.085, m**2 + 0.27))


def _matrix(axes: Axes, runs: pd.DataFrame) -> None:
    axes.set(xlabel=r"$\|X - X^{\ast}\|_F$", ylabel=r"$F - \min F$")
    if runs.empty:
        _style.say_empty(axes)
        return
    runs = runs.assign(excess=runs["objective"] - runs["minimum"])
    axes.axhline(0, color=_style.INK, linewidth=0.7, linestyle=(0, (4, 3)), zorder=1)
    _marks(axes, runs, "distance", "excess")
    top, far = max(float(runs["excess"].max()), 1.0), max(float(runs["distance"].max()), 1.0)
    for rise, (kept, part) in enumerate(runs.groupby("kept")):
        place = (float(part["distance"].mean()), float(part["excess"].mean()))
        # Two minimizers are neighbours on this axis: each label at a different height.
        _note(axes, place, (0, 14 + 18 * (rise % 2)), f"$k = {kept}$: {len(part)} runs")
    _span(axes, float(theory.jump(int(runs["depth"].iloc[0]), float(runs["lam"].iloc[0]))), -0.09 * top)
    lowest = runs.loc[_runs.is_minimizer(runs), "objective"]
    if len(lowest):
        text = f"filled: $F$ equal within ${_style.power_of_ten(float(lowest.max() - lowest.min()))}$"
        axes.text(0.97, 0.22, text, transform=axes.transAxes, ha="right", fontsize=_style.small())
    axes.set(xlim=(-0.2 * far, 1.2 * far), ylim=(-0.2 * top, 1.22 * top))


def _span(axes: Axes, step: float, height: float) -> None:
    """The distance x_J between the two minimizers, as a double arrow below them."""
    arrow = {
        "arrowstyle": "<->",
        "color": _style.INK,
        "linewidth": 0.7,
        "shrinkA": 0,
        "shrinkB": 0,
        "mutation_scale": 6,
    }
    axes.annotate("", (0, height), (step, height), arrowprops=arrow)
    axes.annotate("$x_J$", (step, height), (5, 0), textcoords="offset points", va="center")


def _marks(axes: Axes, runs: pd.DataFrame, x: str, y: str) -> None:
    """Trained runs: filled where they are global minimizers, hollow elsewhere."""
    fill = np.where(_runs.is_minimizer(runs), _style.CONTROL, "white")
    axes.scatter(
        runs[x],
        runs[y],
        s=26,
        color=fill,
        edgecolors=_style.CONTROL,
        linewidths=0.9,
        rasterized=True,
        zorder=4,
    )


def _note(axes: Axes, place: tuple[float, float], away: tuple[float, float], text: str) -> None:
    line = {"arrowstyle": "-", "color": _style.FAINT, "linewidth": 0.6}
    axes.annotate(
        text,
        place,
        away,
        textcoords="offset points",
        ha="center",
        va="center",
        fontsize=_style.small(),
        arrowprops=line,
    )


FIGURE = Figure(
    title="On the exceptional set there are two minimizers",
    caption=(
        r"The negative control. (a) The objective of one singular value at $m = m^*$ and trained runs: "
        r"both $0$ and $x_J$ are reached, with one value. (b) A $3 \times 3$ target with $\sigma_2 = "
        r"m^*$: runs that keep $k = 1$ and $k = 2$ singular values are both global minimizers and lie "
        "$x_J$ apart; runs that keep none (hollow) are in a spurious minimum."
    ),
    refuted_by=r"runs at $0$ and at $x_J$ with different objectives, or a filled mark anywhere else",
    compose=compose,
)
