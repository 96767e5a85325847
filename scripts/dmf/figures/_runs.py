"""Which runs a figure may draw as what, as tables with one row a run; and runs held against their tolerance."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes

from dmf.dataset.schema import MISSING
from dmf.evidence.eligibility import is_eligible, outside_exceptional_set
from dmf.figures import _style

FLOOR = 1e-20  # deviations below it, where no tolerance reaches, are drawn at it: they are zero but for rounding


def run_table(evidence: xr.Dataset) -> pd.DataFrame:
    """Every trained run as a row with all its fields, those of its cell and its coordinates."""
    eligible = is_eligible(evidence)
    columns = evidence.drop_vars("sigma").assign(
        minimizer=eligible, eligible=eligible & outside_exceptional_set(evidence)
    )
    table = columns.to_dataframe().reset_index()
    return table[table["status"] != MISSING].reset_index(drop=True)


def eligible_runs(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs that claims on minimizers may use: certified minimizers with a finite certificate, in scope."""
    return runs[runs["eligible"]]


def is_minimizer(runs: pd.DataFrame) -> pd.Series[bool]:
    """Rows of certified global minimizers with a finite certificate."""
    return runs["minimizer"]


def depths_of(evidence: xr.Dataset) -> list[int]:
    """Depths, ascending."""
    return [int(depth) for depth in np.unique(evidence["depth"].values)]


def targets_of(evidence: xr.Dataset) -> list[str]:
    """Names of targets, in the order of the evidence."""
    return list(dict.fromkeys(str(name) for name in evidence["target"].values))


def against_tolerance(
    axes: Axes, runs: pd.DataFrame, controls: pd.DataFrame, ylabel: str, xlabel: str = "tolerance of the run"
) -> None:
    """Columns `deviation` against `tolerance`, logarithmic, of the grid's runs and of the control's.

    A run of the grid above the edge deviation = tolerance would refute the claim. Nothing lies out of view.
    """
    axes.set(xscale="log", yscale="log", xlabel=xlabel, ylabel=ylabel)
    drawn = pd.concat([runs, controls])
    if runs.empty:
        _style.say_empty(axes)
    if drawn.empty:
        return
    positive = drawn.loc[drawn["tolerance"] > 0, "tolerance"]
    low = float(positive.min()) / 4 if len(positive) else FLOOR
    floor = min(FLOOR, low)
    high = 4 * max(float(drawn["tolerance"].max()), 4 * low)
    top = max(high, float(drawn["deviation"].max())) * 10
    edge(axes, low, high, top)
    shown = runs.assign(tolerance=runs["tolerance"].clip(low), deviation=runs["deviation"].clip(floor))
    _style.scatter_by_depth(axes, shown, "tolerance", "deviation", size=6)
    axes.scatter(
        controls["tolerance"],
        controls["deviation"],
        s=16,
        marker="x",
        linewidths=0.8,
        color=_style.CONTROL,
        rasterized=True,
        zorder=4,
    )
    axes.set_xlim(low, high)
    axes.set_ylim(floor / 4, top)
    _style.decades(axes)


def edge(axes: Axes, low: float, high: float, top: float, slope: float = 1, ground: str = _style.REFUTED) -> None:
    """The line y = slope x from x = `low` to `high`, and above it, up to `top`, the ground on which no mark may lie."""
    x = np.array([low, high])
    axes.fill_between(x, slope * x, top, color=ground, linewidth=0, zorder=0)
    axes.plot(x, slope * x, color=_style.INK, linewidth=0.8)
