"""Networks trained on whitened digits against the closed forms for Y X^T, and what correlated inputs do to them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D

from dmf import theory
from dmf.figures import _style
from dmf.figures.figure import Figure

DIGITS = "digits-white"
FLOOR = 1e-16  # of an axis: an exact zero is drawn here


def compose(evidence: xr.Dataset, controls: xr.Dataset, labels: Mapping[str, str]) -> Canvas:
    """Singular values of the trained map over lambda, and its distance from the prediction over conditioning."""
    canvas, axes = _style.blank(3.2, 1, 2)
    _digits(axes[0, 0], evidence.isel(cell=np.flatnonzero(evidence["target"].values == DIGITS)))
    _style.panel(axes[0, 0], "a", "whitened digits")
    _distances(axes[0, 1], evidence, controls)
    _style.panel(axes[0, 1], "b", "white and correlated inputs")
    return canvas


def _digits(axes: Axes, cells: xr.Dataset) -> None:
    """Trained singular values on those of the minimizer; runs in other minima as crosses."""
    axes.set(xlabel=_style.LAMBDA_RATIO, ylabel=r"singular values of $W$, in units of $\sigma_1$", xlim=(0, 1.05))
    sigma = cells["sigma"].values[0]
    sigma, depth = sigma[np.isfinite(sigma)], int(cells["depth"].values[0])
    ratio = np.linspace(0.01, 1.05, 400)
    lam = ratio * float(theory.critical_lambda(sigma[0], depth))
    for value in sigma:
        x = theory.scalar_minimizer(value, depth, lam)
        axes.plot(ratio, np.where(x > 0, x, np.nan) / sigma[0], color=_style.depth_colour(depth), linewidth=0.9)
    for cell in range(cells.sizes["cell"]):
        here = cells.isel(cell=cell)
        certified, minimal = (here[name].values == 1 for name in ("certified", "minimal"))
        for chosen, marker in ((certified & minimal, "o"), (certified & ~minimal, "x")):
            values = here["singular_values"].values[chosen] / sigma[0]
            place = np.full(values.shape, float(here["relative"]))
            axes.plot(place.ravel(), values.ravel(), linestyle="", marker=marker, markersize=3.5, color=_style.INK)
    axes.legend(
        handles=[
            Line2D([], [], color=_style.depth_colour(depth), label=r"$x^*(\sigma_i)$"),
            Line2D([], [], linestyle="", marker="o", markersize=3.5, color=_style.INK, label="trained, minimum"),
            Line2D([], [], linestyle="", marker="x", markersize=3.5, color=_style.INK, label="other minima"),
        ]
    )


def _distances(axes: Axes, evidence: xr.Dataset, controls: xr.Dataset) -> None:
    """||W - X*|| of each data set's nearest certified run, with its tolerance where inputs are white."""
    axes.set(
        xscale="log", yscale="log", xlabel=r"condition number of $X X^\top$", ylabel=r"$\|W - X^*\|_F\,/\,\|X^*\|_F$"
    )
    for cells, colour, marker in ((evidence, None, "o"), (controls, _style.CONTROL, "x")):
        certified = cells.isel(cell=np.flatnonzero((cells["deficiency"] == 0) & (cells["certified"] == 1).any("start")))
        nearest = certified["distance"].where(certified["certified"] == 1).min("start") / certified["predicted_norm"]
        for depth in np.unique(certified["depth"].values):
            here = certified["depth"].values == depth
            axes.plot(
                certified["condition"].values[here],
                np.maximum(nearest.values[here], FLOOR),
                linestyle="",
                marker=marker if colour else _style.depth_marker(int(depth)),
                markersize=4,
                color=colour or _style.depth_colour(int(depth)),
                label=None if colour else f"$L = {depth}$",
            )
    _style.decades(axes)
    axes.legend(handles=[*axes.get_legend_handles_labels()[0], _style.control_handle("control, declared white")])


FIGURE = Figure(
    title="Training on white inputs is factorizing, and only there",
    caption=(
        r"(a) A network of three layers trained with weight decay on whitened digits, 300 samples of 16 principal "
        r"components, to ten classes: singular values of $W = W_3 W_2 W_1$ at the end of every certified run, on the "
        r"closed form for $M = Y X^\top$, which no run saw. (b) Distance of the nearest trained $W$ from "
        r"$X^*(Y X^\top)$ over the condition number of $X X^\top$, for one $Y X^\top$ and for digits: rounding for "
        "white inputs, of the size of $X^*$ and more for correlated ones."
    ),
    refuted_by="a dot off the lines in (a); a mark at condition number 1 above the rounding level in (b)",
    compose=compose,
)
