"""Figures of studies draw the cases of their evidence, and a false one is in view on the ground that refutes."""

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure as Canvas

from dmf.figures import _style, load_figure, minimum_search

Halves = tuple[xr.Dataset, xr.Dataset]


def rendered(name: str, evidence: xr.Dataset, controls: xr.Dataset) -> Canvas:
    with _style.applied():
        canvas = load_figure(name).compose(evidence, controls, {})
        canvas.draw_without_rendering()
    return canvas


def heights(axes: Axes, marker: str) -> np.ndarray:
    """All heights of marks of a kind that were plotted as lines, sorted."""
    return np.sort(np.concatenate([np.ravel(line.get_ydata()) for line in axes.lines if line.get_marker() == marker]))


def test_the_worst_error_of_every_lambda_is_drawn(study: Callable[[str], Halves]) -> None:
    evidence, controls = (half.copy(deep=True) for half in study("scalar"))
    evidence["farthest"].values[5000, 1] += 1e-13 * evidence["m"].values[5000, 1]
    axes = rendered("scalar_search", evidence, controls).axes[0]
    error = (abs(evidence["farthest"] - evidence["predicted"]) / abs(evidence["m"])).groupby("lam").max(...)
    np.testing.assert_allclose(heights(axes, "o"), np.sort(np.maximum(error, 1e-17)))
    assert heights(axes, "o").max() >= 1e-13


def test_gaps_at_the_threshold_lie_in_rounding_and_no_other_does(study: Callable[[str], Halves]) -> None:
    evidence, controls = study("scalar")
    axes = rendered("scalar_search", evidence, controls).axes[1]
    tolerance = float((evidence["value_tolerance"] / evidence["m"] ** 2).min())
    for depth in (3, 4, 6, 10):
        coloured = [line for line in axes.lines if to_hex(line.get_color()) == _style.depth_colour(depth)]
        drawn = np.concatenate([line.get_ydata() for line in coloured])
        assert drawn[np.isfinite(drawn)].min() > 1e4 * tolerance
    assert heights(axes, "x").max() < 10 * tolerance
    assert len(heights(axes, "x")) == controls.sizes["cell"]


def test_every_eigenvalue_of_the_shown_depth_is_a_mark(study: Callable[[str], Halves]) -> None:
    evidence, controls = study("scalar_hessian")
    axes = rendered("scalar_spectrum", evidence, controls).axes[0]
    here = evidence.isel(cell=np.flatnonzero(evidence["depth"].values == 4))
    drawn = np.sort(np.asarray(axes.collections[0].get_offsets())[:, 1])
    unit = abs(here["m"]) ** 1.5
    expected = (here["spectrum"] / unit).values[(here["minimal"] == 1).values]
    np.testing.assert_allclose(drawn, np.sort(expected[np.isfinite(expected)]))


def test_probabilities_and_slopes_are_those_of_the_evidence(study: Callable[[str], Halves]) -> None:
    evidence, controls = study("measure_zero")
    shares, slopes = rendered("measure_zero", evidence, controls).axes
    crosses = heights(shares, "x")
    np.testing.assert_array_equal(crosses, np.sort(controls["probability"].values.ravel()))
    drawn = [
        line.get_ydata()[0] for line in slopes.lines if line.get_marker() in "osD^vPX" and len(line.get_ydata()) == 1
    ]
    np.testing.assert_array_equal(np.sort(drawn), np.sort(evidence["slope"].values.ravel()))


@pytest.mark.parametrize("question", ["global", "branch"])
def test_a_bracket_that_misses_is_drawn_where_it_is(question: str, study: Callable[[str], Halves]) -> None:
    evidence, controls = (half.copy(deep=True) for half in study("thresholds"))
    evidence[question].values[7] *= 1 + 1.1e-6
    axes = rendered("thresholds", evidence, controls).axes[0]
    highest = max(float(np.max(line.get_ydata())) for line in axes.lines)
    closed = {"global": "lambda_c", "branch": "lambda_s"}[question]
    expected = 1e6 * (evidence[question].values[7, 1] / evidence[closed].values[7] - 1)
    assert highest == pytest.approx(expected, rel=1e-6)
    assert highest > 1


def test_the_jump_is_drawn_on_both_sides(study: Callable[[str], Halves]) -> None:
    evidence, controls = study("thresholds")
    axes = rendered("thresholds", evidence, controls).axes[1]
    drawn = np.sort(np.concatenate([line.get_ydata() for line in axes.lines if line.get_marker() in "osD^vPX"]))
    np.testing.assert_allclose(drawn, np.sort((evidence["jump"] / evidence["sigma_1"]).values.ravel()))


def test_a_trajectory_is_drawn_for_each_level_and_its_end_is_in_the_ring_of_that_level(
    study: Callable[[str], Halves],
) -> None:
    evidence, controls = study("trajectories")
    axes = np.reshape(rendered("trajectories", evidence, controls).axes, (4, 2))
    for column, optimizer in zip(axes.T, ("lbfgs", "gd"), strict=True):
        cell = evidence.isel(cell=((evidence["target"] == "square") & (evidence["optimizer"] == optimizer)).values)
        levels = np.unique(cell["kept"])
        rings = [line for line in column[3].lines if line.get_marker() == "o"]
        ways = [line for line in column[3].lines if line.get_marker() != "o"]
        assert len(rings) == len(ways) == len(column[0].lines) == len(levels)
        for k, ring, way in zip(levels, rings, ways, strict=True):
            drawn = np.asarray(way.get_ydata())
            assert to_hex(ring.get_color()) == _style.level_colour(int(k))
            np.testing.assert_allclose(drawn[np.isfinite(drawn)][-1], ring.get_ydata(), rtol=1e-6)


def test_shares_of_both_optimizers_are_counts_of_their_minima(study: Callable[[str], Halves]) -> None:
    evidence, controls = study("continuation")
    panels = rendered("continuation", evidence, controls).axes
    for optimizer, marker in (("lbfgs", "o"), ("continuation", "^")):
        cells = evidence.isel(cell=((evidence["optimizer"] == optimizer) & (evidence["depth"] == 4)).values)
        (line,) = [line for line in panels[2].lines if line.get_marker() == marker]
        scales = np.unique(cells["scale"].values)
        expected = [cells["minimal"].values[:, cells["scale"].values == scale].mean() for scale in scales]
        np.testing.assert_allclose(line.get_ydata(), expected)
        assert [tick.get_text() for tick in panels[2].get_xticklabels()] == [f"{scale:g}" for scale in scales]


def test_costs_are_those_of_the_cells_and_what_was_not_found_is_a_dash(study: Callable[[str], Halves]) -> None:
    evidence, controls = (half.copy(deep=True) for half in study("minimum_search"))
    deep = np.flatnonzero(evidence["depth"].values == 3)
    evidence["certified"].values[deep[-1]] = 0
    lost = (str(evidence["lam_label"].values[deep[-1]]), 3)
    middle, hardest = rendered("minimum_search", evidence, controls).axes[:2]
    cells = minimum_search.cell_table(evidence)
    order = _style.lambda_order(cells)
    for axes, quantile in ((middle, 0.5), (hardest, 1.0)):
        table = minimum_search.costs(cells, order, quantile)
        assert np.isinf(table.loc[lost[1], lost[0]]), "of two targets the larger counts"
        drawn = [text.get_text() for text in axes.texts]
        assert drawn.count("–") == int(np.isinf(table.to_numpy()).sum()) == 1
        expected = [f"{runs:.0f}" for runs in table.to_numpy().ravel() if np.isfinite(runs)]
        assert sorted(text for text in drawn if text not in ("–", "")) == sorted(expected)
    assert hardest.get_yticklabels()[0].get_text() == "$L = 2$"


def test_what_a_bottleneck_keeps_is_drawn_for_every_lowest_run_and_a_false_one_is_on_red(
    study: Callable[[str], Halves],
) -> None:
    evidence, controls = (half.copy(deep=True) for half in study("bottleneck"))
    cell = int(np.flatnonzero((evidence["target"] == "across the cut") & (evidence["gap"] == 1e-3))[0])
    start = int(np.flatnonzero(evidence["lowest"].values[cell])[0])
    evidence["turn"].values[cell, start] = 0.25
    kept, on_the_cut = rendered("bottleneck", evidence, controls).axes
    family = evidence.isel(cell=evidence["target"].isin(["across the cut", "on the cut"]).values)
    expected = family["turn"].values[family["lowest"].values == 1]
    drawn = np.concatenate([np.asarray(marks.get_offsets()) for marks in kept.collections])
    np.testing.assert_allclose(np.sort(drawn[:, 1]), np.sort(expected))
    (false,) = drawn[(drawn[:, 0] == 1e-3) & (drawn[:, 1] < 0.9)]
    red = [patch for patch in kept.patches if to_hex(patch.get_facecolor()) == _style.REFUTED]
    assert any(patch.get_window_extent().contains(*kept.transData.transform(false)) for patch in red)
    tied = family.isel(cell=(family["gap"] == 0).values)
    assert sum(len(marks.get_offsets()) for marks in on_the_cut.collections) == 2 * int((tied["lowest"] == 1).sum())


def test_minima_of_penalties_are_on_their_lines_and_a_level_second_minimum_is_on_red(
    study: Callable[[str], Halves],
) -> None:
    evidence, controls = (half.copy(deep=True) for half in study("penalties"))
    evidence["gap"].values[0, 3] = 1e-17
    minimizers, leads = rendered("general_penalty", evidence, controls).axes
    lines = [np.asarray(line.get_xydata()) for line in minimizers.lines]
    for marks in minimizers.collections:
        for m, x in np.asarray(marks.get_offsets()):
            if m < 2.05:
                assert min(np.abs(line - (m, x)).max(axis=1).min() for line in lines) < 4e-3
    red = leads.patches[0].get_window_extent()
    dots = np.concatenate([line.get_xydata() for line in leads.lines if line.get_marker() == "o"])
    assert sum(red.contains(*leads.transData.transform(dot)) for dot in dots if np.isfinite(dot).all()) == 1
    assert (heights(leads, "x") < 1e-14).all()


def test_a_global_run_that_a_sweep_calls_is_a_cross_on_the_line_of_the_minimum(study: Callable[[str], Halves]) -> None:
    evidence, controls = (half.copy(deep=True) for half in study("sweeps"))
    cell = int(np.flatnonzero(evidence["problem"].values == "three layers")[0])
    before = len(heights(rendered("sweeps", evidence, controls).axes[0], "x"))
    start = int(np.flatnonzero(evidence["minimal"].values[cell] == 1)[0])
    evidence["called"].values[cell, start] = 1
    axes = rendered("sweeps", evidence, controls).axes[0]
    crosses = heights(axes, "x")
    assert len(crosses) == before + 1
    value = float(evidence["value"].values[cell, start])
    assert np.isclose(crosses, value).any()
    (line,) = [line for line in axes.lines if line.get_marker() == "None"]
    assert np.isclose(line.get_ydata(), value).any()


def test_every_start_of_three_relu_layers_is_a_mark_and_shares_are_counts(study: Callable[[str], Halves]) -> None:
    evidence, controls = study("relu_layers")
    canvas = rendered("relu_layers", evidence, controls)
    excess = ((evidence["value"] - evidence["best"]) / evidence["energy"]).values[0]
    np.testing.assert_allclose(heights(canvas.axes[0], "o"), np.sort(np.maximum(excess, 1e-10)))
    texts = [text.get_text() for legend in canvas.legends for text in legend.get_texts()]
    share = 100 * float((evidence["reached"].values[0] == 1).mean())
    assert texts[0] == f"data 1: {share:.0f} %"


def test_losses_in_noise_are_marks_of_the_evidence_beside_their_curves(study: Callable[[str], Halves]) -> None:
    evidence, controls = study("denoising")
    axes = rendered("denoising", evidence, controls).axes[0]
    square = evidence.isel(cell=np.flatnonzero(evidence["shape"].values == "80x80"))
    np.testing.assert_allclose(heights(axes, "o"), np.sort(square["loss"].values.ravel()))
    curves = [line.get_ydata() for line in axes.lines if len(line.get_ydata()) == evidence.sizes["point"]]
    np.testing.assert_allclose(np.sort(np.ravel(curves)), np.sort(square["curve"].values.ravel()))
