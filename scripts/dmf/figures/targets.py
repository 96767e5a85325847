"""The targets and what regularization makes of them: heat maps of M beside X*, labelled where the data are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure as Canvas
from numpy.typing import NDArray

from dmf import theory
from dmf.figures import _style
from dmf.figures.figure import Figure

Floats = NDArray[np.float64]
MOST_TARGETS, LONGEST = 8, 24
MOST_TICKS = {"row_label": 34, "col_label": 16}
SMALL = 5.0  # points


def compose(evidence: xr.Dataset, controls: xr.Dataset, labels: Mapping[str, str]) -> Canvas:
    """One row a target: M, X* where most directions are kept, and X* where fewest are. `controls` are the targets."""
    targets = controls
    shown = _style.evenly(range(targets.sizes["target"]), MOST_TARGETS)
    heights = [float(np.clip(0.085 * int(targets["rows"][i]), 0.9, 2.8)) for i in shown]
    canvas, grid = _style.blank(sum(heights) + 0.62 * len(shown), len(shown), 3, height_ratios=heights)
    for axes, i in zip(grid, shown, strict=True):
        _draw_target(canvas, axes, targets.isel(target=i), evidence, labels)
    return canvas


def _draw_target(
    canvas: Canvas, axes: Sequence[Axes], target: xr.Dataset, evidence: xr.Dataset, labels: Mapping[str, str]
) -> None:
    name = str(target["target"].item())
    matrix = target["matrix"].values[: int(target["rows"]), : int(target["columns"])]
    largest = float(np.abs(matrix).max())
    image = _heat(axes[0], matrix, largest)
    axes[0].set_title(_style.label_of(labels, name))
    _name(axes[0].yaxis, target, "row_label", len(matrix), 0)
    _name(axes[0].xaxis, target, "col_label", matrix.shape[1], 90)
    cells = _chosen(evidence, name)
    for place, cell in zip(axes[1:], cells, strict=False):
        depth, lam = int(cell["depth"]), float(cell["lam"])
        _heat(place, theory.end_to_end_minimizer(matrix, depth, lam), largest)
        place.set_title(
            _title(cell, lam / float(theory.critical_lambda(np.linalg.norm(matrix, 2), depth))), fontsize=7.5
        )
    for place in axes[1 + len(cells) :]:
        place.set_axis_off()
        _style.say_empty(place, "no other rank on this grid" if cells else "zero on this grid")
    bar = canvas.colorbar(image, ax=list(axes), pad=0.01, aspect=12)
    bar.ax.tick_params(labelsize=SMALL + 1)


def _heat(axes: Axes, matrix: Floats, largest: float) -> Any:
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(False)
    return axes.imshow(matrix, cmap="RdBu_r", vmin=-largest, vmax=largest, aspect="auto", interpolation="nearest")


def _name(axis: Axis, target: xr.Dataset, key: str, size: int, rotation: int) -> None:
    """Labels along an axis: all, or evenly some of them where there is no room for all."""
    names = target[key].values[:size].tolist() if key in target else []
    if any(names):
        places = _style.evenly(range(size), MOST_TICKS[key])
        shown = [name if len(name) <= LONGEST else name[: LONGEST - 1] + "…" for name in names]
        axis.set_ticks(places, [_style.plain(shown[i]) for i in places], fontsize=SMALL, rotation=rotation)
        axis.set_tick_params(length=1.5)


def _chosen(evidence: xr.Dataset, name: str) -> list[xr.Dataset]:
    """Of a target's cells with a nonzero minimizer those of most and of fewest directions, at the largest depth."""
    mine = evidence.isel(cell=np.flatnonzero((evidence["target"] == name) & (evidence["kept_at_minimum"] > 0)))
    kept, order = mine["kept_at_minimum"].values, np.lexsort((mine["lam"].values, -mine["depth"].values))
    picks = [int(order[np.flatnonzero(kept[order] == rank)[0]]) for rank in sorted(set(kept.tolist()), reverse=True)]
    return [mine.isel(cell=pick) for pick in dict.fromkeys([*picks[:1], *picks[-1:]])]


def _title(cell: xr.Dataset, ratio: float) -> str:
    eligible = (cell["certified"] == 1) & (cell["minimal"] == 1)
    runs = int(eligible.sum())
    far = f", at most ${_style.power_of_ten(float(cell['distance'].where(eligible).max()))}$ away" if runs else ""
    rank, depth = int(cell["kept_at_minimum"]), int(cell["depth"])
    return f"$X^*$ of rank {rank}: $L = {depth}$, ${ratio:.3g}\\,\\lambda_c$\n{runs} of {eligible.size} runs{far}"


FIGURE = Figure(
    title="What is factorized, and what is kept of it",
    caption=r"Left: the targets $M$. Right of each: the minimizer $X^*$ of the product, in closed form, where the grid "
    r"keeps the most directions and where it keeps the fewest but not none, in the colours of $M$. Above each: how "
    r"many of the trained factorizations ended, certified, in the minimum there, and the largest distance of their "
    r"products from what is drawn.",
    refuted_by=r"a trained product far from the $X^*$ drawn, at a distance that can be seen",
    compose=compose,
)
