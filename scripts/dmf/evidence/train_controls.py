"""Trains the control cells like any other cells."""

from __future__ import annotations

import numpy as np
import xarray as xr

from dmf import theory
from dmf.dataset.train import train_block
from dmf.evidence.certify import certify
from dmf.evidence.controls import EXCEPTIONAL, EXCEPTIONAL_SCALAR, ORDINARY
from dmf.grid.cells import Group, Series
from dmf.grid.config import Grid, SpectrumTarget
from dmf.grid.seeds import generator
from dmf.grid.targets import TargetMatrix, with_spectrum

DEPTH = 3
LAM = 0.5
# Small starts fall to the smaller minimizer, large ones to the larger: both are needed.
SERIES = tuple(Series("gaussian", scale) for scale in (0.1, 0.5, 1.0, 2.0))
DRAWS = 12
BELOW = "0.8c"


def train_controls(grid: Grid) -> xr.Dataset:
    """Evidence, dimensions (cell, start), of the control cells, trained with the settings of `grid`.

    `exceptional`: 3 x 3 with its second singular value at m*(L, lambda), where Theorem 10 and Corollary 13
    fail. `exceptional-scalar`: the 1 x 1 case. `ordinary`: 3 x 3 at 0.8 lambda_c, where X* is not zero and
    small starts end in the spurious minimum at zero.
    """
    m_star = float(theory.collapse_threshold(DEPTH, LAM))
    cells = [
        (EXCEPTIONAL, (3, 3), [3 * m_star, m_star, 0.4 * m_star], repr(LAM)),
        (EXCEPTIONAL_SCALAR, (1, 1), [m_star], repr(LAM)),
        (ORDINARY, (3, 3), [3.0, 1.5, 0.5], BELOW),
    ]
    spans = dict.fromkeys(SERIES, range(DRAWS))
    return certify(
        train_block(_square_group(shape[0]), [_target(name, shape, values, grid.seed)], [label], spans, grid)
        for name, shape, values, label in cells
    )


def _square_group(size: int) -> Group:
    return Group((size,) * (DEPTH + 1))


def _target(name: str, shape: tuple[int, int], singular_values: list[float], seed: int) -> TargetMatrix:
    if shape == (1, 1):
        values = np.array([singular_values])  # exactly m*, no rounding from bases
    else:
        spec = SpectrumTarget(name=name, kind="spectrum", shape=shape, singular_values=singular_values, label=None)
        values = with_spectrum(spec, generator(["control", seed, name]))
    return TargetMatrix(name, name, "control", name, values)
