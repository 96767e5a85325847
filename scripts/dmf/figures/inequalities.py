"""Theorems 9 and 22: how the two inequalities under the proofs leave equality."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from dmf.figures import _style
from dmf.figures.figure import Figure

Floats = NDArray[np.float64]

TILTED = {
    "tilted on both sides": (_style.INK, "o", "turned on both sides"),
    "tilted on one side": (_style.FAINT, "s", "on one side"),
}
MOVED = ("one layer scaled", "sheared", "unequal powers")
AT_EQUALITY = ("balanced", "balanced, deficient")
LEFT_EDGE = 3e-5  # where cases at equality are drawn: their amount is zero


def compose(evidence: xr.Dataset, controls: xr.Dataset, labels: Mapping[str, str]) -> Canvas:
    """Pairs of matrices and factorizations, one mark a case."""
    canvas, axes = _style.blank(3.1, 1, 2)
    _pairs(axes[0, 0], evidence)
    _factorizations(axes[0, 1], evidence, controls)
    depths = np.unique(evidence["depth"].values[evidence["depth"].values > 0])
    marks = [
        Line2D([], [], color=colour, marker=marker, markersize=4, linestyle="", label=label)
        for colour, marker, label in TILTED.values()
    ]
    control = _style.control_handle("control: sheared, declared balanced")
    _style.legend_above(canvas, [*marks, *_style.depth_handles(depths.tolist()), control])
    return canvas


def _pairs(axes: Axes, evidence: xr.Dataset) -> None:
    """Gaps of tilted pairs in units of their lower bound: none may lie under 1."""
    axes.set(xscale="log", yscale="log", xlabel="angle between singular vectors", ylabel="gap / lower bound")
    axes.axhspan(0.5, 1, color=_style.REFUTED, linewidth=0, zorder=0)
    axes.axhline(1, color=_style.INK, linewidth=0.7, zorder=1)
    for kind, (colour, marker, _) in reversed(TILTED.items()):
        amount, gap, least = (_values(evidence, kind, field) for field in ("amount", "gap", "least_gap"))
        axes.scatter(amount, gap / least, s=9, color=colour, marker=marker, linewidths=0, rasterized=True, zorder=3)
    axes.set_ylim(bottom=0.7)
    _style.decades(axes)
    _style.panel(axes, "a", "von Neumann's inequality")


def _factorizations(axes: Axes, evidence: xr.Dataset, controls: xr.Dataset) -> None:
    """Excess cost of moved layers over the quasi-norm, and at the left edge that of balanced ones: rounding."""
    axes.set(xscale="log", yscale="log", xlabel="scaling, shear or shift away from balance")
    axes.set_ylabel(r"(cost $-$ quasi-norm) / cost")
    spread = np.geomspace(0.7, 1.4, evidence.sizes["start"])
    for kind in (*AT_EQUALITY, *MOVED):
        for depth in np.unique(evidence["depth"].values[evidence["kind"].values == kind]):
            amount, gap, larger = (_values(evidence, kind, field, int(depth)) for field in ("amount", "gap", "larger"))
            if kind in AT_EQUALITY:
                amount = LEFT_EDGE * np.resize(spread, amount.shape)
            colour, marker = _style.depth_colour(int(depth)), _style.depth_marker(int(depth))
            size = np.abs(gap / larger).clip(1e-17)
            axes.scatter(
                amount, size, s=7, color=colour, marker=marker, alpha=0.6, linewidths=0, rasterized=True, zorder=3
            )
    gap, larger = (_values(controls, "sheared apart", field) for field in ("gap", "larger"))
    declared = LEFT_EDGE * np.resize(spread, gap.shape)
    axes.scatter(
        declared, gap / larger, s=12, color=_style.CONTROL, marker="x", linewidths=0.7, rasterized=True, zorder=2
    )
    axes.annotate("balanced", (LEFT_EDGE, 2e-15), ha="center", va="bottom", color=_style.INK, fontsize=_style.small())
    _style.decades(axes)
    _style.panel(axes, "b", "variational form")


def _values(evidence: xr.Dataset, kind: str, field: str, depth: int | None = None) -> Floats:
    """A field of all certified cases of a kind, (case,)."""
    wanted = (evidence["kind"].values == kind) & ((depth is None) | (evidence["depth"].values == depth))
    cells = evidence.isel(cell=np.flatnonzero(wanted))
    values: Floats = cells[field].values[cells["certified"].values == 1]
    return values


FIGURE = Figure(
    title="The inequalities under the proofs, near equality",
    caption=(
        r"(a) Pairs of matrices whose singular vectors are turned against each other: $\sum_i \sigma_i(A) \sigma_i(B) "
        r"- \langle A, B\rangle$ in units of its lower bound from the angles between leading singular subspaces. Pairs "
        "turned on both sides in the plane of two neighbouring vectors attain it. (b) Factorizations of one matrix "
        "moved away from balance: what the layers cost above the quasi-norm, over what they cost. It grows with the "
        "square of the move. Balanced factorizations, and the control that is declared balanced, stand at the left "
        "edge: the first cost the quasi-norm to rounding, the second do not."
    ),
    refuted_by=(
        "(a) a mark in the tinted ground; (b) a mark of an unbalanced factorization at the level of rounding, or a "
        "balanced one above it"
    ),
    compose=compose,
)
