"""What the singular vectors of a trained network share with its data, over how far the inputs are from white."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from dmf.figures import _style
from dmf.figures.figure import Figure

# Field, what it is measured against, colour.
AGAINST = (
    ("to_target", r"$Y X^\top$", "#c8553d"),
    ("to_least_squares", "least-squares map", "#7a7fb8"),
    ("to_residual", r"$(Y - W X) X^\top$", "#3b3b6d"),
)
FLOOR = 1e-16  # of an axis: exact zeros are drawn here
# Field, its tolerance, what it is, marker, colour.
GAPS = (
    ("norm_gap", "norm_gap_tolerance", "layer norms", "o", "#8a4fbe"),
    ("off_span", "off_span_tolerance", "$W_1$ off the span", "^", "#c8553d"),
    ("residual_gap", "residual_tolerance", "residual's equations", "s", "#3b3b6d"),
)
LEAST = 1e-8  # of the axis in units of tolerance


def compose(evidence: xr.Dataset, controls: xr.Dataset, labels: Mapping[str, str]) -> Canvas:
    """Misalignment of singular vectors, and what the claim measures, both over the condition number."""
    canvas, axes = _style.blank(3.2, 1, 2)
    _misaligned(axes[0, 0], evidence)
    _style.panel(axes[0, 0], "a", "singular vectors")
    _survivors(axes[0, 1], evidence, controls)
    _style.panel(axes[0, 1], "b", "what survives")
    return canvas


def _misaligned(axes: Axes, evidence: xr.Dataset) -> None:
    """The largest misalignment over certified runs that keep something, one mark a cell."""
    axes.set(xscale="log", yscale="log", xlabel=r"condition number of $X X^\top$", ylabel="misalignment with $W$")
    eligible = (evidence["certified"] == 1).transpose("cell", "start")
    for (field, text, colour), marker in zip(AGAINST, "o^s", strict=True):
        worst = evidence[field].where(eligible).max("start").values
        here = (evidence["deficiency"].values == 0) & np.isfinite(worst)
        place = evidence["condition"].values[here]
        axes.plot(
            place, np.maximum(worst[here], FLOOR), linestyle="", marker=marker, markersize=4, color=colour, label=text
        )
    axes.set_ylim(FLOOR / 2, 3)
    _style.decades(axes)
    axes.legend(loc="center right")


def _survivors(axes: Axes, evidence: xr.Dataset, controls: xr.Dataset) -> None:
    """Gaps of every certified run in units of tolerance; crosses: runs of the control, declared critical."""
    axes.set(xscale="log", yscale="log", xlabel=r"condition number of $X X^\top$", ylabel="gap / tolerance")
    axes.axhspan(1, 1e12, color=_style.REFUTED, linewidth=0, zorder=0)
    stopped = controls.isel(cell=np.flatnonzero(controls["inputs"].values == "stopped"))
    share = stopped["gradient_tolerance"] / stopped["gradient_norm"]
    for gap, allowed, text, marker, colour in GAPS:
        ratio = (evidence[gap] / evidence[allowed]).where(evidence["certified"] == 1).transpose("cell", "start").values
        look: dict[str, Any] = {
            "linestyle": "",
            "marker": marker,
            "markersize": 3,
            "color": colour,
            "alpha": 0.7,
            "rasterized": True,
        }
        axes.plot(_places(evidence), np.maximum(ratio, LEAST).ravel(), label=text, **look)
        false = (stopped[gap] / (stopped[allowed] * share)).transpose("cell", "start").values
        axes.plot(
            _places(stopped), np.maximum(false, LEAST).ravel(), "x", markersize=3.5, color=_style.CONTROL, zorder=4
        )
    axes.set_ylim(LEAST / 2, 1e12)
    _style.decades(axes)
    axes.legend(handles=[*axes.get_legend_handles_labels()[0], _style.control_handle("control, stopped early")])


def _places(cells: xr.Dataset) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.repeat(cells["condition"].values, cells.sizes["start"])


FIGURE = Figure(
    title="What correlated inputs leave of the theory",
    caption=(
        r"Networks with one $Y X^\top$ on inputs from white to a hundred times as strong in one direction as in "
        "another, on inputs of deficient rank, and on digits. (a) Misalignment of the singular vectors of $W$, "
        r"from 0 to 1, the worst certified run of a cell: with those of $Y X^\top$ and of the least-squares map "
        "alignment is lost as soon as inputs are correlated; with those of the residual's correlation $(Y - W X) "
        r"X^\top$ it holds everywhere. The first two are measured, not predicted. (b) Differences of layer norms, "
        "$W_1$ outside the span of the inputs, and misfit of the residual's equations, in units of what each "
        "run's gradient allows."
    ),
    refuted_by="in (b), a mark on the red ground that is not the control's",
    compose=compose,
)
