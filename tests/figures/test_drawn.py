"""The numbers that an SVG carries: each lies where the mark is drawn, under the name that the legend gives it."""

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from dmf.figures import _style, load_figure
from dmf.figures._drawn import LEFT_OUT, MOST_IN_ALL, MOST_POINTS, drawn, plain
from dmf.figures._svg import SVG, numbers_in

XLINK = "{http://www.w3.org/1999/xlink}href"


def saved(canvas: Any, folder: Path) -> tuple[dict[str, Any], Path]:
    file = folder / "drawing.svg"
    _style.save(canvas, file)
    numbers = numbers_in(file)
    assert numbers is not None
    return numbers, file


def scaled(axis: dict[str, Any], value: float) -> float:
    """As matplotlib documents its scales: symlog is linear within linthresh, which is as long as linscale decades."""
    if axis["scale"] == "log":
        return float(np.log10(value))
    if axis["scale"] == "symlog" and abs(value) > axis["linthresh"]:
        decades = np.log(abs(value) / axis["linthresh"]) / np.log(axis["base"])
        return float(np.sign(value) * (axis["linscale"] / (1 - 1 / axis["base"]) + decades))
    return value / axis["linthresh"] * axis["linscale"] / (1 - 1 / axis["base"]) if axis["scale"] == "symlog" else value


def place(panel: dict[str, Any], x: float, y: float) -> tuple[float, float]:
    """Where a point lies in the SVG, by nothing but what the SVG says of its panel."""
    shares = []
    for axis, value in ((panel["x"], x), (panel["y"], y)):
        start, end = scaled(axis, axis["from"]), scaled(axis, axis["to"])
        shares.append((scaled(axis, value) - start) / (end - start))
    left, top, width, height = panel["at"]
    return left + shares[0] * width, top + (1 - shares[1]) * height


def marks_in(file: Path, shape: str) -> np.ndarray:
    """Places (mark, 2) of all marks in a colour that an SVG viewer would draw."""
    root = ElementTree.parse(file).getroot()
    sheet = root.findtext(f".//{{{SVG}}}style") or ""
    looks = dict(re.findall(r"\.(\w+)\{([^}]*)\}", sheet))
    found = []
    for use in root.iter(f"{{{SVG}}}use"):
        look = use.get("style") or looks.get(use.get("class", ""), "")
        if f"fill:{shape}" in look:
            found.append((float(use.get("x", "0")), float(use.get("y", "0"))))
    return np.array(found)


AXES: dict[str, dict[str, Any]] = {
    "linear": {"xlim": (-1, 9), "ylim": (0.2, 8)},
    "logarithmic": {"xscale": "log", "yscale": "log", "xlim": (1e-3, 1e2), "ylim": (1e-9, 1e3)},
    "reversed": {"xlim": (9, -1), "yscale": "log", "ylim": (1e3, 1e-9)},
}
POINTS = np.array([[0.02, 3.14159], [1.5, 0.5], [7.25, 6.0]])


@pytest.mark.parametrize("kind", [*AXES, "symlog"])
def test_a_point_lies_by_its_numbers_where_the_svg_draws_it(kind: str, tmp_path: Path) -> None:
    with _style.applied():
        canvas, axes = _style.blank(2.5, 1, 2)
        axis = axes[0, 1]
        if kind == "symlog":
            axis.set_xscale("symlog", linthresh=0.1, linscale=0.7)
            axis.set(xlim=(-5, 20))
        else:
            axis.set(**AXES[kind])
        axis.plot(*POINTS.T, linestyle="", marker="o", color="#0000fe", markeredgewidth=0)
        axis.grid(False)
        numbers, file = saved(canvas, tmp_path)
    panel = numbers["panels"][1]
    ((name, xs, ys),) = panel["series"]
    assert name == ""
    np.testing.assert_allclose(np.column_stack([xs, ys]), POINTS, rtol=1e-3)
    by_numbers = np.array([place(panel, x, y) for x, y in zip(xs, ys, strict=True)])
    np.testing.assert_allclose(by_numbers, marks_in(file, "#0000fe"), atol=0.05)  # a point is a 72nd of an inch
    view = ElementTree.parse(file).getroot().get("viewBox", "").split()
    np.testing.assert_allclose([float(length) for length in view[2:]], numbers["size"], atol=0.01)


def test_equal_drawings_carry_equal_numbers_whatever_was_saved_before(tmp_path: Path) -> None:
    texts = []
    for before in ([], ["a.png", "a.pdf"]):
        with _style.applied():
            canvas, axes = _style.blank(2.5, 1, 2)
            axes[0, 0].scatter(np.linspace(0, 1, 30) / 3, np.linspace(0, 1, 30) / 7)
            for name in before:
                _style.save(canvas, tmp_path / name)
            _style.save(canvas, tmp_path / "drawing.svg")
        texts.append((tmp_path / "drawing.svg").read_bytes())
    assert texts[0] == texts[1]


def panel_of(axes: Axes, canvas: Any) -> dict[str, Any]:
    canvas.draw_without_rendering()
    panel: dict[str, Any] = json.loads(drawn(canvas))["panels"][canvas.axes.index(axes)]
    return panel


def test_series_have_the_names_of_the_legend_and_none_where_two_could_be_meant() -> None:
    with _style.applied():
        canvas, ((axes,),) = _style.blank(2.5)
        x = np.array([0.1, 0.2, 0.9])
        axes.plot(x, x, color="#aa0000")  # bare, in the colour of "deep"
        axes.plot(x, x + 1, linestyle="", marker="o", color="#aa0000")
        axes.scatter(x, x + 2, marker="x", color="#00bb00")  # in ink in the legend: any colour
        axes.plot(x, x + 3, linestyle="", marker="s", color="#0000cc")
        axes.plot(x, x + 4, linestyle="--", color="#123456", label="$\\lambda_c$ it is")
        axes.plot([0, 1], [0, 5], color="#aa0000")  # a straight line has no points
        axes.axvline(0.5)
        looks: list[dict[str, Any]] = [
            {"marker": "o", "color": "#aa0000", "label": "deep $L = 3$"},
            {"marker": "x", "color": _style.INK, "label": "ended elsewhere"},
            {"marker": "s", "color": "#0000cc", "label": "one"},
            {"marker": "s", "color": "#0000cc", "label": "two"},
        ]
        _style.legend_above(canvas, [Line2D([], [], linestyle="", **look) for look in looks])
        panel = panel_of(axes, canvas)
    names = {round(ys[0] - xs[0]): name for name, xs, ys, *_ in panel["series"]}
    assert [len(series) for series in panel["series"]] == [3, 3, 3, 4, 4]  # marks, then curves
    assert names == {0: "deep L = 3", 1: "deep L = 3", 2: "ended elsewhere", 3: "", 4: "λ_c it is"}


def test_what_is_out_of_view_is_not_there_and_the_rest_is_thinned_to_its_ends() -> None:
    with _style.applied():
        canvas, axes = _style.blank(2.5, 1, 3)
        x = np.linspace(0, 1, 5000)
        axes[0, 0].plot(x, np.sin(9 * x))
        axes[0, 0].scatter(x, np.cos(9 * x))
        axes[0, 1].plot(x, np.where(x < 0.5, np.nan, 1), marker="o")
        axes[0, 1].set_xlim(0, 0.75)
        axes[0, 2].plot([1, 2], [5e-324, 1e-300], marker="o")
        axes[0, 2].set_yscale("log")
        panels = [panel_of(axis, canvas) for axis in axes[0]]
    (_, marks, _), (_, line, _, _) = panels[0]["series"]
    assert len(line) + len(marks) <= MOST_POINTS <= MOST_IN_ALL
    assert len(line) == len(marks) // 2  # marks are measured
    assert (marks[0], marks[-1]) == (0, 1)
    ((_, xs, _),) = panels[1]["series"]
    assert min(xs) >= 0.5
    assert max(xs) <= 0.75
    assert json.dumps(panels[2], allow_nan=False)


def test_numbers_have_four_digits_or_as_many_as_tell_marks_apart() -> None:
    with _style.applied():
        canvas, ((axes,),) = _style.blank(2.5)
        axes.plot([1 + 1e-9, 1 + 2e-9, 1 + 3e-9], [123.456789, 0.00123456789, 50], linestyle="", marker="o")
        axes.set(xlim=(1, 1 + 4e-9), ylim=(0, 200))
        ((_, xs, ys),) = panel_of(axes, canvas)["series"]
    np.testing.assert_allclose(np.subtract(xs, 1), [1e-9, 2e-9, 3e-9], rtol=1e-2)
    assert ys == [123.5, 0.001235, 50]


def test_cells_of_heat_maps_have_their_values_and_the_texts_of_their_ticks() -> None:
    values = np.array([[1.0, np.nan, 0.123456], [4, 5, 6]])
    with _style.applied():
        canvas, axes = _style.blank(2.5, 1, 2)
        image = axes[0, 0].imshow(values, aspect="auto")
        mesh = axes[0, 1].pcolormesh([1, 10, 100, 1000], [0, 1, 2], values)
        axes[0, 1].set(xscale="log")
        axes[0, 1].set_yticks([0.5, 1.5], ["gaussian", r"$\sigma$"])
        canvas.colorbar(mesh, ax=axes, label="share of $X$")
        canvas.draw_without_rendering()
        first, second = json.loads(drawn(canvas))["panels"]  # the bar is no panel
    flat = [1, None, 0.1235, 4, 5, 6]
    assert image.origin == "upper"
    assert first["cells"] == [[[-0.5, 0.5, 1.5, 2.5], [-0.5, 0.5, 1.5], flat]]
    assert (first["y"]["from"], first["y"]["to"]) == (1.5, -0.5)  # the first row is above
    assert second["cells"] == [[[1, 10, 100, 1000], [0, 1, 2], flat]]
    assert second["y"]["names"] == [[0.5, "gaussian"], [1.5, "σ"]]
    assert second["value"] == "share of X"


def test_labels_are_plain_text_and_a_users_dollar_sign_stays() -> None:
    assert plain(_style.LAMBDA_RATIO) == "λ / λ_c(σ₁, L)"
    assert LEFT_OUT.sub("", "share" + _style.of_all(6, 7, "targets") + _style.of_all(2, 3, "depths")) == "share"
    assert plain(r"$\|X\|_F\,/\,\sigma_1$") == "‖X‖_F / σ₁"
    assert plain(_style.plain("costs $2 & <b>")) == "costs $2 & <b>"
    assert plain(r"$\nonsense x$") == "nonsense x"


def test_an_empty_panel_and_one_without_axes_do_no_harm() -> None:
    with _style.applied():
        canvas, axes = _style.blank(2.5, 1, 2)
        axes[0, 1].axis("off")
        _style.say_empty(axes[0, 0])
        canvas.draw_without_rendering()
        (panel,) = json.loads(drawn(canvas))["panels"]
    assert "series" not in panel


def test_the_collapse_carries_the_best_run_of_every_cell(evidence: xr.Dataset, controls: xr.Dataset) -> None:
    with _style.applied():
        canvas = load_figure("collapse").compose(evidence, controls, {})
        canvas.draw_without_rendering()
        panels = json.loads(drawn(canvas))["panels"]
    assert {(panel["x"]["label"], panel["y"]["label"]) for panel in panels} == {("λ / λ_c(σ₁, L)", "‖X‖_F / σ₁")}
    corners = [(target, depth) for target in ("first", "second") for depth in (2, 3)]
    for panel, (target, depth) in zip(panels, corners, strict=True):
        cells = evidence.isel(cell=(evidence["target"].values == target) & (evidence["depth"].values == depth))
        best = cells["objective"].argmin("start")
        x, y = cells["relative"].values, (cells["end_to_end_norm"].isel(start=best) / cells["sigma_1"]).values
        series = {name: np.array([xs, ys]) for name, xs, ys, *_ in panel["series"]}
        assert {"best of all starts", "closed form"} <= set(series)
        order = np.argsort(series["best of all starts"][0])
        np.testing.assert_allclose(
            series["best of all starts"][:, order], [np.sort(x), y[np.argsort(x)]], rtol=1e-3, atol=1e-7
        )
