"""Theorem 2: the imbalance of neighbouring layers, against what the gradient norm allows."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import xarray as xr
from matplotlib.figure import Figure as Canvas

from dmf.evidence.controls import CRITICAL, STOPPED, control_cells, declared
from dmf.figures import _runs, _style
from dmf.figures.figure import Figure


def compose(evidence: xr.Dataset, controls: xr.Dataset, labels: Mapping[str, str]) -> Canvas:
    """Certified runs and the declared control against tolerance; and all of them at their own gradient norm."""
    canvas, axes = _style.blank(3.1, 1, 2)
    runs = _named(_runs.run_table(evidence))
    runs = runs[runs["certified"] == 1]
    stopped = control_cells(controls, STOPPED)
    certified, anywhere = axes[0]
    critical = _named(_runs.run_table(declared(None, **CRITICAL)(stopped)))
    _runs.against_tolerance(certified, runs, critical, r"imbalance $\max_l\,\|D_l\|_F$")
    _style.panel(certified, "a", f"{len(runs):,} certified runs")
    ends, early = (
        part.assign(deviation=part["singular_value_gap"]) for part in (runs, _named(_runs.run_table(stopped)))
    )
    _runs.against_tolerance(anywhere, ends, early, "gap of squared singular values", r"bound by $\|\nabla F\|$")
    _style.panel(anywhere, "b", "at any point")
    handles = _style.depth_handles(_runs.depths_of(evidence))
    _style.legend_above(canvas, [*handles, _style.control_handle("control: gradient descent stopped early")])
    return canvas


def _named(runs: pd.DataFrame) -> pd.DataFrame:
    tolerance = runs["imbalance_slope"] * runs["gradient_norm"] + runs["imbalance_floor"]
    return runs.assign(deviation=runs["imbalance"], tolerance=tolerance)


FIGURE = Figure(
    title="Layers are balanced as far as the gradient vanishes",
    caption=(
        "(a) Imbalance of neighbouring layers, $D_l = W_{l+1}^T W_{l+1} - W_l W_l^T$, of every certified run, in "
        r"spurious minima too, against what its gradient norm allows, $(\|W_l\|_F^2 + \|W_{l+1}\|_F^2)^{1/2}\, "
        r"\|\nabla F\| / (2\lambda)$ and rounding. Crosses: gradient descent stopped early and declared to be at "
        "critical points. (b) The distance between the squared singular values of neighbouring layers against the "
        "same bound, the stopped runs now at the gradient norm that they have: the bound holds at any point, over "
        "all these decades, and imbalance is the gradient's."
    ),
    refuted_by="in (a) a mark of a depth on the red ground, in (b) any mark on it",
    compose=compose,
)
