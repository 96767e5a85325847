"""Theorem 15: the exact Hessian trace of every certified minimizer against its lower bound."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from dmf.evidence.controls import ORDINARY, control_cells
from dmf.figures import _runs, _style
from dmf.figures.figure import Figure


def compose(evidence: xr.Dataset, controls: xr.Dataset, labels: Mapping[str, str]) -> Canvas:
    """Trace against bound, and their ratio against lambda."""
    canvas, axes = _style.blank(3.1, 1, 2)
    runs = _named(_runs.eligible_runs(_runs.run_table(evidence)))
    control = _runs.run_table(control_cells(controls, ORDINARY))
    control = _named(control[(control["certified"] == 1) & (control["kept"] == 0)])
    _identity(axes[0, 0], runs, control)
    _style.panel(axes[0, 0], "a", f"{len(runs):,} certified minimizers")
    _slack(axes[0, 1], runs, control, evidence["relative"].values)
    _style.panel(axes[0, 1], "b", "the same, in units of the bound")
    handles = _style.depth_handles(_runs.depths_of(evidence))
    _style.legend_above(canvas, [*handles, _style.control_handle("control: spurious minimum at zero")])
    return canvas


def _named(runs: pd.DataFrame) -> pd.DataFrame:
    return runs.assign(ratio=runs["hessian_trace"] / runs["trace_bound"])


def _identity(axes: Axes, runs: pd.DataFrame, control: pd.DataFrame) -> None:
    axes.set(xscale="log", yscale="log", xlabel="lower bound of Theorem 15", ylabel=r"$\mathrm{tr}\,\nabla^2 F$")
    if runs.empty:
        _style.say_empty(axes)
    drawn = pd.concat([runs, control])
    if drawn.empty:
        return
    spans = {
        name: (0.75 * float(drawn[name].min()), 1.35 * float(drawn[name].max()))
        for name in ("trace_bound", "hessian_trace")
    }
    low, high = min(low for low, _ in spans.values()), max(high for _, high in spans.values())
    _runs.edge(axes, low, high, top=low)  # a trace is refuted below its bound
    _style.scatter_by_depth(axes, runs, "trace_bound", "hessian_trace")
    _control_marks(axes, control, "trace_bound", "hessian_trace")
    axes.set(xlim=spans["trace_bound"], ylim=spans["hessian_trace"])
    for axis in (axes.xaxis, axes.yaxis):
        _one_two_five(axis)


def _slack(axes: Axes, runs: pd.DataFrame, control: pd.DataFrame, relative: np.ndarray) -> None:
    axes.set(yscale="log", ylabel="trace / bound")
    _style.lambda_axis(axes, relative)
    if runs.empty:
        _style.say_empty(axes)
    _style.scatter_by_depth(axes, runs, "relative", "ratio")
    _control_marks(axes, control, "relative", "ratio")
    top = 1.4 * max([*runs["ratio"], 2.0])
    axes.axhspan(0.6, 1, color=_style.REFUTED, linewidth=0, zorder=0)
    axes.axhline(1, color=_style.INK, linewidth=0.8)
    axes.set_ylim(0.6, top)
    _one_two_five(axes.yaxis)


def _one_two_five(axis: Axis) -> None:
    """Plain numbers on a logarithmic axis that spans few decades."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(NullLocator())


def _control_marks(axes: Axes, control: pd.DataFrame, x: str, y: str) -> None:
    axes.scatter(control[x], control[y], s=20, marker="x", linewidths=0.9, color=_style.CONTROL, zorder=4)


FIGURE = Figure(
    title="The Hessian trace and its lower bound",
    caption=(
        r"(a) Exact trace at every certified minimizer against $2L\,\|X^*\|_F^2/\alpha^2 + 2\lambda N$ "
        r"($2\lambda N$ where $X^* = 0$); the line is equality. (b) Their ratio against $\lambda$: above "
        r"$\lambda_c$ the bound is attained at zero, below it only by rank one in a $1 \times 1$ problem. "
        "Marks of one cell coincide: all minimizers have the same Hessian spectrum. Cross: a critical point "
        r"at zero below $\lambda_c$, which is not a minimizer and need not obey the bound."
    ),
    refuted_by="a mark of a depth on the red ground, beyond what its certificate allows",
    compose=compose,
)
