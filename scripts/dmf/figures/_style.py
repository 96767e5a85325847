"""How every figure looks: type, colours of depths, symbols, and files whose bytes depend on nothing but the data."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any, TypeVar

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure as Canvas
from matplotlib.font_manager import FontProperties
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullLocator
from matplotlib.transforms import Bbox

from dmf.figures._drawn import drawn
from dmf.figures._svg import shortened

Item = TypeVar("Item")

WIDTH = 7.0  # inches: a page's text, or both columns of a paper
COLUMN = 3.4  # inches: one of them
STACKED = 1.95  # inches: a panel among those below one another
LEGEND = 0.5  # inches above them
TALLEST = 7.0  # inches of a page that has a caption too
INK = "0.2"
FAINT = "0.62"
CONTROL = "#007d57"  # the one green: no depth has it, and it stays apart from them in every kind of colour vision
PIXELS = 1600  # width of a PNG
REFUTED = "#f7e1e1"  # ground on which no run may lie
WINDOW = "0.91"

MOST_LEVELS = 6  # levels with separate colours; the last one's is that of all higher levels
NOWHERE = -1  # the level of runs at none

MOST_TICKS = 30  # under a heat map
MULTIPLE = re.compile(r"(.+)c$")  # a label of lambda in units of lambda_c

LAMBDA_RATIO = r"$\lambda\,/\,\lambda_c(\sigma_1, L)$"

_RC = {
    # STIX comes with matplotlib, so text and formulas look alike on every machine.
    "font.family": ["STIXGeneral", "DejaVu Sans"],
    "mathtext.fontset": "stix",
    "font.size": 9.5,
    "axes.labelsize": 9.5,
    "axes.titlesize": 9.5,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "legend.handletextpad": 0.3,
    "legend.columnspacing": 1.3,
    "axes.linewidth": 0.6,
    "axes.edgecolor": "0.35",
    "axes.labelcolor": "black",
    "text.color": "black",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.axisbelow": True,
    "grid.color": "0.93",
    "grid.linewidth": 0.6,
    "xtick.bottom": True,
    "ytick.left": True,
    "xtick.direction": "out",
    "ytick.direction": "out",
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.size": 1.5,
    "ytick.minor.size": 1.5,
    "lines.linewidth": 1.2,
    "figure.dpi": PIXELS / WIDTH,  # of the layout as of the PNG, so that formulas are parsed once for both
    "savefig.dpi": 240,  # of marks that are pixels within an SVG
    "figure.figsize": (WIDTH, STACKED),
    "figure.constrained_layout.w_pad": 0.04,
    "figure.constrained_layout.h_pad": 0.04,
    "svg.hashsalt": "dmf",  # else every drawing has other element ids
}

SIZES = ("font.size", "axes.labelsize", "axes.titlesize", "xtick.labelsize", "ytick.labelsize", "legend.fontsize")
_PAPER = {
    **dict.fromkeys(SIZES, 8),  # points, as captions have them
    "figure.figsize": (COLUMN, STACKED),
    "savefig.dpi": 600,  # of the marks that are pixels
    "pdf.fonttype": 42,  # TrueType: publishers refuse matplotlib's own Type 3
}


@contextmanager
def applied(paper: bool = False) -> Iterator[None]:
    """The style, for as long as the context lasts; settings of the caller come back after it. `paper`: for print, in
    type of 8 points, one column wide where the panels can stand below one another."""
    theme: Any = {**sns.axes_style("whitegrid"), **sns.plotting_context("paper"), **_RC, **(_PAPER if paper else {})}
    with mpl.rc_context(theme):
        yield


def blank(height: float, rows: int = 1, columns: int = 1, **options: Any) -> tuple[Canvas, Any]:
    """A canvas as wide as a page's text, `height` inches high, and its axes, shape (rows, columns).

    In a paper (`applied`) one row of panels becomes one column. Made without pyplot, so nothing stays open after
    saving. `options` go to `Figure.subplots`.
    """
    paper = mpl.rcParams["figure.figsize"][0] < WIDTH
    if paper and rows == 1:
        options.pop("width_ratios", None)
        canvas = _canvas(COLUMN, LEGEND + STACKED * columns)
        return canvas, canvas.subplots(columns, 1, squeeze=False, **options).reshape(1, columns)
    canvas = _canvas(WIDTH, min(height, TALLEST) if paper else height)
    return canvas, canvas.subplots(rows, columns, squeeze=False, **options)


def _canvas(width: float, height: float) -> Canvas:
    canvas = Canvas(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(canvas)  # one renderer for the layout and the PNG, which keeps the formulas that it has parsed
    return canvas


def save(canvas: Canvas, path: str | Path) -> None:
    """Write a canvas as its suffix says; equal drawings give equal bytes, whatever was saved before."""
    # The layout moves a little every time it is solved: solve it once, in one way for all formats.
    if isinstance(canvas.get_layout_engine(), ConstrainedLayoutEngine):
        canvas.draw_without_rendering()
        canvas.set_layout_engine(None)  # with another, matplotlib would draw once more before each file
        for axes in canvas.axes:  # the solver's last bits vary, and the names of SVG elements are made of them
            axes.set_position(Bbox(axes.get_position().get_points().round(6)))
    save_as = {".png": _save_png, ".svg": _save_svg, ".pdf": _save_pdf}[Path(path).suffix]
    save_as(canvas, Path(path))


def _save_pdf(canvas: Canvas, path: Path) -> None:
    logging.getLogger("fontTools").setLevel(logging.WARNING)  # it tells of every table of every font that it cuts
    canvas.savefig(path, metadata={"CreationDate": None, "Creator": None, "Producer": None})


def _save_svg(canvas: Canvas, path: Path) -> None:
    file = StringIO()
    canvas.savefig(file, format="svg", metadata={"Date": None})
    path.write_text(shortened(file.getvalue(), drawn(canvas)), encoding="utf-8")


def _save_png(canvas: Canvas, path: Path) -> None:
    canvas.savefig(path, dpi="figure", metadata={"Software": None})


def small() -> float:
    """Points of a note within a panel: those of the numbers along its axes."""
    return FontProperties(size=mpl.rcParams["xtick.labelsize"]).get_size_in_points()  # "medium" by default


def depth_colour(depth: int) -> str:
    """The colour of a depth, the same in every figure, as '#rrggbb'; any depth >= 2.

    A palette of steadily rising lightness, by the power 2/L of the penalty: 1 at its start, 0 (where the penalty
    would count singular values) at its end. The exponent keeps depths 2, 3, 4 and 6 far apart in every kind of colour
    vision.
    """
    return to_hex(mpl.colormaps["inferno"](0.1 + 0.85 * (1 - 2 / depth) ** 1.4))


def level_colour(k: int) -> str:
    """The colour of a level, darker for more singular values kept; grey for runs at none."""
    if k == NOWHERE:
        return FAINT
    return to_hex(mpl.colormaps["viridis"](0.95 - 0.95 * min(k, MOST_LEVELS - 1) / (MOST_LEVELS - 1)))


def depth_marker(depth: int) -> str:
    """The marker of a depth: tells depths apart without colour."""
    return "osD^vPX"[(depth - 2) % 7]


def label_of(labels: Mapping[str, str], target: str) -> str:
    """Display label of a target."""
    return plain(labels.get(target, target))


def plain(text: str) -> str:
    """Text of a user's as it is: a dollar sign in it is a dollar sign, and begins no formula."""
    return text.replace("$", r"\$")


def panel(axes: Axes, letter: str, text: str) -> None:
    """Name a panel."""
    axes.set_title(f"({letter}) {text}")


def evenly(items: Sequence[Item], most: int) -> list[Item]:
    """At most `most` of the items, evenly spaced, with the first and the last."""
    if len(items) <= most:
        return list(items)
    return [items[i] for i in np.linspace(0, len(items) - 1, most).round().astype(int)]


def say_empty(axes: Axes, text: str = "no certified run") -> None:
    """Write into a panel why it is empty."""
    ground = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 2}
    where = axes.transAxes
    axes.text(0.5, 0.5, text, transform=where, ha="center", va="center", color=FAINT, style="italic", bbox=ground)


def of_all(shown: int, known: int, noun: str) -> str:
    """What a figure left out for want of room, in words; nothing where it shows all."""
    return "" if shown == known else f" ({shown} of {known} {noun})"


def scatter_by_depth(axes: Axes, runs: pd.DataFrame, x: str, y: str, size: float = 9) -> None:
    """One mark a run, column `y` against column `x`, in the colour and marker of its depth."""
    for depth, part in runs.groupby("depth"):
        axes.scatter(
            part[x],
            part[y],
            s=size,
            color=depth_colour(int(str(depth))),
            marker=depth_marker(int(str(depth))),
            alpha=0.6,
            linewidths=0,
            rasterized=True,  # thousands of marks would make the SVG heavy
            zorder=3,
        )


def depth_handles(depths: Iterable[int], line: bool = False) -> list[Line2D]:
    """Legend entries of depths."""
    return [
        Line2D(
            [],
            [],
            color=depth_colour(depth),
            marker=depth_marker(depth),
            markersize=4.5,
            linestyle="-" if line else "",
            label=f"$L = {depth}$",
        )
        for depth in depths
    ]


def control_handle(label: str) -> Line2D:
    """Legend entry of a negative control's runs."""
    return Line2D([], [], color=CONTROL, marker="x", markersize=4.5, linestyle="", label=label)


def legend_above(canvas: Canvas, handles: Sequence[Any]) -> None:
    """One legend for all panels, above them, in as many columns as there is room for."""
    if not handles:
        return
    columns = len(handles) if len(handles) <= 6 else -(-len(handles) // 2)
    for ncols in range(columns, 0, -1):
        legend = canvas.legend(handles=list(handles), loc="outside upper center", ncols=ncols)
        if ncols == 1 or legend.get_window_extent().width <= canvas.bbox.width:
            return
        legend.remove()


def lambda_axis(axes: Axes, ratios: Iterable[float]) -> None:
    """The axis of lambda / lambda_c: linear around 1 where the ratios are, logarithmic where they range wider."""
    largest = max([*ratios, 1.0])
    axes.set_xscale("log" if largest > 5 else "linear")
    axes.set_xlabel(LAMBDA_RATIO)
    axes.axvline(1, color=INK, linewidth=0.7, linestyle=(0, (4, 3)), zorder=1)
    if largest <= 5:
        axes.set_xlim(0, max(1.15, 1.04 * largest))


def lambda_order(cells: pd.DataFrame) -> list[str]:
    """Labels of lambda by the median of lambda / lambda_c over targets and depths: columns lam and relative."""
    return [str(label) for label in cells.groupby("lam_label")["relative"].median().sort_values().index]


def lambda_ticks(axes: Axes, labels: Sequence[str], left_out: str = "") -> None:
    """Ticks under a heat map with a column a label: multiples of lambda_c bare where every lambda is one."""
    multiples = [match[1] for label in labels if (match := MULTIPLE.match(label))]
    bare = len(multiples) == len(labels)
    shown = range(0, len(labels), -(-len(labels) // MOST_TICKS))
    texts = [f"{float(multiples[i]):g}" if bare else labels[i] for i in shown]
    axes.set_xticks([i + 0.5 for i in shown], texts, rotation=90 if len(shown) > 12 else 0)
    axes.set_xlabel((LAMBDA_RATIO if bare else r"$\lambda$ (c: in units of $\lambda_c$)") + left_out)


def decades(axes: Axes, x: int = 5, y: int = 7) -> None:
    """Ticks of two logarithmic axes at powers of ten only, at most so many."""
    for axis, most in ((axes.xaxis, x), (axes.yaxis, y)):
        axis.set_major_locator(LogLocator(numticks=most))
        axis.set_minor_locator(NullLocator())


def power_of_ten(value: float) -> str:
    """A number >= 0 with one digit, as LaTeX."""
    digit, _, exponent = f"{value:.0e}".partition("e")
    return rf"{digit} \times 10^{{{int(exponent)}}}" if value else "0"
