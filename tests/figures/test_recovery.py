"""Figures on recovery draw the shares of their evidence, and what would refute them is in view."""

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from scipy.stats import binomtest

from dmf.figures import _recovery, _style, load_figure

Halves = tuple[xr.Dataset, xr.Dataset]
Load = Callable[[str], Halves]


def rendered(name: str, evidence: xr.Dataset, controls: xr.Dataset) -> Canvas:
    with _style.applied():
        canvas = load_figure(name).compose(evidence, controls, {})
        canvas.draw_without_rendering()
    return canvas


def panel(canvas: Canvas, row: int, column: int, columns: int) -> Axes:
    return canvas.axes[row * columns + column]


def cells(evidence: xr.Dataset, **wanted: object) -> xr.Dataset:
    mask = np.all([evidence[key].values == value for key, value in wanted.items()], axis=0)
    return evidence.isel(cell=np.flatnonzero(mask))


def test_shares_have_wilson_intervals_as_scipy_gives_them(study: Load) -> None:
    table = _recovery.shares(study("recovery")[0])
    for row in table.itertuples():
        interval = binomtest(int(row.found), int(row.total)).proportion_ci(method="wilson")
        np.testing.assert_allclose([row.low, row.high], [interval.low, interval.high], atol=1e-12)


def test_every_square_of_the_phase_diagram_is_a_share_of_its_cell(study: Load) -> None:
    evidence, controls = study("recovery")
    canvas = rendered("recovery_phase", evidence, controls)
    rows = [(problem, method) for problem in ("sensing", "completion") for method in _recovery.METHODS]
    for row, (problem, method) in enumerate(rows):
        for column, depth in enumerate((2, 3, 4, 5)):
            here = cells(evidence, problem=problem, method=method, depth=depth)
            axes = panel(canvas, row, column, 4)
            if here.sizes["cell"] == 0:
                assert not axes.collections
                continue
            drawn = axes.collections[0].get_array()
            ranks, counts = np.unique(here["rank"]), np.unique(here["measurements"])
            assert drawn.shape == (len(ranks), len(counts))
            for case in range(here.sizes["cell"]):
                one = here.isel(cell=case)
                place = np.searchsorted(ranks, one["rank"]), np.searchsorted(counts, one["measurements"])
                assert drawn[place] == pytest.approx(float(one["recovered"].mean()))
            assert np.ma.count(drawn) == here.sizes["cell"]


def left_of_bars(axes: Axes) -> list[tuple[float, float]]:
    """Rank and measurements of squares that are not dark although they lie left of their rank's bar."""
    mesh = axes.collections[0]
    shares, corners = np.ma.filled(mesh.get_array(), 0), mesh.get_coordinates()
    middles = (corners[:-1, :-1] + corners[1:, 1:]) / 2
    bars = {float(np.mean(line.get_ydata())): line.get_xdata()[0] for line in axes.lines}
    return [
        (rank, count)
        for share, (count, rank) in zip(shares.flat, middles.reshape(-1, 2), strict=True)
        if share > 0 and count < bars[rank]
    ]


def test_a_recovery_from_too_few_measurements_is_bright_left_of_its_bar(study: Load) -> None:
    evidence, controls = (half.copy(deep=True) for half in study("recovery"))
    assert left_of_bars(panel(rendered("recovery_phase", evidence, controls), 1, 1, 4)) == []
    few = (evidence["measurements"] == 24) & (evidence["rank"] == 2) & (evidence["problem"] == "sensing")
    evidence["recovered"].values[few.values, 0] = 1
    assert left_of_bars(panel(rendered("recovery_phase", evidence, controls), 1, 1, 4)) == [(2, 24)]


def test_every_mark_of_the_rates_is_a_share_and_the_control_lies_at_zero(study: Load) -> None:
    evidence, controls = study("recovery")
    canvas = rendered("recovery_rate", evidence, controls)
    panels = [("sensing", 1), ("sensing", 2), ("sensing", 3), ("completion", 1), ("completion", 2)]
    for axes, (problem, rank) in zip(canvas.axes, panels, strict=False):
        crosses = [line for line in axes.lines if line.get_marker() == "x"]
        assert (np.concatenate([line.get_ydata() for line in crosses]) == 0).all()
        lines = [line for line in axes.lines if line.get_marker() in tuple("osD^")]
        expected = [
            cells(evidence, problem=problem, rank=rank, method=method, depth=depth)["recovered"].mean("start").values
            for depth in (2, 3, 4, 5)
            for method in ("proximal", "factorization")
        ]
        for line, shares in zip(lines, expected, strict=True):
            np.testing.assert_allclose(line.get_ydata(), shares)


def test_a_walk_that_rises_is_a_line_that_rises(study: Load) -> None:
    evidence, controls = (half.copy(deep=True) for half in study("proximal_gradient"))
    panels = rendered("proximal_descent", evidence, controls).axes[:2]  # of the first problem
    lines = [line for axes in panels for line in axes.lines]
    honest = [line for line in lines if line.get_marker() == "None" and line.get_color() != _style.INK]
    assert len(honest) == 8
    assert all(np.nanmax(np.diff(line.get_ydata())) <= 1e-12 for line in honest)
    assert all(line.get_ydata()[0] == 1 for line in honest)
    rising = [line for line in lines if line.get_marker() == "x"]
    assert rising
    assert all(np.nanmax(np.diff(line.get_ydata())) > 0.1 for line in rising)
    evidence["trace"].values[0, -1, 5] = evidence["trace"].values[0, -1, 0]
    worse = [line for axes in rendered("proximal_descent", evidence, controls).axes[:2] for line in axes.lines]
    assert max(np.nanmax(np.diff(line.get_ydata())) for line in worse if line.get_marker() == "None") > 0.1
