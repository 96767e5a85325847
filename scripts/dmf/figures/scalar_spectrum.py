"""Theorem 6 and Remark 7: Hessian eigenvalues at trained minimizers against lambda, and their limit as it vanishes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D

from dmf import theory
from dmf.evidence.eligibility import is_minimal
from dmf.figures import _style
from dmf.figures.figure import Figure

SHOWN = 4  # the depth of panel (a)


def compose(evidence: xr.Dataset, controls: xr.Dataset, labels: Mapping[str, str]) -> Canvas:
    """All eigenvalues of one depth, and the distance of the largest from its limit at every depth."""
    canvas, axes = _style.blank(2.9, 1, 2)
    depths = [int(depth) for depth in np.unique(evidence["depth"].values)]
    shown = SHOWN if SHOWN in depths else depths[-1]
    _eigenvalues(axes[0, 0], _cells(evidence, shown), _cells(controls, shown), shown)
    _limit(axes[0, 1], evidence, depths)
    _style.panel(axes[0, 0], "a", f"all {shown} eigenvalues, $L = {shown}$")
    _style.panel(axes[0, 1], "b", r"largest eigenvalue as $\lambda \to 0$")
    lines = [Line2D([], [], color=_style.INK, linewidth=0.9, label="closed form")]
    control = _style.control_handle(r"control, $m = m^{\ast}$")
    _style.legend_above(canvas, [*_style.depth_handles(depths), *lines, control])
    return canvas


def _cells(evidence: xr.Dataset, depth: int) -> xr.Dataset:
    return evidence.isel(cell=np.flatnonzero(evidence["depth"].values == depth))


def _eigenvalues(axes: Axes, cells: xr.Dataset, controls: xr.Dataset, depth: int) -> None:
    """Every eigenvalue of every minimizer, in units of |m|^(2 - 2/L), and the closed form between."""
    axes.set(xscale="log", yscale="log", xlabel=_style.LAMBDA_RATIO.replace(r"\sigma_1", "|m|"))
    axes.set_ylabel(r"eigenvalue$\,/\,|m|^{2-2/L}$")
    look: dict[str, Any] = {"s": 11, "linewidths": 0, "rasterized": True, "zorder": 3}
    _scatter(
        axes, cells, is_minimal(cells), color=_style.depth_colour(depth), marker=_style.depth_marker(depth), **look
    )
    pair = controls.isel(cell=np.flatnonzero(controls["kind"].values == "pair"))
    _scatter(axes, pair, is_minimal(pair), color=_style.CONTROL, marker="x", s=18, linewidths=0.9, zorder=4)
    unit = float(theory.critical_lambda(1.0, depth))
    low, high = float(cells["relative"].min()), float(cells["relative"].max())
    for start, end in ((low, 1 - 1e-9), (1 + 1e-9, max(high, 1.1))):
        relative = np.geomspace(start, end, 80)
        spectra = np.stack([theory.scalar_hessian_spectrum(1.0, depth, ratio * unit) for ratio in relative])
        for curve in np.unique(spectra.round(12), axis=1).T:
            axes.plot(relative, curve, color=_style.INK, linewidth=0.9, zorder=2)
    axes.axvline(1, color=_style.INK, linewidth=0.7, linestyle=(0, (4, 3)), zorder=1)
    _style.decades(axes, x=7)


def _scatter(axes: Axes, cells: xr.Dataset, keep: xr.DataArray, **look: Any) -> None:
    unit = abs(cells["m"]) ** (2 - 2 / cells["depth"])
    place, value, kept = xr.broadcast(cells["relative"], cells["spectrum"] / unit, keep)
    shown = kept.values & np.isfinite(value.values)
    axes.scatter(place.values[shown], value.values[shown], **look)


def _limit(axes: Axes, evidence: xr.Dataset, depths: list[int]) -> None:
    """Limit minus largest eigenvalue against lambda, with the first two terms of its expansion."""
    axes.set(xscale="log", yscale="log", xlabel=r"$\lambda\,/\,|m|^{2-2/L}$")
    axes.set_ylabel(r"$(2L|m|^{2-2/L} - \lambda_{\max})\,/\,|m|^{2-2/L}$")
    small = evidence.isel(cell=np.flatnonzero(evidence["relative"].values < 0.5))
    below = ((small["limit"] - small["largest"]) * small["reduced"] / small["lam"]).where(is_minimal(small))
    if not np.isfinite(below).any():
        _style.say_empty(axes)
        return
    for depth in depths:
        rows = np.flatnonzero(small["depth"].values == depth)
        place = np.repeat(small["reduced"].values[rows], small.sizes["start"])
        colour = _style.depth_colour(depth)
        marks = below.values[rows].ravel()
        look: dict[str, Any] = {"s": 9, "linewidths": 0, "rasterized": True, "zorder": 3}
        axes.scatter(place, marks, color=colour, marker=_style.depth_marker(depth), **look)
        line = np.geomspace(place.min(), place.max(), 50)
        second = 2 * (depth - 1) * (depth - 2) / depth
        axes.plot(line, (6 * depth - 8) * line + second * line**2, color=colour, linewidth=0.9, zorder=2)
    _style.decades(axes)


FIGURE = Figure(
    title="One Hessian spectrum for all minimizers of a scalar problem",
    caption=(
        r"(a) All Hessian eigenvalues at trained minimizers with every pattern of signs (marks, which coincide) and "
        r"the closed form, in units of $|m|^{2-2/L}$. At $m = m^*$ (crosses) there are two spectra. (b) The largest "
        r"eigenvalue's distance from its limit $2L|m|^{2-2/L}$, and $(6L-8)\lambda + \frac{2(L-1)(L-2)}{L}\lambda^2$ "
        r"(lines, for $|m| = 1$)."
    ),
    refuted_by="a mark off its line",
    compose=compose,
)
