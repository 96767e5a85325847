"""Extension: minimizers under other penalties against m, and how the second minimum comes level at their jumps."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D

from dmf.evidence.eligibility import is_certified
from dmf.figures import _style
from dmf.figures.figure import Figure

SHOWN = {"l_1": "0.62", "l_2/3": "#0d0887", "log": "#9c179e", "SCAD": "#d8576b", "two caps": "#f89540"}
LOWEST = 1e-17
SYMBOLS = {"l_1": r"$\ell_1$", "l_2/3": r"$\ell_{2/3}$"}


def compose(evidence: xr.Dataset, controls: xr.Dataset, labels: Mapping[str, str]) -> Canvas:
    """Minimizers of some penalties, and leads of all by the distance from the exceptional scalar."""
    canvas, axes = _style.blank(2.9, 1, 2)
    _minimizers(axes[0, 0], evidence)
    _leads(axes[0, 1], evidence, controls)
    _style.panel(axes[0, 0], "a", "the minimizer")
    _style.panel(axes[0, 1], "b", "lead of the lowest minimum")
    handles = [Line2D([], [], color=colour, label=SYMBOLS.get(name, name)) for name, colour in SHOWN.items()]
    _style.legend_above(canvas, [*handles, _style.control_handle("control")])
    return canvas


def _minimizers(axes: Axes, evidence: xr.Dataset) -> None:
    """Closed forms as lines, broken where they jump, and the minima of the grid search as marks, over |m| / scale."""
    axes.set(xlabel="$m$ in units of the largest exceptional $m$", ylabel="$x$ in the same units")
    axes.set(xlim=(0, 2.05), ylim=(-0.05, 2.05))
    axes.plot([0, 2.05], [0, 2.05], color=_style.INK, linewidth=0.7, linestyle=(0, (4, 3)), zorder=1)
    for name, colour in SHOWN.items():
        rows = np.flatnonzero(evidence["penalty"].values == name)
        if not rows.size:
            continue
        unit = float(evidence["at"].values[rows].max())
        curve = evidence.isel(cell=int(rows[0]))
        for piece in _pieces(curve["curve_m"].values, curve["curve_x"].values):
            axes.plot(piece[0] / unit, piece[1] / unit, color=colour, linewidth=1.1, zorder=2)
        cells = evidence.isel(cell=rows)
        eligible = is_certified(cells).values
        axes.scatter(
            cells["m"].values[eligible] / unit,
            cells["found"].values[eligible] / unit,
            s=10,
            color=colour,
            linewidths=0,
            zorder=3,
        )


def _pieces(m: np.ndarray, x: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """A curve cut where it rises by more than twenty steps of m."""
    cuts = np.flatnonzero(np.diff(x) > 20 * np.diff(m)) + 1
    return list(zip(np.split(m, cuts), np.split(x, cuts), strict=True))


def _leads(axes: Axes, evidence: xr.Dataset, controls: xr.Dataset) -> None:
    axes.set(xscale="log", yscale="log", xlabel=r"$|m - m_e|\,/\,m_e$", ylabel=r"lead $/\,m^2$")
    lead = (evidence["gap"] / evidence["m"] ** 2).where(is_certified(evidence) & np.isfinite(evidence["gap"]))
    away = np.abs(evidence["strength"].values - 1)
    for cell in range(evidence.sizes["cell"]):
        colour = SHOWN.get(str(evidence["penalty"].values[cell]), _style.FAINT)
        axes.plot(away, lead.values[cell], linestyle="", marker="o", markersize=3.2, color=colour, zorder=3)
    at = (controls["gap"] / controls["m"] ** 2).values.ravel()
    axes.plot(
        np.full(at.size, 1e-10), np.maximum(at, LOWEST), linestyle="", marker="x", color=_style.CONTROL, markersize=4
    )
    floor = (evidence["value_tolerance"] / evidence["m"] ** 2).min()
    axes.axhspan(LOWEST / 4, float(floor), color=_style.REFUTED, linewidth=0, zorder=0)
    axes.set(ylim=(LOWEST / 4, 10), xlim=(4e-11, 20))
    _style.decades(axes)


FIGURE = Figure(
    title="Other penalties jump too, at countably many values",
    caption=(
        "(a) The minimizer of $(m - x)^2 + g(x)$ in closed form (lines) and as the lowest minimum of a fine grid "
        r"(marks); the nuclear norm $\ell_1$ (in units of its threshold) never jumps, powers, logarithm and SCAD "
        "penalties jump once, a sum of two capped penalties twice. (b) The lead of the lowest minimum over the next, "
        "all penalties (grey: those not in (a)): it shrinks in proportion to the distance from an exceptional scalar "
        "and is lost in rounding (red) only there (crosses)."
    ),
    refuted_by="in (a) a mark off its line; in (b) a dot on the red ground",
    compose=compose,
)
