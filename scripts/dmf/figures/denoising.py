"""Loss of several shrinkages at one spike in noise: measured, and the asymptotic curves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D

from dmf.figures import _style
from dmf.figures.figure import Figure

OTHERS = {"best shrinkage": (_style.INK, (0, (4, 2))), "hard threshold": (_style.FAINT, (0, (1, 1.5)))}
CONTROL_METHOD = "depth 3"


def compose(evidence: xr.Dataset, controls: xr.Dataset, labels: Mapping[str, str]) -> Canvas:
    """A panel a shape: a curve and marks with two standard errors for each shrinkage; unequal noise in the first."""
    shapes = list(dict.fromkeys(map(str, evidence["shape"].values)))
    canvas, axes = _style.blank(3.4, 1, len(shapes))
    for axis, letter, shape in zip(axes[0], "abcdefg", shapes, strict=False):
        cells = evidence.isel(cell=np.flatnonzero(evidence["shape"].values == shape))
        for place in range(cells.sizes["cell"]):
            cell = cells.isel(cell=place)
            colour, line = _look(cell)
            axis.plot(cell["curve_spike"], cell["curve"], color=colour, linestyle=line, linewidth=1.2)
            _points(axis, cell, colour, "o")
        other = (controls["shape"].values == shape) & (controls["method"].values == CONTROL_METHOD)
        for number in np.flatnonzero(other):
            _points(axis, controls.isel(cell=int(number)), _style.CONTROL, "x")
        top = float(cells["curve"].max())
        axis.set_ylim(0, 1.08 * top)
        axis.set_xlabel(r"spike $\theta$ in units of $s\sqrt{n}$")
        rows, columns = shape.split("x")
        _style.panel(axis, letter, rf"${rows} \times {columns}$")
    axes[0, 0].set_ylabel(r"$\|X - M\|_F^2$ in units of $n s^2$")
    depths = sorted({int(depth) for depth in evidence["depth"].values} - {0})
    handles = [Line2D([], [], color=_style.depth_colour(depth), label=f"$L = {depth}$") for depth in depths]
    handles += [Line2D([], [], color=colour, linestyle=line, label=name) for name, (colour, line) in OTHERS.items()]
    _style.legend_above(canvas, [*handles, _style.control_handle("unequal noise, $L = 3$")])
    return canvas


def _look(cell: xr.Dataset) -> tuple[str, Any]:
    depth = int(cell["depth"])
    return (_style.depth_colour(depth), "-") if depth else OTHERS[str(cell["method"].item())]


def _points(axis: Axes, cell: xr.Dataset, colour: str, marker: str) -> None:
    """Means with two standard errors."""
    axis.errorbar(
        cell["spike"].values,
        cell["loss"].values,
        yerr=2 * cell["standard_error"].values,
        color=colour,
        marker=marker,
        markersize=3.2,
        linestyle="",
        elinewidth=0.7,
        zorder=3,
    )


FIGURE = Figure(
    title="What weight decay loses to noise",
    caption=(
        "Loss at one spike in noise, by its size. Lines are asymptotic risks, marks means of 24 matrices with two "
        r"standard errors. All depths have $m^*$ at one edge of the noise, which 1 % of matrices of noise pass. Depth "
        "3 and 4 stay near the best shrinkage, and their worst spikes cost little more than its worst; depth 2 shrinks "
        "large spikes by as much as small ones. Green: noise that differs between rows, for which no curve holds."
    ),
    refuted_by="marks of depth 3 or 4 that stay above those of the hard threshold at its worst spike",
    compose=compose,
    experiment=True,
)
