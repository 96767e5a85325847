"""The Hessian's products and its largest eigenvalue against automatic differentiation and closed forms."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from dmf import theory
from dmf.training import trajectory as module
from dmf.training.record import layers_of, points_of
from dmf.training.trajectory import hessian_product, sharpness

SHAPES = [(3, 5, 2), (1, 1, 1), (4, 2, 3, 5), (2, 2, 2, 2, 2)]


def problem(widths: tuple[int, ...]) -> tuple[np.ndarray, list[np.ndarray]]:
    rng = np.random.default_rng(len(widths))
    count = sum(a * b for a, b in pairwise(widths))
    return rng.standard_normal((widths[-1], widths[0])), layers_of(0.7 * rng.standard_normal((1, count)), widths)


@pytest.mark.parametrize("widths", SHAPES)
def test_products_and_the_largest_eigenvalue_are_those_of_autograd(widths, objective):
    target, layers = problem(widths)
    theta, matrix = torch.from_numpy(points_of(layers)[0]), torch.from_numpy(target)
    value = lambda point: objective(point, matrix, 0.3, widths)  # noqa: E731
    exact = torch.autograd.functional.hessian(value, theta).numpy()
    moves = layers_of(np.eye(len(theta)), widths)
    single = [layer[0] for layer in layers]
    np.testing.assert_allclose(points_of(hessian_product(target, 0.3, single, moves)), exact, rtol=0, atol=1e-12)
    assert sharpness(target, 0.3, single) == pytest.approx(np.linalg.eigvalsh(exact)[-1], rel=1e-12)


def test_a_hessian_too_large_to_form_gives_the_closed_forms_eigenvalue(monkeypatch):
    monkeypatch.setattr(module, "MOST_DENSE", 10)
    widths, lam = (9, 10, 9), 0.2
    target = np.random.default_rng(1).standard_normal((9, 9))
    minimizer = theory.sample_minimizer(target, widths, lam, np.random.default_rng(2))
    exact = theory.hessian_spectrum(target, widths, lam)[-1]
    assert sharpness(target, lam, minimizer) == pytest.approx(exact, rel=1e-9)
    zero = [np.zeros((4, 4))] * 3  # its Hessian is 2 lambda I: Lanczos ends at its first step
    assert sharpness(np.eye(4), lam, zero) == pytest.approx(2 * lam, rel=1e-14)


def test_a_point_that_is_not_finite_has_no_sharpness():
    assert np.isnan(sharpness(np.eye(2), 0.1, [np.full((2, 2), np.inf), np.eye(2)]))
