"""Beyond the paper: all Hessian eigenvalues at trained minimizers, on the closed form."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D

from dmf.evidence.eligibility import is_eligible
from dmf.figures import _runs, _style
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
    spurious = controls.isel(cell=np.flatnonzero(controls["target"].values == FALSE))
    false = (spurious["certified"].transpose("cell", "start").values == 1) & (spurious["minimal"].values == 0)
    runs, control = _departures(evidence, eligible.values), _departures(spurious, false)
    _runs.against_tolerance(axes[0, 1], runs, control, "largest departure of an eigenvalue")
    _style.panel(axes[0, 1], "b", f"{int(eligible.sum()):,} minimizers, {int(eligible.any('start').sum())} cells")
    line = Line2D([], [], color=_style.INK, linewidth=0.9, label="closed form")
    declared = _style.control_handle("control: spurious minima declared minimizers")
    _style.legend_above(canvas, [line, *_style.depth_handles(depths), declared])
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


def _departures(evidence: xr.Dataset, shown: np.ndarray) -> pd.DataFrame:
    """A row a run of `shown` (cell, start): its eigenvalue farthest from the closed form, and what Weyl allows."""
    away = abs(evidence["spectrum"] - evidence["predicted_spectrum"]).max("eigen").transpose("cell", "start").values
    allowed = evidence["spectrum_tolerance"].transpose("cell", "start").values
    depth = np.broadcast_to(evidence["depth"].values[:, None], shown.shape)
    return pd.DataFrame({"depth": depth[shown], "deviation": away[shown], "tolerance": allowed[shown]})


FIGURE = Figure(
    title="One Hessian spectrum for all minimizers",
    caption=(
        r"(a) All $N = 48$ Hessian eigenvalues at trained minimizers of a Gaussian $4 \times 4$ target at depth 3, by "
        "complex steps (one mark a minimizer and eigenvalue), on the closed form in blocks (line). (b) "
        "Every eligible minimizer: its eigenvalue farthest from the closed form, against what Weyl's inequality "
        "allows at its distance from the minimizers. The line is equality."
    ),
    refuted_by="a mark of a depth on the red ground",
    compose=compose,
)
