"""Frames are orthonormal and uniform; with LAPACK's signs they are the same frames but for signs, as documented."""

import ast
from pathlib import Path

import numpy as np
import pytest

from dmf.theory import haar

SIZES = [(1, 1), (3, 3), (5, 2), (4, 0)]
PACKAGE = Path(haar.__file__).parents[1]


@pytest.mark.parametrize("fixed_signs", [True, False])
@pytest.mark.parametrize(("rows", "columns"), SIZES)
def test_columns_are_orthonormal(rows: int, columns: int, fixed_signs: bool) -> None:
    q = haar.frame(rows, columns, np.random.default_rng(1), fixed_signs=fixed_signs)
    assert q.shape == (rows, columns)
    np.testing.assert_allclose(q.T @ q, np.eye(columns), atol=1e-15 * max(rows, 1))


def test_a_stack_of_frames_is_that_of_the_same_gaussians_one_by_one() -> None:
    stack = haar.frame(4, 3, np.random.default_rng(2), draws=(2, 5))
    rng = np.random.default_rng(2)
    single = [haar.frame(4, 3, rng) for _ in range(10)]
    assert stack.shape == (2, 5, 4, 3)
    np.testing.assert_allclose(stack.reshape(10, 4, 3), single, atol=1e-15)


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_moments_are_those_of_the_haar_measure(size: int) -> None:
    """E q_ij = 0, E q_ij q_kl = delta / n, E det = 0, E (tr Q)^2 = 1; five standard errors of 20,000 draws."""
    count = 20_000
    q = haar.frame(size, size, np.random.default_rng(3), draws=(count,))
    flat = q.reshape(count, -1)
    assert np.abs(flat.mean(axis=0)).max() < 5 / np.sqrt(size * count)
    second = flat.T @ flat / count
    assert np.abs(second - np.eye(size**2) / size).max() < 5 / np.sqrt(count)
    assert abs(np.mean(np.linalg.det(q))) < 5 / np.sqrt(count)
    trace_sq = np.trace(q, axis1=1, axis2=2) ** 2
    assert abs(trace_sq.mean() - 1) <= 5 * trace_sq.std() / np.sqrt(count)


def test_a_turned_gaussian_gives_the_turned_frame() -> None:
    """Q(A G) = A Q(G) for orthogonal A, which with the Gaussian's own invariance makes Q uniform."""

    class Turned:
        def standard_normal(self, shape: tuple[int, ...]) -> np.ndarray:
            return turn @ np.random.default_rng(4).standard_normal(shape)

    angle = 0.7
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), np.sin(angle)], [np.sin(angle), -np.cos(angle)]]
    expected = turn @ haar.frame(4, 3, np.random.default_rng(4))
    np.testing.assert_allclose(haar.frame(4, 3, Turned()), expected, atol=1e-14)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [2, 3, 5])
def test_the_signs_of_lapack_are_one_choice_for_each_column_and_not_random(size: int) -> None:
    fixed = haar.frame(size, size, np.random.default_rng(5), draws=(500,))
    left = haar.frame(size, size, np.random.default_rng(5), draws=(500,), fixed_signs=False)
    np.testing.assert_allclose(np.abs(np.einsum("kij,kij->kj", fixed, left)), 1, atol=1e-14)
    assert (left[:, 0, 0] <= 0).all()
    np.testing.assert_allclose(np.linalg.det(left), (-1.0) ** (size - 1), atol=1e-13)
    assert 0.4 < np.mean(fixed[:, 0, 0] > 0) < 0.6


def test_no_other_module_draws_frames() -> None:
    """None but haar.py calls `qr`."""
    for path in PACKAGE.rglob("*.py"):
        calls = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
        named = {node.func.attr for node in calls if isinstance(node.func, ast.Attribute)}
        assert "qr" not in named or path.name == "haar.py", path.relative_to(PACKAGE)
