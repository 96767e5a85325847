"""No matrix that is not positive definite passes, however near it is; and those that are, by more than rounding, do."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dmf.proof.definite import cholesky_loss, frobenius, gamma, is_definite, spectral


def singular(size: int, rank: int, seed: int) -> np.ndarray:
    """A symmetric matrix of integers whose smallest eigenvalue is exactly 0: B^T B with fewer rows than columns."""
    rows = np.random.default_rng(seed).integers(-9, 10, (rank, size)).astype(np.float64)
    return rows.T @ rows


@given(size=st.integers(2, 40), missing=st.integers(1, 3), seed=st.integers(0, 2**32), power=st.integers(0, 50))
@settings(max_examples=150, deadline=None)
def test_a_matrix_with_a_zero_or_tiny_negative_eigenvalue_is_never_proved(
    size: int, missing: int, seed: int, power: int
) -> None:
    """Subtracting 2^-power from integers of few bits is exact, so the smallest eigenvalue is -2^-power, or 0."""
    matrix = singular(size, max(1, size - missing), seed)
    assert not is_definite(matrix, 0.0)
    shifted = matrix - 2.0**-power * np.eye(size)
    if ((shifted + 2.0**-power * np.eye(size)) == matrix).all() and 2.0**-power > np.spacing(matrix.max()):
        assert not is_definite(shifted, 0.0)


@pytest.mark.parametrize("size", [1, 5, 75, 200])
def test_a_matrix_is_proved_as_soon_as_its_smallest_eigenvalue_is_above_the_loss(size: int) -> None:
    matrix = singular(size, size, 3) if size > 1 else np.array([[4.0]])
    least = float(np.linalg.eigvalsh(matrix)[0])
    matrix += max(0.0, 1 - least) * np.eye(size)
    assert is_definite(matrix, 0.0)
    assert is_definite(matrix, 0.5)
    assert not is_definite(matrix, float(np.linalg.eigvalsh(matrix)[0]) * 1.01)
    assert cholesky_loss(size, float(np.trace(matrix))) < 1e-10 * np.trace(matrix)


def test_the_loss_is_no_less_than_rumps_bound() -> None:
    for size in (1, 10, 1000):
        unit = (size + 1) * 2.0**-53 / (1 - (size + 1) * 2.0**-53)
        assert cholesky_loss(size, 1.0) > unit / (1 - unit)
        assert gamma(size) >= size * 2.0**-53


def test_what_is_not_finite_or_has_no_positive_diagonal_is_not_proved() -> None:
    for bad in (np.nan, np.inf):
        assert not is_definite(np.diag([1.0, bad]), 0.0)
        assert not is_definite(np.eye(2), bad)
    assert not is_definite(np.diag([1.0, 0.0]), 0.0)
    assert not is_definite(np.diag([1.0, -1.0]), 0.0)
    assert not is_definite(np.array([[1.0, 2.0], [2.0, 1.0]]), 0.0)


def test_only_the_lower_triangle_counts() -> None:
    assert is_definite(np.array([[1.0, 1e9], [0.0, 1.0]]), 0.0)


@given(rows=st.integers(1, 8), columns=st.integers(1, 8), seed=st.integers(0, 2**32), scale=st.integers(-120, 120))
@settings(max_examples=100, deadline=None)
def test_norms_are_bounds_and_near(rows: int, columns: int, seed: int, scale: int) -> None:
    matrix = np.random.default_rng(seed).standard_normal((rows, columns)) * 2.0**scale
    true = float(np.linalg.norm(matrix, 2))
    assert true * (1 - 1e-12) <= spectral(matrix) <= true * (1 + 2e-6)
    assert float(np.linalg.norm(matrix)) < frobenius(matrix)


def test_a_norm_that_cannot_be_proved_is_the_frobenius_norm() -> None:
    assert spectral(np.zeros((3, 2))) == 0
    assert spectral(np.full((2, 2), 1e-170)) >= 2e-170
