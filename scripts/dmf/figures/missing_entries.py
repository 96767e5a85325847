"""Trained minimizers where entries are missing: an observed entry, and one that is not."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.figure import Figure as Canvas

from dmf.figures import _style
from dmf.figures.figure import Figure


def compose(evidence: xr.Dataset, controls: xr.Dataset, labels: Mapping[str, str]) -> Canvas:
    """The entry in the corner of X, which no loss sees, at every lowest run, a row a cell; connected ones in green."""
    canvas, axes = _style.blank(2.9)
    axis = axes[0, 0]
    names = []
    for place in range(evidence.sizes["cell"]):
        cell = evidence.isel(cell=place)
        minimal = cell["minimal"].values == 1
        connected = int(cell["components"]) == 1
        axis.scatter(
            cell["off_diagonal"].values[minimal],
            np.full(minimal.sum(), place),
            s=22,
            marker="x" if connected else _style.depth_marker(int(cell["depth"])),
            color=_style.CONTROL if connected else _style.depth_colour(int(cell["depth"])),
            linewidths=0.9 if connected else 0,
            alpha=0.7,
            zorder=3,
        )
        found = f"{int(cell['count'])} of at least {int(cell['predicted_count'])}"
        names.append(f"{cell['problem'].item()}, $L = {int(cell['depth'])}$: {found}")
    axis.set_yticks(range(len(names)), names)
    axis.invert_yaxis()
    axis.set_xlabel("$X_{1n}$, not observed")
    axis.axvline(0, color=_style.INK, linewidth=0.7, linestyle=(0, (4, 3)), zorder=1)
    depths = sorted({int(depth) for depth in evidence["depth"].values})
    _style.legend_above(canvas, [*_style.depth_handles(depths), _style.control_handle("one component")])
    return canvas


FIGURE = Figure(
    title="Signs that no observation determines",
    caption=(
        "An entry of $X$ that is not observed, at all trained runs of the lowest value; with each mask, how many "
        "different $X$ they have. Observed entries agree to rounding in every row. Where the graph of observations has "
        "several components both signs occur; where it is connected (green) one value does; with two layers and the "
        "diagonal alone observed, a continuum."
    ),
    refuted_by="a row of several components with marks on one side only, or a green row with two values",
    compose=compose,
)
