"""The largest Hessian eigenvalue of F at any point, by products of the Hessian with directions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dmf.training.lanczos import largest_eigenvalue
from dmf.training.record import layers_of, points_of
from dmf.training.result import Array

if TYPE_CHECKING:
    from jaxtyping import Float64

MOST_DENSE = 600  # parameters; the eigenvalues of a larger Hessian cost more than Lanczos steps do


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
