r"""The Hessian of F at a point, in float64 with a proved bound on its error; the gradient and F in ball arithmetic.

F(\theta) = ||M - X||_F^2 + \lambda \sum_l ||W_l||_F^2 with X = W_L ... W_1. With A_l = W_L ... W_{l+1} and
B_l = W_{l-1} ... W_1 (empty products are identities) and R = X - M the gradient is G_l = 2 A_l^T R B_l^T +
2 \lambda W_l, and the second derivative of F along D is

    2 ||\sum_l A_l D_l B_l||_F^2 + 4 \sum_{l > k} <A_l^T R B_k^T, D_l W_{l-1} ... W_{k+1} D_k> + 2 \lambda ||D||^2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

import numpy as np
from flint import arb, arb_mat
from numpy.typing import NDArray

from dmf.proof.balls import exact, identity, in_balls, nearest, norm, norm_sq, root, upper
from dmf.proof.definite import SLACK, U, frobenius, gamma

if TYPE_CHECKING:
    from jaxtyping import Float64

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Point:
    """A point of parameter space with its chains, each as balls; index l - 1 stands for layer l."""

    layers: list[arb_mat]
    above: list[arb_mat]
    """A_l"""
    below: list[arb_mat]
    """B_l"""
    product: arb_mat
    """X"""
    residual: arb_mat
    """X - M"""
    lam: arb
    objective: arb
    gradient_norm: arb

    @property
    def widths(self) -> list[int]:
        """d_0, ..., d_L."""
        return [self.layers[0].ncols(), *(layer.nrows() for layer in self.layers)]


@in_balls
def point(layers: Sequence[Float64[Floats, "_ _"]], matrix: Float64[Floats, "d_L d_0"], lam: float) -> Point:
    """Chains, F and gradient norm at [W_1, ..., W_L] for the target M = `matrix`."""
    balls = [exact(layer) for layer in layers]
    below = list(accumulate(balls, lambda chain, layer: layer * chain, initial=identity(matrix.shape[1])))
    above = list(accumulate(balls[::-1], lambda chain, layer: chain * layer, initial=identity(matrix.shape[0])))[::-1]
    product, above, weight = below.pop(), above[1:], arb(lam)
    residual = product - exact(matrix)
    gradient = [
        2 * (a.transpose() * residual * b.transpose()) + 2 * weight * layer
        for a, b, layer in zip(above, below, balls, strict=True)
    ]
    objective = norm_sq(residual) + weight * sum((norm_sq(layer) for layer in balls), arb(0))
    size = root(sum((norm_sq(part) for part in gradient), arb(0)))
    return Point(balls, above, below, product, residual, weight, objective, size)


@in_balls
def hessian(at: Point, layers: Sequence[Float64[Floats, "_ _"]], lam: float) -> tuple[Float64[Floats, "N N"], float]:
    r"""(H, error): the Hessian's float64 matrix, parameters layer by layer and each by rows; off by at most `error`.

    The error is in spectral norm, through the Frobenius norm of each part, with u and gamma of `dmf.proof.definite`:

    - A_l, B_l, R and the inner chains come from balls, rounded once (counted twice);
    - J = (A_1 (x) B_1^T, ..., A_L (x) B_L^T) rounds each product of two entries once more: ||dJ|| <= \gamma_5 ||J||.
      With the sum over d_L d_0 rows, 2 J^T J is off by at most \gamma_{d_L d_0 + 12} 2 ||J||_F^2;
    - an entry of a mixed block is 2 (A_l^T R B_k^T)[i, q] (W_{l-1} ... W_{k+1})[j, p]: three rounded factors and two
      sums, of d_L and d_0 terms, the inner chain and the product: \gamma_{d_L + d_0 + 12} of the factors' norms;
    - adding the parts rounds each entry three times at most.
    """
    above, below, residual = [nearest(a) for a in at.above], [nearest(b) for b in at.below], nearest(at.residual)
    widths, depth = at.widths, len(layers)
    sizes = [layer.size for layer in layers]
    ends = [0, *accumulate(sizes)]
    spans = [slice(first, last) for first, last in pairwise(ends)]
    jacobian = np.concatenate([np.kron(a, b.T) for a, b in zip(above, below, strict=True)], axis=1)
    matrix = 2 * (jacobian.T @ jacobian)
    mixed = 0.0
    back = [a.T @ residual for a in above]
    norms = [[frobenius(part) for part in parts] for parts in (above, below)]
    rest = frobenius(residual)
    for k in range(depth):
        chain = identity(widths[k + 1])
        for m in range(k + 1, depth):
            inner, outer = nearest(chain), back[m] @ below[k].T
            block = 2 * np.einsum("iq,jp->ijpq", outer, inner).reshape(sizes[m], sizes[k])
            matrix[spans[m], spans[k]] += block
            matrix[spans[k], spans[m]] += block.T
            mixed += 2 * (2 * norms[0][m] * rest * norms[1][k] * frobenius(inner)) ** 2
            chain = at.layers[m] * chain
    matrix[np.diag_indices_from(matrix)] += 2 * lam
    total, mixed = 2 * frobenius(jacobian) ** 2, SLACK * float(np.sqrt(mixed))
    ridge = 2 * lam * float(np.sqrt(ends[-1]))
    rows, columns = widths[-1], widths[0]
    error = gamma(rows * columns + 12) * total + gamma(rows + columns + 12) * mixed + 3 * U * (total + mixed + ridge)
    return matrix, SLACK * error


@in_balls
def hessian_change(at: Point, top: float) -> float:
    r"""C with ||H(\theta + v) - H(\theta)||_2 <= C |v| where all layers of both points have spectral norms <= `top`.

    C = 6 \sqrt{L} (L - 1) t^{2L-3} + 2 ||X - M||_2 (L - 1)(L - 2) L^{-1/2} t^{L-3}, X that of \theta. Derivation, with
    D of norm 1, X' and X'' the first two derivatives of X along D, a_l = ||D_l||_F and b_l = ||v_l||_F:
    D^T H D = 2 ||X'||_F^2 + 2 <X - M, X''> + 2 \lambda. ||X'||_F <= t^{L-1} \sum a_l <= \sqrt{L} t^{L-1};
    ||X''||_F <= t^{L-2} ((\sum a_l)^2 - 1) <= (L - 1) t^{L-2}. On the way to \theta + v, X moves by at most \sqrt{L}
    t^{L-1} |v|, X' by t^{L-2} \sum_{l != m} a_l b_m <= (L - 1) t^{L-2} |v|, since the matrix of ones less the identity
    has norm L - 1. So 2 ||X'||^2 moves by 4 \sqrt{L} (L - 1) t^{2L-3} |v|, and 2 <X - M, X''> by 2 \sqrt{L} (L - 1)
    t^{2L-3} |v| for the move of X and 2 ||X - M||_2 ||dX''||_* for that of X''. Each term of dX'' has three factors of
    known Frobenius norm, so its nuclear norm is at most t^{L-3} a_l a_k b_m; the sum over distinct layers is a
    symmetric trilinear form, largest where all a and b are alike: L (L - 1)(L - 2) L^{-3/2}. The Frobenius norm of
    X - M is used.
    """
    depth = len(at.layers)
    rest = upper(norm(at.residual))
    try:
        change = 6 * math.sqrt(depth) * (depth - 1) * top ** (2 * depth - 3)
        if depth > 2:
            change += 2 * rest * (depth - 1) * (depth - 2) / math.sqrt(depth) * top ** (depth - 3)
    except OverflowError:
        return math.inf
    return SLACK * change
