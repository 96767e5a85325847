"""How gradient flows forget their imbalance: three losses, and what other methods do."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D

from dmf.figures import _style
from dmf.figures.figure import Figure


def compose(evidence: xr.Dataset, controls: xr.Dataset, labels: Mapping[str, str]) -> Canvas:
    """A panel a loss; imbalance in units of the start's, with the law and the controls of the same loss."""
    problems = list(dict.fromkeys(map(str, evidence["problem"].values)))
    canvas, axes = _style.blank(2.7, 1, len(problems))
    depths = sorted({int(depth) for depth in evidence["depth"].values})
    for axis, letter, problem in zip(axes[0], "abcdefg", problems, strict=False):
        shown = [
            (half, cell) for half in (evidence, controls) for cell in np.flatnonzero(half["problem"].values == problem)
        ]
        for half, cell in shown:
            here = half.isel(cell=cell)
            colour = _style.CONTROL if half is controls else _style.depth_colour(int(here["depth"]))
            kept = np.flatnonzero(here["certified"].values == 1)
            relative = here["imbalance"].values[kept] / here["imbalance"].values[kept, :1]
            axis.plot(here["time"].values, relative.T, color=colour, linewidth=0.8, alpha=0.7)
        time, lam = evidence["time"].values, float(evidence["lam"].values[0])
        axis.plot(time, np.exp(-4 * lam * time), color=_style.INK, linestyle=(0, (1, 2)), zorder=5)
        axis.set_yscale("log")
        axis.set_xlabel("$t$")
        _style.panel(axis, letter, problem)
    axes[0, 0].set_ylabel("imbalance / that at the start")
    law = Line2D([], [], color=_style.INK, linestyle=(0, (1, 2)), label=r"$e^{-4\lambda t}$")
    other = Line2D([], [], color=_style.CONTROL, label="other steps")
    flows = [Line2D([], [], color=_style.depth_colour(depth), label=f"$L = {depth}$") for depth in depths]
    _style.legend_above(canvas, [*flows, law, other])
    return canvas


FIGURE = Figure(
    title="Gradient flow forgets its imbalance",
    caption=(
        r"The largest $\|W_{l+1}^\top W_{l+1} - W_l W_l^\top\|_F$ along gradient flows from random starts, over its "
        r"value at the start, for three losses; every flow lies on the dotted law $e^{-4\lambda t}$. Green: "
        "gradient descent (first panel) and steps along the signs of the gradient (last), which do not."
    ),
    refuted_by="a coloured line off the dotted one",
    compose=compose,
)
