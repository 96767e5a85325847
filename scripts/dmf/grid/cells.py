"""The points of a grid by their coordinates: groups of equal shape, lambdas, series of starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dmf.errors import UserError
from dmf.grid.config import Grid, Lambdas
from dmf.grid.seeds import generators
from dmf.theory.scalar import critical_lambda
from dmf.training.starts import draw_stacked

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Group:
    """Cells that can be stored and trained together: one depth and one list of widths d_0, ..., d_L."""

    widths: tuple[int, ...]

    @property
    def depth(self) -> int:
        """Number of layers L."""
        return len(self.widths) - 1

    @property
    def name(self) -> str:
        """File name stem: depth, then the widths from output to input as in W_L...W_1."""
        return f"L{self.depth}-" + "x".join(str(d) for d in reversed(self.widths))


@dataclass(frozen=True, order=True)
class Series:
    """Starts drawn alike: one scheme at one scale; a start is a series and an index."""

    scheme: str
    scale: float


def group_of(shape: tuple[int, int], depth: int, hidden: str | int | Sequence[int], where: str) -> Group:
    """The group of a target of `shape` (d_L, d_0) at a depth.

    Raises UserError where a hidden width is below min(d_0, d_L): then not every end-to-end matrix is
    reachable, and the tie at the cut would be a second exceptional set.
    """
    narrowest = min(shape)
    if hidden == "same":
        inner = [narrowest] * (depth - 1)
    elif isinstance(hidden, int):
        inner = [hidden] * (depth - 1)
    else:
        inner = [int(d) for d in hidden]
    if inner and min(inner) < narrowest:
        raise UserError(
            f"{where}: hidden_widths: got {min(inner)}, expected at least min(d_0, d_L) = {narrowest} so that "
            "every end-to-end matrix is reachable; widen the layer or use a smaller target"
        )
    return Group((shape[1], *inner, shape[0]))


def series_of(grid: Grid) -> list[Series]:
    """Every (scheme, scale) of the grid, schemes first."""
    return [Series(scheme, scale) for scheme in grid.starts.schemes for scale in grid.starts.scales]


def lambda_labels(lambdas: Lambdas) -> list[str]:
    """Canonical names: '0.9c' for 0.9 lambda_c, '0.05' for an absolute value. Exact: repr round-trips."""
    return [f"{value!r}c" for value in lambdas.relative] + [repr(value) for value in lambdas.absolute]


def lambda_value(label: str, sigma_1: float, depth: int) -> float:
    """The number behind a label for a target of spectral norm `sigma_1` > 0 (units: see THEORY, lambda_c)."""
    if label.endswith("c"):
        return float(label[:-1]) * float(critical_lambda(sigma_1, depth))
    return float(label)


def gradient_scale(sigma_1: float, depth: int) -> float:
    """sigma_1^(2-1/L): how the gradient scales under M -> cM with W_l -> c^(1/L) W_l, lambda -> c^(2-2/L) lambda."""
    return float(sigma_1 ** (2 - 1 / depth))


@dataclass(frozen=True)
class StartKey:
    """What a series of starts is drawn from: the grid's seed, and the cell by its target's name, widths and label."""

    seed: int
    target: str
    widths: tuple[int, ...]
    """d_0, ..., d_L"""
    label: str
    series: Series


def draw_starts(key: StartKey, indices: range, sigma_1: float) -> list[Floats]:
    """Starts `indices` of one cell and series: L arrays (len(indices), d_l, d_(l-1)).

    `sigma_1` is the spectral norm of the target, which sets their size. A start depends on its own coordinates and the
    grid's seed only, so it is the same in any tile of any grid.
    """
    series = key.series
    stream = ["start", key.seed, key.target, list(key.widths), key.label, series.scheme, repr(series.scale)]
    size = series.scale * float(sigma_1) ** (1 / (len(key.widths) - 1))
    return [size * layer for layer in draw_stacked(series.scheme, key.widths, generators(stream, indices))]
