"""The paper's Appendices A and B as properties: each statement on random input, where it is an equality, where not.

Beside each inequality stands a case in which a slightly stronger one is false, so a slack check would be noticed.
"""

from collections.abc import Callable, Sequence
from functools import reduce
from itertools import permutations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

ALWAYS_SAME = settings(deadline=None, derandomize=True, max_examples=100)
ROUNDING = 1e-12

sizes = st.integers(1, 6)
seeds = st.integers(0, 10**6)
shares = st.floats(0.05, 0.95)
positive = st.floats(-3, 3).map(lambda e: 10.0**e)


def schatten(x: np.ndarray, p: float) -> float:
    """||X||_{S_p} of a matrix without singular values at rounding level."""
    return float(np.sum(np.linalg.svd(x, compute_uv=False) ** p) ** (1 / p))


def orthogonal(n: int, rng: np.random.Generator) -> np.ndarray:
    return np.linalg.qr(rng.standard_normal((n, n)))[0]


def weakly_majorized(x: np.ndarray, y: np.ndarray) -> bool:
    """Definition 16: partial sums of the largest entries of x are at most those of y."""
    most, least = np.cumsum(np.sort(y)[::-1]), np.cumsum(np.sort(x)[::-1])
    return bool(np.all(least <= most + ROUNDING * np.abs(most).max()))


def weakly_log_majorized(x: np.ndarray, y: np.ndarray) -> bool:
    """Definition 16: partial products instead, for entries >= 0."""
    most, least = np.cumprod(np.sort(y)[::-1]), np.cumprod(np.sort(x)[::-1])
    return bool(np.all(least <= most * (1 + ROUNDING)))


@ALWAYS_SAME
@given(a=positive, b=positive, share=shares)
def test_lemma_17_young_with_equality_exactly_where_the_powers_agree(a, b, share):
    p, q = 1 / share, 1 / (1 - share)
    assert a * b <= (a**p / p + b**q / q) * (1 + ROUNDING)
    level = a ** (p / q)  # b^q = a^p
    assert a * level == pytest.approx(a**p / p + level**q / q, rel=1e-11)
    assume(abs(np.log(b / level)) > 1e-2)
    assert a * b < (a**p / p + b**q / q) * (1 - 1e-7)


@ALWAYS_SAME
@given(n=sizes, seed=seeds, share=shares)
def test_lemma_18_hoelder_with_equality_for_proportional_powers(n, seed, share):
    rng, p, q = np.random.default_rng(seed), 1 / share, 1 / (1 - share)
    x, y = rng.standard_normal((2, n))

    def bound(one: np.ndarray, other: np.ndarray) -> float:
        return float(np.sum(np.abs(one) ** p) ** (1 / p) * np.sum(np.abs(other) ** q) ** (1 / q))

    assert np.sum(np.abs(x * y)) <= bound(x, y) * (1 + ROUNDING)
    assert abs(x @ y) <= bound(x, y) * (1 + ROUNDING)
    aligned = np.sign(x) * np.abs(x) ** (p / q)
    assert x @ aligned == pytest.approx(bound(x, aligned), rel=1e-11)
    if n > 1:
        assert np.abs(np.eye(n)[0] @ np.eye(n)[1]) < bound(np.eye(n)[0], np.eye(n)[1])


@ALWAYS_SAME
@given(n=sizes, seed=seeds, p=st.floats(0.1, 4))
def test_theorem_19_singular_values_of_a_product_are_weakly_majorized_by_the_products(n, seed, p):
    rng = np.random.default_rng(seed)
    a, b = rng.standard_normal((n, n + 1)), rng.standard_normal((n + 1, n + 2))
    of_a, of_b = np.linalg.svd(a, compute_uv=False), np.linalg.svd(b, compute_uv=False)
    product = np.linalg.svd(a @ b, compute_uv=False)[:n]
    assert weakly_log_majorized(product, of_a * of_b[:n])
    assert weakly_majorized(product**p, (of_a * of_b[:n]) ** p)
    assert np.sum(product**p) <= np.sum((of_a * of_b[:n]) ** p) * (1 + ROUNDING)


def test_theorem_19_is_false_entry_by_entry_and_for_values_paired_in_another_order():
    a, b = np.diag([2.0, 1.0]), np.diag([1.0, 2.0])
    assert np.linalg.svd(a @ b, compute_uv=False)[1] > 1.0 * 1.0  # above the second product: sums are all there is
    assert np.linalg.svd(a @ a, compute_uv=False)[0] > max(2.0 * 1.0, 1.0 * 2.0)


@ALWAYS_SAME
@given(n=sizes, seed=seeds, p=st.floats(0.2, 4))
def test_log_majorization_implies_majorization_of_every_power_but_not_the_other_way(n, seed, p):
    """Theorem 5.A.2.b of Marshall and Olkin, on which Theorem 19 rests."""
    rng = np.random.default_rng(seed)
    y = np.sort(np.exp(rng.standard_normal(n)))[::-1]
    # mixing logarithms by a doubly stochastic matrix makes a log-majorized vector
    x = np.exp(doubly_stochastic(n, rng) @ np.log(y)) * rng.uniform(0.5, 1)
    assert weakly_log_majorized(x, y)
    assert weakly_majorized(x**p, y**p)
    assert weakly_majorized(np.array([1.5, 1.5]), np.array([2.0, 1.0]))
    assert not weakly_log_majorized(np.array([1.5, 1.5]), np.array([2.0, 1.0]))


@ALWAYS_SAME
@given(n=sizes, seed=seeds, share=shares, r=st.floats(0.2, 3))
def test_corollary_20_and_remark_21_hoelder_for_schatten_norms(n, seed, share, r):
    """1/p + 1/q = 1/r: ||A B||_r <= ||A||_p ||B||_q, with equality for aligned factors with proportional powers."""
    rng, p, q = np.random.default_rng(seed), r / share, r / (1 - share)
    a, b = rng.standard_normal((2, n, n))
    assert schatten(a @ b, r) <= schatten(a, p) * schatten(b, q) * (1 + ROUNDING)
    left, middle, right = (orthogonal(n, rng) for _ in range(3))
    x = rng.uniform(0.5, 2, n)
    one, other = (left * x**share) @ middle, middle.T @ (x ** (1 - share) * right).T
    assert schatten(one @ other, r) == pytest.approx(schatten(one, p) * schatten(other, q), rel=1e-10)
    if n > 1:
        steep, flat = np.diag(2.0 ** np.arange(n)), np.diag(2.0 ** -np.arange(n))
        assert schatten(steep @ flat, r) < schatten(steep, p) * schatten(flat, q) * (1 - 1e-6)


@ALWAYS_SAME
@given(n=sizes, seed=seeds, depth=st.integers(2, 6))
def test_remark_21_by_induction_over_any_number_of_factors(n, seed, depth):
    rng = np.random.default_rng(seed)
    powers = 1 / rng.uniform(0.2, 2, depth)
    factors = [rng.standard_normal((n, n)) for _ in range(depth)]
    total = 1 / np.sum(1 / powers)
    bound = np.prod([schatten(factor, power) for factor, power in zip(factors, powers, strict=True)])
    assert schatten(reduce(np.matmul, factors), total) <= bound * (1 + ROUNDING)


@ALWAYS_SAME
@given(n=sizes, seed=seeds, depth=st.integers(2, 7))
def test_theorem_22_the_least_cost_of_a_factorization_is_the_schatten_quasi_norm(n, seed, depth):
    rng = np.random.default_rng(seed)
    factors = [rng.standard_normal((n, n)) for _ in range(depth)]
    x = reduce(np.matmul, factors)
    least = schatten(x, 2 / depth) ** (2 / depth)
    mean = np.mean([np.sum(factor**2) for factor in factors])
    geometric = np.prod([np.sum(factor**2) for factor in factors]) ** (1 / depth)
    assert least <= geometric * (1 + ROUNDING) <= mean * (1 + 2 * ROUNDING)
    left, values, right_t = np.linalg.svd(x)
    frames = [right_t.T, *(orthogonal(n, rng) for _ in range(depth - 1)), left]
    balanced = [(frames[k + 1] * values ** (1 / depth)) @ frames[k].T for k in range(depth)]
    np.testing.assert_allclose(reduce(lambda product, layer: layer @ product, balanced), x, atol=1e-11 * values[0])
    assert np.mean([np.sum(layer**2) for layer in balanced]) == pytest.approx(least, rel=1e-11)
    balanced[0], balanced[1] = balanced[0] * 1.1, balanced[1] / 1.1  # the same product, no longer balanced
    assert np.mean([np.sum(layer**2) for layer in balanced]) > least * (1 + 1e-4)


def doubly_stochastic(n: int, rng: np.random.Generator) -> np.ndarray:
    """Squared moduli of a unitary matrix: no convex combination of permutations is built in."""
    unitary = np.linalg.qr(rng.standard_normal((n, n)) + 1j * rng.standard_normal((n, n)))[0]
    return np.abs(unitary) ** 2


def positive_permutation(matrix: np.ndarray, identity: bool = True) -> tuple[int, ...] | None:
    """A permutation along which every entry is positive, leaving out the identity on request."""
    rows = range(len(matrix))
    for order in permutations(rows):
        if all(matrix[row, order[row]] > 0 for row in rows) and (identity or order != tuple(rows)):
            return order
    return None


def birkhoff(matrix: np.ndarray) -> list[tuple[float, tuple[int, ...]]]:
    """Weights and permutations that sum to a doubly stochastic matrix: each step removes the smallest of n entries."""
    rest, parts = matrix.copy(), []
    while rest.max() > 1e-13:
        rest[rest <= 1e-13] = 0
        order = positive_permutation(rest)
        if order is None:
            break
        weight = float(min(rest[row, order[row]] for row in range(len(rest))))
        parts.append((weight, order))
        for row, column in enumerate(order):
            rest[row, column] -= weight
    return parts


def total(parts: Sequence[tuple[float, tuple[int, ...]]], n: int) -> np.ndarray:
    return sum((weight * np.eye(n)[list(order)] for weight, order in parts), np.zeros((n, n)))


@ALWAYS_SAME
@given(n=st.integers(2, 5), seed=seeds)
def test_lemma_28_a_doubly_stochastic_matrix_is_positive_along_a_permutation_other_than_the_identity(n, seed):
    rng = np.random.default_rng(seed)
    mixture = 0.5 * np.eye(n) + 0.5 * np.eye(n)[rng.permutation(n)]  # as few positive entries as there can be
    for matrix in (doubly_stochastic(n, rng), mixture):
        assert (positive_permutation(matrix, identity=False) is None) == np.array_equal(matrix, np.eye(n))
    substochastic = np.triu(doubly_stochastic(n, rng))  # without unit sums the lemma is false
    assert positive_permutation(substochastic, identity=False) is None


@ALWAYS_SAME
@given(n=st.integers(1, 5), seed=seeds)
def test_lemma_29_birkhoff_doubly_stochastic_means_a_convex_combination_of_permutations(n, seed):
    matrix = doubly_stochastic(n, np.random.default_rng(seed))
    parts = birkhoff(matrix)
    assert len(parts) <= n * n - n + 1
    assert sum(weight for weight, _ in parts) == pytest.approx(1, abs=1e-11)
    np.testing.assert_allclose(total(parts, n), matrix, atol=1e-11)
    if n > 1:
        lopsided = matrix * np.array([1.1, *[1.0] * (n - 1)])[:, None]  # a row sum of 1.1
        assert np.abs(total(birkhoff(lopsided), n) - lopsided).max() > 1e-3


@ALWAYS_SAME
@given(n=st.integers(1, 5), seed=seeds)
def test_remark_26_zeros_of_a_doubly_stochastic_matrix(n, seed):
    """At most n^2 - n zeros, and that many only in a permutation matrix."""
    rng = np.random.default_rng(seed)
    weight, order, other = rng.uniform(0.1, 0.9), rng.permutation(n), rng.permutation(n)
    matrix = weight * np.eye(n)[order] + (1 - weight) * np.eye(n)[other]
    zeros = np.count_nonzero(matrix == 0)
    assert zeros <= n * n - n
    assert (zeros == n * n - n) == np.array_equal(order, other)


CONVEX: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "linear": lambda s, c: float(np.sum(c * s)),
    "quadratic": lambda s, c: float(np.sum(c * s) ** 2),
    "spectral": lambda s, c: float(np.linalg.norm(s + c, 2)),
    "exponential": lambda s, c: float(np.sum(np.exp(c * s))),
}


@pytest.mark.parametrize("name", CONVEX)
@ALWAYS_SAME
@given(n=st.integers(1, 4), seed=seeds)
def test_corollary_30_a_convex_function_is_largest_at_a_permutation(name, n, seed):
    rng, function = np.random.default_rng(seed), CONVEX[name]
    cost = rng.standard_normal((n, n))
    best = max(function(np.eye(n)[list(order)], cost) for order in permutations(range(n)))
    for _ in range(5):
        assert function(doubly_stochastic(n, rng), cost) <= best + ROUNDING * (1 + abs(best))


def test_corollary_30_is_false_for_a_concave_function():
    middle = np.full((2, 2), 0.5)
    assert -np.sum(middle**2) > max(-np.sum(np.eye(2)[list(order)] ** 2) for order in permutations(range(2)))


def completed(matrix: np.ndarray) -> np.ndarray:
    """Adds to one entry at a time until all sums are one, as the proof of Lemma 31 does."""
    result = matrix.copy()
    for row in range(len(matrix)):
        for column in range(len(matrix)):
            result[row, column] += max(0.0, min(1 - result[row].sum(), 1 - result[:, column].sum()))
    return result


@ALWAYS_SAME
@given(n=st.integers(1, 6), seed=seeds)
def test_lemma_31_a_doubly_substochastic_matrix_lies_below_a_doubly_stochastic_one(n, seed):
    """Made as in Appendix C: entrywise products of two orthogonal matrices, in absolute value."""
    rng = np.random.default_rng(seed)
    matrix = np.abs(orthogonal(n, rng) * orthogonal(n, rng))
    assert max(matrix.sum(axis=0).max(), matrix.sum(axis=1).max()) <= 1 + ROUNDING  # eq. 157-158
    result = completed(matrix)
    assert np.all(result >= matrix)
    np.testing.assert_allclose(result.sum(axis=0), 1, atol=1e-12)
    np.testing.assert_allclose(result.sum(axis=1), 1, atol=1e-12)
    if n > 1:
        assert np.abs(completed(matrix + 0.5).sum(axis=0) - 1).max() > 1e-3  # sums above one cannot be completed


@ALWAYS_SAME
@given(n=st.integers(1, 4), seed=seeds)
def test_remark_24_the_determinant_is_the_signed_sum_over_permutations(n, seed):
    matrix = np.random.default_rng(seed).standard_normal((n, n))
    signed = [
        (-1) ** sum(order[a] > order[b] for a in range(n) for b in range(a + 1, n))
        * np.prod([matrix[row, order[row]] for row in range(n)])
        for order in permutations(range(n))
    ]  # fmt: skip
    assert np.sum(signed) == pytest.approx(np.linalg.det(matrix), abs=1e-12 * (1 + np.abs(signed).sum()))


@ALWAYS_SAME
@given(n=st.integers(2, 5), seed=seeds)
def test_lemma_8_matrices_of_different_singular_values_differ_in_every_basis(n, seed):
    """||A - B||_F is at least the distance of the singular values (Mirsky), and equal ones meet in some basis."""
    rng = np.random.default_rng(seed)
    a, b = rng.standard_normal((2, n, n))
    of_a, of_b = np.linalg.svd(a, compute_uv=False), np.linalg.svd(b, compute_uv=False)
    assert np.linalg.norm(a - b) >= np.linalg.norm(of_a - of_b) * (1 - ROUNDING)
    left, right = orthogonal(n, rng), orthogonal(n, rng)
    np.testing.assert_allclose(np.linalg.svd((left * of_a) @ right, compute_uv=False), of_a, atol=1e-13 * of_a[0])


@ALWAYS_SAME
@given(n=st.integers(2, 5), seed=seeds)
def test_section_1_a_network_on_whitened_inputs_is_a_factorization(n, seed):
    """||Y - X Z||_F^2 and ||Y Z^T - X||_F^2 differ by a constant if Z Z^T = I, and by more if it is not."""
    rng = np.random.default_rng(seed)
    inputs = np.linalg.qr(rng.standard_normal((2 * n, n)))[0].T
    outputs, one, other = rng.standard_normal((3, 2 * n)), *rng.standard_normal((2, 3, n))

    def difference(z: np.ndarray, x: np.ndarray) -> float:
        return float(np.sum((outputs - x @ z) ** 2) - np.sum((outputs @ z.T - x) ** 2))

    assert difference(inputs, one) == pytest.approx(difference(inputs, other), abs=1e-11)
    stretched = inputs * np.linspace(1, 2, n)[:, None]
    assert abs(difference(stretched, one) - difference(stretched, other)) > 1e-6
