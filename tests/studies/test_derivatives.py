"""The studies' derivatives against torch's and finite differences, and Lanczos against dense eigenvalues."""

import numpy as np
import pytest
import torch

from dmf import theory
from dmf.studies._derivatives import Objective, chained, flat
from dmf.training.lanczos import extreme_eigenvalues

WIDTHS = [3, 4, 2, 3]


@pytest.fixture
def problem() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.standard_normal((3, 3)), 0.5 * rng.standard_normal(26)


def test_the_objective_and_its_derivatives_are_those_of_finite_differences(
    problem: tuple[np.ndarray, np.ndarray],
) -> None:
    target, point = problem
    value = Objective(target, WIDTHS, 0.2)
    layers = [point[:12].reshape(4, 3), point[12:20].reshape(2, 4), point[20:].reshape(3, 2)]
    np.testing.assert_array_equal(flat(layers), point)

    def exact(theta: np.ndarray) -> float:
        w1, w2, w3 = theta[:12].reshape(4, 3), theta[12:20].reshape(2, 4), theta[20:].reshape(3, 2)
        return float(np.sum((target - w3 @ w2 @ w1) ** 2) + 0.2 * np.sum(theta**2))

    step = 1e-5 * np.eye(26)
    slopes = np.array([exact(point + move) - exact(point - move) for move in step]) / 2e-5
    np.testing.assert_allclose(value.gradients(point[None])[0], slopes, atol=1e-8)
    turns = np.stack([value.gradients(np.stack([point + move, point - move])) for move in step])
    hessian = value.hessians(point[None])[0]
    np.testing.assert_allclose(hessian, (turns[:, 0] - turns[:, 1]) / 2e-5, atol=1e-7)
    vector = np.arange(26.0)
    np.testing.assert_allclose(value.hessian_product(point)(vector), hessian @ vector, rtol=1e-12)


@pytest.mark.parametrize("widths", [(3, 2), (3, 4, 2), (2, 5, 3, 4), (1, 1, 1, 1, 1)], ids=str)
def test_derivatives_are_those_of_torch(widths: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    rng, lam = np.random.default_rng(len(widths)), 0.3
    target, shapes = rng.standard_normal((widths[-1], widths[0])), list(zip(widths[1:], widths, strict=False))
    sizes = [m * n for m, n in shapes]
    points = rng.standard_normal((3, sum(sizes)))
    monkeypatch.setattr("dmf.studies._derivatives.TOGETHER", 5 * points.shape[1])  # Hessians in several parts

    def plain(theta: torch.Tensor) -> torch.Tensor:
        layers = [part.reshape(shape) for part, shape in zip(theta.split(sizes), shapes, strict=True)]
        product = layers[0]
        for layer in layers[1:]:
            product = layer @ product
        return (torch.from_numpy(target) - product).square().sum() + lam * theta.square().sum()

    value = Objective(target, widths, lam)
    hessians = value.hessians(points)
    np.testing.assert_array_equal(hessians, hessians.mT)
    for point, hessian in zip(points, hessians, strict=True):
        theta = torch.from_numpy(point).requires_grad_()
        (slope,) = torch.autograd.grad(plain(theta), theta)
        np.testing.assert_allclose(value.gradients(point), slope, rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(hessian, torch.autograd.functional.hessian(plain, theta), rtol=1e-12, atol=1e-13)


def test_the_chain_rule_takes_stacks_of_layers() -> None:
    rng = np.random.default_rng(4)
    layers, slope = [rng.standard_normal((5, *shape)) for shape in ((4, 3), (2, 4))], rng.standard_normal((5, 2, 3))
    stacked = chained(layers, slope)
    for run in range(5):
        for part, one in zip(stacked, chained([layer[run] for layer in layers], slope[run]), strict=True):
            np.testing.assert_allclose(part[run], one, rtol=1e-14)


def test_lanczos_finds_both_ends_within_its_residuals() -> None:
    rng = np.random.default_rng(1)
    matrix = rng.standard_normal((300, 300))
    matrix = matrix + matrix.T
    exact = np.linalg.eigvalsh(matrix)[[0, -1]]
    start = rng.standard_normal(300)
    found, residual = extreme_eigenvalues(lambda v: matrix @ v, start)
    np.testing.assert_allclose(found, exact, rtol=1e-13)
    assert residual.max() < 1e-9
    again, _ = extreme_eigenvalues(lambda v: matrix @ v, start)
    np.testing.assert_array_equal(again, found)


@pytest.mark.parametrize("eigenvalues", [[0.0, 3.0], [-1.0, 0.0, 0.5, 3.0], [0.4]], ids=str)
def test_lanczos_finds_eigenvalues_that_are_zero_or_repeated(eigenvalues: list[float]) -> None:
    rng = np.random.default_rng(3)
    basis = np.linalg.qr(rng.standard_normal((200, 200)))[0]
    matrix = basis * np.resize(eigenvalues, 200) @ basis.T
    found, _ = extreme_eigenvalues(lambda v: matrix @ v, rng.standard_normal(200))
    np.testing.assert_allclose(found, [min(eigenvalues), max(eigenvalues)], rtol=0, atol=1e-13)


@pytest.mark.parametrize("widths", [[22, 22, 22, 22], [20, 25, 20], [24, 18, 18, 18, 18]], ids=str)
def test_the_closed_form_is_the_whole_spectrum_for_a_thousand_and_more_parameters(widths: list[int]) -> None:
    rng = np.random.default_rng(2)
    count = theory.parameter_count(widths)
    assert 900 < count <= 1500
    target, lam = rng.standard_normal((widths[-1], widths[0])), 0.3
    point = flat(theory.sample_minimizer(target, widths, lam, rng))
    measured = np.linalg.eigvalsh(Objective(target, widths, lam).hessians(point[None])[0])
    predicted = theory.hessian_spectrum(target, widths, lam)
    np.testing.assert_allclose(measured, predicted, rtol=0, atol=1e-13 * predicted[-1])
