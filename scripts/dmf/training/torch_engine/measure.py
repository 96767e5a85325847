"""Measures finished runs afresh from their final parameters."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn.functional import pad

from dmf.training.result import Measures
from dmf.training.torch_engine.objective import Problems, layer_views, prefix_products, value_and_gradient, whole_lines


def measure(problems: Problems, theta: Tensor, widths: Sequence[int]) -> Measures:
    """Measure B >= 2 runs at flat parameters (B, N) with zeros past the last.

    A diverged run's numbers may be infinite or NaN.
    """
    layers = layer_views(theta, widths)
    value, gradient = value_and_gradient(problems, theta, widths)
    end_to_end = _products(layers)[-1][:, :, : widths[0]].flatten(1)
    norms = torch.stack([_norm_sq(layer) for layer in layers], dim=1)
    numbers = (
        value,
        gradient.square().sum(1).sqrt(),
        end_to_end,
        norms,
        imbalance(layers),
        hessian_trace(problems, layers),
    )
    return Measures(*(tensor.cpu().numpy() for tensor in numbers))


def imbalance(layers: Sequence[Tensor]) -> Tensor:
    """max over l of ||W_{l+1}^T W_{l+1} - W_l W_l^T||_F (B,): zero at critical points (Theorem 2)."""
    gaps = [_norm_sq(_gram(above.mT) - _gram(below)) for below, above in pairwise(layers)]
    return torch.stack(gaps).amax(0).sqrt()


def hessian_trace(problems: Problems, layers: Sequence[Tensor]) -> Tensor:
    """The exact trace of the Hessian of F (B,), at any point (eq. 90-92).

    tr = sum_l 2 ||W_L ... W_{l+1}||_F^2 ||W_{l-1} ... W_1 X||_F^2 + 2 lam N, where an empty product is an identity, of
    squared norm d_L or, without inputs X, d_0. N is the number of parameters.
    """
    lam = problems.lams
    identity = torch.ones_like(lam)
    if problems.inputs.ndim == 2:
        below = [identity * layers[0].shape[2], *(_norm_sq(p) for p in _products(layers)[:-1])]
    else:
        below = [_norm_sq(problems.inputs), *(_norm_sq(p) for p in problems.products(layers)[:-1])]
    # The products from the top are the transposes of the prefix products of the transposed layers in reverse.
    transposed = [layer.mT for layer in reversed(layers)]
    above = [identity * layers[-1].shape[1], *(_norm_sq(p) for p in _products(transposed)[:-1])]
    parameters = sum(layer[0].numel() for layer in layers)
    return 2 * sum((a * b for a, b in zip(reversed(above), below, strict=True)), lam * parameters)


def _products(layers: Sequence[Tensor]) -> list[Tensor]:
    return prefix_products(layers, whole_lines(layers[0].shape[2]))


def _gram(matrices: Tensor) -> Tensor:
    """A A^T, with columns filled up to whole cache lines (see dmf.training.torch_engine.objective)."""
    filled = pad(matrices, (0, whole_lines(matrices.shape[2]) - matrices.shape[2]))
    return torch.bmm(filled, filled.mT)


def _norm_sq(matrices: Tensor) -> Tensor:
    return matrices.square().flatten(1).sum(1)
