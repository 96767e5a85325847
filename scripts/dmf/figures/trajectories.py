"""Runs along their way: objective, norm, singular values and sharpness, by the level where they end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D

from dmf import theory
from dmf.figures import _style
from dmf.figures.figure import Figure

SHOWN = "square"  # the target that two optimizers train
NAMES = {"lbfgs": "L-BFGS", "gd": "gradient descent"}
LOWEST = 1e-15  # of F above the level's value, in units of ||M||_F^2: below, F is rounding


def compose(evidence: xr.Dataset, controls: xr.Dataset, labels: Mapping[str, str]) -> Canvas:
    """A column an optimizer, from the same starts; one run for each level that some run ends on."""
    cells = evidence.isel(cell=np.flatnonzero(evidence["target"].values == SHOWN))
    canvas, axes = _style.blank(7.6, 4, cells.sizes["cell"], sharex="col", sharey="row")
    for column, place in zip(axes.T, range(cells.sizes["cell"]), strict=True):
        cell = cells.isel(cell=place)
        runs = one_of_each_level(cell)
        _objective(column[0], cell, runs)
        _values(column[1], cell, runs)
        _weights(column[2], cell, runs)
        _sharpness(column[3], cell, runs)
        column[0].set_title(NAMES.get(str(cell["optimizer"].item()), str(cell["optimizer"].item())))
        column[-1].set(xlabel="iteration + 1", xscale="log")
    names = [r"$(F - F_k)\,/\,\|M\|_F^2$", r"singular values of $X$", r"$\sum_l \|W_l\|_F^2$", r"$\lambda_{\max}$"]
    for axis, name in zip(axes[:, 0], names, strict=True):
        axis.set_ylabel(name)
    levels = np.unique(cells["kept"].values[cells["certified"].values == 1]).tolist()
    _style.legend_above(canvas, [_handle(k) for k in levels])
    return canvas


def one_of_each_level(cell: xr.Dataset) -> dict[int, int]:
    """The first certified run that ends on each level: k to its place among the starts."""
    kept, certified = cell["kept"].values, cell["certified"].values == 1
    return {int(k): int(np.flatnonzero(certified & (kept == k))[0]) for k in np.unique(kept[certified])}


def _objective(axes: Axes, cell: xr.Dataset, runs: Mapping[int, int]) -> None:
    energy = float((cell["sigma"] ** 2).sum())
    for k, start in runs.items():
        above = np.maximum(cell["objective_above"][start] / energy, LOWEST)
        axes.plot(cell["iteration"][start] + 1, above, color=_style.level_colour(k), linewidth=1)
    axes.set_yscale("log")
    if not runs:
        _style.say_empty(axes)


def _values(axes: Axes, cell: xr.Dataset, runs: Mapping[int, int]) -> None:
    for k, start in runs.items():
        axes.plot(cell["iteration"][start] + 1, cell["singular_values"][start], color=_style.level_colour(k), lw=0.8)
    sigma = cell["sigma"].values
    for height in theory.large_root(sigma[np.isfinite(sigma)], int(cell["depth"]), float(cell["lam"])):
        axes.axhline(height, color=_style.INK, linewidth=0.5, linestyle=(0, (4, 3)), zorder=1)


def _weights(axes: Axes, cell: xr.Dataset, runs: Mapping[int, int]) -> None:
    for k, start in runs.items():
        along, colour = cell["iteration"][start] + 1, _style.level_colour(k)
        axes.plot(along, cell["weight_norm_sq"][start], color=colour, linewidth=1)


def _sharpness(axes: Axes, cell: xr.Dataset, runs: Mapping[int, int]) -> None:
    """Along the way, and a ring at the end with the closed form of the level."""
    for k, start in runs.items():
        along, colour = cell["iteration"][start] + 1, _style.level_colour(k)
        axes.plot(along, cell["sharpness"][start], color=colour, linewidth=1)
        look: dict[str, Any] = {
            "marker": "o",
            "markersize": 5,
            "markerfacecolor": "none",
            "color": colour,
            "linestyle": "",
        }
        axes.plot(along.max(), cell["predicted_sharpness"][start], **look)
    axes.set_yscale("log")


def _handle(k: int) -> Line2D:
    return Line2D([], [], color=_style.level_colour(k), linewidth=1.2, label=f"ends at $k = {k}$")


FIGURE = Figure(
    title="From the start to a level",
    caption=(
        r"Runs of one target at depth 3, $\lambda = 0.15\,\lambda_c$, by two optimizers (columns) from the same "
        "starts; one run for each level that some run ends on. From above: objective above the exact value of that "
        r"level, drawn down to $10^{-15}$; singular values of $X$, with the closed forms of the kept ones (dashed); "
        "norm of all layers; largest Hessian eigenvalue, with the closed form at the level (rings). Gradient descent "
        "takes the singular values up one after another and stops where the next cannot grow. All levels but zero are "
        "equally sharp here: sharpness does not tell spurious minima from global ones."
    ),
    refuted_by="a run that does not come down to its level's value, or a last line that ends outside of its ring",
    compose=compose,
)
