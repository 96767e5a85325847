"""Balls hold what they should: singular values with 50 digits, ends rounded outward, the caller's precision."""

import math

import mpmath as mp
import numpy as np
import pytest
from flint import arb, ctx

from dmf.proof.balls import PRECISION, exact, in_balls, lower, nearest, norm, root, singular_values, upper


def matrix_of(kind: str, scale: float) -> np.ndarray:
    rng = np.random.default_rng(7)
    if kind == "wide":
        return scale * rng.standard_normal((3, 5))
    if kind == "deficient":
        return scale * rng.standard_normal((5, 2)) @ rng.standard_normal((2, 4))
    left, right = (np.linalg.qr(rng.standard_normal((4, 4)))[0] for _ in range(2))
    values = {"repeated": [3, 2, 2, 1], "steep": [1, 1e-4, 1e-8, 1e-12], "zero": [0, 0, 0, 0]}[kind]
    return scale * (left * np.array(values)) @ right


@pytest.mark.parametrize("scale", [1.0, 1e-40, 1e40])
@pytest.mark.parametrize("kind", ["wide", "deficient", "repeated", "steep", "zero"])
def test_singular_values_lie_in_their_balls_which_are_narrow(kind: str, scale: float) -> None:
    matrix = matrix_of(kind, scale)
    with mp.workdps(60):
        true = mp.svd_r(mp.matrix(matrix.tolist()), compute_uv=False)
        balls = singular_values(matrix)
        assert len(balls) == min(matrix.shape)
        for ball, value in zip(balls, sorted(true, reverse=True), strict=True):
            assert mp.mpf(lower(ball)) <= value <= mp.mpf(upper(ball))
            assert upper(ball) - lower(ball) <= 1e-13 * np.linalg.norm(matrix) + 1e-300


def test_a_ball_of_singular_values_does_not_hold_a_neighbour() -> None:
    assert upper(singular_values(np.diag([1.0, 1 - 1e-12]))[1]) < lower(singular_values(np.diag([1.0, 1 - 1e-12]))[0])


@in_balls
def test_ends_are_outside_of_the_ball() -> None:
    third = arb(1) / 3
    assert arb(lower(third)) < third < arb(upper(third))
    assert math.nextafter(lower(third), 1) >= 1 / 3 >= math.nextafter(upper(third), 0)
    assert lower(arb(0)) == upper(arb(0)) == 0
    assert lower(arb("nan")) == -math.inf
    assert upper(arb(1) / arb(0)) == math.inf


def test_stored_numbers_are_exact_and_the_norm_holds_the_true_one() -> None:
    matrix = np.array([[0.1, 1e-40], [3e40, -2.0]])
    balls = exact(matrix)
    assert all(entry.is_exact() for entry in balls.entries())
    np.testing.assert_array_equal(nearest(balls), matrix)
    with mp.workdps(80):
        true = mp.sqrt(sum(mp.mpf(entry) ** 2 for entry in matrix.ravel()))
        assert mp.mpf(lower(norm(balls))) <= true <= mp.mpf(upper(norm(balls)))


def test_the_root_of_a_square_that_may_be_below_zero_begins_at_zero() -> None:
    assert lower(root(arb(0, 1e-20))) <= 0
    assert upper(root(arb(0, 1e-20))) >= 1e-10


def test_precision_is_the_callers_again_afterwards_also_after_an_error() -> None:
    @in_balls
    def fail() -> None:
        assert ctx.prec == PRECISION
        raise KeyError

    before = ctx.prec
    assert before != PRECISION
    with pytest.raises(KeyError):
        fail()
    assert ctx.prec == before
