"""Equation 98: the objective falls with every proximal gradient step, unless steps are too long."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D

from dmf.figures import _style
from dmf.figures.figure import Figure

LOWEST = 1e-6  # relative to where a walk began
DASHES: Mapping[str, Any] = {"log": "-", "SCAD": (0, (4, 2)), "MCP": (0, (1, 1)), "Geman": (0, (5, 1, 1, 1))}


def compose(evidence: xr.Dataset, controls: xr.Dataset, labels: Mapping[str, str]) -> Canvas:
    """A panel a problem: what is left to fall after each step, one line a penalty from the largest start."""
    problems = list(dict.fromkeys(evidence["problem"].values.tolist()))
    canvas, axes = _style.blank(3.2, 1, len(problems), sharey=True)
    long = controls.isel(cell=(controls["run"] == "too long steps").values)
    for axis, letter, problem in zip(axes[0], "abc", problems, strict=False):
        for case in _cases(evidence, problem):
            colour, style = look(str(case["penalty"].item()))
            axis.plot(case["after"], left(case), color=colour, linestyle=style, linewidth=1, zorder=3)
        for case in _cases(long, problem):
            rise = case["trace"] / case["trace"][0]
            axis.plot(case["after"], rise, color=_style.CONTROL, marker="x", markersize=3, linewidth=0.5, zorder=2)
        axis.set(yscale="log", xlabel="step $k$", ylim=(LOWEST, 30), xlim=(0, evidence["after"].values[-1]))
        _style.panel(axis, letter, problem)
    axes[0, 0].set_ylabel(r"$(H_k - H_{end})\,/\,(H_0 - H_{end})$")
    handles = [Line2D([], [], color=_style.depth_colour(d), label=f"$L = {d}$") for d in depths(evidence)]
    handles += [Line2D([], [], color=_style.FAINT, linestyle=DASHES[name], label=name) for name in DASHES]
    _style.legend_above(canvas, [*handles, _style.control_handle(r"control, $\mu = 0.4\,\ell$: $H_k / H_0$")])
    return canvas


def left(case: xr.Dataset) -> xr.DataArray:
    """How much of a walk's fall is left after each step, relative to all of it, (after,)."""
    return (case["trace"] - case["objective"]) / (case["trace"][0] - case["objective"])


def depths(evidence: xr.Dataset) -> list[int]:
    """Depths whose penalty is among the walks."""
    powers = [str(name) for name in np.unique(evidence["penalty"].values.astype(str)) if str(name).startswith("power")]
    return sorted(int(name.rpartition("/")[2]) for name in powers)


def look(penalty: str) -> tuple[str, Any]:
    """Colour and dashes of a penalty: those of its depth, or grey."""
    if penalty in DASHES:
        return _style.FAINT, DASHES[penalty]
    return _style.depth_colour(int(penalty.rpartition("/")[2])), "-"


def _cases(evidence: xr.Dataset, problem: str) -> list[xr.Dataset]:
    """The walks of a problem from the largest start, one a penalty."""
    cells = np.flatnonzero(evidence["problem"].values == problem)
    return [evidence.isel(cell=int(cell), start=-1) for cell in cells]


FIGURE = Figure(
    title="Proximal gradient steps descend",
    caption=(
        r"Generalized proximal gradient steps with $\mu = 1.05\,\ell$ on 25 measurements of a $6 \times 5$ matrix of "
        "rank 2: what is left of the objective's fall after each step, for the penalties that two to five layers "
        "amount to and for four others, from a Gaussian start of unit entries. (a) Gaussian measurements, (b) entries."
    ),
    refuted_by="a line that rises; a control that does not",
    compose=compose,
)
