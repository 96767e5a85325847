"""Theorem 5: brute force against the formula over 12 decades of lambda, and how the second minimum comes level."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from dmf.evidence.eligibility import is_certified
from dmf.figures import _style
from dmf.figures.figure import Figure
from dmf.theory.certificate import EPS

SHOWN = (3, 4, 6, 10, 40)  # depths of panel (b): there is no second minimum at depth 2
LOWEST = 1e-17  # deviations of exactly zero are drawn here


def compose(evidence: xr.Dataset, controls: xr.Dataset, labels: Mapping[str, str]) -> Canvas:
    """Distances from the formula against lambda, and gaps between minima against the distance from m*."""
    canvas, axes = _style.blank(2.9, 1, 2)
    depths = [depth for depth in SHOWN if depth in evidence["depth"].values]
    _errors(axes[0, 0], evidence)
    _gaps(axes[0, 1], evidence, controls, depths)
    _style.panel(axes[0, 0], "a", f"{int(is_certified(evidence).sum()):,} scalars, depths 2 to 40")
    _style.panel(axes[0, 1], "b", "the second lowest minimum")
    _style.legend_above(canvas, [*_style.depth_handles(depths), _style.control_handle(r"control, $|m| = m^{\ast}$")])
    return canvas


def _errors(axes: Axes, evidence: xr.Dataset) -> None:
    """The largest error of a lambda over depths and scalars, and the smallest tolerance."""
    eligible = is_certified(evidence)
    axes.set(xscale="log", yscale="log", xlabel=r"$\lambda$", ylabel="relative to $m$, $m^2$")
    if not eligible.any():
        _style.say_empty(axes)
        return
    size = abs(evidence["m"])
    drawn = {
        "largest error of $x$": (abs(evidence["farthest"] - evidence["predicted"]) / size, "o", _style.INK),
        "largest error of $g$": (abs(evidence["value"] - evidence["predicted_value"]) / size**2, "s", _style.FAINT),
    }
    for label, (error, marker, colour) in drawn.items():
        worst = error.where(eligible).groupby("lam").max(...)
        look: dict[str, Any] = {"marker": marker, "color": colour, "markersize": 3, "linewidth": 0.6, "label": label}
        axes.plot(worst["lam"], np.maximum(worst, LOWEST), **look)
    tolerance = (evidence["x_tolerance"] / size).where(eligible).groupby("lam").min(...)
    axes.fill_between(tolerance["lam"], tolerance, 1e-12, color=_style.REFUTED, linewidth=0, zorder=0)
    axes.axhline(EPS, color=_style.INK, linewidth=0.7, linestyle=(0, (4, 3)), zorder=1)
    axes.set(ylim=(LOWEST / 2, 1e-13), xlim=(tolerance["lam"].min(), tolerance["lam"].max()))
    axes.legend(loc="lower left", fontsize=8)
    _style.decades(axes, x=7)


def _gaps(axes: Axes, evidence: xr.Dataset, controls: xr.Dataset, depths: list[int]) -> None:
    """Gaps of one lambda by the distance from m*; those at m* itself, where no distance can be drawn, at the left."""
    axes.set(xscale="log", yscale="log", xlabel=r"$|\,|m| - m^{\ast}|\,/\,m^{\ast}$", ylabel="$(g_2 - g_1)\\,/\\,m^2$")
    eligible = is_certified(evidence) & np.isfinite(evidence["gap"])
    relative = (evidence["gap"] / evidence["m"] ** 2).where(eligible)
    distance = abs(evidence["strength"] - 1)
    for depth in depths:
        rows = np.flatnonzero((evidence["depth"] == depth) & (evidence["lam"] == evidence["lam"].max()))
        look: dict[str, Any] = {
            "marker": _style.depth_marker(depth),
            "color": _style.depth_colour(depth),
            "linestyle": "",
        }
        axes.plot(distance[rows], relative[rows].max("start"), markersize=4, **look)
    left = float(distance.where(distance > 0).min()) / 30 if (distance > 0).any() else 1e-10
    at = (controls["gap"] / controls["m"] ** 2).max("start")
    axes.plot(
        np.full(at.size, left), np.maximum(at, LOWEST), linestyle="", marker="x", color=_style.CONTROL, markersize=4
    )
    floor = (evidence["value_tolerance"] / evidence["m"] ** 2).min()
    axes.axhspan(LOWEST / 4, float(floor), color=_style.REFUTED, linewidth=0, zorder=0)
    axes.set(ylim=(LOWEST / 4, 10))
    _style.decades(axes)


FIGURE = Figure(
    title="Brute force finds the formula's minimizer, and one only",
    caption=(
        r"(a) The minimizer and the minimum of $g$ found by brute force against the formula, the largest of all depths "
        r"and scalars at each $\lambda$; dashed: the spacing of floating-point numbers. (b) The lowest minimum's lead "
        r"over the next: it shrinks in proportion to the distance from $m^*$, and is lost in rounding (red) only at "
        r"$m^*$ itself (crosses, at the left edge)."
    ),
    refuted_by="in (a) a mark on the red ground; in (b) a coloured mark on it",
    compose=compose,
)
