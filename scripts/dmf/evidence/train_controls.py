"""Makes the control cells: trained like any other cells, or minimizers moved off their places.

Whatever optimizer and certificate a grid has, control runs are trained by L-BFGS to one certificate:
they test the checks, not the optimizer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
import xarray as xr

from dmf import theory
from dmf.dataset.coordinates import described
from dmf.dataset.schema import CELL, RUN_VARIABLES, Block, runs_dataset
from dmf.dataset.train import Piece, train_starts
from dmf.evidence.certify import certify
from dmf.evidence.controls import (
    COLLAPSED,
    DEGENERATE,
    EXCEPTIONAL,
    MOVED_VALUES,
    NEAR_SADDLE,
    ORDINARY,
    SADDLE,
    STOPPED,
)
from dmf.evidence.moved import MOVES, MOVES_FROM_ZERO, Floats, Layers, Move, Point, moved_values
from dmf.grid.cells import Group, Series, gradient_scale, lambda_value
from dmf.grid.config import Grid
from dmf.grid.kinds import SpectrumTarget, with_spectrum
from dmf.grid.seeds import generator
from dmf.grid.targets import TargetMatrix
from dmf.theory import haar
from dmf.training.engine import train
from dmf.training.result import Runs
from dmf.training.settings import GradientDescent, Lbfgs, Status
from dmf.training.tasks import Execution, Tasks

DEPTHS = (3, 2, 4, 6)  # figures draw the first; at depth 3 alone, exponents of L - 2 would not show
LAMBDAS = (0.5, 0.05)
BELOW, ABOVE = ("0.8c", "0.3c"), ("1.25c", "2.0c")
# Small starts fall to the smaller minimizer, large ones to the larger: both are needed.
SERIES = (*(Series("gaussian", scale) for scale in (0.1, 0.5, 1.0, 2.0)), *(Series("balanced", s) for s in (1.0, 2.0)))
DRAWS = 4
NARROW = 1e-3  # how far a near saddle is from merging with the minimizer, as a share of lambda
GRADIENT_NORM = 1e-10  # certified, in units of sigma_1^(2-1/L)
STARTS = [(series, draw) for series in SERIES for draw in range(DRAWS)]
# Short of convergence by many decades from every start, and small enough to be stable from the largest.
EARLY = {2: 5e-4, 3: 5e-4, 4: 5e-5, 6: 1e-6}
NO_STEP = GradientDescent(name="gd", step=1e-300, max_iterations=1)  # leaves every bit of the start


class Shape(NamedTuple):
    """Rows and columns of control targets, the width of hidden layers, and what their names end in."""

    rows: int
    columns: int
    hidden: int
    suffix: str

    def group(self, depth: int) -> Group:
        """With that many layers."""
        return Group((self.columns, *(self.hidden,) * (depth - 1), self.rows))


SHAPES = (Shape(3, 3, 3, ""), Shape(1, 1, 1, "-scalar"), Shape(2, 4, 3, "-wide"))


def train_controls(grid: Grid) -> xr.Dataset:
    """Evidence, dimensions (cell, start), of the control cells; a function of the grid's seed and device alone.

    The coordinate `kind` says what is the matter with a cell. `exceptional`: the second singular value (of a scalar the
    first) at m*(L, lambda), where Theorem 10 and Corollary 13 fail. `degenerate`: at m_loc(L, lambda), where a critical
    point is neither a local minimizer nor a strict saddle (eq. 79). `ordinary`: below lambda_c, where X* is not zero
    and, for L >= 3, small starts end in the spurious minimum at zero. `collapsed`: above lambda_c. `stopped`: gradient
    descent that stops far from any critical point. `saddle`: for L = 2 runs that begin and end on a strict saddle. All
    others are minimizers moved off their places (`dmf.evidence.moved.MOVES`), with the gradient norm of a run.
    """
    kinds: list[str] = []
    cells: list[xr.Dataset] = []
    ordinary: list[Minimum] = []
    collapsed: list[Minimum] = []
    for depth, shape in product(DEPTHS, SHAPES):
        for kind, cell in _trained(depth, shape, grid):
            kinds.append(kind)
            cells.append(cell[list(RUN_VARIABLES)])
            if kind in (ORDINARY, COLLAPSED):
                of_kind = ordinary if kind == ORDINARY else collapsed
                of_kind.append(Minimum(_minimizer(cell, kind == COLLAPSED), cells[-1]))
            if kind == ORDINARY and depth == 2:
                kinds += [SADDLE, NEAR_SADDLE]
                cells += [_at_saddles(cells[-1], SADDLE, grid), _at_saddles(_narrowed(cells[-1]), NEAR_SADDLE, grid)]
    trained = certify(cells).assign_coords(kind=("cell", np.array(kinds, dtype=object)))
    parts = [trained, _moved(ordinary, MOVES, grid), _moved(collapsed, MOVES_FROM_ZERO, grid)]
    longest = max(part.sizes["singular"] for part in parts)
    padded = [part.pad(singular=(0, longest - part.sizes["singular"])) for part in parts]
    return described(xr.concat(padded, "cell", join="override"))


class Minimum(NamedTuple):
    """A minimizer of one cell, and the trained cell."""

    point: Point
    cell: xr.Dataset


def _trained(depth: int, shape: Shape, grid: Grid) -> list[tuple[str, xr.Dataset]]:
    """Cells of one group that are trained, each one (target, lam_label), by kind; with their layers."""
    size = min(shape.rows, shape.columns)
    ordinary = _target(ORDINARY, shape, [3.0, 1.5, 0.5][:size], grid.seed)
    problems = [(ORDINARY if label in BELOW else COLLAPSED, ordinary, label) for label in (*BELOW, *ABOVE)]
    thresholds = {EXCEPTIONAL: theory.collapse_threshold, DEGENERATE: theory.branch_threshold}
    for kind, lam in product(thresholds, LAMBDAS) if depth > 2 else ():  # two layers have one minimizer on every target
        at = float(thresholds[kind](depth, lam))
        spectrum = [at] if size == 1 else [3 * at, at, 0.4 * at][:size]
        if kind == EXCEPTIONAL or size == 1:
            problems.append((kind, _target(kind, shape, spectrum, grid.seed), repr(lam)))
    stopped = [(STOPPED, _target(STOPPED, shape, [3.0, 1.5, 0.5][:size], grid.seed), BELOW[0])]
    early = GradientDescent(name="gd", step=EARLY[depth], max_iterations=200)
    cells = _cells(problems, shape.group(depth), grid, Lbfgs(name="lbfgs"))
    return [*cells, *_cells(stopped, shape.group(depth), grid, early)]


def _cells(
    problems: Sequence[tuple[str, TargetMatrix, str]], group: Group, grid: Grid, optimizer: Lbfgs | GradientDescent
) -> list[tuple[str, xr.Dataset]]:
    """Problems, each a kind, a target and the label of lambda, trained together; of each one cell."""
    norms = [float(target.singular_values[0]) for _, target, _ in problems]
    lams = [lambda_value(label, norm, group.depth) for (_, _, label), norm in zip(problems, norms, strict=True)]
    tolerances = [GRADIENT_NORM * gradient_scale(norm, group.depth) for norm in norms]
    pieces = [
        Piece(target.name, target.values, norm, label, lam, tolerance, series, range(DRAWS))
        for (_, target, label), norm, lam, tolerance in zip(problems, norms, lams, tolerances, strict=True)
        for series in SERIES
    ]
    runs = train_starts(pieces, group.widths, grid.seed, optimizer, device=grid.device)
    cells = []
    for place, (kind, target, label) in enumerate(problems):
        lam, tolerance = np.array([[lams[place]]]), np.array([tolerances[place]])
        own = runs.take(slice(place * len(STARTS), (place + 1) * len(STARTS)))
        cells.append((kind, runs_dataset(Block(group, [target], [label], lam, tolerance, STARTS), own, layers=True)))
    return cells


def _target(kind: str, shape: Shape, singular_values: list[float], seed: int) -> TargetMatrix:
    name = kind + shape.suffix
    if (shape.rows, shape.columns) == (1, 1):
        values = np.array([singular_values])  # exactly m*, no rounding from bases
    else:
        size = shape.rows, shape.columns
        spec = SpectrumTarget(name=name, kind="spectrum", shape=size, singular_values=singular_values, label=None)
        values = with_spectrum(spec, generator(["control", seed, name]))
    return TargetMatrix(name, name, "control", name, values)


def _minimizer(cell: xr.Dataset, collapsed: bool) -> Point:
    """The minimizer that the lowest run of a cell found; zero where the theory says so: it is one to the last bit."""
    names = [f"layer_{number}" for number in range(1, cell.sizes["layer"] + 1)]
    run = int(np.argmin(np.where(cell["status"] == Status.CONVERGED, cell["objective"], np.inf)))
    layers = [(0.0 if collapsed else 1.0) * cell[name].values[0, 0, run] for name in names]
    target, lam = cell["matrix"].values[0], float(cell["lam"].values[0, 0])
    return Point(layers, target, lam, float(cell["gradient_tolerance"].values[0])).polished()


def _turned_along_the_orbit(layers: Layers, seed: int) -> Layers:
    """(start, d_l, d_(l-1)): the layers of a point with random orthogonal matrices between them, one set a start."""
    count, rng = len(STARTS), generator(["control", seed, "orbit"])
    inner = [haar.frame(len(layer), len(layer), rng, draws=(count,)) for layer in layers[:-1]]
    below = [np.eye(layers[0].shape[1]), *inner]
    above = [*inner, np.eye(len(layers[-1]))]
    return [q @ layer @ p.swapaxes(-1, -2) for q, layer, p in zip(above, layers, below, strict=True)]


def _measured(cell: xr.Dataset, layers: Layers, grid: Grid, optimizer: Lbfgs | GradientDescent = NO_STEP) -> Runs:
    """Points (run, d_l, d_(l-1)) of a cell, measured by the grid's engine like any run."""
    count = len(layers[0])
    tasks = Tasks(
        np.repeat(cell["matrix"].values, count, axis=0),
        np.repeat(cell["lam"].values[0], count),
        np.repeat(cell["gradient_tolerance"].values, count),
    )
    return train(
        tasks,
        [np.broadcast_to(layer, (count, *layer.shape[-2:])) for layer in layers],
        optimizer,
        on=Execution(grid.device),
    )


def _fields(runs: Runs) -> dict[str, Floats]:
    return {name: getattr(runs, name) for name, variable in RUN_VARIABLES.items() if variable.dims[:3] == CELL}


def _narrowed(cell: xr.Dataset) -> xr.Dataset:
    """The cell at a lambda just below the smallest singular value that it keeps: losing that one costs very little."""
    sigma = np.linalg.svd(cell["matrix"].values[0], compute_uv=False)
    lam = float(sigma[sigma > float(cell["lam"].values[0, 0])].min()) / (1 + NARROW)
    return cell.assign(lam=cell["lam"].copy(data=[[lam]])).assign_coords(lam_label=np.array([repr(lam)], dtype=object))


def _at_saddles(cell: xr.Dataset, kind: str, grid: Grid) -> xr.Dataset:
    """Runs that begin, and so end, on the strict saddles of two layers that keep one direction too few, or nothing.

    Near saddles lack the one direction only.
    """
    matrix, lam = cell["matrix"].values[0], float(cell["lam"].values[0, 0])
    left, sigma, right = np.linalg.svd(matrix, full_matrices=False)
    s = np.sqrt(np.maximum(sigma - lam, 0))
    s[np.count_nonzero(s) - 1 :] = 0
    frame = np.eye(cell.attrs["widths"][1])[:, : len(s)]
    layers = _turned_along_the_orbit([(frame * s) @ right, (left * s) @ frame.T], grid.seed)
    if kind == SADDLE:
        layers = [np.where(np.arange(len(layer))[:, None, None] % 2, layer, 0.0) for layer in layers]
    return _with(cell, _fields(_measured(cell, layers, grid, Lbfgs(name="lbfgs"))), kind)


def _with(cell: xr.Dataset, fields: dict[str, Floats], kind: str) -> xr.Dataset:
    """The cell with other runs, and the name of its target changed to that of the kind."""
    name = str(cell["target"].item()).replace(ORDINARY, kind)
    assigned = cell.assign({name: (cell[name].dims, value[None, None]) for name, value in fields.items()})
    return assigned.assign_coords(target=np.array([name], dtype=object))


def _moved(minima: Sequence[Minimum], moves: Mapping[str, Move], grid: Grid) -> xr.Dataset:
    """Evidence of all `moves` of all minimizers that they fit: of each, one cell with runs along its orbit.

    A cell's moves are certified together as if they were its starts, because what the theory says of the cell is the
    same for all of them.
    """
    evidence = certify([_all_moves(minimum, list(moves.values()), grid) for minimum in minima])
    cells = []
    for place, (kind, move) in enumerate(moves.items()):
        fitting = [cell for cell, minimum in enumerate(minima) if move.fits(minimum.point)]
        one = evidence.isel(cell=fitting, start=slice(place * len(STARTS), (place + 1) * len(STARTS)))
        if kind == MOVED_VALUES:
            values = [moved_values(minima[cell].point) for cell in fitting]
            of_cells = {name: xr.DataArray([value[name] for value in values], dims="cell") for name in values[0]}
            one = one.assign({name: value.broadcast_like(one[name]) for name, value in of_cells.items()})
        cells.append(one.assign_coords(kind=("cell", np.full(len(fitting), kind, dtype=object))))
    return xr.concat(cells, "cell")


def _all_moves(minimum: Minimum, moves: Sequence[Move], grid: Grid) -> xr.Dataset:
    """One cell with the runs of every move in turn; of one that does not fit, the minimizer itself."""
    point, cell = minimum
    moved = [move.layers(point) if move.fits(point) else point.layers for move in moves]
    turned = [_turned_along_the_orbit(layers, grid.seed) for layers in moved]
    runs = _measured(cell, [np.concatenate(layer) for layer in zip(*turned, strict=True)], grid)
    fields = _fields(runs)
    values = np.split(fields["objective"], len(moves))
    fields["objective"] = np.concatenate(
        [move.objective(point, value) for move, value in zip(moves, values, strict=True)]
    )
    fields["gradient_norm"] = np.full(runs.status.shape, point.g)
    fields["status"] = np.full_like(runs.status, Status.CONVERGED)
    many = cell.isel(start=np.tile(np.arange(len(STARTS)), len(moves)))  # its starts, once for each move
    return _with(many, fields, "moved")
