"""A trajectory is what the run passed through."""

import numpy as np
import pytest
import torch

from dmf.training.engine import train
from dmf.training.settings import Adam, Continuation, GradientDescent, Lbfgs, Status
from dmf.training.tasks import Tasks
from dmf.training.trajectory import trajectory

WIDTHS = (3, 4, 2)
TARGET = np.array([[2.0, 0.3, -0.5], [0.1, 1.0, 0.4]])
LAM = 0.1


def start() -> list[np.ndarray]:
    rng = np.random.default_rng(4)
    return [rng.standard_normal((4, 3)), rng.standard_normal((2, 4))]


def test_gradient_descent_is_followed_step_by_step(objective):
    steps = [0, 1, 2, 7, 20]
    found = trajectory(TARGET, LAM, start(), 1e-9, GradientDescent(name="gd", step=0.02, max_iterations=20), steps)
    assert found.status == Status.ITERATION_LIMIT
    assert found.iteration.tolist() == steps
    theta = torch.from_numpy(np.concatenate([layer.ravel() for layer in start()])).requires_grad_()
    seen = []
    for _ in range(21):
        value = objective(theta, torch.from_numpy(TARGET), LAM, WIDTHS)
        (gradient,) = torch.autograd.grad(value, theta)
        one, two = theta.detach()[:12].reshape(4, 3), theta.detach()[12:].reshape(2, 4)
        hessian = torch.autograd.functional.hessian(
            lambda point: objective(point, torch.from_numpy(TARGET), LAM, WIDTHS), theta.detach()
        )
        seen.append(
            [
                value.item(),
                gradient.norm().item(),
                *((layer**2).sum().item() for layer in (one, two)),
                *torch.linalg.svdvals(two @ one).tolist(),
                torch.linalg.eigvalsh(hessian)[-1].item(),
            ]
        )
        theta = (theta - 0.02 * gradient).detach().requires_grad_()
    parts = [found.objective[:, None], found.gradient_norm[:, None], found.layer_norm_sq, found.singular_values]
    np.testing.assert_allclose(np.hstack([*parts, found.sharpness[:, None]]), np.array(seen)[steps], rtol=1e-10)


def test_it_ends_where_the_whole_run_ends_and_every_step_of_lbfgs_goes_down():
    optimizer = Lbfgs(name="lbfgs")
    whole = train(Tasks(TARGET[None], np.array([LAM]), np.array([1e-10])), [w[None] for w in start()], optimizer)
    last = int(whole.iterations[0])
    found = trajectory(TARGET, LAM, start(), 1e-10, optimizer, range(last + 50))
    assert found.status == Status.CONVERGED
    assert found.iteration.tolist() == list(range(last + 1)), "numbers beyond the end are left out"
    assert found.objective[-1] == whole.objective[0]
    assert found.gradient_norm[-1] == whole.gradient_norm[0]
    assert np.array_equal(found.singular_values[-1], whole.singular_values[0])
    assert (np.diff(found.objective) <= 1e-13 * found.objective[0]).all()


def test_a_diverging_run_is_followed_to_its_end():
    found = trajectory(TARGET, LAM, start(), 1e-9, GradientDescent(name="gd", step=30.0), [0, 1])
    assert found.status == Status.DIVERGED
    assert np.isfinite(found.sharpness[0])


@pytest.mark.parametrize(
    ("optimizer", "iterations", "complaint"),
    [
        (Lbfgs(name="lbfgs"), [3, -1], "iterations: got -1, expected 0 or more"),
        (Continuation(name="continuation"), [1], "optimizer: continuation has no single F"),
    ],
)
def test_what_cannot_be_followed_is_refused(optimizer, iterations, complaint):
    with pytest.raises(ValueError, match=complaint):
        trajectory(TARGET, LAM, start(), 1e-9, optimizer, iterations)


def test_adam_is_followed_too():
    found = trajectory(TARGET, LAM, start(), 1e-9, Adam(name="adam", max_iterations=50), [10])
    assert found.iteration.tolist() == [10, 50]
