"""The objective and its gradient for a batch of problems of one shape, on flat parameters.

Everything here is laid out so that one run's arithmetic cannot depend on its place in the batch. The BLAS behind
torch.bmm rounds odd-sized products differently with the alignment of their operands, and takes another path when the
batch is a single row. So flat parameters and the columns of products are filled with zeros to whole cache lines, which
gives every row the same alignment, and callers keep at least two rows.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

from dmf.training.result import Array
from dmf.training.tasks import Tasks

_LINE = 8  # float64 numbers in a cache line
_BLAS_PRODUCT = 400  # multiplications from which torch.bmm calls the BLAS; below, it loops in plain C++


class Problems(NamedTuple):
    """B problems F(theta) = ||M - W_L ... W_1||_F^2 + lam sum_l ||W_l||_F^2 (eq. 2), each with its own M and lam."""

    targets: Tensor
    """(B, d_L, columns), zero from column d_0 on."""
    lams: Tensor
    """(B,)"""
    energy: Tensor
    """(B,) ||M||_F^2."""
    inverse: Tensor
    """(B, d_L, columns) what refinement knows of the curvature (see dmf.training.refinement), or (B, 0)."""
    inputs: Tensor
    """(B, d_0, columns) the constant factor X of ||M - W_L ... W_1 X||_F^2, or (B, 0)."""

    @classmethod
    def of(
        cls,
        targets: Tensor,
        lams: Tensor,
        widths: Sequence[int],
        inverse: Tensor | None = None,
        inputs: Tensor | None = None,
    ) -> "Problems":
        """The problems of targets (B, d_L d_0) and lams (B,), with an inverse (B, d_L d_0) if they are refined.

        With inputs (B, d_0 n), targets are (B, d_L n).
        """
        given = widths[0] if inputs is None else inputs.shape[1] // widths[0]
        columns = columns_of(widths) if inputs is None else whole_lines(given)

        def filled(matrices: Tensor, rows: int) -> Tensor:
            return pad(matrices.view(-1, rows, given), (0, columns - given))

        known = targets[:, :0] if inverse is None else filled(inverse, widths[-1])
        factor = targets[:, :0] if inputs is None else filled(inputs, widths[0])
        return cls(filled(targets, widths[-1]), lams, targets.square().sum(1), known, factor)

    @classmethod
    def on(cls, device: str, tasks: Tasks, widths: Sequence[int], inverse: Array | None = None) -> "Problems":
        """The problems of tasks on a torch device."""
        known, inputs = (None if a is None else torch.from_numpy(a).to(device) for a in (inverse, tasks.inputs))
        targets, lams = (torch.from_numpy(array).to(device) for array in (tasks.targets, tasks.lams))
        return cls.of(targets, lams, widths, known, inputs)

    def products(self, layers: Sequence[Tensor]) -> list[Tensor]:
        """W_1 X, W_2 W_1 X, ..., each (B, d_l, columns), without inputs those of `prefix_products`."""
        if self.inputs.ndim == 2:
            return prefix_products(layers, self.targets.shape[2])
        products = [torch.bmm(layers[0], self.inputs)]
        for layer in layers[1:]:
            products.append(torch.bmm(layer, products[-1]))
        return products


def layer_views(theta: Tensor, widths: Sequence[int]) -> list[Tensor]:
    """Views of flat parameters (B, N) as the layers W_1, ..., W_L of shapes (B, d_l, d_{l-1})."""
    views, begin = [], 0
    for n, m in pairwise(widths):
        views.append(theta[:, begin : begin + m * n].view(-1, m, n))
        begin += m * n
    return views


def whole_lines(count: int) -> int:
    """`count` numbers, rounded up to fill cache lines."""
    return -(-count // _LINE) * _LINE


def fill_lines(points: Tensor) -> Tensor:
    """Flat parameters (B, N) with N rounded up to whole cache lines by zeros."""
    return pad(points, (0, whole_lines(points.shape[1]) - points.shape[1]))


def prefix_products(layers: Sequence[Tensor], columns: int) -> list[Tensor]:
    """W_1, W_2 W_1, ..., W_L ... W_1, each (B, d_l, columns): zero from column d_0 on. The last one is end to end."""
    products = [pad(layers[0], (0, columns - layers[0].shape[2]))]
    for layer in layers[1:]:
        products.append(torch.bmm(layer, products[-1]))
    return products


def value_and_gradient(problems: Problems, theta: Tensor, widths: Sequence[int]) -> tuple[Tensor, Tensor]:
    """F (B,) and its gradient (B, N) at flat parameters (B, N) with zeros past the last.

    With R = W_L ... W_1 - M:  dF/dW_l = 2 (W_L ... W_{l+1})^T R (W_{l-1} ... W_1)^T + 2 lam W_l.  All but its last
    factor is carried down as delta = 2 (W_L ... W_{l+1})^T R, which costs 3 (L - 1) products in all. Inputs X stand
    behind both W_1.
    """
    layers = layer_views(theta, widths)
    products = problems.products(layers)
    delta = products[-1] - problems.targets
    value = delta.flatten(1).square().sum(1) + problems.lams * theta.square().sum(1)
    delta.mul_(2)
    # Multiplication and addition stay apart: a fused pair rounds differently in a vector and in its tail.
    gradient = theta * (2 * problems.lams).unsqueeze(1)
    carry_down(layers, products, delta, layer_views(gradient, widths), problems.inputs)
    return value, gradient


def carry_down(
    layers: Sequence[Tensor],
    products: Sequence[Tensor],
    matrices: Tensor,
    parts: Sequence[Tensor],
    inputs: Tensor | None = None,
) -> None:
    """Add (W_L ... W_{l+1})^T Y (W_{l-1} ... W_1 X)^T to every part, (B, d_l, d_{l-1}), for Y (B, d_L, columns).

    X is the inputs (B, d_0, columns); it is left out where there are none, or (B, 0).
    """
    for i in range(len(layers) - 1, 0, -1):
        parts[i].add_(torch.bmm(matrices, products[i - 1].mT))
        matrices = torch.bmm(layers[i].mT, matrices)
    if inputs is None or inputs.ndim == 2:
        parts[0].add_(matrices[:, :, : parts[0].shape[2]])
    else:
        parts[0].add_(torch.bmm(matrices, inputs.mT))


def columns_of(widths: Sequence[int]) -> int:
    """How many columns products have: d_0, or more where that is faster, but whole cache lines if the BLAS sees them.

    The BLAS is so much faster than torch's loops that up to three times the columns, all zero, pay for themselves.
    """
    products = [m * n for n, m in pairwise(widths)]
    columns = whole_lines(max(widths[0], -(-_BLAS_PRODUCT // min(products))))
    if columns <= 3 * widths[0]:
        return columns
    return widths[0] if max(products) * widths[0] < _BLAS_PRODUCT else whole_lines(widths[0])
