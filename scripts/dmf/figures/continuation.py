"""Raising lambda slowly against training at lambda at once: how often either finds the global minimum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D

from dmf.evidence.wilson import wilson
from dmf.figures import _style
from dmf.figures.figure import Figure

PLAIN, ANNEALED = "lbfgs", "continuation"
LOOKS: Mapping[str, dict[str, Any]] = {
    PLAIN: {"color": _style.FAINT, "marker": "o"},
    ANNEALED: {"color": "#8a4fbe", "marker": "^"},
}
NAMES = {PLAIN: r"at $\lambda$ at once", ANNEALED: r"raising $\lambda$ slowly"}
APART = 0.08  # how far the two optimizers' marks are moved apart, of a step between scales


def compose(evidence: xr.Dataset, controls: xr.Dataset, labels: Mapping[str, str]) -> Canvas:
    """A panel a depth; in each a share a scale of the start for either optimizer, with its interval."""
    tables = {name: shares(evidence.isel(cell=(evidence["optimizer"] == name).values)) for name in LOOKS}
    control = shares(controls)
    depths = [int(depth) for depth in np.unique(evidence["depth"].values)]
    scales = np.unique(evidence["scale"].values).tolist()
    canvas, axes = _style.blank(2.9, 1, len(depths), sharex=True, sharey=True)
    for axis, letter, depth in zip(axes[0], "abcdefgh", depths, strict=False):
        for shift, (name, table) in zip((-APART, APART), tables.items(), strict=True):
            _marks(axis, table.xs(depth, level="depth"), scales, shift, LOOKS[name])
        highest = float(tables[ANNEALED]["highest_is_global"].xs(depth, level="depth").mean())
        axis.axhline(highest, color=_style.INK, linewidth=0.9, linestyle=(0, (4, 2)), zorder=1)
        if depth in control.index.get_level_values("depth"):
            null = control.loc[depth]
            place = [scales.index(scale) - APART for scale in null.index]
            axis.plot(place, null["share"], linestyle="", marker="x", color=_style.CONTROL, markersize=5)
        axis.set(ylim=(-0.03, 1.03), yticks=[0, 0.5, 1], yticklabels=["0", "0.5", "1"])
        axis.set(xlim=(-0.4, len(scales) - 0.6), xlabel="scale of the start")
        axis.set_xticks(range(len(scales)), [f"{scale:g}" for scale in scales])
        _style.panel(axis, letter, f"$L = {depth}$")
    axes[0, 0].set_ylabel("share at the global minimum")
    _style.legend_above(canvas, _handles())
    return canvas


def shares(evidence: xr.Dataset) -> pd.DataFrame:
    """Share of runs at the global minimum over all lambdas, rows (depth, scale), with Wilson's interval.

    `highest_is_global` is the share of cells whose highest local minimum is the global one.
    """
    fields = evidence[["minimal", "most_kept", "kept_at_minimum"]].to_dataframe().reset_index()
    fields = fields.assign(highest_is_global=fields["most_kept"] == fields["kept_at_minimum"])
    table = fields.groupby(["depth", "scale"]).agg(
        count=("minimal", "sum"), total=("minimal", "size"), highest_is_global=("highest_is_global", "mean")
    )
    low, high = wilson(table["count"], table["total"])
    return table.assign(share=table["count"] / table["total"], low=low, high=high)


def _marks(axes: Axes, table: Any, scales: list[float], shift: float, look: Mapping[str, Any]) -> None:
    place = [scales.index(scale) + shift for scale in table.index]
    axes.vlines(place, table["low"], table["high"], color=look["color"], linewidth=1.4, alpha=0.6)
    axes.plot(place, table["share"], markersize=5.5, linewidth=1.4, **look)


def _handles() -> list[Line2D]:
    marks = [Line2D([], [], markersize=5.5, label=NAMES[name], **look) for name, look in LOOKS.items()]
    dashes = (0, (4, 2))
    rule = Line2D([], [], color=_style.INK, linewidth=0.9, linestyle=dashes, label=r"cells with $k_{\max} = k^{\ast}$")
    return [*marks, rule, _style.control_handle(r"control, raised from $0.999\,\lambda$")]


FIGURE = Figure(
    title="Raising λ slowly does not replace a search",
    caption=(
        r"Share of runs that end, certified, at the global minimum: trained by L-BFGS at $\lambda$ at once, and at "
        r"eight values of $\lambda$ from a hundredth of it upwards, from the same starts; Gaussian $4 \times 4$ "
        r"targets, all $\lambda$ together, Wilson's 95 % intervals. Continuation carries singular values along their "
        r"branch until the branch ends. So, but for small starts of deep factorizations, it ends on the highest level, "
        r"$k_{\max} = \#\{i : \sigma_i > m_{loc}\}$, for every start, and finds the global minimum in just those "
        r"cells in which no $\sigma_i$ lies between $m_{loc}$ and $m^*$ (dashed). It does much better than small plain "
        "starts, which fall to zero. It is no better than large ones, and more draws do not help it."
    ),
    refuted_by="for $L = 2$, where every local minimum is global, a share below one; a control far off the plain share",
    compose=compose,
)
