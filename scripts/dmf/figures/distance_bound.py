"""Beyond the paper: true distances to the minimizers against the bound from the gradient."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D

from dmf.figures import _runs, _style
from dmf.figures.figure import Figure
from dmf.theory.certificate import SAFETY

KINDS = {"random": ("o", "random step"), "soft": ("D", "step along the softest mode"), "early": ("^", "stopped early")}
COLOURS = dict(zip(KINDS, ("#7a7fb8", "#c8553d", "#3b3b6d"), strict=True))


def compose(evidence: xr.Dataset, controls: xr.Dataset, labels: Mapping[str, str]) -> Canvas:
    """Distance against ||grad F|| / mu where the bound is proved, and where it is not: flat to third order."""
    canvas, axes = _style.blank(3.2, 1, 2, sharey=True)
    _marks(axes[0, 0], evidence, evidence["certified"].values == 1)
    _style.panel(axes[0, 0], "a", "where the bound is proved")
    _marks(axes[0, 1], controls, np.ones_like(controls["certified"].values, dtype=bool), control=True)
    _style.panel(axes[0, 1], "b", r"control: depth 2, $\lambda = \sigma_i$")
    axes[0, 0].set_ylabel("distance to the minimizers")
    handles = [
        Line2D([], [], color=COLOURS[kind], marker=marker, markersize=4.5, linestyle="", label=label)
        for kind, (marker, label) in KINDS.items()
    ]
    _style.legend_above(canvas, handles)
    return canvas


def _marks(axes: Axes, evidence: xr.Dataset, shown: np.ndarray, control: bool = False) -> None:
    axes.set(xscale="log", yscale="log", xlabel=r"$\|\nabla F\|\,/\,\mu$")
    bound = evidence["bound"].transpose("cell", "start").values / SAFETY
    above = evidence["distance"].transpose("cell", "start").values
    below = evidence["distance_below"].transpose("cell", "start").values
    for kind, (marker, _) in KINDS.items():
        mine = shown & (evidence["kind"].values == kind)
        axes.vlines(bound[mine], below[mine], above[mine], color=COLOURS[kind], linewidth=0.7, alpha=0.5)
        colour = COLOURS[kind]
        axes.scatter(bound[mine], above[mine], s=11, marker=marker, color=colour, alpha=0.6, linewidths=0, zorder=3)
    if not shown.any():
        _style.say_empty(axes)
    ends = (1e-15, 1e2)
    _runs.edge(axes, *ends, top=1e3, slope=SAFETY, ground=_style.WINDOW if control else _style.REFUTED)
    axes.plot(ends, ends, color=_style.INK, linewidth=0.8, linestyle=(0, (4, 3)))
    axes.set(xlim=(1e-9 if not control else 1e-15, 1e1), ylim=(1e-10, 3))
    _style.decades(axes)


FIGURE = Figure(
    title="Distances to the minimizers and the bound from the gradient",
    caption=(
        r"(a) Points at most $\mu / C$ from the minimizers: distance to the orbit, found by alternating Procrustes "
        r"steps (mark), down to a lower bound (bar). Full line: $2\,\|\nabla F\|/\mu$, what certificates use; dashed: "
        r"$\|\nabla F\|/\mu$, which steps along the softest mode attain, so $1/\mu$ cannot be improved. (b) Where a "
        r"minimizer has more zero modes than its orbit, $F$ grows quartically along one of them and the bound is "
        "false: such cells are never eligible."
    ),
    refuted_by="a mark on the red ground of (a)",
    compose=compose,
)
