"""The objective and its gradient for a batch of problems of one shape, on flat parameters.

Everything here is laid out so that one run's arithmetic cannot depend on its place in the batch. The BLAS behind
torch.bmm rounds odd-sized products differently with the alignment of their operands, and takes another path when the
batch is a single row. So flat parameters and the columns of products are filled with zeros to whole cache lines, which
gives every row the same alignment, and callers keep at least two rows.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import isqrt
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
    """(B, d_L, columns), zero from column d_0 on; (B, p, samples) with inputs."""
    lams: Tensor
    """(B,)"""
    energy: Tensor
    """(B,) ||M||_F^2."""
    inverse: Tensor
    """(B, d_L, columns) what refinement knows of the curvature (see dmf.training.refinement), or (B, 0)."""
    inputs: Tensor
    """(B, q, samples), or (B, 0): the constant factor X of ||M - W X||_F^2, W the end-to-end matrix as (B, p, q), with
    rows of zeros for its columns of zeros."""

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

        With inputs (B, q n), targets are (B, p n), p q = d_L d_0.
        """
        columns, energy, none = columns_of(widths), targets.square().sum(1), targets[:, :0]

        def filled(matrices: Tensor) -> Tensor:
            return pad(matrices.view(-1, widths[-1], widths[0]), (0, columns - widths[0]))

        if inputs is None:
            return cls(filled(targets), lams, energy, none if inverse is None else filled(inverse), none)
        samples = samples_of(targets.shape[1], inputs.shape[1], widths)
        blocks = pad(inputs.view(len(inputs), -1, widths[0], samples), (0, 0, 0, columns - widths[0]))
        factor = pad(blocks.flatten(1, 2), (0, whole_lines(samples) - samples))
        goals = pad(targets.view(len(targets), -1, samples), (0, whole_lines(samples) - samples))
        return cls(goals, lams, energy, none, factor)

    @classmethod
    def on(cls, device: str, tasks: Tasks, widths: Sequence[int], inverse: Array | None = None) -> "Problems":
        """The problems of tasks on a torch device."""
        known, inputs = (None if a is None else torch.from_numpy(a).to(device) for a in (inverse, tasks.inputs))
        targets, lams = (torch.from_numpy(array).to(device) for array in (tasks.targets, tasks.lams))
        return cls.of(targets, lams, widths, known, inputs)

    def misfit(self, end_to_end: Tensor) -> tuple[Tensor, Tensor]:
        """||M - W||^2 or ||M - W X||^2 (B,), and its gradient with regard to W, both for W (B, d_L, columns)."""
        if self.inputs.ndim == 2:
            gap = end_to_end - self.targets
            return gap.flatten(1).square().sum(1), gap.mul_(2)
        rows = end_to_end.reshape(len(end_to_end), self.targets.shape[1], -1)
        gap = torch.bmm(rows, self.inputs) - self.targets
        return gap.flatten(1).square().sum(1), torch.bmm(gap.mul_(2), self.inputs.mT).view_as(end_to_end)


def layer_views(theta: Tensor, widths: Sequence[int]) -> list[Tensor]:
    """Views of flat parameters (B, N) as the layers W_1, ..., W_L of shapes (B, d_l, d_{l-1})."""
    views, begin = [], 0
    for n, m in pairwise(widths):
        views.append(theta[:, begin : begin + m * n].view(-1, m, n))
        begin += m * n
    return views


def samples_of(goals: int, inputs: int, widths: Sequence[int]) -> int:
    """The samples n of targets of p n numbers and inputs of q n, p q = d_L d_0."""
    return isqrt(goals * inputs // (widths[0] * widths[-1]))


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
    factor is carried down as delta = 2 (W_L ... W_{l+1})^T R, which costs 3 (L - 1) products in all. With inputs,
    R = (W X - M) X^T.
    """
    layers = layer_views(theta, widths)
    products = prefix_products(layers, columns_of(widths))
    misfit, delta = problems.misfit(products[-1])
    value = misfit + problems.lams * theta.square().sum(1)
    # Multiplication and addition stay apart: a fused pair rounds differently in a vector and in its tail.
    gradient = theta * (2 * problems.lams).unsqueeze(1)
    carry_down(layers, products, delta, layer_views(gradient, widths))
    return value, gradient


def carry_down(layers: Sequence[Tensor], products: Sequence[Tensor], matrices: Tensor, parts: Sequence[Tensor]) -> None:
    """Add (W_L ... W_{l+1})^T Y (W_{l-1} ... W_1)^T to every part, (B, d_l, d_{l-1}), for Y (B, d_L, columns)."""
    for i in range(len(layers) - 1, 0, -1):
        parts[i].add_(torch.bmm(matrices, products[i - 1].mT))
        matrices = torch.bmm(layers[i].mT, matrices)
    parts[0].add_(matrices[:, :, : parts[0].shape[2]])


def columns_of(widths: Sequence[int]) -> int:
    """How many columns products have: d_0, or more where that is faster, but whole cache lines if the BLAS sees them.

    The BLAS is so much faster than torch's loops that up to three times the columns, all zero, pay for themselves.
    """
    products = [m * n for n, m in pairwise(widths)]
    columns = whole_lines(max(widths[0], -(-_BLAS_PRODUCT // min(products))))
    if columns <= 3 * widths[0]:
        return columns
    return widths[0] if max(products) * widths[0] < _BLAS_PRODUCT else whole_lines(widths[0])
