r"""Other weights of the same terms: a ||M - X||_F^2 + sum_l b_l ||W_l||_F^2, a > 0 and b_l > 0.

With b the geometric mean of the b_l and W_l = c_l V_l, c_l = (b / b_l)^{1/2}, the product of the c_l is 1. So X is the
product of the V_l too, and the objective is a times F of eq. 2 at the V_l with \lambda = b / a (docs/theory.md, section
10). That covers a different penalty for every layer, and every habit of writing factors 1/2 and means.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from dmf.theory._check import Array, reals

if TYPE_CHECKING:
    from jaxtyping import Float64


def equivalent_lambda(penalties: npt.ArrayLike, data: float = 1.0) -> float:
    r"""\lambda of eq. 2 with the same end-to-end minimizers as data ||M - X||_F^2 + sum_l penalties_l ||W_l||_F^2.

    `penalties` is one weight b_l > 0 for each layer, (L,), or one for all. An optimizer's `weight_decay` d adds
    d W_l to the gradient, so it is b_l = d / 2; a mean over n entries is data = 1 / n. Dimensionless. ValueError for
    bad input; a weight of 0 too, for then the layers without penalty take all of X and the penalty costs nothing.
    """
    return _mean(_weights(penalties)) / _positive("data", data)


def layer_scales(penalties: npt.ArrayLike) -> Float64[Array, "*layer"]:
    """c_l, (L,): a minimizer is c_l V_l with V a minimizer of eq. 2 at `equivalent_lambda`; their product is 1.

    So b_l ||W_l||_F^2 is the same for every layer. ValueError for bad input.
    """
    weights = _weights(penalties)
    return np.asarray(np.sqrt(_mean(weights) / weights))


def _mean(weights: Array) -> float:
    """Geometric mean, exact where all are equal."""
    first = weights.flat[0]
    return float(first * np.exp(np.mean(np.log(weights / first))))


def _weights(value: npt.ArrayLike) -> Array:
    weights = reals("penalties", value)
    if weights.ndim > 1 or weights.size == 0:
        raise ValueError(f"penalties: expected one weight, or one for each layer, got shape {weights.shape}")
    for layer, weight in enumerate(weights.flat):
        _positive(f"penalties[{layer}]" if weights.ndim else "penalties", weight)
    return weights


def _positive(name: str, value: float) -> float:
    if isinstance(value, bool) or not value > 0 or not np.isfinite(value):
        raise ValueError(f"{name} = {value}: expected a finite weight > 0")
    return float(value)
