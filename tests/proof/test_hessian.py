"""F, gradient and Hessian at a point against exact fractions, by code that shares nothing with the package."""

from collections.abc import Sequence
from fractions import Fraction

import mpmath as mp
import numpy as np
import pytest

from critical_points import exact_hessian, fractions
from dmf.proof.balls import lower, upper
from dmf.proof.hessian import hessian, point

SHAPES = [(2, 2, 2), (3, 2, 2), (1, 1, 1, 1), (2, 3, 2, 2), (3, 2, 2, 2, 2), (1, 2, 1, 1, 2, 1, 1)]


def layers_of(widths: Sequence[int], scale: float = 1.0) -> tuple[list[np.ndarray], np.ndarray]:
    rng = np.random.default_rng(5)
    layers = [scale * rng.standard_normal((widths[k + 1], widths[k])) for k in range(len(widths) - 1)]
    return layers, scale ** (len(widths) - 1) * rng.standard_normal((widths[-1], widths[0]))


def deviation(found: np.ndarray, true: np.ndarray) -> float:
    """The Frobenius norm of the difference to a matrix of fractions."""
    total = sum((Fraction(float(x)) - y) ** 2 for x, y in zip(found.ravel(), true.ravel(), strict=True))
    return float(mp.sqrt(mp.mpf(total.numerator) / mp.mpf(total.denominator)))


@pytest.mark.parametrize("scale", [1.0, 1e-10, 1e8])
@pytest.mark.parametrize("widths", SHAPES)
def test_the_hessian_is_within_its_error_which_is_small(widths: Sequence[int], scale: float) -> None:
    layers, matrix = layers_of(widths, scale)
    found, error = hessian(point(layers, matrix, 0.3), layers, 0.3)
    away = deviation(found, exact_hessian(layers, matrix, 0.3))
    assert away <= error
    assert error <= 3e-13 * max(1.0, float(np.linalg.norm(found)))
    np.testing.assert_array_equal(found, found.T)


def test_the_hessian_has_the_right_residual_where_it_nearly_cancels() -> None:
    """X - M is 1e-12 of M: it is formed in balls, so that the mixed part keeps its digits."""
    layers, _ = layers_of((2, 2, 2, 2))
    matrix = layers[2] @ layers[1] @ layers[0] * (1 + 1e-12)
    found, error = hessian(point(layers, matrix, 1e-3), layers, 1e-3)
    assert deviation(found, exact_hessian(layers, matrix, 1e-3)) <= error


@pytest.mark.parametrize("widths", SHAPES)
def test_objective_and_gradient_norm_hold_the_exact_ones(widths: Sequence[int]) -> None:
    layers, matrix = layers_of(widths)
    lam, depth = Fraction(0.3), len(layers)
    whole = [fractions(layer) for layer in layers]
    product = whole[0]
    for layer in whole[1:]:
        product = layer @ product
    residual = product - fractions(matrix)
    objective = np.sum(residual**2) + lam * sum(np.sum(layer**2) for layer in whole)
    gradient_sq = Fraction(0)
    for k in range(depth):
        above, below = residual.T, None
        for layer in whole[k + 1 :][::-1]:
            above = above @ layer
        for layer in whole[:k]:
            below = layer if below is None else layer @ below
        # above.T is A^T R; the gradient is 2 A^T R B^T + 2 lam W.
        part = 2 * (above.T if below is None else above.T @ below.T) + 2 * lam * whole[k]
        gradient_sq += np.sum(part**2)
    at = point(layers, matrix, 0.3)
    assert Fraction(lower(at.objective)) <= objective <= Fraction(upper(at.objective))
    assert Fraction(lower(at.gradient_norm)) ** 2 <= gradient_sq <= Fraction(upper(at.gradient_norm)) ** 2
    assert upper(at.gradient_norm) - lower(at.gradient_norm) <= 1e-15 * upper(at.gradient_norm)


def test_a_gradient_far_below_rounding_of_float64_keeps_its_digits() -> None:
    """Layers of powers of two at an exact critical point of depth 2, one entry moved by 2^-52."""
    layers, matrix = [np.eye(2), np.eye(2)], 1.5 * np.eye(2)  # x + lam = 1 + 0.5
    assert upper(point(layers, matrix, 0.5).gradient_norm) == 0
    layers[0] = layers[0] + np.diag([2.0**-52, 0])
    norm = point(layers, matrix, 0.5).gradient_norm
    # With t = 2^-52: dW_1 = 2 t + 2 lam t, dW_2 = 2 t (1 + t) + (2 lam - 1)... both written out for lam = 1/2:
    t = Fraction(1, 2**52)
    first, second = 2 * (t - Fraction(1, 2)) + (1 + t), 2 * (t - Fraction(1, 2)) * (1 + t) + 1
    assert Fraction(lower(norm)) ** 2 <= first**2 + second**2 <= Fraction(upper(norm)) ** 2
