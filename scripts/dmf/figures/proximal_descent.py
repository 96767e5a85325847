"""Equation 98: the objective falls with every proximal gradient step, unless steps are too long."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from dmf.figures import _style
from dmf.figures.figure import Figure

FARTHEST = 30  # of where a walk began: a control that rises leaves the panel there
GREYS: Mapping[str, Any] = {"log": ("0.1", "o"), "SCAD": ("0.35", "s"), "MCP": ("0.55", "^"), "Geman": ("0.7", "D")}
MARKED = (0, 1, 3, 7, 15, 31)  # steps with a mark, apart from each other on a logarithmic axis


def compose(evidence: xr.Dataset, controls: xr.Dataset, labels: Mapping[str, str]) -> Canvas:
    """A row a problem, a column a kind of penalty: what is left to fall after each step, from the largest start."""
    problems = list(dict.fromkeys(evidence["problem"].values.tolist()))
    canvas, axes = _style.blank(0.9 + 2.1 * len(problems), len(problems), 2, sharex=True, sharey=True)
    long = controls.isel(cell=(controls["run"] == "too long steps").values)
    for row, problem in zip(axes, problems, strict=True):
        for axis, others in zip(row, (False, True), strict=True):
            for case in _of_kind(_cases(evidence, problem), others):
                colour, marker = look(str(case["penalty"].item()))
                axis.plot(case["after"] + 1, left(case), color=colour, linewidth=1.1, zorder=3)
                marked = case.isel(after=[step for step in MARKED if step < case.sizes["after"]])
                axis.scatter(
                    marked["after"] + 1, left(marked), s=16, color=colour, marker=marker, linewidths=0, zorder=4
                )
            for case in _of_kind(_cases(long, problem), others):
                rise = case["trace"] / case["trace"][0]
                axis.plot(
                    case["after"] + 1, rise, color=_style.CONTROL, marker="x", markersize=3.5, linewidth=0.6, zorder=2
                )
            axis.axhline(1, color=_style.INK, linewidth=0.7, linestyle=(0, (4, 3)), zorder=1)
            axis.set(xscale="log", yscale="log", xlim=(0.93, evidence["after"].values[-1] + 1.5))
            axis.set_ylim(_lowest(evidence), FARTHEST)
            axis.set_xticks([1, 2, 5, 11, 21, 41], ["0", "1", "4", "10", "20", "40"], minor=False)
            axis.xaxis.set_minor_locator(NullLocator())
        row[0].set_ylabel(f"{problem}\nleft of the fall")
    _style.panel(axes[0, 0], "a", "penalties of $L$ layers")
    _style.panel(axes[0, 1], "b", "other penalties")
    for axis in axes[-1]:
        axis.set_xlabel("step")
    _style.legend_above(canvas, _handles(evidence))
    return canvas


def _of_kind(cases: list[xr.Dataset], others: bool) -> list[xr.Dataset]:
    return [case for case in cases if (str(case["penalty"].item()) in GREYS) == others]


def _lowest(evidence: xr.Dataset) -> float:
    problems = dict.fromkeys(evidence["problem"].values.tolist())
    least = min(float(left(case).min()) for problem in problems for case in _cases(evidence, problem))
    return max(0.5 * least, 1e-6)


def _handles(evidence: xr.Dataset) -> list[Line2D]:
    looks = {f"$L = {depth}$": (_style.depth_colour(depth), _style.depth_marker(depth)) for depth in depths(evidence)}
    handles = [
        Line2D([], [], color=colour, marker=marker, markersize=4, label=name)
        for name, (colour, marker) in {**looks, **GREYS}.items()
    ]
    return [*handles, _style.control_handle(r"control, $\mu = 0.4\,\ell$: $H_k / H_0$")]


def left(case: xr.Dataset) -> xr.DataArray:
    """How much of a walk's fall is left after each step, relative to all of it, (after,)."""
    return (case["trace"] - case["objective"]) / (case["trace"][0] - case["objective"])


def depths(evidence: xr.Dataset) -> list[int]:
    """Depths whose penalty is among the walks."""
    powers = [str(name) for name in np.unique(evidence["penalty"].values.astype(str)) if str(name).startswith("power")]
    return sorted(int(name.rpartition("/")[2]) for name in powers)


def look(penalty: str) -> tuple[str, str]:
    """Colour and marker of a penalty: those of its depth, or a grey."""
    if penalty in GREYS:
        colour, marker = GREYS[penalty]
        return colour, marker
    depth = int(penalty.rpartition("/")[2])
    return _style.depth_colour(depth), _style.depth_marker(depth)


def _cases(evidence: xr.Dataset, problem: str) -> list[xr.Dataset]:
    """The walks of a problem from the largest start, one a penalty."""
    cells = np.flatnonzero(evidence["problem"].values == problem)
    return [evidence.isel(cell=int(cell), start=-1) for cell in cells]


FIGURE = Figure(
    title="Proximal gradient steps descend",
    caption=(
        r"Generalized proximal gradient steps with $\mu = 1.05\,\ell$ on 25 measurements of a $6 \times 5$ matrix of "
        r"rank 2, $H_k$ the objective after step $k$: what is left of its fall, $(H_k - H_{end}) / (H_0 - H_{end})$, "
        "from a Gaussian start of unit entries. Rows: Gaussian measurements, entries. (a) Penalties that two to five "
        "layers amount to, (b) four others. Every line falls; the control, whose steps are too long, rises."
    ),
    refuted_by="a line that rises; a control that does not",
    compose=compose,
)
