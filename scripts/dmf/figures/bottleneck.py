"""Extension: the second exceptional set of a bottleneck, met from both sides by trained runs, and on it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from numpy.typing import NDArray

from dmf.figures import _style
from dmf.figures.figure import Figure

LINEAR = 3e-6  # half-width around a gap of zero where the axis is linear


def compose(evidence: xr.Dataset, controls: xr.Dataset, labels: Mapping[str, str]) -> Canvas:
    """Which direction is kept on either side of the cut, and layer norms and values on it."""
    canvas, axes = _style.blank(2.9, 1, 2)
    family = evidence.isel(cell=evidence["target"].isin(["across the cut", "on the cut"]).values)
    depths = [int(depth) for depth in np.unique(family["depth"])]
    _kept(axes[0, 0], family)
    _on_the_cut(axes[0, 1], family.isel(cell=(family["gap"] == 0).values))
    _style.panel(axes[0, 0], "a", r"across $\sigma_2 = \sigma_3$, width 2")
    _style.panel(axes[0, 1], "b", r"on $\sigma_2 = \sigma_3$")
    _style.legend_above(canvas, _style.depth_handles(depths))
    return canvas


def _lowest(cell: xr.Dataset) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = cell["lowest"].values == 1
    return found


def _kept(axes: Axes, family: xr.Dataset) -> None:
    """The share of the second axis in every lowest run against half the gap between the second value and the third."""
    axes.set_xscale("symlog", linthresh=LINEAR, linscale=0.7)
    axes.set(xlabel=r"$(\sigma_2 - \sigma_3)\,/\,2$", ylabel="share of $u_2 v_2^\\top$ in what is kept")
    axes.set_xticks([-1e-1, -1e-3, -1e-5, 0, 1e-5, 1e-3, 1e-1])
    axes.plot([-0.2, 0, 0, 0.2], [0, 0, 1, 1], color=_style.INK, linewidth=0.7, zorder=1)
    axes.axvspan(-0.2, -1e-5, 0.2, 1, color=_style.REFUTED, linewidth=0, zorder=0)
    axes.axvspan(1e-5, 0.2, 0, 0.8, color=_style.REFUTED, linewidth=0, zorder=0)
    axes.set(xlim=(-0.2, 0.2), ylim=(-0.08, 1.08))
    if not (family["lowest"] == 1).any():
        _style.say_empty(axes)
    for number in range(family.sizes["cell"]):
        cell = family.isel(cell=number)
        turn = cell["turn"].values[_lowest(cell)]
        _marks(axes, cell, np.full(turn.size, float(cell["gap"])), turn)


def _on_the_cut(axes: Axes, cells: xr.Dataset) -> None:
    """How far layer norms (filled) and F (hollow) of the lowest runs are from one number, against what they keep."""
    axes.set(yscale="log", xlabel="share of $u_2 v_2^\\top$ in what is kept", xlim=(-0.03, 1.03))
    axes.set(ylabel=r"departure $/$ tolerance", ylim=(1e-6, 10))
    axes.axhspan(1, 10, color=_style.REFUTED, linewidth=0, zorder=0)
    if not (cells["lowest"] == 1).any():
        _style.say_empty(axes)
    for number in range(cells.sizes["cell"]):
        cell = cells.isel(cell=number)
        here = _lowest(cell)
        for field, unit, hollow in (("norm_gap", "norm_tolerance", False), ("value_gap", "value_tolerance", True)):
            ratio = np.abs(cell[field].values / cell[unit].values)[here]
            _marks(axes, cell, cell["turn"].values[here], np.maximum(ratio, 2e-6), hollow)


def _marks(axes: Axes, cell: xr.Dataset, x: NDArray[np.float64], y: NDArray[np.float64], hollow: bool = False) -> None:
    colour = _style.depth_colour(int(cell["depth"]))
    marker = _style.depth_marker(int(cell["depth"]))
    face = "white" if hollow else colour
    axes.scatter(x, y, s=13, color=face, edgecolors=colour, marker=marker, linewidths=0.7, rasterized=True, zorder=3)


FIGURE = Figure(
    title="A bottleneck has a second exceptional set",
    caption=(
        "Targets with singular values $2$, $1 + t$ and $1 - t$ along fixed directions, through a hidden width of 2. "
        r"(a) The lowest runs keep the larger of the two, to $t = \pm 10^{-5}$; at $t = 0$ they keep any mixture. (b) "
        "There the layers' squared norms (filled) and $F$ (hollow) are the same number in all of them, within "
        "tolerance: at $m^*$, the first exceptional set, layer norms differ."
    ),
    refuted_by="a mark on the red ground; runs at zero in (a) that agree",
    compose=compose,
)
