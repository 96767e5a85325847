"""Figures on networks draw the runs of their evidence, and a false one where it can be seen."""

from collections.abc import Callable

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from dmf.figures import _style, load_figure

Halves = tuple[xr.Dataset, xr.Dataset]


def rendered(name: str, evidence: xr.Dataset, controls: xr.Dataset) -> Canvas:
    with _style.applied():
        canvas = load_figure(name).compose(evidence, controls, {})
        canvas.draw_without_rendering()
    return canvas


def heights(axes: Axes, marker: str) -> np.ndarray:
    """All heights of marks of a kind, sorted."""
    drawn = [np.ravel(line.get_ydata()) for line in axes.lines if line.get_marker() == marker]
    marks = np.sort(np.concatenate(drawn))
    return marks[np.isfinite(marks)]


def test_every_certified_run_on_whitened_digits_is_drawn(study: Callable[[str], Halves]) -> None:
    evidence, controls = study("networks")
    axes = rendered("white_inputs", evidence, controls).axes[0]
    cells = evidence.isel(cell=np.flatnonzero(evidence["target"].values == "digits-white"))
    sigma_1 = float(cells["sigma_1"][0])
    for marker, minimal in (("o", 1), ("x", 0)):
        chosen = ((cells["certified"] == 1) & (cells["minimal"] == minimal)).transpose("cell", "start").values
        expected = cells["singular_values"].values[chosen] / sigma_1
        np.testing.assert_allclose(heights(axes, marker), np.sort(expected[np.isfinite(expected)]))


def test_a_distance_that_is_too_large_is_drawn_there(study: Callable[[str], Halves]) -> None:
    evidence, controls = (half.copy(deep=True) for half in study("networks"))
    cell = int(np.flatnonzero(evidence["target"].values == "condition-1")[0])
    evidence["distance"].values[cell] = 0.123
    axes = rendered("white_inputs", evidence, controls).axes[1]
    marks = np.concatenate([line.get_xydata() for line in axes.lines])
    expected = 0.123 / evidence["predicted_norm"].values[cell]
    assert np.any(np.isclose(marks[:, 1], expected) & np.isclose(marks[:, 0], 1))


def test_misalignments_are_the_largest_of_each_cell(study: Callable[[str], Halves]) -> None:
    evidence, controls = study("networks")
    axes = rendered("any_inputs", evidence, controls).axes[0]
    for field, marker in (("to_target", "o"), ("to_least_squares", "^"), ("to_residual", "s")):
        worst = evidence[field].where(evidence["certified"] == 1).max("start")
        expected = worst.values[evidence["deficiency"].values == 0]
        np.testing.assert_allclose(heights(axes, marker), np.sort(expected[np.isfinite(expected)]))


def test_a_gap_beyond_its_tolerance_stands_on_the_red_ground(study: Callable[[str], Halves]) -> None:
    evidence, controls = (half.copy(deep=True) for half in study("networks"))
    cell = int(np.flatnonzero(evidence["inputs"].values == "deficient")[0])
    evidence["off_span"].values[cell, 0] = 7 * evidence["off_span_tolerance"].values[cell, 0]
    axes = rendered("any_inputs", evidence, controls).axes[1]
    assert heights(axes, "^").max() == 7
    assert heights(axes, "x").max() > 1


def test_singular_values_of_every_run_are_drawn_beside_the_predicted_ones(study: Callable[[str], Halves]) -> None:
    evidence, controls = study("practice")
    panels = rendered("practice", evidence, controls).axes
    for axes, lam in zip(panels, dict.fromkeys(evidence["lam_label"].values), strict=True):
        here = evidence.isel(cell=np.flatnonzero(evidence["lam_label"].values == lam))
        drawn = np.concatenate([heights(axes, marker) for marker in "osD^"])
        np.testing.assert_allclose(np.sort(drawn), np.sort(here["singular_values"].values.ravel()))
        bars = [segment[0, 1] for segment in axes.collections[1].get_segments()]
        np.testing.assert_allclose(bars, here["predicted"].values[0])
