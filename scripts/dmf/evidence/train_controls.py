"""Trains the control cells like any other cells."""

from __future__ import annotations

import numpy as np
import xarray as xr

from dmf import theory
from dmf.dataset.schema import CELL, RUN_VARIABLES
from dmf.dataset.train import train_block
from dmf.evidence.certify import certify
from dmf.evidence.controls import DEGENERATE, EXCEPTIONAL, EXCEPTIONAL_SCALAR, ORDINARY, STOPPED, UNBALANCED
from dmf.grid.cells import Group, Series
from dmf.grid.config import Grid, Keep
from dmf.grid.kinds import SpectrumTarget, with_spectrum
from dmf.grid.seeds import generator
from dmf.grid.targets import TargetMatrix
from dmf.training.engine import train
from dmf.training.settings import GradientDescent
from dmf.training.tasks import Execution, Tasks

DEPTH = 3
LAM = 0.5
# Small starts fall to the smaller minimizer, large ones to the larger: both are needed.
SERIES = tuple(Series("gaussian", scale) for scale in (0.1, 0.5, 1.0, 2.0))
DRAWS = 12
BELOW = "0.8c"
# Short of convergence by many decades from every start, and small enough to be stable from the largest.
EARLY = GradientDescent(name="gd", step=5e-4, max_iterations=200)
NO_STEP = GradientDescent(name="gd", step=1e-300, max_iterations=1)  # leaves every bit of the start


def train_controls(grid: Grid) -> xr.Dataset:
    """Evidence, dimensions (cell, start), of the control cells, trained with the settings of `grid`.

    `exceptional`: 3 x 3 with its second singular value at m*(L, lambda), where Theorem 10 and Corollary 13
    fail. `exceptional-scalar`: the 1 x 1 case. `degenerate`: 1 x 1 at m_loc(L, lambda), where a critical point is
    neither a local minimizer nor a strict saddle (eq. 79). `ordinary`: 3 x 3 at 0.8 lambda_c, where X* is not zero and
    small starts end in the spurious minimum at zero. `stopped`: the same by gradient descent that stops far from any
    critical point. `unbalanced`: the runs of `ordinary`, W_1 doubled and W_L halved: the same X, other layers.
    """
    m_star, m_loc = (float(f(DEPTH, LAM)) for f in (theory.collapse_threshold, theory.branch_threshold))
    stopped = grid.model_copy(update={"optimizer": EARLY})
    kept = grid.model_copy(update={"keep": Keep(layers=True)})
    ordinary = [3.0, 1.5, 0.5]
    trained = _block(ORDINARY, (3, 3), ordinary, BELOW, kept)
    return certify(
        [
            _block(EXCEPTIONAL, (3, 3), [3 * m_star, m_star, 0.4 * m_star], repr(LAM), grid),
            _block(EXCEPTIONAL_SCALAR, (1, 1), [m_star], repr(LAM), grid),
            _block(DEGENERATE, (1, 1), [m_loc], repr(LAM), grid),
            trained,
            _block(STOPPED, (3, 3), ordinary, BELOW, stopped),
            _unbalanced(trained, grid.device),
        ]
    )


def _block(name: str, shape: tuple[int, int], singular_values: list[float], label: str, grid: Grid) -> xr.Dataset:
    target = _target(name, shape, singular_values, grid.seed)
    return train_block(_square_group(shape[0]), [target], [label], dict.fromkeys(SERIES, range(DRAWS)), grid)


def _unbalanced(trained: xr.Dataset, device: str) -> xr.Dataset:
    """Trained runs of one cell with W_1 doubled and W_L halved, measured like any others."""
    layers = [trained[f"layer_{number}"].values[0, 0] for number in range(1, DEPTH + 1)]
    starts = [2 * layers[0], *layers[1:-1], layers[-1] / 2]  # powers of two: X keeps its bits
    count = len(starts[0])
    tasks = Tasks(
        np.repeat(trained["matrix"].values, count, axis=0),
        np.repeat(trained["lam"].values[0], count),
        np.repeat(trained["gradient_tolerance"].values, count),
    )
    runs = train(tasks, starts, NO_STEP, on=Execution(device))
    again = {name: getattr(runs, name) for name, variable in RUN_VARIABLES.items() if variable.dims[:3] == CELL}
    measured = trained.assign({name: (trained[name].dims, value[None, None]) for name, value in again.items()})
    return measured.assign_coords(target=np.array([UNBALANCED], dtype=object))


def _square_group(size: int) -> Group:
    return Group((size,) * (DEPTH + 1))


def _target(name: str, shape: tuple[int, int], singular_values: list[float], seed: int) -> TargetMatrix:
    if shape == (1, 1):
        values = np.array([singular_values])  # exactly m*, no rounding from bases
    else:
        spec = SpectrumTarget(name=name, kind="spectrum", shape=shape, singular_values=singular_values, label=None)
        values = with_spectrum(spec, generator(["control", seed, name]))
    return TargetMatrix(name, name, "control", name, values)
