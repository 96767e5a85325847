"""Global minimizers of other models: parameters far apart, fits that agree to rounding."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D

from dmf.figures import _style
from dmf.figures.figure import Figure

KINDS = {"linear": "o", "convolution": "D", "relu": "^", "softmax": "s"}
KIND_OF = {"circular": "convolution", "valid": "convolution"}
LEAST = 1e-17  # a distance of zero is drawn here


def compose(evidence: xr.Dataset, controls: xr.Dataset, labels: Mapping[str, str]) -> Canvas:
    """Distance of fits, and of layer norms, against the distance of parameters; a mark is a run."""
    canvas, axes = _style.blank(3.2, 1, 2)
    on_set = controls.isel(cell=np.flatnonzero(controls["problem"].values == "exceptional"))
    for axis, letter, field, text in (
        (axes[0, 0], "a", "fit", "distance of fits"),
        (axes[0, 1], "b", "norm", r"difference of $\|W_l\|_F^2$"),
    ):
        drawn = False
        for half, control in ((evidence, False), (on_set, True)):
            for place in range(half.sizes["cell"]):
                cell = half.isel(cell=place)
                first = str(cell["problem"].item()).replace(",", " ").split()[0]
                kind = KIND_OF.get(first, first)
                minimal = (cell["minimal"].values == 1) & (cell["apart"].values > 0)
                drawn = drawn or bool(minimal.any())
                axis.scatter(
                    cell["apart"].values[minimal],
                    np.maximum(cell[f"{field}_gap"].values[minimal], LEAST),
                    s=14,
                    marker="x" if control else KINDS.get(kind, KINDS["linear"]),
                    color=_style.CONTROL if control else _style.depth_colour(int(cell["depth"])),
                    linewidths=0.9 if control else 0,
                    alpha=0.8,
                    zorder=3,
                )
        axis.set_xlabel("distance of parameters")
        _style.panel(axis, letter, text)
        if drawn:
            axis.set_yscale("log")
        else:
            _style.say_empty(axis)
    names = {"linear": "linear, any inputs", "convolution": "convolution", "relu": "ReLU", "softmax": "cross-entropy"}
    handles = [
        Line2D([], [], color=_style.INK, marker=KINDS[kind], markersize=4.5, linestyle="", label=text)
        for kind, text in names.items()
    ]
    colours = [Line2D([], [], color=_style.depth_colour(depth), label=f"$L = {depth}$") for depth in (2, 3)]
    _style.legend_above(canvas, [*handles, *colours, _style.control_handle(r"$\sigma_2 = m^*$")])
    return canvas


FIGURE = Figure(
    title="One fit, many parameters",
    caption=(
        "Runs at the global minimum of networks on random data, compared with the lowest run of their cell: (a) "
        "distance of outputs, (b) largest difference of squared layer norms, against the distance of the parameters. "
        r"Green: a target with a singular value at $m^*$, where two fits have the minimum."
    ),
    refuted_by="a mark of a network among the upper green ones",
    compose=compose,
)
