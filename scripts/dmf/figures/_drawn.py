"""What a canvas shows, as numbers: the place, limits and scales of its panels, and the points and cells drawn in them.

The SVG carries it, and the page lets its readers point at a mark and read the number. The names of series are those of
the legend.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.collections import PathCollection, QuadMesh
from matplotlib.colors import to_hex, to_rgba
from matplotlib.figure import Figure as Canvas
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.markers import MarkerStyle
from matplotlib.patches import Patch
from matplotlib.ticker import FixedFormatter, FixedLocator, FuncFormatter
from numpy.typing import ArrayLike, NDArray

from dmf.formulas import in_unicode

Floats = NDArray[np.float64]
Shape = tuple[float, ...] | None

POINTS = 72  # an inch
DIGITS = 4  # significant
MOST_DIGITS = 16  # of a float
STEPS = 2000  # places along an axis that stay apart, even where digits would not do
MOST_POINTS = 150  # in a panel
MOST_IN_ALL = 1200  # in a figure
MOST_CELLS = 400  # of a heat map
SCALES = ("linear", "log", "symlog")
ANY_COLOUR = to_hex("0.2")  # a legend's entry in ink names what has its symbol or line in any colour
LEFT_OUT = re.compile(r" \(\d+ of \d+ \w+\)")  # what a figure has no room for, behind the label of an axis
DOLLAR = "\ue00f"  # stands for one that begins no formula
UNKNOWN = re.compile(r"[${}\\]")  # marks of LaTeX, dropped from a formula that is not understood


@dataclass(frozen=True)
class _Look:
    """What a reader knows a series by: the outline of its mark, None for a bare line, its colour, and its dashes."""

    shape: Shape
    colour: str
    dashes: str


@dataclass(frozen=True)
class _Series:
    """Points (n, 2) in data coordinates, the series' name in the legend, "" for none, and whether it is a bare line."""

    name: str
    bare: bool
    points: Floats


def drawn(canvas: Canvas) -> str:
    """What a canvas that has been drawn shows, as JSON without spaces.

    `size` is that of the SVG's viewBox; a panel's box `at` is [left, top, width, height] in it. Axes have limits
    (`from`, `to`: at the left or the bottom, and at the other end), a `scale`, a `label`, and `names` of places where
    ticks have texts. `series` are [name, x, y] for marks, then [name, x, y, 1] for curves, thinned to MOST_POINTS a
    panel; `cells` of heat maps are [edges along x, edges along y, values by row]. Panels without axes, and those of
    other scales, are left out.
    """
    width, height = (float(inches) * POINTS for inches in canvas.get_size_inches())
    shown = [axes for axes in canvas.axes if _is_panel(axes)]
    most = min(MOST_POINTS, MOST_IN_ALL // max(len(shown), 1))
    panels = [_panel(axes, canvas, (width, height), most) for axes in shown]
    size = [round(width, 2), round(height, 2)]
    return json.dumps({"size": size, "panels": panels}, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _is_panel(axes: Axes) -> bool:
    known = axes.name == "rectilinear" and axes.get_xscale() in SCALES and axes.get_yscale() in SCALES
    return known and axes.axison and axes.get_visible() and axes.get_label() != "<colorbar>"


def _panel(axes: Axes, canvas: Canvas, size: tuple[float, float], most: int) -> dict[str, Any]:
    box = axes.get_position()
    width, height = size
    places = (box.x0 * width, (1 - box.y1) * height, box.width * width, box.height * height)
    facts: dict[str, Any] = {
        "at": [round(float(place), 2) for place in places],
        "x": _axis(axes.xaxis, axes, canvas),
        "y": _axis(axes.yaxis, axes, canvas),
    }
    if title := plain(axes.get_title(loc="left") or axes.get_title()):
        facts["title"] = title
    if series := [_as_lists(one, axes) for one in _thinned(_series(axes, canvas), most)]:
        facts["series"] = series
    if cells := list(_cells(axes)):
        facts["cells"] = cells
        facts["value"] = _value(axes, canvas)
    return facts


def _axis(axis: Axis, axes: Axes, canvas: Canvas) -> dict[str, Any]:
    along_x = axis is axes.xaxis
    start, end = (float(f"{end:.9g}") for end in axis.get_view_interval())
    facts: dict[str, Any] = {"from": start, "to": end, "scale": axis.get_scale()}
    if axis.get_scale() == "symlog":
        transform: Any = axis.get_transform()
        facts |= {name: float(getattr(transform, name)) for name in ("base", "linthresh", "linscale")}
    shared = (axes.get_shared_x_axes() if along_x else axes.get_shared_y_axes()).get_siblings(axes)
    of_all = canvas.get_supxlabel() if along_x else canvas.get_supylabel()
    labels = [axis.get_label_text(), *sorted((one.xaxis if along_x else one.yaxis).get_label_text() for one in shared)]
    label = next(filter(None, map(str.strip, [*labels, of_all])), "")
    facts["label"] = plain(LEFT_OUT.sub("", label))
    if names := _names(axis):
        facts["names"] = names
    return facts


def _names(axis: Axis) -> list[list[Any]]:
    """[place, text] of ticks that have a text in place of their number."""
    where, how = axis.get_major_locator(), axis.get_major_formatter()
    if not (isinstance(where, FixedLocator) and isinstance(how, FixedFormatter | FuncFormatter)):
        return []
    texts = [(float(place), plain(how(place, i))) for i, place in enumerate(axis.get_majorticklocs())]
    if all(text in ("", f"{place:g}") for place, text in texts):
        return []
    return [[_number(place), text] for place, text in texts if text]


def _series(axes: Axes, canvas: Canvas) -> list[_Series]:
    """Vertices of curves and places of marks that lie in view, those of one name together, in the order of drawing."""
    entries = _legend(axes, canvas)
    found: dict[tuple[str, bool], list[Floats]] = {}
    for artist in axes.get_children():
        for look, points in _points(artist, axes):
            key = (_name(artist, look, entries), look.shape is None)
            found.setdefault(key, []).append(_in_view(points, axes))
    series = [_Series(*key, _distinct(parts, axes)) for key, parts in found.items()]
    return sorted((one for one in series if len(one.points)), key=lambda one: one.bare)


def _points(artist: Artist, axes: Axes) -> Iterator[tuple[_Look, Floats]]:
    """Points of an artist in data coordinates, by their look; none of straight lines, which only guide the eye."""
    if not artist.get_visible():
        return
    if isinstance(artist, Line2D) and artist.get_transform() == axes.transData:
        look = _line_look(artist)
        points = np.column_stack([np.asarray(part, float) for part in artist.get_data(orig=False)])
        if look.shape is not None or len(points) > 2:
            yield look, points
    elif isinstance(artist, PathCollection) and artist.get_offset_transform() == axes.transData:
        points = np.ma.filled(np.ma.asarray(artist.get_offsets(), float), np.nan)
        names, which = _colours(artist)
        of_points = np.broadcast_to(which, len(points))
        for number in dict.fromkeys(which.tolist()):
            yield _Look(_outline(artist), names[number], "None"), points[of_points == number]


def _line_look(line: Line2D) -> _Look:
    marker = line.get_marker()
    style = str(line.get_linestyle())
    if marker in (None, "", " ", "None", "none"):
        return _Look(None, to_hex(line.get_color()), style)
    mark = MarkerStyle(marker)
    face: Any = line.get_markerfacecolor()
    filled = mark.is_filled() and to_rgba(face)[3] > 0
    colour = to_hex(face if filled else line.get_markeredgecolor())
    return _Look(_rounded_outline(mark.get_path().transformed(mark.get_transform()).vertices), colour, style)


def _colours(marks: PathCollection) -> tuple[list[str], NDArray[np.intp]]:
    """Distinct colours, and which of them each mark has; one number stands for all marks."""
    faces = np.asarray(marks.get_facecolor())
    colours = faces if len(faces) and faces[0, 3] > 0 else np.asarray(marks.get_edgecolor())
    if not len(colours):
        return [""], np.zeros(1, dtype=np.intp)
    rows, which = np.unique(colours[:, :3], axis=0, return_inverse=True)
    return [to_hex(row) for row in rows], which.ravel()


def _first_colour(marks: PathCollection) -> str:
    names, which = _colours(marks)
    return names[int(which[0])]


def _outline(marks: PathCollection) -> Shape:
    paths = marks.get_paths()
    return _rounded_outline(paths[0].vertices) if len(paths) else None


def _rounded_outline(vertices: ArrayLike) -> Shape:
    return tuple((np.asarray(vertices, float).ravel().round(6) + 0.0).tolist())


def _legend(axes: Axes, canvas: Canvas) -> list[tuple[_Look, str]]:
    """Looks and names in the legends of a panel and of its canvas."""
    legends = [legend for legend in (axes.get_legend(), *canvas.legends) if legend]
    found = []
    for legend in legends:
        for handle, text in zip(legend.legend_handles, legend.get_texts(), strict=True):
            if isinstance(handle, Line2D):
                found.append((_line_look(handle), text.get_text()))
            elif isinstance(handle, PathCollection):
                found.append((_Look(_outline(handle), _first_colour(handle), "None"), text.get_text()))
            elif isinstance(handle, Patch):
                continue  # a ground, not a series
    return found


def _name(artist: Artist, look: _Look, entries: Sequence[tuple[_Look, str]]) -> str:
    """The name of a series: its own, or of the one entry with its look; "" for none, and where two could be meant.

    A line through marks has the look of its marks. An entry in ink stands for any colour; a bare line that has none
    may share its colour with the marks of one.
    """
    own = str(artist.get_label())
    if own and not own.startswith("_"):
        return plain(own)
    same = [
        (entry, name)
        for entry, name in entries
        if entry.shape == look.shape and (look.shape is not None or entry.dashes == look.dashes)
    ]
    exact = {name for entry, name in same if entry.colour == look.colour}
    general = {name for entry, name in same if entry.colour == ANY_COLOUR}
    of_colour = {name for entry, name in entries if look.shape is None and entry.colour == look.colour != ANY_COLOUR}
    names = exact or general or of_colour
    return plain(names.pop()) if len(names) == 1 else ""


def _in_view(points: Floats, axes: Axes) -> Floats:
    (left, right), (bottom, top) = sorted(axes.get_xlim()), sorted(axes.get_ylim())
    x, y = points.T
    seen: Floats = points[(x >= left) & (x <= right) & (y >= bottom) & (y <= top)]  # NaN is nowhere
    return seen


def _distinct(parts: Iterable[Floats], axes: Axes) -> Floats:
    x, y = np.concatenate([np.empty((0, 2)), *parts]).T
    rounded = zip(_rounded(x, axes.xaxis).tolist(), _rounded(y, axes.yaxis).tolist(), strict=True)
    return np.array(list(dict.fromkeys(rounded)), float).reshape(-1, 2)


def _thinned(series: Sequence[_Series], most: int) -> list[_Series]:
    """At most about `most` points of all series, evenly among those of each, with the first and the last.

    Curves give way to marks, which are measured, down to a third of the room.
    """
    known = {bare: sum(len(one.points) for one in series if one.bare == bare) for bare in (True, False)}
    of_marks = min(known[False], max(most - known[True], most * 2 // 3))
    room = {False: of_marks, True: most - of_marks}
    thin = []
    for one in series:
        count = len(one.points)
        keep = max(count * room[one.bare] // known[one.bare], 2)
        rows = np.linspace(0, count - 1, keep).round().astype(int) if keep < count else slice(None)
        thin.append(_Series(one.name, one.bare, one.points[rows]))
    return thin


def _as_lists(series: _Series, axes: Axes) -> list[Any]:
    x, y = series.points.T.tolist()
    return [
        series.name,
        [_number(value) for value in x],
        [_number(value) for value in y],
        *([1] if series.bare else []),
    ]


def _rounded(values: Floats, axis: Axis) -> Floats:
    """Values with DIGITS significant digits, or as many as tell places on the axis apart; never -0."""
    low, high = sorted(float(end) for end in axis.get_view_interval())
    if not low < high:
        return values + 0.0

    def digits(along: float) -> int:
        return min(max(DIGITS, math.ceil(math.log10(STEPS) - math.log10(along))), MOST_DIGITS)

    distinct, places = np.unique(values, return_inverse=True)
    if (scale := axis.get_scale()) not in ("log", "symlog"):
        of_each = [digits((high - low) / abs(value)) if value else DIGITS for value in distinct.tolist()]
    else:
        decades = math.log(high) - math.log(low) if scale == "log" and low > 0 else 0.0
        of_each = [digits(decades) if scale == "log" else DIGITS] * len(distinct)
    rounded = [float(f"{value:.{count - 1}e}") for value, count in zip(distinct.tolist(), of_each, strict=True)]
    return np.array(rounded, float)[places] + 0.0


def _number(value: float) -> float | int:
    return int(value) if value.is_integer() and abs(value) < 10**DIGITS else value


def _cells(axes: Axes) -> Iterator[list[Any]]:
    """Heat maps with few enough cells: [edges along x, edges along y, values by row, null where there is none]."""
    values: Any  # a masked array (rows, columns)
    for artist in axes.get_children():
        if isinstance(artist, QuadMesh):
            corners = np.asarray(artist.get_coordinates(), float)
            x, y = corners[0, :, 0], corners[:, 0, 1]
            values = np.ma.asarray(artist.get_array(), float).reshape(len(y) - 1, len(x) - 1)
        elif isinstance(artist, AxesImage):
            values = np.ma.asarray(artist.get_array(), float)
            if values.ndim != 2:
                continue
            left, right, bottom, top = artist.get_extent()
            ends = (top, bottom) if artist.origin == "upper" else (bottom, top)
            x, y = np.linspace(left, right, values.shape[1] + 1), np.linspace(*ends, values.shape[0] + 1)
        else:
            continue
        if values.size <= MOST_CELLS:
            flat = np.ma.filled(values, np.nan).ravel().tolist()
            numbers = [_number(float(f"{value:.{DIGITS}g}")) if math.isfinite(value) else None for value in flat]
            yield [_edges(x), _edges(y), numbers]


def _edges(ends: Floats) -> list[float | int]:
    return [_number(float(f"{end:.7g}")) for end in ends.tolist()]


def _value(axes: Axes, canvas: Canvas) -> str:
    """What the colours of a heat map mean: the label of the canvas's one colour bar."""
    bars = [one for one in canvas.axes if one.get_label() == "<colorbar>"]
    labels = {one.get_ylabel() or one.get_xlabel() for one in bars}
    return plain(labels.pop()) if len(labels) == 1 else ""


@lru_cache(maxsize=1000)
def plain(text: str) -> str:
    r"""Text with formulas in plain letters: $\lambda\,/\,\lambda_c$ is λ / λ_c, or so; text of a user's as it is."""
    safe = text.replace(r"\$", DOLLAR)
    try:
        words = in_unicode(safe)
    except ValueError:
        words = UNKNOWN.sub("", safe)
    return " ".join(words.replace(DOLLAR, "$").split())
