"""Closed-form curves: axes fine where they bend, and curves against lambda that break where X* loses rank."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from numpy.typing import NDArray

from dmf import theory

Floats = NDArray[np.float64]

FINE = 60
# Fields of the evidence as functions of the singular values x (points, singular) of X*.
FIELDS: dict[str, Callable[[Floats, int], Floats]] = {
    "predicted_norm": lambda x, depth: np.linalg.norm(x, axis=1),
    "predicted_layer_norm_sq": lambda x, depth: np.sum(x ** (2 / depth), axis=1),
}


def draw_curve(axes: Axes, cells: xr.Dataset, field: str, unit: float, colour: str) -> None:
    """A closed-form field in multiples of `unit` against lambda / lambda_c, for cells of one target and depth."""
    sigma = cells["sigma"].values[0]
    relative = cells["relative"].values
    for x, y in branches(sigma[~np.isnan(sigma)], int(cells["depth"].values[0]), field, relative.min(), relative.max()):
        axes.plot(x, y / unit, color=colour, linewidth=1.1, zorder=2)


def cusp_axis(low: float, high: float) -> Floats:
    """Points from low < 0 to high > 0, fine everywhere and finest at 0, where |x|^(2/L) has its cusp."""
    near = np.geomspace(1e-7, 1, 2 * FINE)
    return np.unique(np.concatenate([low * near, [0.0], high * near, np.linspace(low, high, 4 * FINE)]))


def branches(sigma: Floats, depth: int, field: str, low: float, high: float) -> list[tuple[Floats, Floats]]:
    """Pieces (lambda / lambda_c, value) of a field between `low` and `high`, each of one rank of X*.

    The rank falls where lambda passes lambda_c(sigma_i): there the curve jumps, at depth 2 it only bends.
    """
    critical = theory.critical_lambda(sigma, depth)
    falls = np.unique(critical / critical[0])
    edges = [low, *falls[(falls > low) & (falls < high)], high]
    pieces = []
    for start, end in pairwise(edges):
        relative = np.linspace(start, end, FINE)
        inside = relative.clip(start * (1 + 1e-9), end * (1 - 1e-9))  # at the jump itself both values are minima
        x = theory.scalar_minimizer(sigma, depth, (inside * critical[0])[:, None])
        pieces.append((relative, FIELDS[field](x, depth)))
    return pieces
