"""One run at chosen iterations, for figures: trained from its start up to each, which is exact and costs their sum."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dmf.training.compiled_engine.measure import measure
from dmf.training.engine import train
from dmf.training.lanczos import largest_eigenvalue
from dmf.training.record import layers_of, points_of, singular_values
from dmf.training.result import Array
from dmf.training.settings import Continuation, Optimizer, Status
from dmf.training.tasks import Tasks

if TYPE_CHECKING:
    from jaxtyping import Float64, Int64

MOST_DENSE = 600  # parameters; the eigenvalues of a larger Hessian cost more than Lanczos steps do


@dataclass(frozen=True)
class Trajectory:
    """A run at K of its iterations, ascending; the last is where it ended. Everything is dimensionless."""

    status: Status
    """Why the run ended."""
    iteration: Int64[NDArray[np.int64], " step"]
    """(K,) accepted steps."""
    objective: Float64[Array, " step"]
    """(K,) F."""
    gradient_norm: Float64[Array, " step"]
    """(K,) Euclidean norm of the whole gradient."""
    layer_norm_sq: Float64[Array, "step layer"]
    """(K, L) ||W_l||_F^2."""
    singular_values: Float64[Array, "step n"]
    """(K, min(d_0, d_L)) of W_L ... W_1, descending."""
    sharpness: Float64[Array, " step"]
    """(K,) largest eigenvalue of the Hessian of F."""


def trajectory(
    target: Float64[Array, "d_L d_0"],
    lam: float,
    start: Sequence[Float64[Array, "_d_l _d_below"]],
    gradient_tolerance: float,
    optimizer: Optimizer,
    iterations: Iterable[int],
) -> Trajectory:
    """Follow the run of a target (d_L, d_0) from L layers (d_l, d_{l-1}) on the processor.

    The compiled engine gives a run the same bits whenever it trains it. So the point after n steps is the end of the
    same run with max_iterations = n: exactly what the whole run passed through, at the cost of n steps more for each n
    in `iterations`. 0 is the start; numbers beyond the run's end are left out, and the end is always there. Raises
    ValueError for negative iterations, for continuation, which minimizes several F, and
    where `train` does.
    """
    if isinstance(optimizer, Continuation):
        raise ValueError("optimizer: continuation has no single F along its way, expected lbfgs, gd, nesterov or adam")
    wanted = sorted(set(iterations))
    if wanted and wanted[0] < 0:
        raise ValueError(f"iterations: got {wanted[0]}, expected 0 or more")
    one = [np.asarray(layer, dtype=np.float64)[None] for layer in start]
    task = Tasks(np.asarray(target, dtype=np.float64)[None], np.array([lam]), np.array([gradient_tolerance]))
    end = train(task, one, optimizer)
    last = int(end.iterations[0])
    steps = [n for n in wanted if n < last]
    passed = [
        train(task, one, optimizer.model_copy(update={"max_iterations": n})).layers if n else one for n in steps
    ] + [end.layers]
    points = np.concatenate([points_of(layers) for layers in passed])
    widths = (one[0].shape[2], *(layer.shape[1] for layer in one))
    count = len(points)
    measures = measure(task.flat().take(np.zeros(count, dtype=np.int64)), points, widths)
    return Trajectory(
        status=Status(int(end.status[0])),
        iteration=np.array([*steps, last], dtype=np.int64),
        objective=measures.objective,
        gradient_norm=measures.gradient_norm,
        layer_norm_sq=measures.layer_norm_sq,
        singular_values=singular_values(measures.end_to_end.reshape(count, widths[-1], widths[0])),
        sharpness=np.array([sharpness(task.targets[0], lam, [layer[0] for layer in layers]) for layers in passed]),
    )


def sharpness(
    target: Float64[Array, "d_L d_0"], lam: float, layers: Sequence[Float64[Array, "_d_l _d_below"]]
) -> float:
    """Largest eigenvalue of the Hessian of F (dimensionless), at layers (d_l, d_{l-1}) of a target (d_L, d_0).

    Of the whole Hessian where it has at most MOST_DENSE rows, otherwise by Lanczos. NaN at a point that is not finite.
    """
    point = points_of([layer[None] for layer in layers])[0]
    widths = [layers[0].shape[1], *(layer.shape[0] for layer in layers)]
    if not np.isfinite(point).all():
        return float("nan")

    def product(directions: Array) -> Array:
        moves = layers_of(np.atleast_2d(directions), widths)
        return points_of(hessian_product(target, lam, layers, moves)).reshape(directions.shape)

    if point.size <= MOST_DENSE:
        return float(np.linalg.eigvalsh(product(np.eye(point.size)))[-1])
    start = np.random.default_rng(0).standard_normal(point.size)  # any vector that is not special; the same every time
    return largest_eigenvalue(product, start)[0]


def hessian_product(
    target: Float64[Array, "d_L d_0"],
    lam: float,
    layers: Sequence[Float64[Array, "_d_l _d_below"]],
    moves: Sequence[Float64[Array, "direction _d_l _d_below"]],
) -> list[Float64[Array, "direction _d_l _d_below"]]:
    r"""The Hessian of F times directions (K, d_l, d_{l-1}), in the same shapes, at layers (d_l, d_{l-1}).

    The derivative along a direction of the gradient as both engines compute it: with A_l = W_l ... W_1 and
    D_l = 2 (W_L ... W_{l+1})^T (W_L ... W_1 - M), dF/dW_l = D_l A_{l-1}^T + 2 \lambda W_l.
    """
    below, turned = [np.eye(target.shape[1])], [np.zeros((len(moves[0]), target.shape[1], target.shape[1]))]
    for layer, move in zip(layers, moves, strict=True):
        turned.append(move @ below[-1] + layer @ turned[-1])
        below.append(layer @ below[-1])
    above, turning = 2 * (below.pop() - target), 2 * turned.pop()
    images = []
    for layer, move in zip(reversed(layers), reversed(moves), strict=True):
        under, under_turned = below.pop(), turned.pop()
        images.append(turning @ under.T + above @ under_turned.swapaxes(1, 2) + 2 * lam * move)
        turning = move.swapaxes(1, 2) @ above + layer.T @ turning
        above = layer.T @ above
    return images[::-1]
