"""How few measurements of a low-rank matrix suffice: for the Schatten penalty, weight decay and the nuclear norm.

An experiment. On the same instances, weight decay of L layers, trained, meets the penalty that it is by Theorem 3,
lambda L ||X||_{2/L}^{2/L}, minimized by proximal steps; at L = 2 both are the nuclear norm, which is convex.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dmf.grid.seeds import generator, generators
from dmf.studies import Settings, Study
from dmf.studies._assemble import Row, assembled, rows_of
from dmf.studies._measurements import COMPLETION, SENSING, Method, descend, draw, objective, residual, slope
from dmf.theory import Power
from dmf.theory.certificate import ROUNDING
from dmf.training.engine import train
from dmf.training.result import Runs
from dmf.training.settings import Lbfgs, Status
from dmf.training.starts import draw_stacked
from dmf.training.tasks import Tasks

Floats = NDArray[np.float64]

SIZE = 8
SHAPE = (SIZE, SIZE)
RANKS = {SENSING: (1, 2, 3), COMPLETION: (1, 2)}
COUNTS = (16, 24, 32, 40, 48, 56)
DRAWS = 6
DEPTHS = (2, 3, 4, 5)
LAM = 3e-4  # truths have spectral norm 1
WAY = (0.1, 0.03, 0.01, 3e-3, 1e-3, LAM)  # of proximal steps, each from where the last ended
LEAD = (10 * LAM, LAM)  # of training
DESCENT = (0.1, 0.01, 1e-3, LAM)  # of training that begins at a large lambda, to see what that does
MU = 2.02  # above the Lipschitz constant 2 of orthonormal rows
LBFGS = Lbfgs(name="lbfgs", memory=10, max_iterations=20_000)  # F bends by 1 in some directions, by lambda in others
STEP, GRADIENT = 5e-3, 1e-4  # a run is certified when its step, or its gradient, is below that many LAM
MOST_STEPS = 3000
RECOVERED = 0.02  # relative error; lambda alone leaves up to about half of it
PROXIMAL, FACTORIZATION, DESCENDING = "proximal", "factorization", "factorization, descending"
KEPT = 1e-3  # of a layer's largest singular value: below it, a direction is on its way to zero
LEAST_NORM, NARROW = "least norm", "factorization, width 1"  # the controls

FIELDS = {
    "relative_error": ("cell start", "||X - truth||_F / ||truth||_F"),
    "recovered": ("cell start", f"1 where the relative error is below {RECOVERED}"),
    "objective": ("cell start", "||A(X) - b||^2 with its penalty, at the last lambda"),
    "steps": ("cell start", "proximal steps or iterations of training, at all lambdas"),
    "certified": ("cell start", "1 where the last step, or the gradient, is below its tolerance"),
    "excess": ("cell start", "objective above that of the nuclear norm's minimizer; of two layers only"),
    "excess_most": ("cell start", "what the run's gradient allows above it"),
    "excess_least": ("cell start", "what duality allows below it"),
    "control": ("cell", "1 for cells of the controls"),
    "degrees_of_freedom": ("cell", "of matrices of that rank"),
}


class Problem(NamedTuple):
    """B problems of one size."""

    truth: Floats
    """(B, d_L, d_0) of largest singular value 1."""
    operators: Floats
    """(B, n, d_L d_0) A on the entries of X row by row, of orthonormal rows."""
    measurements: Floats
    """(B, n) b = A(truth), without noise."""

    def tasks(self, lams: Floats, tolerance: Floats) -> Tasks:
        """||A(W_L ... W_1) - b||^2 + lambda sum_l ||W_l||^2, as it is trained; lambdas and tolerances (B,)."""
        return Tasks(self.measurements[:, None], lams, tolerance, self.operators.mT)


class Cell(NamedTuple):
    """Problems of one kind, rank and number of measurements."""

    kind: str
    rank: int
    measurements: int


def make(settings: Settings) -> xr.Dataset:
    """Evidence over (cell, start): coordinates problem, rank, measurements, method and depth name a cell."""
    cells = [
        Cell(kind, rank, count)
        for kind, ranks in RANKS.items()
        for rank, count in product(ranks, COUNTS)
        if count
        > degrees_of_freedom(SHAPE, rank) - (COUNTS[1] - COUNTS[0])  # all that may suffice, and one that cannot
    ]
    drawn = [
        draw(cell.kind, SHAPE, cell.rank, cell.measurements, generator(["recovery", settings.seed, *cell], number))
        for cell in cells
        for number in range(DRAWS)
    ]
    problem = stack(drawn)
    nuclear = _proximal(problem, 2)
    rows = [
        *_rows(cells, problem, LEAST_NORM, 0, _least_norm(problem)),
        *_rows(cells, problem, PROXIMAL, 2, nuclear),
    ]
    for depth in DEPTHS[1:]:
        rows += _rows(cells, problem, PROXIMAL, depth, _proximal(problem, depth))
    wide = [(FACTORIZATION, depth, SIZE, LEAD) for depth in DEPTHS]
    descending = [(DESCENDING, depth, SIZE, DESCENT) for depth in DEPTHS[1:]]  # convex at two layers
    for method, depth, width, way in [*wide, *descending, (NARROW, 2, 1, LEAD)]:
        starts = _starts(settings.seed, cells, depth, width)
        found = _trained(problem, starts, way, nuclear if depth == 2 else None)
        rows += _rows(cells, problem, method, depth, found)
    return assembled(FIELDS, rows, {"draw": ("start", np.arange(DRAWS))})


def _proximal(problem: Problem, depth: int) -> dict[str, Floats]:
    operators, measurements = problem.operators, problem.measurements
    penalties = [Power.of_depth(depth, lam) for lam in WAY]
    start = _least_norm(problem)["end_to_end"]
    end = descend(operators, measurements, penalties, start, Method(MU, STEP * LAM, MOST_STEPS, accelerated=True))
    return {
        "end_to_end": end.point.matrix,
        "objective": objective(operators, measurements, penalties[-1], end.point),
        "steps": end.steps.astype(np.float64),
        "certified": (end.step <= STEP * LAM).astype(np.float64),
    }


def _least_norm(problem: Problem) -> dict[str, Floats]:
    """The matrix of least Frobenius norm that agrees with all measurements: rows are orthonormal."""
    matrix = (problem.measurements[:, None] @ problem.operators).reshape(problem.truth.shape)
    none = np.full(len(matrix), np.nan)
    return {"end_to_end": matrix, "objective": none, "steps": none, "certified": np.ones(len(matrix))}


def _starts(seed: int, cells: Sequence[Cell], depth: int, width: int) -> list[Floats]:
    """Gaussian starts of unit scale, one an instance: L arrays (B, d_l, d_{l-1})."""
    widths = (SIZE, *[width] * (depth - 1), SIZE)
    keys = [["recovery starts", seed, *cell, depth, width] for cell in cells]
    return draw_stacked("gaussian", widths, (rng for key in keys for rng in generators(key, range(DRAWS))))


def _trained(
    problem: Problem, starts: list[Floats], way: Sequence[float], nuclear: dict[str, Floats] | None
) -> dict[str, Floats]:
    """Factorizations trained at each lambda of `way`, from where the last ended.

    Beside `nuclear` also by how much they miss its minimum, and may miss it.
    """
    count = len(problem.truth)
    steps = np.zeros(count)
    for lam in way:
        tolerance = np.full(count, GRADIENT * LAM if lam == LAM else 0.01 * lam)
        run = train(problem.tasks(np.full(count, lam), tolerance), starts, LBFGS)
        starts, steps = run.layers, steps + run.iterations
    found = {
        "end_to_end": run.end_to_end,
        "objective": run.objective,
        "steps": steps,
        "certified": (run.status == Status.CONVERGED).astype(np.float64),
    }
    return found if nuclear is None else found | _beside(problem, run, nuclear)


def _beside(problem: Problem, run: Runs, nuclear: dict[str, Floats]) -> dict[str, Floats]:
    lams = np.full(len(run.objective), LAM)
    below = lower_bound(problem.operators, problem.measurements, lams, nuclear["end_to_end"])
    energy = np.sum(problem.measurements**2, axis=1)
    rounding = ROUNDING * energy
    return {
        "excess": run.objective - nuclear["objective"],
        "excess_most": excess_allowed(lams, run.layers, run.gradient_norm, run.objective) + rounding,
        "excess_least": nuclear["objective"] - below + rounding,
    }


def lower_bound(operators: Floats, measurements: Floats, lams: Floats, matrix: Floats) -> Floats:
    """A lower bound on the minimum, (B,), the better the nearer `matrix` (B, d_L, d_0) is to a minimizer.

    -||nu||^2 / 4 - <nu, b> at any nu with ||A^T nu||_2 <= 2 lam is one, by duality; nu is the residual of `matrix`,
    doubled, and shrunk into that set.
    """
    size = np.linalg.norm(slope(operators, measurements, matrix), ord=2, axis=(1, 2))
    shrink = np.minimum(1.0, 2 * lams / np.where(size > 0, size, 1.0))
    nu = 2 * shrink[:, None] * residual(operators, measurements, matrix)
    return np.asarray(-np.sum(nu**2, axis=1) / 4 - np.sum(nu * measurements, axis=1))


def excess_allowed(lams: Floats, layers: Sequence[Floats], gradient_norm: Floats, value: Floats) -> Floats:
    r"""How far above the minimum, (B,), two layers near a local minimum may be for their gradient's norm.

    With G the gradient of the fit at X = W_2 W_1 and X* a minimizer, convexity and <grad F, theta> = 2 <G, X> +
    2 \lambda ||theta||^2 give F - F* <= ||grad F|| ||theta|| / 2 + (||G||_2 - 2 \lambda)_+ ||X*||_*. At a local minimum
    of wide layers ||G||_2 <= 2 \lambda; near one, kept directions of layers' size s add at most ||grad F|| / s to it,
    and 2 \lambda ||X*||_* <= `value`, that of any point.
    """
    theta = np.sqrt(sum(np.sum(layer**2, axis=(1, 2)) for layer in layers))
    values = np.linalg.svd(layers[0], compute_uv=False)
    kept = np.where(values > values[:, :1] * KEPT, values, np.inf).min(axis=1)
    return np.asarray(gradient_norm * (theta / 2 + value / (2 * lams * kept)))


def stack(drawn: list[tuple[Floats, Floats]]) -> Problem:
    """Problems with operators of any number of rows, the shorter ones filled up with zeros, which measure nothing."""
    most = max(len(operator) for _, operator in drawn)
    truth = np.stack([matrix for matrix, _ in drawn])
    operators = np.stack([np.pad(operator, ((0, most - len(operator)), (0, 0))) for _, operator in drawn])
    return Problem(truth, operators, np.asarray((operators @ truth.reshape(len(truth), -1, 1))[..., 0]))


def degrees_of_freedom(shape: tuple[int, int], rank: int) -> int:
    """The dimension r (d_L + d_0 - r) of matrices of rank r: with fewer measurements, others agree with all of them."""
    return rank * (sum(shape) - rank)


def _rows(cells: Sequence[Cell], problem: Problem, method: str, depth: int, found: dict[str, Floats]) -> list[Row]:
    """One method's results on all instances, (B,) each, as rows."""
    truth = problem.truth
    error = np.linalg.norm(found["end_to_end"] - truth, axis=(1, 2)) / np.linalg.norm(truth, axis=(1, 2))
    certified = found["certified"] == 1
    none = dict.fromkeys(("excess", "excess_most", "excess_least"), np.full(len(error), np.nan))
    values = none | found | {"relative_error": error, "certified": certified}
    values |= {"recovered": (error < RECOVERED) & certified}
    columns = {name: value.reshape(len(cells), DRAWS) for name, value in values.items() if name in FIELDS}
    kinds, ranks, measurements = zip(*cells, strict=True)
    columns |= {"problem": kinds, "rank": ranks, "measurements": measurements}
    columns |= {"degrees_of_freedom": [degrees_of_freedom(SHAPE, rank) for rank in ranks]}
    return rows_of(columns, method=method, depth=depth, control=method in (LEAST_NORM, NARROW))


STUDY = Study(
    title="Recovery of low-rank matrices",
    summary=(
        r"Matrices of low rank seen through a few Gaussian measurements or entries, looked for with weight decay of "
        r"$L$ layers, with the Schatten-$2/L$ penalty that it amounts to, and with the nuclear norm."
    ),
    make=make,
)
