"""The hand-derived gradient against autograd, and the layout that keeps a run's bits its own."""

import pytest
import torch

from dmf.training.record import points_of
from dmf.training.torch_engine.objective import Problems, fill_lines, layer_views, value_and_gradient

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
    theta, targets = fill_lines(torch.from_numpy(points_of(batch.starts))), torch.from_numpy(batch.targets)
    problems = Problems.of(targets.flatten(1), torch.from_numpy(batch.lams), widths)
    value, gradient = value_and_gradient(problems, theta, widths)
    count = sum(layer[0].size for layer in batch.starts)
    assert not gradient[:, count:].any()
    for i in range(3):
        point = theta[i, :count].clone().requires_grad_()
        expected = objective(point, targets[i], batch.lams[i], widths)
        (slope,) = torch.autograd.grad(expected, point)
        assert value[i].item() == pytest.approx(expected.item(), rel=1e-13)
        assert problems.energy[i].item() == pytest.approx((targets[i] ** 2).sum().item(), rel=1e-14)
        torch.testing.assert_close(gradient[i, : len(slope)], slope, rtol=1e-12, atol=1e-12)


def test_layer_views_are_the_layers_of_flat_parameters(draw_batch):
    layers = draw_batch((2, 5, 3, 4), 3).starts
    views = layer_views(fill_lines(torch.from_numpy(points_of(layers))), (2, 5, 3, 4))
    assert all(torch.equal(torch.from_numpy(a), b) for a, b in zip(layers, views, strict=True))
