"""Sweeps of weight decay: values of their runs over lambda, the known minimum, and which runs are called."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D

from dmf.figures import _style
from dmf.figures.figure import Figure

MISSED, CALLED = _style.FAINT, _style.level_colour(3)


def compose(evidence: xr.Dataset, controls: xr.Dataset, labels: Mapping[str, str]) -> Canvas:
    """A panel a cell in which some run is known not to be global, and one of AdamW; a mark is a run."""
    known = np.isfinite(evidence["true_excess"].values) & (evidence["certified"].values == 1)
    some = np.flatnonzero((known & (evidence["minimal"].values == 0)).any(axis=1))
    other = controls.isel(cell=np.flatnonzero(controls["problem"].values == "decoupled")[:1])
    canvas, axes = _style.blank(2.6, 1, len(some) + 1)
    for axis, letter, place in zip(axes[0], "abcdefg", some, strict=False):
        cell = evidence.isel(cell=int(place))
        here, minimal, called = known[place], cell["minimal"].values == 1, cell["called"].values == 1
        lam = cell["lam"].values
        least = np.where(here, cell["value"].values - cell["true_excess"].values, np.nan)
        curve = [np.nanmean(least[lam == one]) for one in np.unique(lam) if np.isfinite(least[lam == one]).any()]
        axis.plot([one for one in np.unique(lam) if np.isfinite(least[lam == one]).any()], curve, color=_style.INK)
        _marks(axis, cell, here & minimal & ~called, _style.INK, "o")
        _marks(axis, cell, here & ~minimal & ~called, MISSED, "s")
        _marks(axis, cell, here & called, CALLED, "x")
        count = int((here & ~minimal).sum())
        caught = int((here & ~minimal & called).sum())
        _style.panel(axis, letter, f"{str(cell['problem'].item()).replace('relu', 'ReLU')}: {caught} of {count}")
    if other.sizes["cell"]:
        axis, cell = axes[0, -1], other.isel(cell=0)
        called = cell["called"].values == 1
        _marks(axis, cell, ~called, _style.CONTROL, "o")
        _marks(axis, cell, called, _style.CONTROL, "x")
        _style.panel(axis, "abcdefg"[len(some)], f"AdamW: {int(called.sum())} of {len(called)}")
    for axis in axes[0]:
        axis.set_xlabel(r"$\lambda$")
    axes[0, 0].set_ylabel(r"loss $+\;\lambda \|\theta\|^2$")
    handles = [
        Line2D([], [], color=_style.INK, marker="o", markersize=4, label="known minimum, runs at it"),
        Line2D([], [], color=CALLED, marker="x", markersize=5, linestyle="", label="called not global"),
        Line2D([], [], color=MISSED, marker="s", markersize=4, linestyle="", label="not global, not called"),
    ]
    _style.legend_above(canvas, [*handles, _style.control_handle("AdamW")])
    return canvas


def _marks(axis: Axes, cell: xr.Dataset, mask: np.ndarray, colour: str, marker: str) -> None:
    axis.plot(cell["lam"].values[mask], cell["value"].values[mask], marker, color=colour, markersize=4, zorder=3)


FIGURE = Figure(
    title="What a sweep proves of its runs",
    caption=(
        r"Loss with decay against $\lambda$, sweeps of one run a $\lambda$ each. The line is the minimum that closed "
        "forms or dual certificates know; crosses are runs that a sweep calls not global from its losses and norms "
        "alone, with how many of those that are not global it finds. Green: AdamW, which minimizes no such loss."
    ),
    refuted_by="a cross on the line",
    compose=compose,
)
