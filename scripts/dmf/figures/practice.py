"""Singular values that torch's optimizers leave a linear network with, beside those of the predicted minimizer."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from dmf.figures import _style
from dmf.figures.figure import Figure

MARKERS = "osD^vP"
COLOURS = ("#c8553d", "#8a4fbe", "#3b3b6d", "#e0a030", "#7a7fb8", "#3b3b3b")


def compose(evidence: xr.Dataset, controls: xr.Dataset, labels: Mapping[str, str]) -> Canvas:
    """A panel a lambda: singular values by rank, methods side by side, predicted ones as bars."""
    lams = list(dict.fromkeys(evidence["lam_label"].values.tolist()))
    methods = list(dict.fromkeys(evidence["method"].values.tolist()))
    canvas, axes = _style.blank(3.4, 1, len(lams), sharey=True)
    looks = dict(zip(methods, zip(MARKERS, COLOURS, strict=True), strict=False))
    for axis, letter, lam in zip(axes[0], "abcdef", lams, strict=False):
        here = evidence.isel(cell=np.flatnonzero(evidence["lam_label"].values == lam))
        false = controls.isel(cell=np.flatnonzero(controls["lam_label"].values == lam))
        _panel(axis, here, false, looks)
        _style.panel(axis, letter, rf"$\lambda = {lam.removesuffix('c')}\,\lambda_c$")
    axes[0, 0].set_ylabel("singular values")
    marks = [
        Line2D([], [], linestyle="", marker=marker, color=colour, markersize=4.5, label=name)
        for name, (marker, colour) in looks.items()
    ]
    predicted = Line2D([], [], color=_style.INK, label="$X^*$")
    plain = Line2D([], [], color=_style.FAINT, label=r"$Y X^\top\! / n$")
    _style.legend_above(canvas, [*marks, predicted, plain, _style.control_handle("control, SGD without decay")])
    return canvas


def _panel(axes: Axes, cells: xr.Dataset, control: xr.Dataset, looks: Mapping[str, tuple[str, str]]) -> None:
    rank = np.arange(1, cells.sizes["singular"] + 1)
    axes.hlines(cells["sigma"], rank - 0.45, rank + 0.45, color=_style.FAINT, linewidth=0.9)
    axes.hlines(cells["predicted"].values[0], rank - 0.45, rank + 0.45, color=_style.INK, linewidth=1.1)
    shifts = np.linspace(-0.3, 0.3, len(looks) + 1)
    for shift, (name, (marker, colour)) in zip(shifts, looks.items(), strict=False):
        values = cells["singular_values"].values[cells["method"].values.tolist().index(name)]
        _marks(axes, rank + shift, values, marker, colour)
    for values in control["singular_values"].values:
        _marks(axes, rank + shifts[-1], values, "x", _style.CONTROL)
    axes.set(xlabel="$i$", xticks=rank[::2])


def _marks(axes: Axes, place: NDArray[np.float64], values: NDArray[np.float64], marker: str, colour: str) -> None:
    for run in values:
        axes.plot(place, run, linestyle="", marker=marker, markersize=2.6, color=colour, alpha=0.7, zorder=3)


FIGURE = Figure(
    title="Weight decay as practice does it: an experiment",
    caption=(
        "Singular values of $W = W_3 W_2 W_1$ after 60 epochs of mini-batches of 128 whitened digits, four starts "
        r"a method, each with weight_decay $= 2\lambda$: those of the predicted minimizer $X^*$ of the mean loss "
        r"as bars, those of $Y X^\top / n$ faint. SGD and Adam, whose decay is part of the gradient, come to "
        r"minima of $F$. AdamW decays by $\lambda$ times the root of its second moment, a far weaker pull, and "
        "keeps nearly everything."
    ),
    refuted_by="nothing: no run here has a certificate, and no theorem covers mini-batches",
    compose=compose,
    experiment=True,
)
