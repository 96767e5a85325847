"""L-BFGS' steps against the dense BFGS update they stand for, with autograd's gradients."""

import numpy as np
import pytest
import torch

from dmf.training.settings import Lbfgs

pytestmark = pytest.mark.parametrize("device", ["cpu", "torch"])

WIDTHS, STEPS = (3, 4, 4, 2), 30  # longer than a chunk of the torch engine


def dense_inverse_hessian(pairs, gamma, size):
    """Nocedal & Wright, eq. 6.17, from gamma I over the pairs, oldest first."""
    h, eye = gamma * np.eye(size), np.eye(size)
    for s, y in pairs:
        rho = 1 / (s @ y)
        h = (eye - rho * np.outer(s, y)) @ h @ (eye - rho * np.outer(y, s)) + rho * np.outer(s, s)
    return h


@pytest.mark.parametrize("memory", [1, 3, 5])
def test_every_step_is_a_wolfe_point_along_the_dense_updates_direction(memory, draw_batch, objective):
    batch = draw_batch(WIDTHS, 6, lams=(0.02, 0.3))
    records = [batch.train(Lbfgs(name="lbfgs", memory=memory, max_iterations=k)) for k in range(1, STEPS + 1)]
    rejections = 0
    for i in range(6):
        points = [
            np.concatenate([w[i].ravel() for w in layers]) for layers in (batch.starts, *(r.layers for r in records))
        ]
        values, gradients = [], []
        for point in points:
            theta = torch.from_numpy(point).requires_grad_()
            value = objective(theta, torch.from_numpy(batch.targets[i]), batch.lams[i], WIDTHS)
            values.append(value.item())
            gradients.append(torch.autograd.grad(value, theta)[0].numpy())
        evaluations = [1, *(int(r.evaluations[i]) for r in records)]
        ring, gamma = [None], 0.1 * np.linalg.norm(points[0]) / np.linalg.norm(gradients[0])
        for k in range(STEPS):
            g, step = gradients[k], points[k + 1] - points[k]
            h = dense_inverse_hessian([pair for pair in ring[-memory:] if pair], gamma, len(g))
            direction = -h @ g
            cosine = direction @ step / np.linalg.norm(direction) / np.linalg.norm(step)
            assert cosine == pytest.approx(1, abs=1e-9), (i, k)
            assert values[k + 1] <= values[k] + 1e-4 * (g @ step) + 1e-14
            assert gradients[k + 1] @ step >= 0.9 * (g @ step)
            tried = evaluations[k + 1] - evaluations[k]
            if tried == 1:
                np.testing.assert_allclose(step, direction, rtol=1e-6, atol=1e-9)
            rejections += tried - 1
            change = gradients[k + 1] - g
            ring += [None] * (tried - 1) + [(step, change)]  # a rejected trial takes a place of the ring
            gamma = step @ change / (change @ change)
    assert rejections > 0
