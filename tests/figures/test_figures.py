"""Every figure draws, draws the same again, and draws the runs of the evidence: no more, no fewer, nowhere else."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure as Canvas

from dmf.claims import claim_names
from dmf.figures import FIGURES, _style, figure_names, figure_studies, load_figure, load_figures
from dmf.figures import figure as figure_module
from dmf.figures._svg import numbers_in
from dmf.figures.distance_bound import COLOURS
from dmf.figures.figure import draw

Halves = tuple[xr.Dataset, xr.Dataset]
Study = Callable[[str], Halves]
LABELS = {"first": "First, 3 × 3", "second": "costs $2"}
MOST_NUMBERS = 30_000  # bytes; they are in the SVG and in the page
DRAWN_FROM_RUNS = ["uniqueness", "layer_norms", "collapse", "trace_bound", "trace_slack", "balancedness", "phase"]


def test_what_a_figure_reads_is_known_without_importing_it() -> None:
    assert figure_studies().keys() == set(figure_names()) == set(FIGURES)
    assert figure_studies()["collapse"] == "runs"
    assert figure_studies()["orbit"] == "orbit"
    code = "import sys, dmf.figures; dmf.figures.figure_studies(); sys.exit('matplotlib' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0


class Unread(dict[str, str]):
    """Labels that no figure may look at: it is not drawn again when they change."""

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(f"{name} of labels is read")

    def __getitem__(self, key: str) -> str:
        raise AssertionError(f"label {key} is read")

    def __iter__(self) -> Iterator[str]:
        raise AssertionError("labels are read")


def composed(name: str, evidence: xr.Dataset, controls: xr.Dataset) -> Canvas:
    with _style.applied():
        return load_figure(name).compose(evidence, controls, LABELS)


def rendered(name: str, evidence: xr.Dataset, controls: xr.Dataset) -> Canvas:
    """As composed, and drawn: much of what can go wrong does so there."""
    with _style.applied():
        canvas = load_figure(name).compose(evidence, controls, LABELS)
        canvas.draw_without_rendering()
    return canvas


def marks(axes: Axes, colour: str) -> np.ndarray:
    """Places (mark, 2) of all scatter marks of a colour, sorted."""
    places = [np.empty((0, 2))]
    for collection in axes.collections:
        offsets, faces = np.asarray(collection.get_offsets()), collection.get_facecolor()
        if isinstance(collection, PathCollection) and len(offsets):
            faces = np.broadcast_to(faces, (len(offsets), 4))
            places.append(offsets[np.isclose(faces[:, :3], to_rgb(colour)).all(axis=1)])
    return ordered(np.concatenate(places))


def ordered(places: np.ndarray) -> np.ndarray:
    return places[np.lexsort(places.T)]


def pairs(evidence: xr.Dataset, keep: xr.DataArray, x: xr.DataArray, y: xr.DataArray) -> np.ndarray:
    """(x, y) of the runs kept, sorted: the truth for `marks`."""
    keep, x, y = xr.broadcast(keep, x, y)
    return ordered(np.column_stack([x.values[keep.values], y.values[keep.values]]))


def texts(canvas: Canvas) -> str:
    return " ".join(text.get_text() for axes in canvas.axes for text in axes.texts)


@pytest.mark.parametrize("name", figure_names())
def test_both_files_are_whole_and_drawing_again_changes_no_byte(name: str, read: Study, tmp_path: Path) -> None:
    evidence, controls = read(name)
    first, again = tmp_path / "figure.svg", tmp_path / "again.svg"
    png = tmp_path / "figure.png"
    labels = LABELS if FIGURES[name].labelled else Unread()
    draw(name, evidence, controls, labels, [png, first])
    draw(name, evidence, controls, labels, [again])
    assert ElementTree.parse(first).getroot().tag.endswith("svg")
    assert png.read_bytes().startswith(b"\x89PNG")
    assert len(png.read_bytes()) > 5000
    assert first.read_bytes() == again.read_bytes()
    assert sorted(tmp_path.iterdir()) == sorted([first, again, png])
    numbers = numbers_in(first)
    assert numbers is not None
    assert numbers["panels"]
    assert len(json.dumps(numbers)) < MOST_NUMBERS


@pytest.mark.parametrize("name", figure_names())
def test_no_certified_run_is_no_crash(name: str, read: Study) -> None:
    evidence, controls = read(name)
    nothing = {field: evidence[field] * 0 for field in ("certified", "minimal") if field in evidence}
    canvas = rendered(name, evidence.assign(nothing), controls.isel(cell=[], missing_dims="ignore"))
    if name in DRAWN_FROM_RUNS:
        assert "no certified run" in texts(canvas)


@pytest.mark.parametrize("labels", [["1.2c"], ["0.05", "60.0"]], ids=["above", "absolute"])
@pytest.mark.parametrize("name", [*DRAWN_FROM_RUNS, "census", "kept"])
def test_unusual_grids(name: str, labels: list[str], made_up: Callable[..., xr.Dataset], controls: xr.Dataset) -> None:
    canvas = rendered(name, made_up({"only": [2.0, 1.0]}, [2, 5], labels), controls)
    for axes in canvas.axes:
        assert np.isfinite([*axes.get_xlim(), *axes.get_ylim()]).all()


def test_texts_are_complete_and_name_known_claims() -> None:
    figures = load_figures()
    assert list(figures) == list(FIGURES)
    files = {path.stem for path in Path(figure_module.__file__).parent.glob("[a-z]*.py")} - {"figure"}
    assert files == set(figures)  # none is forgotten
    for name, figure in figures.items():
        assert FIGURES[name].claim is None or FIGURES[name].claim in claim_names()
        assert min(len(figure.title), len(figure.caption), len(figure.refuted_by)) > 10
        assert figure.caption.count("$") % 2 == figure.refuted_by.count("$") % 2 == 0
        assert figure.caption.endswith(".")
        assert not figure.refuted_by.endswith(".")  # it completes a sentence


def test_an_unknown_figure_is_refused_by_name() -> None:
    with pytest.raises(KeyError, match=r"no figure 'nonsense'; known figures: .*census, collapse"):
        load_figure("nonsense")


@pytest.mark.parametrize(
    ("name", "tolerance"), [("uniqueness", "distance_tolerance"), ("layer_norms", "layer_norm_tolerance")]
)
def test_marks_against_tolerance_are_the_runs_that_may_speak(
    name: str, tolerance: str, evidence: xr.Dataset, controls: xr.Dataset
) -> None:
    evidence = evidence.copy(deep=True)
    evidence["radius"][3, 2] = np.inf  # no certificate
    evidence["exceptional_distance"][4] = 0.0  # hypothesis not met
    eligible = (evidence["minimal"] == 1) & np.isfinite(evidence["radius"]) & (evidence["exceptional_distance"] > 1e-12)
    deviation = {
        "uniqueness": evidence["distance"],
        "layer_norms": evidence["layer_norm_sq_max"] - evidence["predicted_layer_norm_sq"],
    }
    axes = composed(name, evidence, controls).axes[0 if name == "uniqueness" else 1]
    for depth in (2, 3):
        truth = pairs(evidence, eligible & (evidence["depth"] == depth), evidence[tolerance], deviation[name])
        np.testing.assert_array_equal(marks(axes, _style.depth_colour(depth)), truth)


@pytest.mark.parametrize("name", ["uniqueness", "layer_norms"])
def test_a_violation_is_in_view_beyond_the_edge(name: str, evidence: xr.Dataset, controls: xr.Dataset) -> None:
    evidence = evidence.copy(deep=True)
    evidence["distance"][7, 3] = 50.0
    evidence["layer_norm_sq_max"][7, 3] = 50.0
    depth = int(evidence["depth"][7])
    axes = composed(name, evidence, controls.isel(cell=[], missing_dims="ignore")).axes[
        0 if name == "uniqueness" else 1
    ]
    x, y = max(marks(axes, _style.depth_colour(depth)), key=lambda place: place[1])
    assert y > 40 * x
    assert axes.get_xlim()[0] < x < axes.get_xlim()[1]
    assert axes.get_ylim()[0] < y < axes.get_ylim()[1]


def test_both_minimizers_of_the_control_are_drawn(evidence: xr.Dataset, controls: xr.Dataset) -> None:
    x_j = 0.5**0.75  # depth 3, lambda 0.5: (lambda (L - 2))^(L / (2 (L - 1)))
    scalar, matrix = composed("two_minimizers", evidence, controls).axes
    apart = composed("uniqueness", evidence, controls).axes[0]
    assert marks(scalar, _style.CONTROL)[:, 0] == pytest.approx([0, 0, 0, x_j])
    assert marks(matrix, _style.CONTROL)[:, 0].max() == pytest.approx(x_j)
    assert marks(apart, _style.CONTROL)[:, 1].max() == pytest.approx(x_j)


def test_trace_marks_are_the_evidence(evidence: xr.Dataset, controls: xr.Dataset) -> None:
    against, slack = composed("trace_bound", evidence, controls).axes
    for depth in (2, 3):
        eligible = (evidence["minimal"] == 1) & (evidence["depth"] == depth)
        bound, trace = evidence["trace_bound"], evidence["hessian_trace"]
        colour = _style.depth_colour(depth)
        np.testing.assert_array_equal(marks(against, colour), pairs(evidence, eligible, bound, trace))
        np.testing.assert_array_equal(
            marks(slack, colour), pairs(evidence, eligible, evidence["relative"], trace / bound)
        )


def test_collapse_marks_the_lowest_certified_run_of_each_lambda(evidence: xr.Dataset, controls: xr.Dataset) -> None:
    evidence = evidence.copy(deep=True)
    evidence["objective"][5, 2] -= 1.0  # cell 5: second target, depth 2, 0.1 lambda_c
    evidence["end_to_end_norm"][5, 2] = 1.23
    evidence["objective"][6, 1] -= 1.0
    evidence["certified"][6, 1] = 0  # lower, but it may not speak
    evidence["end_to_end_norm"][6, 1] = 9.0
    axes = composed("collapse", evidence, controls).axes[2]  # rows are targets, columns depths
    best = next(line for line in axes.lines if line.get_marker() == "o")
    expected = evidence["predicted_norm"].values[5:10].copy()
    expected[0] = 1.23
    np.testing.assert_allclose(best.get_ydata(), expected / 2.0)  # sigma_1 = 2
    np.testing.assert_allclose(best.get_xdata(), [0.1, 0.6, 0.95, 1.1, 1.5])


def test_census_shares_are_counts_over_targets_and_draws(evidence: xr.Dataset, controls: xr.Dataset) -> None:
    canvas = composed("census", evidence, controls)
    for axes, depth in zip(canvas.axes, (2, 3), strict=False):
        drawn = np.ma.getdata(axes.collections[0].get_array()).reshape(2, 5)
        here = evidence["minimal"].values[evidence["depth"].values == depth].reshape(2, 5, 2, 2)
        np.testing.assert_allclose(drawn, here.mean(axis=(0, 3)).T)


def test_a_grid_too_large_for_its_figure_says_what_it_shows(
    made_up: Callable[..., xr.Dataset], controls: xr.Dataset
) -> None:
    many = made_up({f"t{k}": [1.0 + k] for k in range(9)}, [2, 3], ["0.5c"])
    assert "(6 of 9 targets)" in composed("collapse", many, controls).get_supxlabel()


def test_balancedness_marks_every_certified_run_and_its_control_twice(
    evidence: xr.Dataset, controls: xr.Dataset
) -> None:
    evidence = evidence.copy(deep=True)
    evidence["certified"][2, 1] = 0
    certified, anywhere = composed("balancedness", evidence, controls).axes
    tolerance = evidence["imbalance_slope"] * evidence["gradient_norm"] + evidence["imbalance_floor"]
    for depth in (2, 3):
        shown = (evidence["certified"] == 1) & (evidence["depth"] == depth)
        for axes, field in ((certified, "imbalance"), (anywhere, "singular_value_gap")):
            truth = pairs(evidence, shown, tolerance, evidence[field])
            np.testing.assert_array_equal(marks(axes, _style.depth_colour(depth)), truth)
    # declared to be critical they are far above the line; at the gradient norm that they have they are not
    assert (np.diff(marks(certified, _style.CONTROL)) > 0.5).all()
    assert (np.diff(marks(anywhere, _style.CONTROL)) < 0).all()


def test_slack_is_drawn_by_rank_and_on_the_line_where_the_bound_is_attained(
    made_up: Callable[..., xr.Dataset], controls: xr.Dataset
) -> None:
    evidence = made_up({"scalar": [2.0], "plane": [2.0, 1.0]}, [3], ["0.1c", "1.2c"])
    scalar, plane = composed("trace_slack", evidence, controls).axes
    colour = _style.depth_colour(3)
    line = scalar.get_ylim()[0] * 3
    assert {tuple(place) for place in marks(scalar, colour).round(9)} == {(0, round(line, 9)), (1, round(line, 9))}
    attained, above = np.unique(marks(plane, colour), axis=0)
    assert attained == pytest.approx([0, line])
    cell = evidence.isel(cell=2)  # the plane at 0.1 lambda_c: rank 2
    assert above == pytest.approx([2, float(cell["predicted_trace"] / cell["trace_bound"]) - 1], rel=1e-6)
    assert above[1] > 10 * line


def test_shares_of_kept_values_are_heights_that_add_up_to_one(evidence: xr.Dataset, controls: xr.Dataset) -> None:
    panels = composed("kept", evidence, controls).axes  # depth x scale
    assert [panel.get_title(loc="left") for panel in panels[:2]] == ["gaussian × 0.5", "gaussian × 2"]
    lowest = panels[2]  # depth 3, scale 0.5: one of two draws ends at zero where the minimum is not zero
    layers = {to_hex(layer.get_facecolor()[0]): layer.get_paths()[0].vertices for layer in lowest.collections}
    places = [0.1, 0.6, 0.95, 1.1, 1.5]
    heights = {colour: [np.ptp(outline[outline[:, 0] == x, 1]) for x in places] for colour, outline in layers.items()}
    here = (evidence["depth"] == 3).values
    ended = evidence["kept"].values[here][:, :2].reshape(2, 5, 2)
    np.testing.assert_allclose(heights[_style.level_colour(0)], (ended == 0).mean(axis=(0, 2)))
    np.testing.assert_allclose(np.sum(list(heights.values()), axis=0), 1)


def test_every_minimizer_of_the_hessian_study_is_a_mark(study: Study) -> None:
    evidence, controls = study("hessian")
    axes = composed("hessian_spectrum", evidence, controls).axes[1]
    eligible = (evidence["minimal"] == 1) & np.isfinite(evidence["radius"])
    away = np.abs(evidence["spectrum"] - evidence["predicted_spectrum"]).max("eigen")
    for depth in (2, 3, 4, 5):
        truth = pairs(evidence, eligible & (evidence["depth"] == depth), evidence["spectrum_tolerance"], away)
        np.testing.assert_array_equal(marks(axes, _style.depth_colour(depth)), truth)
    assert len(marks(axes, _style.CONTROL)) >= 1


def test_every_distance_is_a_mark_and_those_of_the_control_lie_beyond_the_line(study: Study) -> None:
    evidence, controls = study("distances")
    left, right = composed("distance_bound", evidence, controls).axes
    for kind, colour in COLOURS.items():
        near = (evidence["certified"] == 1) & (evidence["kind"] == kind)
        truth = pairs(evidence, near, evidence["bound"] / 2, evidence["distance"])
        np.testing.assert_array_equal(marks(left, colour), truth)
    beyond = marks(right, COLOURS["soft"])
    assert (beyond[:, 1] > 2 * beyond[:, 0]).all()


def test_the_phase_diagram_has_the_shares_of_certified_runs_and_no_column_across_a_threshold(
    evidence: xr.Dataset, controls: xr.Dataset
) -> None:
    evidence = evidence.copy(deep=True)
    lam_s = (3 / 4) * (1 / 4) ** (1 / 3) / (1 / 2) ** (4 / 3)  # depth 3, m = 1, in units of lambda_c = 2^(-4/3)
    cells = np.flatnonzero((evidence["depth"] == 3).values & (evidence["lam_label"] == "0.6c").values)
    evidence["certified"][cells[0], 1] = 0  # of eight runs, two at zero: one more has no say
    evidence["kept"][cells[0], 1] = -1
    at_zero, at_minimum = composed("phase", evidence, controls).axes[:2]
    for axes, expected in ((at_zero, [2 / 8, 2 / 7, 2 / 8, 1, 1]), (at_minimum, [6 / 8, 5 / 7, 6 / 8, 1, 1])):
        mesh = axes.collections[1]  # depth 3
        np.testing.assert_allclose(np.ma.getdata(mesh.get_array()).ravel(), expected)
        edges = mesh.get_coordinates()[0, :, 0]
        np.testing.assert_allclose(edges[1:-1], [0.35, 0.775, 1, lam_s])
