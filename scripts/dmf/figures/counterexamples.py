"""Numbers that theorems promise, where their hypotheses hold and where they do not."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from dmf.figures import _style
from dmf.figures.figure import Figure

# What is drawn of each case, and against what.
AXES = {
    "biases": ("$w_1^2 / w_2^2$", "share of the bias"),
    "AdamW": ("$X$", r"$\lambda$"),
    "dropout, 1 neurons": ("$X$, one neuron", "$c$, odds of dropping"),
    "dropout, 4 neurons": ("$X$, four neurons", "$c$, odds of dropping"),
    "no penalty": (r"$\|W - W'\|$", "size of the start"),
    "correlated noise": (r"$\sigma_1$ / edge", "correlation of rows"),
}
BROKEN = "#b3402a"


def compose(evidence: xr.Dataset, controls: xr.Dataset, labels: Mapping[str, str]) -> Canvas:
    """A panel a case: what was computed with and without the violation, the promise and the other closed form."""
    cells = evidence.sizes["cell"]
    canvas, axes = _style.blank(2.2 * -(-cells // 3), -(-cells // 3), 3)
    for axis, letter, place in zip(axes.ravel(), "abcdefgh", range(cells), strict=False):
        cell = evidence.isel(cell=place)
        name = str(cell["problem"].item())
        same = np.flatnonzero(controls["problem"].values == name)
        holds = [controls.isel(cell=int(number)) for number in same]
        strength = cell["strength"].values
        axis.plot(strength, cell["promised"], color=_style.INK, linestyle=(0, (1, 2)), zorder=1)
        axis.plot(strength, cell["exact"], color=BROKEN, linewidth=0.9, zorder=1)
        for half, colour, marker in (*((one, _style.CONTROL, "o") for one in holds), (cell, BROKEN, "D")):
            fine = half["certified"].values == 1
            axis.errorbar(
                strength[fine],
                half["found"].values[fine],
                yerr=half["tolerance"].values[fine],
                color=colour,
                marker=marker,
                markersize=4,
                markerfacecolor="none",
                linestyle="",
                elinewidth=0.8,
            )
        if not (cell["certified"].values == 1).any():
            _style.say_empty(axis, "no certified case")
        value, along = AXES.get(name, ("value", "strength"))
        axis.set_xlabel(along)
        axis.set_ylabel(value)
        axis.set_ylim(bottom=min(0.0, axis.get_ylim()[0]))
        for ticks in (axis.xaxis, axis.yaxis):
            ticks.set_major_locator(MaxNLocator(4))  # else their number, and the labels' width, changes with the layout
        _style.panel(axis, letter, name.replace("1 neurons", "1 neuron"))
    for axis in axes.ravel()[cells:]:
        axis.set_axis_off()
    _style.legend_above(
        canvas,
        [
            Line2D([], [], color=_style.INK, linestyle=(0, (1, 2)), label="promised"),
            Line2D([], [], color=_style.CONTROL, marker="o", markerfacecolor="none", linestyle="", label="holds"),
            Line2D([], [], color=BROKEN, label="closed form instead"),
            Line2D([], [], color=BROKEN, marker="D", markerfacecolor="none", markersize=4, linestyle="", label="fails"),
        ],
    )
    return canvas


FIGURE = Figure(
    title="Where statements stop",
    caption=(
        "One number of a theorem (dotted) in small problems that meet its hypothesis (circles) and that violate it "
        "(diamonds, with the closed form that takes its place). (a) Corollary 13 without the bias. (b) AdamW's rest, "
        "against Adam with the decay in its gradient. (c, d) Dropout makes $X^*$ depend on the width. (e) Inputs of "
        "rank 1: two flows agree on what the data lack only with a penalty. (f) The largest singular value of "
        r"$100 \times 400$ noise over the edge of white noise, with five standard deviations."
    ),
    refuted_by="a diamond on the dotted line, or off its own",
    compose=compose,
)
