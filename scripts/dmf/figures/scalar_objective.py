"""Theorem 5: the objective of one singular value below, at and above its threshold (the paper's Fig. 1)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from dmf import theory
from dmf.figures import _curves, _runs, _style
from dmf.figures.figure import Figure

LAM = 1.0  # any: in units of m* the picture depends on the depth alone
STRENGTHS = ((0.9, r"m = 0.9\,m^{\ast}"), (1.0, r"m = m^{\ast}"), (1.1, r"m = 1.1\,m^{\ast}"))
SPAN = (-0.3, 1.35)
MOST_DEPTHS = 5


def compose(evidence: xr.Dataset, controls: xr.Dataset, labels: Mapping[str, str]) -> Canvas:
    """Three panels, a curve a depth; nothing trained."""
    canvas, axes = _style.blank(2.75, 1, 3, sharey=True)
    depths = _style.evenly(_runs.depths_of(evidence), MOST_DEPTHS)
    for axis, letter, (strength, relation) in zip(axes[0], "abc", STRENGTHS, strict=True):
        for depth in depths:
            _curve(axis, depth, strength)
        axis.axhline(0, color=_style.INK, linewidth=0.6, zorder=1)
        axis.set(xlim=SPAN, ylim=(-0.26, 0.46), xlabel=r"$x\,/\,m^{\ast}$")
        _style.panel(axis, letter, f"${relation}$")
    axes[0, 0].set_ylabel(r"$(g(x) - g(0))\,/\,{m^{\ast}}^2$")
    marks = [
        Line2D([], [], linestyle="", marker="o", color=_style.INK, markersize=5, label="global minimum"),
        Line2D(
            [],
            [],
            linestyle="",
            marker="o",
            color=_style.INK,
            markerfacecolor="white",
            markersize=5,
            label="other minimum",
        ),
    ]
    lines = [Line2D([], [], color=_style.depth_colour(depth), label=f"$L = {depth}$") for depth in depths]
    _style.legend_above(canvas, [*lines, *marks])
    return canvas


def _curve(axes: Axes, depth: int, strength: float) -> None:
    unit = float(theory.collapse_threshold(depth, LAM))
    m = strength * unit

    def height(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return (theory.scalar_objective(x, m, depth, LAM) - m**2) / unit**2

    x = _curves.cusp_axis(*SPAN)
    colour = _style.depth_colour(depth)
    axes.plot(x, height(x * unit), color=colour)
    minima, is_global = scalar_minima(m, depth, LAM)
    for place, lowest in zip(minima, is_global, strict=True):
        edge = colour if place else _style.INK  # every depth has a minimum at zero there: one neutral mark
        axes.plot(
            place / unit,
            height(np.array(place)),
            marker="o",
            markersize=5,
            color=edge,
            markerfacecolor=edge if lowest else "white",
            zorder=4,
        )


def scalar_minima(m: float, depth: int, lam: float) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Local minima of g for m > 0, ascending, and which of them are global (both, at m = m*)."""
    root = float(theory.large_root(m, depth, lam))
    if depth == 2:
        return np.array([0.0 if np.isnan(root) else root]), np.array([True])
    if np.isnan(root):
        return np.array([0.0]), np.array([True])
    threshold = float(theory.collapse_threshold(depth, lam))
    return np.array([0.0, root]), np.array([m <= threshold, m >= threshold])


FIGURE = Figure(
    title="One singular value: where its objective is smallest",
    caption=(
        r"$g(x) = (m - x)^2 + \lambda L |x|^{2/L}$ for one singular value $m$, measured from $g(0)$. In units "
        r"of the threshold $m^*(L, \lambda)$ the curves do not depend on $\lambda$. Marks are closed-form "
        r"minima. For $L \geq 3$ zero is a local minimum at every $m$; the other one appears below the "
        r"threshold and is as low as zero exactly at $m = m^*$. For $L = 2$ there is one minimum. $-m$ "
        "mirrors every panel: $g_{-m}(x) = g_m(-x)$."
    ),
    refuted_by="a curve whose lowest point is not its filled mark (nothing here is trained)",
    compose=compose,
)
