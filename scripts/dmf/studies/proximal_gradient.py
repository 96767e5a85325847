"""Proximal gradient steps on measurements: how each moves the objective, and what the points are where they stop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dmf import theory
from dmf.grid.seeds import generator
from dmf.studies import Settings, Study
from dmf.studies._assemble import Row, assembled
from dmf.studies._derivatives import chained, flat
from dmf.studies._measurements import (
    COMPLETION,
    SENSING,
    Point,
    draw,
    lipschitz,
    objective,
    proximal_step,
    slope,
)
from dmf.theory.certificate import ROUNDING, ROUNDING_STEP

Floats = NDArray[np.float64]

SHAPE, RANK, COUNT = (6, 5), 2, 25
SCALES = (0.0, 0.03, 0.1, 0.3, 1.0)  # of a Gaussian start
STARTS = len(SCALES)
SPREAD = (0.6, 1.2)  # singular values of the operator of sensing, which is not orthonormal here
DEPTHS = (2, 3, 4, 5)
LAM = 0.03
OTHERS: Mapping[str, theory.Penalty] = {
    "log": theory.Log(0.2, 0.5),
    "SCAD": theory.Scad(0.3, 3.7),
    "MCP": theory.Mcp(0.3, 4.0),
    "Geman": theory.Geman(0.3, 1.0),
}
LONG, SHORT = 0.4, 1.05  # mu in units of the Lipschitz constant of grad f: of too long steps, and of the others
STEP = 1e-9  # below which the iteration has stopped
MOST, EARLY = 3000, 6  # steps at most, and of the control that stops before its time
DRAWN = 40  # first steps whose objective is kept for the figure; all that the control of too long steps takes


FIELDS = {
    "objective": ("cell start", "||A(X) - b||^2 with its penalty, after the last step"),
    "shortfall": (
        "cell start",
        "largest of max(mu - Lipschitz, 0) / 2 ||step||^2 - decrease over all steps, in units of its rounding",
    ),
    "shortfall_rounding": ("cell start", "that rounding of the step where it is largest"),
    "energy": ("cell start", "what this is a share of: ||b||^2, Lipschitz ||X||^2 and the penalty, before and after"),
    "step": ("cell start", "||X_{k+1} - X_k||_F of the last step"),
    "steps": ("cell start", "steps taken"),
    "certified": ("cell start", f"1 where the last step is below {STEP}"),
    "stationarity": (
        "cell start",
        "norm of grad f + U g'(sigma) V^T on the matrices that share row or column space with X",
    ),
    "beyond": ("cell start", "spectral norm of grad f beyond these spaces, above mu times the tie of the penalty"),
    "layered": (
        "cell start",
        "gradient norm of the factorization at X as L layers in balance; NaN for other penalties",
    ),
    "layered_factor": ("cell start", "how much larger than stationarity the former may be"),
    "per_step": ("cell start", "what a unit of the last step allows in stationarity"),
    "floor": ("cell start", "what rounding allows in it"),
    "trace": ("cell start after", "objective after so many steps"),
    "mu": ("cell", "mu in units of the Lipschitz constant of grad f"),
    "fixed": ("cell", "1 where it ran until it stopped"),
    "control": ("cell", "1 for cells of the controls"),
}


class Walk(NamedTuple):
    """What B iterations did."""

    point: Point
    step: Floats
    """(B,) the last step's length."""
    steps: NDArray[np.int64]
    shortfall: Floats
    """(B,) the largest of max(mu - Lipschitz, 0) / 2 ||step||^2 - decrease, in units of its rounding."""
    energy: Floats
    """(B,) what this rounding is a share of."""
    trace: Floats
    """(B, DRAWN) the objective after 0, 1, ... steps, NaN past the last."""


def make(settings: Settings) -> xr.Dataset:
    """Evidence over (cell, start); coordinates problem, penalty, depth (0 for other penalties) and run name a cell."""
    rows: list[Row] = []
    for kind in (SENSING, COMPLETION):
        operators, measurements, starts = _problem(kind, settings.seed)
        powers = {f"power 2/{depth}": theory.Power.of_depth(depth, LAM) for depth in DEPTHS}
        for (name, penalty), (run, length, most) in (
            (pair, run)
            for pair in [*powers.items(), *OTHERS.items()]
            for run in (("whole", SHORT, MOST), ("stopped early", SHORT, EARLY), ("too long steps", LONG, DRAWN))
        ):
            depth = int(name[-1]) if name.startswith("power") else 0
            bound = float(lipschitz(operators[:1])[0])
            walk = _walk(operators, measurements, penalty, length * bound, bound, starts, most)
            values = _values(operators, measurements, penalty, length * bound, bound, depth, walk)
            known = {"problem": kind, "penalty": name, "run": run, "mu": length}
            rows.append(known | {"fixed": run == "whole", "control": run != "whole"} | values)
    return assembled(FIELDS, rows, {"scale": ("start", SCALES), "after": ("after", np.arange(DRAWN))})


def _problem(kind: str, seed: int) -> tuple[Floats, Floats, Floats]:
    """One problem, repeated for every start: operators, measurements, starts."""
    rng = generator(["proximal gradient", seed, kind])
    truth, operator = draw(kind, SHAPE, RANK, COUNT, rng)
    if kind == SENSING:
        operator = np.linspace(*SPREAD, COUNT)[:, None] * operator
    starts = np.array(SCALES)[:, None, None] * rng.standard_normal((STARTS, *SHAPE))
    operators = np.repeat(operator[None], STARTS, axis=0)
    return operators, np.repeat((operator @ truth.ravel())[None], STARTS, axis=0), starts


def _walk(
    operators: Floats,
    measurements: Floats,
    penalty: theory.Penalty,
    mu: float,
    bound: float,
    start: Floats,
    most: int,
) -> Walk:
    """Iterate until every step is below STEP, all runs together, and look at each step."""
    point = Point.at(start)
    value = objective(operators, measurements, penalty, point)
    rounded = _energy(measurements, bound, penalty, point)
    trace = np.full((len(start), DRAWN), np.nan)
    shortfall, energy, step = np.full((3, len(start)), -np.inf)
    steps = np.zeros(len(start), dtype=np.int64)
    running = np.ones(len(start), dtype=bool)
    trace[:, 0] = value
    for number in range(1, most + 1):
        new = proximal_step(operators, measurements, penalty, mu, point.matrix)
        new_value = objective(operators, measurements, penalty, new)
        length = np.linalg.norm(new.matrix - point.matrix, axis=(1, 2))
        new_rounded = _energy(measurements, bound, penalty, new)
        scale = rounded + new_rounded
        now = (max(mu - bound, 0) / 2 * length**2 - (value - new_value)) / (ROUNDING_STEP * scale)
        energy = np.where(running & (now > shortfall), scale, energy)
        shortfall = np.where(running, np.maximum(shortfall, now), shortfall)
        step, steps = np.where(running, length, step), steps + running
        point = Point(
            *(np.where(running.reshape(-1, *[1] * (a.ndim - 1)), a, b) for a, b in zip(new, point, strict=True))
        )
        value, rounded = np.where(running, new_value, value), np.where(running, new_rounded, rounded)
        if number < DRAWN:
            trace[running, number] = value[running]
        running = running & (length > STEP)
        if not running.any():
            break
    return Walk(point, step, steps, shortfall, energy, trace)


def _energy(measurements: Floats, bound: float, penalty: theory.Penalty, point: Point) -> Floats:
    """What rounding takes a share of in the objective: sums of squares, and an SVD inside them, (B,)."""
    size = np.sum(measurements**2, axis=1) + bound * np.sum(point.matrix**2, axis=(1, 2))
    return np.asarray(size + np.sum(penalty(point.singular_values), axis=1))


def _values(
    operators: Floats,
    measurements: Floats,
    penalty: theory.Penalty,
    mu: float,
    bound: float,
    depth: int,
    walk: Walk,
) -> Row:
    """How far the last points are from critical, in the ways that a fixed point is, with what a step allows.

    P grad f + U g'(sigma) V^T, P onto the matrices that share row or column space with X, is at most (mu + Lipschitz)
    times the last step; beyond these spaces grad f is at most mu times the tie. As layers in balance, X has a gradient
    of F at most sqrt(L) s_1^(L-1) times as large.
    """
    matrix, kept = walk.point
    gradient = slope(operators, measurements, matrix)
    stationarity, beyond, layered, factor = np.full((4, len(matrix)), np.nan)
    for run in range(len(matrix)):
        rank = int(np.count_nonzero(kept[run]))
        left, _, right_t = np.linalg.svd(matrix[run])
        rotated = left.T @ gradient[run] @ right_t.T
        outer = rotated[rank:, rank:]
        beyond[run] = np.linalg.norm(outer, 2) - mu * penalty.tie(mu).at if outer.size else -np.inf
        rotated[rank:, rank:] = 0
        rotated[np.arange(rank), np.arange(rank)] += penalty.slope(kept[run, :rank])
        stationarity[run] = np.linalg.norm(rotated)
        if depth:
            layers = _balanced(left, kept[run], right_t, depth)
            layered[run] = np.linalg.norm(flat(chained(layers, gradient[run])) + 2 * LAM * flat(layers))
            factor[run] = np.sqrt(depth) * kept[run, 0] ** ((depth - 1) / depth)
    size = np.linalg.norm(measurements, axis=1) + bound * np.linalg.norm(matrix, axis=(1, 2))
    return {
        "objective": objective(operators, measurements, penalty, walk.point),
        "shortfall": walk.shortfall,
        "shortfall_rounding": ROUNDING_STEP * walk.energy,
        "energy": walk.energy,
        "step": walk.step,
        "steps": walk.steps.astype(np.float64),
        "certified": walk.step <= STEP,
        "stationarity": stationarity,
        "beyond": beyond,
        "layered": layered,
        "layered_factor": factor,
        "per_step": np.full(len(matrix), mu + bound),
        "floor": ROUNDING * size,
        "trace": walk.trace,
    }


def _balanced(left: Floats, values: Floats, right_t: Floats, depth: int) -> list[Floats]:
    """Layers of U diag(values) V^T in balance, each with singular values values^(1/L)."""
    rank = len(values)
    roots = values ** (1 / depth)
    inner = [np.diag(roots)] * (depth - 2)
    return [roots[:, None] * right_t[:rank], *inner, left[:, :rank] * roots]


STUDY = Study(
    title="The generalized proximal gradient method",
    summary=(
        r"Steps $X \leftarrow \operatorname{GSVT}(X - \nabla f(X) / \mu)$ on Gaussian measurements and on entries of a "
        "matrix, for the penalties of two to five layers and four others, from starts of every size."
    ),
    make=make,
)
