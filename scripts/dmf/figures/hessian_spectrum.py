"""Beyond the paper: all Hessian eigenvalues at trained minimizers, on the closed form."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D

from dmf.evidence.eligibility import is_eligible
from dmf.figures import _style
from dmf.figures.figure import Figure

SHOWN = "square"  # the cell of panel (a): small enough to tell single eigenvalues apart
FALSE = "spurious"


def compose(evidence: xr.Dataset, controls: xr.Dataset, labels: Mapping[str, str]) -> Canvas:
    """One cell's eigenvalues in order, and the departures of all cells against their tolerance."""
    canvas, axes = _style.blank(3.1, 1, 2)
    eligible = is_eligible(evidence)
    _staircase(axes[0, 0], evidence, eligible)
    _style.panel(axes[0, 0], "a", "all eigenvalues of one cell")
    depths = sorted(set(evidence["depth"].values.tolist()))
    _departures(axes[0, 1], evidence, eligible, depths)
    _control(axes[0, 1], controls)
    _style.panel(axes[0, 1], "b", f"{int(eligible.sum()):,} minimizers, {int(eligible.any('start').sum())} cells")
    line = Line2D([], [], color=_style.INK, linewidth=0.9, label="closed form")
    control = _style.control_handle("control: spurious minima declared minimizers")
    _style.legend_above(canvas, [line, *_style.depth_handles(depths), control])
    return canvas


def _staircase(axes: Axes, evidence: xr.Dataset, eligible: xr.DataArray) -> None:
    axes.set(xlabel="place in ascending order", ylabel="eigenvalue")
    place = int(np.flatnonzero(evidence["target"].values == SHOWN)[0])
    cell = evidence.isel(cell=place)
    predicted = cell["predicted_spectrum"].values
    predicted = predicted[np.isfinite(predicted)]
    order = np.arange(1, predicted.size + 1)
    axes.step(order, predicted, where="mid", color=_style.INK, linewidth=0.9, zorder=2)
    colour, marker = _style.depth_colour(int(cell["depth"])), _style.depth_marker(int(cell["depth"]))
    for measured in cell["spectrum"].values[eligible.values[place]]:
        values = measured[: predicted.size]
        axes.plot(order, values, color=colour, marker=marker, linestyle="", markersize=3.2, alpha=0.35)
    note = f"{int(cell['orbit_dimension'])} zero modes:\nthe orbit's dimension"
    axes.annotate(note, (0, 0), xytext=(0.03, 0.16), textcoords="axes fraction")


def _departures(axes: Axes, evidence: xr.Dataset, eligible: xr.DataArray, depths: list[int]) -> None:
    axes.set(xscale="log", yscale="log", xlabel="what its certificate allows")
    axes.set_ylabel("largest departure of an eigenvalue")
    allowed, away = _pairs(evidence)
    for depth in depths:
        mine = eligible.values & (evidence["depth"].values == depth)[:, None]
        colour, marker = _style.depth_colour(depth), _style.depth_marker(depth)
        axes.scatter(allowed[mine], away[mine], s=9, color=colour, marker=marker, alpha=0.6, linewidths=0, zorder=3)
    if not eligible.any():
        _style.say_empty(axes)


def _control(axes: Axes, controls: xr.Dataset) -> None:
    cells = controls.isel(cell=np.flatnonzero(controls["target"].values == FALSE))
    allowed, away = _pairs(cells)
    false = (cells["certified"].transpose("cell", "start").values == 1) & (cells["minimal"].values == 0)
    axes.scatter(allowed[false], away[false], s=20, marker="x", linewidths=0.9, color=_style.CONTROL, zorder=4)
    low, high = axes.get_xlim()
    edge = np.array([low, high])
    bottom, top = axes.get_ylim()
    axes.fill_between(edge, edge, max(top, high), color=_style.REFUTED, linewidth=0, zorder=0)
    axes.plot(edge, edge, color=_style.INK, linewidth=0.8)
    axes.set(xlim=(low, high), ylim=(bottom, max(top, high)))
    _style.decades(axes)


def _pairs(evidence: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Tolerance and largest departure of each run, (cell, start); a departure of nothing is shown as rounding."""
    away = abs(evidence["spectrum"] - evidence["predicted_spectrum"]).max("eigen").transpose("cell", "start").values
    allowed = evidence["spectrum_tolerance"].transpose("cell", "start").values
    return allowed, np.maximum(away, 1e-17)


FIGURE = Figure(
    title="One Hessian spectrum for all minimizers",
    caption=(
        r"(a) All $N = 48$ Hessian eigenvalues at trained minimizers of a Gaussian $4 \times 4$ target at depth 3, by "
        "automatic differentiation (one mark a minimizer and eigenvalue), on the closed form in blocks (line). (b) "
        "Every eligible minimizer: its eigenvalue farthest from the closed form, against what Weyl's inequality "
        "allows at its distance from the minimizers. The line is equality."
    ),
    refuted_by="a mark of a depth on the red ground",
    compose=compose,
)
