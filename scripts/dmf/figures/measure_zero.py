"""Lemma 11 and Remark 12: the share of random targets near the exceptional set, by distance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D

from dmf.evidence.eligibility import is_certified
from dmf.figures import _style
from dmf.figures.figure import Figure


def compose(evidence: xr.Dataset, controls: xr.Dataset, labels: Mapping[str, str]) -> Canvas:
    """Probabilities against distance, and slopes over every window with their intervals."""
    canvas, axes = _style.blank(2.9, 1, 2)
    depths = [int(depth) for depth in np.unique(evidence["depth"].values)]
    _probabilities(axes[0, 0], evidence, controls)
    _slopes(axes[0, 1], evidence)
    pairs = int(evidence["targets"].sum())
    _style.panel(axes[0, 0], "a", rf"${pairs / 1e9:.1f} \times 10^9$ pairs")
    _style.panel(axes[0, 1], "b", "slopes with 99 % intervals")
    one = Line2D([], [], color=_style.INK, linewidth=0.9, label="slope 1")
    _style.legend_above(canvas, [*_style.depth_handles(depths), one, _style.control_handle("control, on the set")])
    return canvas


def _probabilities(axes: Axes, evidence: xr.Dataset, controls: xr.Dataset) -> None:
    axes.set(xscale="log", yscale="log", xlabel=r"$\varepsilon$", ylabel=r"$P(\varepsilon)$")
    eps = evidence["eps"].values
    counted = is_certified(evidence).any("start").values
    if not counted.any():
        _style.say_empty(axes, "too few targets")
    for cell in np.flatnonzero(counted):
        case = evidence.isel(cell=int(cell))
        depth, share = int(case["depth"]), case["probability"].values
        spread = np.stack([share - case["probability_low"].values, case["probability_high"].values - share])
        look: dict[str, Any] = {
            "color": _style.depth_colour(depth),
            "marker": _style.depth_marker(depth),
            "markersize": 3,
        }
        axes.errorbar(eps, share, spread, linestyle="", elinewidth=0.7, capsize=1.5, zorder=3, **look)
        axes.plot(eps, share[-1] * eps / eps[-1], color=_style.INK, linewidth=0.4, zorder=2)
    for share in controls["probability"].values:
        axes.plot(eps, share, marker="x", color=_style.CONTROL, markersize=4.5, linewidth=0.6, zorder=4)
    _style.decades(axes)


def _slopes(axes: Axes, evidence: xr.Dataset) -> None:
    """One column a window, cells side by side in it; the ground outside 1 +- 0.05 is what refutes."""
    windows = [f"$10^{{{round(np.log10(a))}}}$–$10^{{{round(np.log10(b))}}}$" for a, b in _windows(evidence)]
    axes.set_xticks(range(len(windows)), windows, fontsize=7.5)
    axes.set(xlabel=r"range of $\varepsilon$", ylabel="slope", ylim=(0.9, 1.1), xlim=(-0.5, len(windows) - 0.5))
    for low, high in ((0.9, 0.95), (1.05, 1.1)):
        axes.axhspan(low, high, color=_style.REFUTED, linewidth=0, zorder=0)
    axes.axhline(1, color=_style.INK, linewidth=0.7, zorder=1)
    certified = is_certified(evidence).values
    offsets = np.linspace(-0.36, 0.36, max(evidence.sizes["cell"], 2))
    for cell, window in np.argwhere(certified):
        case = evidence.isel(cell=int(cell), start=int(window))
        slope, depth = float(case["slope"]), int(case["depth"])
        spread = [[slope - float(case["slope_low"])], [float(case["slope_high"]) - slope]]
        look: dict[str, Any] = {
            "color": _style.depth_colour(depth),
            "marker": _style.depth_marker(depth),
            "markersize": 2.5,
        }
        axes.errorbar(window + offsets[cell], slope, spread, elinewidth=0.7, capsize=0, zorder=3, **look)


def _windows(evidence: xr.Dataset) -> list[tuple[float, float]]:
    return list(zip(evidence["from_eps"].values, evidence["to_eps"].values, strict=True))


FIGURE = Figure(
    title="Random targets near the exceptional set",
    caption=(
        r"(a) Share $P(\varepsilon)$ of Gaussian targets with a singular value within $\varepsilon m^*$ of $m^*$, for "
        r"six shapes and three $(L, \lambda)$ each, with lines of slope 1 through the right-most marks; targets on the "
        r"set (crosses) stay at 1. (b) Slopes of $\log P$ over all four decades (first column) and over each."
    ),
    refuted_by="in (b) an interval that reaches the red ground",
    compose=compose,
)
