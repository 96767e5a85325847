"""The hand-derived gradient against autograd."""

import numpy as np
import pytest
import torch
from dmf.training.objective import Problem, flatten, layer_views

WIDTHS = [
    (1, 1, 1),
    (5, 1, 1),
    (1, 3, 4),
    (3, 3, 3),
    (4, 6, 2),
    (2, 7, 7, 5),
    (6, 6, 6, 6),
    (7, 7, 7),
    (3, 4, 5, 4, 2),
    (12, 9, 20),
]


@pytest.mark.parametrize("widths", WIDTHS)
def test_value_and_gradient_agree_with_autograd(widths, draw_batch, objective):
    batch = draw_batch(widths, 3)
    theta = flatten([torch.from_numpy(layer) for layer in batch.starts])
    targets = torch.from_numpy(batch.targets)
    value, gradient = Problem(targets, torch.from_numpy(batch.lams), widths).value_and_gradient(theta)
    count = sum(layer[0].size for layer in batch.starts)
    assert not gradient[:, count:].any()
    for i in range(3):
        point = theta[i, :count].clone().requires_grad_()
        expected = objective(point, targets[i], batch.lams[i], widths)
        (slope,) = torch.autograd.grad(expected, point)
        assert value[i].item() == pytest.approx(expected.item(), rel=1e-13)
        torch.testing.assert_close(gradient[i, : len(slope)], slope, rtol=1e-12, atol=1e-12)


def test_layer_views_undo_flatten(draw_batch):
    layers = [torch.from_numpy(layer) for layer in draw_batch((2, 5, 3, 4), 3).starts]
    views = layer_views(flatten(layers), (2, 5, 3, 4))
    assert all(torch.equal(a, b) for a, b in zip(layers, views, strict=True))


def test_put_replaces_problems_as_take_selects_them(draw_batch):
    batch = draw_batch((6, 6, 6), 5)
    theta = flatten([torch.from_numpy(layer) for layer in batch.starts])
    problem = Problem(torch.from_numpy(batch.targets), torch.from_numpy(batch.lams), (6, 6, 6))
    order = np.array([3, 1, 4])
    mixed = problem.take(np.array([0, 0, 0]))
    mixed.put(np.arange(3), problem.take(order))
    for a, b in zip(mixed.value_and_gradient(theta[order]), problem.value_and_gradient(theta), strict=True):
        assert torch.equal(a, b[order])
