"""How F falls along gradient flows to degenerate critical points, and slightly away from them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D

from dmf.figures import _style
from dmf.figures.figure import Figure


def compose(evidence: xr.Dataset, controls: xr.Dataset, labels: Mapping[str, str]) -> Canvas:
    """Two panels, two layers and more: F above its limit against time, with the closed forms and the controls."""
    canvas, axes = _style.blank(3.0, 1, 2)
    far = controls.isel(cell=np.flatnonzero(controls["degenerate"].values == 0))
    time = evidence["time"].values[1:]
    depths: set[int] = set()
    for axis, letter, deep in zip(axes[0], "ab", (False, True), strict=True):
        for half, colour in ((far, _style.CONTROL), (evidence, None)):
            here = half.isel(cell=np.flatnonzero((half["depth"].values > 2) == deep))
            for place in range(here.sizes["cell"]):
                cell = here.isel(cell=place)
                depth = int(cell["depth"])
                kept = np.flatnonzero(cell["certified"].values == 1)
                axis.plot(
                    time,
                    cell["excess"].values[kept, 1:].T,
                    color=colour or _style.depth_colour(depth),
                    linewidth=1,
                    marker="" if colour else _style.depth_marker(depth),
                    markersize=3,
                    alpha=0.8,
                )
                if not colour:
                    depths.add(depth)
                    law = float(cell["predicted_factor"].values[0]) / time ** (3 if deep else 2)
                    axis.plot(time[2:], law[2:], color=_style.INK, linestyle=(0, (1, 2)), linewidth=0.9, zorder=5)
        if not (evidence["certified"].values[(evidence["depth"].values > 2) == deep] == 1).any():
            _style.say_empty(axis, "no certified flow")
        axis.set_xscale("log")
        axis.set_yscale("log")
        axis.set_xlabel("$t$")
        title = r"$\sigma_i = m_{loc}$, $L \geq 3$: $t^{-3}$" if deep else r"$\sigma_i = \lambda$, $L = 2$: $t^{-2}$"
        _style.panel(axis, letter, title)
    axes[0, 0].set_ylabel("$F$ above its limit")
    _style.legend_above(
        canvas,
        [
            *_style.depth_handles(sorted(depths), line=True),
            Line2D([], [], color=_style.INK, linestyle=(0, (1, 2)), label="closed form"),
            Line2D([], [], color=_style.CONTROL, label=r"slightly larger $\sigma_i$"),
        ],
    )
    return canvas


FIGURE = Figure(
    title="Slow points",
    caption=(
        "$F$ above its limit along gradient flows to critical points that are flat beyond their orbit. Dotted: the "
        r"power of time with its factor in closed form, $k / (16\, t^2)$ for two layers with $k$ values at $\lambda$, "
        r"and $t^{-3} / (12 L (L-1)^2 s^{4L-6})$ for more. Green: values slightly larger, where flows fall "
        "exponentially in the end."
    ),
    refuted_by="a marked line that does not come to a dotted one",
    compose=compose,
)
