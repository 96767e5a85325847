"""1e-12 relative against 50-digit values, every depth from 2 to 40, twelve decades of lambda, next to m* too.

A result cannot be better than its input: a target of doubles is known to one rounding, and an SVD returns singular
values to a few roundings of the largest. Where that matters the test allows it, through the derivative of the exact
result with respect to each singular value, and nothing else.
"""

from collections.abc import Callable, Sequence

import mpmath as mp
import numpy as np
import pytest

import exact
from dmf import theory

RTOL = 1e-12
EPS = float(np.finfo(float).eps)
DEPTHS = range(2, 41)
LAMBDAS = [10.0**e for e in range(-8, 5)]
# of m*: far below, next to it on both sides, far above
FACTORS = [1e-3, 0.7, 1 - 1e-9, 1 - 1e-12, 1 + 1e-12, 1 + 1e-9, 1 + 1e-5, 1.3, 20.0, 1e6]


@pytest.fixture(autouse=True)
def fifty_digits():
    with mp.workdps(50):
        yield


Truth = Callable[[Sequence[mp.mpf]], Sequence[mp.mpf]]


def assert_close(computed: object, expected: Sequence[mp.mpf]) -> None:
    assert_within(computed, expected, [RTOL * abs(truth) for truth in expected])


def assert_within(computed: object, expected: Sequence[mp.mpf], allowed: Sequence[mp.mpf]) -> None:
    computed = np.atleast_1d(computed)
    assert computed.shape == (len(expected),)
    for value, truth, most in zip(computed.tolist(), expected, allowed, strict=True):
        assert abs(mp.mpf(value) - truth) <= most, (value, truth, most)


def assert_as_conditioned(computed: object, truth: Truth, sigma: Sequence[mp.mpf]) -> None:
    """Allowed: 1e-12, and 8 eps sigma_1 in each singular value times the exact derivative."""
    expected = truth(sigma)
    allowed = [RTOL * abs(value) for value in expected]
    for i, value in enumerate(sigma):
        step = value * mp.mpf(10) ** -20
        moved = truth([*sigma[:i], value + step, *sigma[i + 1 :]])
        slopes = [abs(after - before) / step for before, after in zip(expected, moved, strict=True)]
        allowed = [most + 8 * EPS * sigma[0] * slope for most, slope in zip(allowed, slopes, strict=True)]
    assert_within(computed, expected, allowed)


@pytest.mark.parametrize("depth", DEPTHS)
def test_thresholds(depth):
    lam = np.array(LAMBDAS)
    assert_close(theory.collapse_threshold(depth, lam), [exact.collapse_threshold(depth, one) for one in LAMBDAS])
    assert_close(theory.jump(depth, lam), [exact.jump(depth, one) for one in LAMBDAS])
    assert_close(theory.branch_threshold(depth, lam), [exact.branch_threshold(depth, one) for one in LAMBDAS])
    sigma = theory.collapse_threshold(depth, lam) * 1.7
    assert_close(theory.critical_lambda(sigma, depth), [exact.critical_lambda(one, depth) for one in sigma.tolist()])
    assert_close(theory.branch_lambda(sigma, depth), [exact.branch_lambda(one, depth) for one in sigma.tolist()])


@pytest.mark.parametrize("depth", DEPTHS)
def test_scalar_minimizer_and_its_hessian(depth):
    for lam in LAMBDAS:
        m = float(theory.collapse_threshold(depth, lam)) * np.array(FACTORS)
        assert_close(theory.scalar_minimizer(m, depth, lam), [exact.minimizer(mp.mpf(v), depth, lam) for v in m])
        for one in m.tolist():
            spectrum = exact.scalar_hessian(mp.mpf(one), depth, lam)
            assert_close(theory.scalar_hessian_spectrum(one, depth, lam), spectrum)


@pytest.mark.parametrize("depth", [3, 4, 11, 40])
@pytest.mark.parametrize("lam", LAMBDAS)
def test_scalar_minimizer_on_the_doubles_around_the_jump(depth, lam):
    """m* itself is no double: within its rounding, and only there, either side of the jump may be returned."""
    m_star, x_jump = exact.collapse_threshold(depth, lam), exact.jump(depth, lam)
    m = float(m_star)
    around = [m + step * np.spacing(m) for step in range(-40, 41)]
    for value, x in zip(around, theory.scalar_minimizer(np.array(around), depth, lam).tolist(), strict=True):
        if abs(mp.mpf(value) / m_star - 1) > 8 * EPS:
            assert (x > 0) == (value > m_star)
        if x > 0:
            root = exact.large_root(mp.mpf(value), depth, lam)
            assert abs(root / x_jump - 1) < 1e-13
            assert abs(mp.mpf(x) / root - 1) <= RTOL


def diagonal(sigma: Sequence[float]) -> np.ndarray:
    """A target with one more column than rows whose singular values are exactly those numbers."""
    return np.eye(len(sigma), len(sigma) + 1) * np.array(sigma)[:, None]


MATRIX: dict[str, tuple[Callable[..., object], Callable[..., object]]] = {
    "minimum_value": (
        lambda target, widths, lam: theory.minimum_value(target, len(widths) - 1, lam),
        lambda sigma, widths, lam: exact.minimum_value(sigma, len(widths) - 1, lam),
    ),
    "layer_norm_sq": (
        lambda target, widths, lam: theory.layer_norm_sq(target, len(widths) - 1, lam),
        lambda sigma, widths, lam: exact.layer_norm_sq(sigma, len(widths) - 1, lam),
    ),
    "minimizer_hessian_trace": (theory.minimizer_hessian_trace, exact.hessian_trace),
    "trace_lower_bound": (theory.trace_lower_bound, exact.trace_lower_bound),
}


@pytest.mark.parametrize("depth", DEPTHS)
def test_quantities_of_a_matrix_whose_singular_values_are_exact(depth):
    for lam in LAMBDAS:
        m_star = float(theory.collapse_threshold(depth, lam))
        sigma = [m_star * factor for factor in (300.0, 1.6, 1 + 1e-9, 1 - 1e-9, 0.3)]
        target, values = diagonal(sigma), [mp.mpf(value) for value in sigma]
        widths = [6, *[7] * (depth - 1), 5]
        for function, truth in MATRIX.values():
            assert_close(function(target, widths, lam), [truth(values, widths, lam)])
        assert_close(theory.critical_levels(target, depth, lam), exact.critical_levels(values, depth, lam))
        x = np.diagonal(theory.end_to_end_minimizer(target, depth, lam))
        assert_close(x, [exact.minimizer(value, depth, lam) for value in values])


# widths, singular values in units of m*
SPECTRA = [
    ([2, 3, 2], [40.0, 1 + 1e-9]),
    ([2, 3, 2], [1.5, 1 - 1e-9]),
    ([3, 4, 3, 2], [3.0, 1 + 1e-9]),
    ([3, 4, 3, 2], [3.0, 1 - 1e-9]),
    ([2, 2, 2, 2, 2], [1e3, 1.0001]),
    ([2, 2, 2, 2, 2], [1.6 * (1 + 1e-9), 1.6]),
    ([1, 2, 3, 1, 2, 1], [2.0]),
    ([2] * 13, [1.7, 0.8]),
    ([1] * 41, [1 + 1e-9]),
    ([2] * 21, [4.0, 1.5]),
]


@pytest.mark.parametrize(("widths", "factors"), SPECTRA, ids=str)
@pytest.mark.parametrize("lam", [1e-8, 0.3, 1e4])
def test_every_eigenvalue_of_the_hessian_has_its_own_relative_accuracy(widths, factors, lam):
    """The smallest one, mu, sets every certificate: an error relative to the largest would not do."""
    m_star = float(theory.collapse_threshold(len(widths) - 1, lam))
    sigma = [m_star * factor for factor in factors]
    target = np.zeros((widths[-1], widths[0]))
    target[range(len(sigma)), range(len(sigma))] = sigma
    orbit = theory.zero_modes(widths, theory.kept_at_minimum(target, len(widths) - 1, lam))
    computed = theory.hessian_spectrum(target, widths, lam)
    values = [mp.mpf(value) for value in sigma]
    assert np.array_equal(computed[:orbit], np.zeros(orbit))
    whole = exact.hessian_blocks(values, widths, lam)
    assert max([abs(value) for value in whole[:orbit]], default=0) < mp.mpf(10) ** -40 * whole[-1]
    assert_as_conditioned(computed[orbit:], lambda at: exact.hessian_blocks(at, widths, lam)[orbit:], values)


def rotated(sigma: Sequence[float], rng: np.random.Generator) -> tuple[np.ndarray, list[mp.mpf]]:
    """A full matrix of doubles near those singular values, and its own singular values to 50 digits."""
    rows, columns = len(sigma), len(sigma) + 1
    left = np.linalg.qr(rng.standard_normal((rows, rows)))[0]
    right = np.linalg.qr(rng.standard_normal((columns, columns)))[0][:, :rows]
    target = (left * np.array(sigma)) @ right.T
    found = mp.svd_r(mp.matrix(target.tolist()), compute_uv=False)
    return target, [found[i] for i in range(rows)]


@pytest.mark.parametrize("name", MATRIX)
@pytest.mark.parametrize("depth", [2, 3, 5, 17, 40])
def test_quantities_of_a_full_matrix_are_as_accurate_as_its_singular_values(name, depth):
    function, truth = MATRIX[name]
    rng = np.random.default_rng(depth)
    widths = [4, *[5] * (depth - 1), 3]
    for lam in LAMBDAS[::3]:
        m_star = float(theory.collapse_threshold(depth, lam))
        for factors in [(30.0, 1.4, 0.6), (2.0, 1 + 1e-9, 1 - 1e-9), (1e4, 1.2, 1 - 1e-6)]:
            target, sigma = rotated([m_star * factor for factor in factors], rng)
            assert min(abs(value / m_star - 1) for value in sigma) > 8 * EPS * sigma[0] / m_star
            computed = function(target, widths, lam)
            assert_as_conditioned(computed, lambda at, lam=lam: [truth(at, widths, lam)], sigma)
