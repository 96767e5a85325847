"""Experiment: recovery rate against the number of measurements."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D

from dmf.figures import _recovery, _style
from dmf.figures.figure import Figure

APART = 0.9  # measurements between the marks of neighbouring depths, so that intervals do not hide one another
COLUMNS = 3
SHOWN = ("proximal", "factorization")


def compose(evidence: xr.Dataset, controls: xr.Dataset, labels: Mapping[str, str]) -> Canvas:
    """A panel a problem and rank; in each a line a depth and method, with intervals, and the control."""
    table, control = _recovery.shares(evidence), _recovery.shares(controls)
    control = control[control["method"] == "least norm"]
    panels, depths = _recovery.panels(table), _recovery.depths(table)
    rows = -(-len(panels) // COLUMNS)
    canvas, axes = _style.blank(0.9 + 1.8 * rows, rows, COLUMNS, sharex=True, sharey=True)
    for number, (axis, (problem, rank)) in enumerate(zip(axes.flat, panels, strict=False)):
        here = table[(table["problem"] == problem) & (table["rank"] == rank)]
        for place, depth in enumerate(depths):
            for method in SHOWN:
                cells = here[(here["method"] == method) & (here["depth"] == depth)]
                _line(axis, cells, depth, method, APART * (place - (len(depths) - 1) / 2))
        null = control[(control["problem"] == problem) & (control["rank"] == rank)]
        axis.plot(null["measurements"], null["share"], "x", color=_style.CONTROL, markersize=3.5, zorder=4)
        axis.axvline(float(here["free"].iloc[0]), color="#d1495b", linewidth=1.2, zorder=1)
        axis.set(ylim=(-0.05, 1.05), yticks=[0, 0.5, 1], title=f"{problem}, rank {rank}")
        axis.tick_params(labelbottom=True)
        if number + COLUMNS >= len(panels):  # no panel below
            axis.set_xlabel("measurements")
    for axis in axes.flat[len(panels) :]:
        axis.set_axis_off()
    for row in axes:
        row[0].set_ylabel("share recovered")
    _style.legend_above(canvas, _handles(depths))
    return canvas


def _line(axes: Axes, cells: pd.DataFrame, depth: int, method: str, shift: float) -> None:
    colour, place = _style.depth_colour(depth), cells["measurements"] + shift
    trained = method == "factorization"
    axes.vlines(place, cells["low"], cells["high"], color=colour, linewidth=0.6, alpha=0.35)
    axes.plot(
        place,
        cells["share"],
        color=colour,
        marker=_style.depth_marker(depth),
        markersize=4 if trained else 6,
        markerfacecolor=colour if trained else "none",
        linestyle="-" if trained else (0, (3, 2)),
        linewidth=0.8,
        zorder=3,
    )


def _handles(depths: list[int]) -> list[Line2D]:
    ways = [
        Line2D(
            [],
            [],
            color=_style.INK,
            marker="o",
            markersize=4,
            markerfacecolor=_style.INK if method == "factorization" else "none",
            linestyle="-" if method == "factorization" else (0, (3, 2)),
            linewidth=0.8,
            label=_recovery.METHODS[method],
        )
        for method in SHOWN
    ]
    rule = Line2D([], [], color="#d1495b", linewidth=1.2, label="degrees of freedom")
    return [*_style.depth_handles(depths), *ways, rule, _style.control_handle("control, least norm")]


FIGURE = Figure(
    title="How few measurements suffice",
    caption=(
        "The instances of the phase diagram, by the number of measurements; bars are Wilson's 95 % intervals for six "
        "instances, equal for all methods. Marks of neighbouring depths are moved apart. At $L = 2$ weight decay is "
        "the nuclear norm, and both ways to minimize it recover the same instances. The concave penalties of $L > 2$ "
        "come close to the degrees of freedom, and training $L$ layers does as well as proximal steps on the penalty. "
        r"Training began at a small $\lambda$: from larger ones, singular values that the truth has die on the way."
    ),
    refuted_by="a mark above zero left of the line; a control above zero",
    compose=compose,
    experiment=True,
)
