"""Shares of levels from Gaussian starts, for several lambda, against the one number that they seem to depend on."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D

from dmf.evidence.wilson import wilson
from dmf.figures import _style
from dmf.figures.figure import Figure

MARKERS = "osD^v"


def compose(evidence: xr.Dataset, controls: xr.Dataset, labels: Mapping[str, str]) -> Canvas:
    """A panel a depth: the share of runs that keep k values, with intervals, a marker a lambda."""
    depths = sorted({int(depth) for depth in evidence["depth"].values})
    levels = range(int(evidence["kept"].max()) + 1)
    canvas, axes = _style.blank(3.0, 1, len(depths))
    for axis, letter, depth in zip(axes[0], "abcdefg", depths, strict=False):
        cells = evidence.isel(cell=np.flatnonzero(evidence["depth"].values == depth))
        lams = sorted({float(lam) for lam in cells["lam"].values})
        for marker, lam in zip(MARKERS, lams, strict=False):
            here = cells.isel(cell=np.flatnonzero(cells["lam"].values == lam))
            certified = here["certified"].values == 1
            for k in levels:
                count = ((here["kept"].values == k) & certified).sum(axis=1)
                of = np.maximum(certified.sum(axis=1), 1)
                share, ends = count / of, np.array(wilson(count, of))
                unit, colour = here["unit"].values, _style.level_colour(k)
                axis.vlines(unit, ends[0], ends[1], color=colour, linewidth=0.6)
                axis.plot(unit, share, color=colour, marker=marker, markersize=4, linewidth=0.7)
        axis.set_xlabel(r"$c = \tau\,(\sigma_1 / \lambda)^{1/(L-2)}$")
        axis.set_ylim(-0.03, 1.03)
        axis.set_yticks([0, 0.5, 1])
        _style.panel(axis, letter, rf"$L = {depth}$, $\lambda$ from {lams[0]:g} to {lams[-1]:g}")
    axes[0, 0].set_ylabel("share of runs")
    handles = [Line2D([], [], color=_style.level_colour(k), label=f"keep {k}") for k in levels]
    _style.legend_above(canvas, handles)
    return canvas


FIGURE = Figure(
    title="Where Gaussian starts end",
    caption=(
        "Share of runs of gradient descent that keep none, one or both singular values, against the size of their "
        r"starts in units of $(\lambda / \sigma_1)^{1/(L-2)}$, $\tau$ the standard deviation of entries, with 95 % "
        r"intervals. Markers are three $\lambda$: curves of one colour nearly coincide."
    ),
    refuted_by=r"curves of one colour that stay apart as $\lambda$ falls",
    compose=compose,
    experiment=True,
)
