"""Beyond Theorem 15: by how much the exact trace exceeds its lower bound, by rank, shape and depth."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from dmf.figures import _runs, _style
from dmf.figures.figure import Figure

MOST_SHAPES = 4


def compose(evidence: xr.Dataset, controls: xr.Dataset, labels: Mapping[str, str]) -> Canvas:
    """A panel a shape of target: relative slack of every certified minimizer against the rank of X*."""
    runs = _runs.eligible_runs(_named(_runs.run_table(evidence)))
    every = sorted(set(shapes_of(evidence)), key=lambda shape: (shape[0] * shape[1], shape))
    shapes = _style.evenly(every, MOST_SHAPES)
    depths = _runs.depths_of(evidence)
    canvas, axes = _style.blank(3.0, 1, len(shapes), sharey=True)
    positive = runs.loc[runs["slack"] > 0, "slack"]
    line = 10.0 ** (np.floor(np.log10(positive.min())) - 1 if len(positive) else -3)
    top = 2 * max([1.0, *positive])
    for axis, shape in zip(axes[0], shapes, strict=True):
        here = runs[(runs["rows"] == shape[0]) & (runs["columns"] == shape[1])]
        _panel(axis, here, min(shape), depths, line)
        axis.set_title(rf"{shape[0]} × {shape[1]}: {len(here):,} minimizers")
        axis.set(ylim=(line / 3, top), xlabel=r"rank of $X^{\ast}$")
    axes[0, 0].set_ylabel("trace / bound − 1")
    axes[0, 0].text(0.03, line * 1.3, "attained", fontsize=_style.small(), transform=axes[0, 0].get_yaxis_transform())
    if len(shapes) < len(every):
        canvas.supxlabel(_style.of_all(len(shapes), len(every), "shapes").strip(), fontsize="medium")
    _style.legend_above(canvas, _style.depth_handles(depths))
    return canvas


def shapes_of(evidence: xr.Dataset) -> list[tuple[int, int]]:
    """(d_L, d_0) of every cell, from the name of its group."""
    widths = [str(group).partition("-")[2].split("x") for group in evidence["group"].values]
    return [(int(parts[0]), int(parts[-1])) for parts in widths]


def _named(runs: pd.DataFrame) -> pd.DataFrame:
    widths = runs["group"].astype(str).str.partition("-")[2].str.split("x")
    slack = (runs["hessian_trace"] - runs["trace_bound"]) / runs["trace_bound"]
    resolved = slack.abs() > runs["trace_tolerance"] / runs["trace_bound"]
    return runs.assign(
        rows=widths.str[0].astype(int), columns=widths.str[-1].astype(int), slack=slack.where(resolved, 0)
    )


def _panel(axes: Axes, runs: pd.DataFrame, largest: int, depths: list[int], line: float) -> None:
    axes.set(yscale="log", xlim=(-0.6, largest + 0.6))
    axes.set_xticks(range(largest + 1))
    axes.axhline(line, color=_style.INK, linewidth=0.8)
    axes.axhspan(line / 3, line, color=_style.REFUTED, linewidth=0, zorder=0)
    if runs.empty:
        _style.say_empty(axes)
        return
    # Depths side by side, so that equal ranks do not hide one another.
    offset = {depth: 0.6 * ((i + 0.5) / len(depths) - 0.5) for i, depth in enumerate(depths)}
    height = runs["slack"].where(runs["slack"] != 0, line).clip(lower=line / 2)
    place = runs["kept_at_minimum"] + runs["depth"].map(offset)
    _style.scatter_by_depth(axes, runs.assign(place=place, height=height), "place", "height", size=10)


FIGURE = Figure(
    title="How far the trace lies above its bound",
    caption=(
        "Exact trace at every certified minimizer over the bound of Theorem 15, minus one, by the rank of $X^*$; a "
        r"panel a shape $d_L \times d_0$ of the target, depths side by side, many $\lambda$ each. Minimizers of one "
        "cell coincide: the trace is the same at all of them. On the line the bound is attained within the tolerance "
        r"of the run: at $X^* = 0$, and at rank one only for $1 \times 1$ targets, for any hidden widths. The "
        r"first and the last layer give most of the slack, $2(d_0 + d_L - 2)\, s^{2L-2}$ at rank one."
    ),
    refuted_by=(
        r"a mark under the line, a mark on it at a rank above zero in a panel other than $1 \times 1$, or one above "
        "it at rank zero"
    ),
    compose=compose,
)
