"""Beyond the paper: gradient flow forgets how unbalanced its start was, at the rate 4 lambda, for any loss.

Flows of three losses of X = W_L ... W_1, integrated by a Runge-Kutta method of order 8 (DOP853) with steps of one size
and of half of it; what both differ by bounds the error of the second.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import xarray as xr
from scipy.integrate import solve_ivp

from dmf.grid.seeds import generator
from dmf.studies import Settings, Study
from dmf.studies._assemble import Row, assembled
from dmf.studies._derivatives import Floats, chained, flat
from dmf.studies._layers import layers_of, parameter_count, product_of
from dmf.theory.certificate import EPS

DRAWS = 6
TIMES = np.linspace(0, 5, 11)  # the last is 4 in units of 1 / (4 lambda)
STEP = 0.02  # also of the controls, which take gradient steps in place of the flow
SIZE = 0.4  # of starts
LAM = 0.2
WIDTHS = ((3, 3, 3), (3, 4, 3, 3), (2, 3, 2, 3, 3))
LOSSES = ("squares", "on inputs", "cross-entropy")
CONTROLS = (("squares", (3, 4, 3, 3), "steps"), ("cross-entropy", (3, 3, 3), "signs"))

FIELDS = {
    "control": ("cell", "1 for cells of the control"),
    "certified": ("cell start", "1 where halving the step moved the flow by 1e-6 or less"),
    "is_flow": ("cell start", "1 where the layers followed the gradient flow"),
    "imbalance": ("cell start time", "largest norm of W_{l+1}^T W_{l+1} - W_l W_l^T"),
    "law_gap": ("cell start", "largest departure of these matrices from e^{-4 lambda t} times those of the start"),
    "law_tolerance": ("cell start", "what halving the step and rounding allow for it"),
    "error": ("cell start", "largest distance between the flows with both steps"),
}
LOOSE = 1e-6  # distance of both flows from which a case is not certified

Rate = Callable[[Floats], Floats]


def make(settings: Settings) -> xr.Dataset:
    """Cells (loss, widths), starts by draw."""
    cells = [(loss, widths, "flow") for loss in LOSSES for widths in WIDTHS] + list(CONTROLS)
    rows = [_cell(settings, *cell) for cell in cells]
    others = {"draw": ("start", np.arange(DRAWS)), "time": ("time", TIMES)}
    return assembled(FIELDS, rows, others)


def slope_of(loss: str, rows: int, columns: int, rng: np.random.Generator) -> Rate:
    """The gradient of a loss with respect to X (..., rows, columns), with random data."""
    if loss == "squares":
        target = rng.standard_normal((rows, columns))
        return lambda x: 2 * (x - target)
    inputs: Floats = rng.standard_normal((columns, 8)) * np.geomspace(1, 0.2, columns)[:, None]
    if loss == "on inputs":
        outputs = rng.standard_normal((rows, 8))
        return lambda x: 2 * (x @ inputs - outputs) @ inputs.T
    labels = rng.dirichlet(np.ones(rows), size=8).T

    def softmax_gap(x: Floats) -> Floats:
        odds = np.exp(x @ inputs)
        return np.asarray((odds / odds.sum(axis=-2, keepdims=True) - labels) @ inputs.T)

    return softmax_gap


def _largest(matrices: list[Floats]) -> Floats:
    """The largest norm of matrices (S, d, d), (S,)."""
    return np.asarray(np.max([np.linalg.norm(matrix, axis=(-2, -1)) for matrix in matrices], axis=0))


def _cell(settings: Settings, loss: str, widths: tuple[int, ...], method: str) -> Row:
    rng = generator(["study", "flow", settings.seed, loss, list(widths), method])
    slope = slope_of(loss, widths[-1], widths[0], rng)
    starts = SIZE * rng.standard_normal((DRAWS, parameter_count(widths)))

    def rate(points: Floats) -> Floats:
        layers = layers_of(points, widths)
        return np.asarray(-flat(chained(layers, slope(product_of(layers)))) - 2 * LAM * points)

    if method == "flow":
        coarse, fine = (integrate(rate, starts, step) for step in (STEP, STEP / 2))
    else:  # the steps themselves are the path
        coarse = fine = _stepped(rate, starts, STEP, signs=method == "signs")
    error = np.linalg.norm(fine - coarse, axis=-1)  # (time, start)
    found = [imbalances(layers_of(points, widths)) for points in fine]
    gap = np.array(
        [
            _largest([now - np.exp(-4 * LAM * t) * before for now, before in zip(one, found[0], strict=True)])
            for one, t in zip(found, TIMES, strict=True)
        ]
    )
    size = np.linalg.norm(fine, axis=-1)
    # Layers that are off by e move W W^T by 2 ||W|| e + e^2 each. All stages of all steps round.
    allowed = error + 12 * (TIMES[:, None] / STEP + 6) * EPS * size.max(axis=0)
    return {
        "problem": loss,
        "depth": len(widths) - 1,
        "widths": ",".join(map(str, widths)),
        "method": method,
        "lam": LAM,
        "control": method != "flow",
        "is_flow": np.full(DRAWS, method == "flow"),
        "certified": error.max(axis=0) <= LOOSE,
        "imbalance": np.array([_largest(one) for one in found]).T,
        "law_gap": gap.max(axis=0),
        "law_tolerance": (4 * size * allowed + 2 * allowed**2).max(axis=0),
        "error": error.max(axis=0),
    }


def imbalances(layers: list[Floats]) -> list[Floats]:
    """W_{l+1}^T W_{l+1} - W_l W_l^T of neighbouring layers."""
    return [above.mT @ above - below @ below.mT for below, above in pairwise(layers)]


def integrate(rate: Rate, starts: Floats, step: float) -> Floats:
    """The flow from starts (S, N) at TIMES, (time, S, N); tolerances are so large that no step is refused."""

    def together(_: float, points: Floats) -> Floats:
        return rate(points.reshape(starts.shape)).ravel()

    points = [starts]
    for begin, end in pairwise(TIMES):
        found = solve_ivp(
            together, (begin, end), points[-1].ravel(), "DOP853", first_step=step, max_step=step, rtol=1e3, atol=1e3
        )
        points.append(found.y[:, -1].reshape(starts.shape))
    return np.array(points)


def _stepped(rate: Rate, starts: Floats, step: float, signs: bool) -> Floats:
    """Steps of one size along the gradient, or along its signs as Adam's first one, at the flow's times."""
    points = [starts]
    for begin, end in pairwise(TIMES):
        point = points[-1]
        for _ in range(round((end - begin) / step)):
            move = rate(point)
            point = point + step * (np.sign(move) if signs else move)
        points.append(point)
    return np.array(points)


STUDY = Study(
    title="Gradient flow",
    summary=(
        "Flows of squares, of squares on correlated inputs and of cross-entropy with soft labels, of depth 2 to 4; "
        "gradient descent, and steps along signs, as controls."
    ),
    make=make,
)
