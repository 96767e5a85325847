"""The Gauss-Newton initial matrix of dmf.training.refinement, for a batch of runs."""

from collections.abc import Sequence

import torch
from torch import Tensor

from dmf.training.torch_engine.objective import Problems, carry_down, layer_views, prefix_products


def apply_h0(problems: Problems, theta: Tensor, vectors: Tensor, widths: Sequence[int]) -> Tensor:
    """H_0 = (1 / 2 lambda) (I - J^T inverse J) times vectors (B, N), with J at theta (B, N)."""
    layers = layer_views(theta, widths)
    products = prefix_products(layers, problems.targets.shape[2])
    out = vectors.clone()
    parts = layer_views(out, widths)
    change = prefix_products(parts[:1], problems.targets.shape[2])[0]
    for i in range(1, len(layers)):
        change = torch.bmm(layers[i], change) + torch.bmm(parts[i], products[i - 1])
    carry_down(layers, products, change * -problems.inverse, parts)
    return out / (2 * problems.lams).unsqueeze(1)
