"""Rounding bounds hold against exact rational arithmetic, and are not so loose that they would hide anything."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from dmf import theory
from dmf.evidence.cells import gradient_norm
from dmf.evidence.rounding import EPS, gradient_error

WIDTHS = [(1, 1, 1), (2, 2, 2), (3, 4, 2), (2, 3, 3, 2), (2, 2, 2, 2, 2, 2)]


def exact(array: np.ndarray) -> np.ndarray:
    return np.vectorize(Fraction, otypes=[object])(array)


def exact_gradient_norm(layers: list[np.ndarray], target: np.ndarray, lam: float) -> float:
    """The norm of the gradient with every sum and product exact."""
    chain = [exact(layer) for layer in layers]

    def product(parts: list[np.ndarray], size: int) -> np.ndarray:
        result = exact(np.eye(size))
        for part in parts:
            result = part @ result
        return result

    residual = product(chain, target.shape[1]) - exact(target)
    total = Fraction(0)
    for i, layer in enumerate(chain):
        above, below = product(chain[i + 1 :], layer.shape[0]), product(chain[:i], target.shape[1])
        total += ((2 * above.T @ residual @ below.T + 2 * Fraction(lam) * layer) ** 2).sum()
    return float(np.sqrt(float(total)))


@pytest.mark.parametrize("widths", WIDTHS)
def test_a_gradient_near_zero_is_known_to_its_bound(widths: tuple[int, ...]) -> None:
    """At minimizers the gradient is what cancellation leaves, so its error is all of it."""
    rng = np.random.default_rng(5)
    ratios = []
    for _ in range(8):
        target = 2 + rng.standard_normal((widths[-1], widths[0]))
        lam = float(rng.uniform(0.001, 0.02))
        layers = theory.sample_minimizer(target, widths, lam, rng)
        norm = np.float64(max(np.linalg.norm(layer) for layer in layers))
        spectral = np.float64(max(np.linalg.norm(layer, 2) for layer in layers))
        bound = gradient_error(widths, lam, norm, spectral, np.float64(theory.objective(layers, target, lam)))
        error = abs(gradient_norm(layers, target, lam) - exact_gradient_norm(layers, target, lam))
        ratios.append(error / bound)
        assert [layer.shape for layer in layers] == [(m, n) for n, m in pairwise(widths)]
    assert max(ratios) <= 1
    assert max(ratios) > 1e-4
    assert bound < 1e6 * EPS
