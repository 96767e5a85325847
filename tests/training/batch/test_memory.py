"""The compact memory against the dense BFGS update it stands for."""

import numpy as np
import pytest
import torch
from dmf.training.memory import Memory


def dense_inverse_hessian(pairs, gamma, size):
    """Nocedal & Wright, eq. 6.17, from gamma I over the pairs, oldest first."""
    h, eye = gamma * np.eye(size), np.eye(size)
    for s, y in pairs:
        rho = 1 / (s @ y)
        h = (eye - rho * np.outer(s, y)) @ h @ (eye - rho * np.outer(y, s)) + rho * np.outer(s, s)
    return h


def history(count, pushes, size, seed=0):
    """Steps, and changes under one positive definite Hessian per run; some pushes are not to be learned from."""
    rng = np.random.default_rng(seed)
    root = rng.standard_normal((count, size, size))
    hessian = root @ root.transpose(0, 2, 1) + np.eye(size)
    s = rng.standard_normal((count, pushes, size))
    y = np.einsum("bij,bpj->bpi", hessian, s)
    return s, y, rng.standard_normal((count, pushes, size)), rng.random((count, pushes)) < 0.7


@pytest.mark.parametrize("memory", [1, 2, 5, 25])
@pytest.mark.parametrize("pushes", [1, 4, 13])
def test_the_direction_is_that_of_the_dense_update_on_the_last_pairs(memory, pushes):
    count, size = 6, 8
    s, y, v, learn = history(count, pushes, size)
    learn[:, -1] = True
    subject = Memory(count, memory, size)
    for k in range(pushes):
        pair = torch.from_numpy(np.stack((s[:, k], y[:, k]), axis=1))
        vectors = torch.from_numpy(np.stack((v[:, k], y[:, k]), axis=1))
        direction = subject.push(pair, vectors, learn[:, k]).numpy()
    for b in range(count):
        pairs = list(zip(s[b, learn[b]], y[b, learn[b]], strict=True))[-memory:]
        gamma = pairs[-1][0] @ pairs[-1][1] / (pairs[-1][1] @ pairs[-1][1])
        expected = -dense_inverse_hessian(pairs, gamma, size) @ v[b, -1]
        np.testing.assert_allclose(direction[b], expected, rtol=1e-7, atol=1e-9 * np.abs(expected).max())


def test_a_pair_without_positive_curvature_is_left_out():
    s, y, v, _ = history(2, 3, 5)
    subject, everyone = Memory(2, 4, 5), np.ones(2, dtype=bool)
    for k in range(3):
        change = -y[:, k] if k == 2 else y[:, k]
        pair = torch.from_numpy(np.stack((s[:, k], change), axis=1))
        direction = subject.push(pair, torch.from_numpy(np.stack((v[:, 0], change), axis=1)), everyone).numpy()
    for b in range(2):
        gamma = s[b, 1] @ y[b, 1] / (y[b, 1] @ y[b, 1])
        expected = -dense_inverse_hessian(list(zip(s[b, :2], y[b, :2], strict=True)), gamma, 5) @ v[b, 0]
        np.testing.assert_allclose(direction[b], expected, rtol=1e-9)


def test_a_cleared_run_is_as_new_and_its_neighbour_untouched():
    s, y, v, _ = history(2, 4, 5)
    everyone = np.ones(2, dtype=bool)

    def push(memory, k):
        pair = torch.from_numpy(np.stack((s[:, k], y[:, k]), axis=1))
        return memory.push(pair, torch.from_numpy(np.stack((v[:, k], y[:, k]), axis=1)), everyone)

    cleared, kept, new = Memory(2, 3, 5), Memory(2, 3, 5), Memory(2, 3, 5)
    for k in range(3):
        push(cleared, k), push(kept, k)
    cleared.clear(np.array([0]))
    result = push(cleared, 3)
    assert torch.equal(result[0], push(new, 3)[0])
    assert torch.equal(result[1], push(kept, 3)[1])
