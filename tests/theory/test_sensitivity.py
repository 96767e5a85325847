"""How X* moves with its target: finite differences with 40 digits, quadrature, and Stein's risk by simulation."""

import mpmath as mp
import numpy as np
import pytest
from scipy.integrate import quad

import exact
from dmf.theory import collapse_threshold, critical_lambda, end_to_end_minimizer, jump, scalar_minimizer
from dmf.theory import sensitivity as s

DEPTHS = [2, 3, 4, 6]
SHAPES = [(3, 3), (2, 4), (4, 2), (1, 3)]


def target(shape: tuple[int, int], values: tuple[float, ...]) -> np.ndarray:
    rng = np.random.default_rng(sum(shape))
    left, right = (np.linalg.qr(rng.standard_normal((size, size)))[0] for size in shape)
    diagonal = np.zeros(shape)
    np.fill_diagonal(diagonal, values[: min(shape)])
    return left @ diagonal @ right.T


def minimizer(matrix: mp.matrix, depth: int, lam: float) -> mp.matrix:
    """X* with all digits, from mpmath's own decomposition."""
    if matrix.rows < matrix.cols:
        return minimizer(matrix.T, depth, lam).T
    left, sigma, right_t = mp.svd_r(matrix)
    return left * mp.diag([exact.minimizer(value, depth, lam) for value in sigma]) * right_t


def quotient(m: np.ndarray, step: np.ndarray, depth: int, lam: float) -> np.ndarray:
    """A central difference of X* whose error is 1e-20."""
    with mp.workdps(40):
        at, along = mp.matrix(m.tolist()), mp.matrix(step.tolist()) * mp.mpf("1e-10")
        ends = [minimizer(at + sign * along, depth, lam) for sign in (1, -1)]
        moved = (ends[0] - ends[1]) * mp.mpf("5e9")
        return np.array(moved.tolist(), dtype=np.float64)


@pytest.mark.parametrize("values", [(3.0, 2.0, 0.2), (3.0, 3.0 + 1e-9, 0.2), (3.0, 2.0, 1.9)])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("depth", DEPTHS)
def test_the_derivative_is_that_of_the_minimizer(depth, shape, values):
    lam = float(critical_lambda(1.0, depth))  # m* = 1
    m, step = target(shape, values), np.random.default_rng(5).standard_normal(shape)
    expected = quotient(m, step, depth, lam)
    assert np.abs(expected).max() > 0.1
    # Near 3.0 two values differ by a few units of rounding of M, and singular vectors are those of rounding.
    np.testing.assert_allclose(
        s.shrinkage_derivative(m, step, depth, lam), expected, atol=1e-6 if values[1] > 3 else 1e-12
    )


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("depth", DEPTHS)
def test_the_spectrum_is_that_of_the_whole_derivative_and_its_sum_the_degrees_of_freedom(depth, shape):
    lam, m = float(critical_lambda(1.0, depth)), target(shape, (3.0, 2.0, 0.2))
    count = m.size
    basis = np.eye(count).reshape(count, *shape)
    # In float64, from X* alone: a step of 1e-5 leaves 1e-9.
    columns = [
        (end_to_end_minimizer(m + 1e-5 * one, depth, lam) - end_to_end_minimizer(m - 1e-5 * one, depth, lam)) / 2e-5
        for one in basis
    ]
    whole = np.array([column.ravel() for column in columns])
    np.testing.assert_allclose(whole, whole.T, atol=1e-8)
    found = s.sensitivity_spectrum(m, depth, lam)
    np.testing.assert_allclose(found, np.linalg.eigvalsh((whole + whole.T) / 2), atol=1e-8)
    sigma = np.linalg.svd(m, compute_uv=False)
    degrees = s.degrees_of_freedom(sigma, shape, depth, lam)
    assert degrees == pytest.approx(np.trace(whole), abs=1e-7)
    assert degrees == pytest.approx(found.sum(), rel=1e-13)


@pytest.mark.parametrize("depth", DEPTHS)
def test_degrees_of_freedom_keep_their_digits_at_ties_and_zeros(depth):
    lam = float(critical_lambda(1.0, depth))

    def at(*sigma: float) -> float:
        return s.degrees_of_freedom(sigma, (4, 6), depth, lam)

    tied = at(3.0, 3.0, 0.0, 0.0)
    for apart in (1e-15, 1e-12, 1e-9, 1e-7):
        assert at(3.0 * (1 + apart), 3.0, apart, 0.0) == pytest.approx(tied, rel=4e-16 + 3 * apart)
    # By 50 digits: 4 kept pairs (the tie twice), 2 columns more, and 2 x 2 pairs of a kept value and a zero.
    with mp.workdps(50):
        x = exact.minimizer(mp.mpf(3), depth, lam)
        slope = 1 / (1 - lam * (1 - mp.mpf(2) / depth) * x ** (mp.mpf(2) / depth - 2))
        expected = 3 * slope + x / 3 + 2 * 2 * x / 3 + 2 * 2 * 2 * x / 3
    assert tied == pytest.approx(float(expected), rel=1e-14)
    assert s.degrees_of_freedom([0.5, 0.5, 0.0], (3, 3), depth, lam) == 0


@pytest.mark.parametrize("scale", [1e-100, 1e100])
@pytest.mark.parametrize("depth", DEPTHS)
def test_degrees_of_freedom_have_no_unit(depth, scale):
    sigma = np.array([4.0, 2.5, 1.0, 0.3])
    one, other = (
        s.degrees_of_freedom(sigma * unit, (4, 5), depth, float(critical_lambda(2.0 * unit, depth)))
        for unit in (1.0, scale)
    )
    assert other == pytest.approx(one, rel=1e-12)


def test_the_divergence_of_any_shrinkage_agrees_with_that_of_the_minimizer():
    depth = 3
    rng = np.random.default_rng(8)
    sigma = np.sort(rng.uniform(0, 5, 700))[::-1]  # more than one block of rows
    sigma[5] = sigma[4]
    lam = float(critical_lambda(2.0, depth))
    x = scalar_minimizer(sigma, depth, lam)
    step = 1e-6
    slope = (scalar_minimizer(sigma + step, depth, lam) - scalar_minimizer(sigma - step, depth, lam)) / (2 * step)
    expected = s.degrees_of_freedom(sigma, (700, 900), depth, lam)
    assert s.divergence(sigma, x, slope, (900, 700)) == pytest.approx(expected, rel=1e-8)
    assert s.divergence(sigma, sigma, np.ones(700), (700, 900)) == pytest.approx(630_000, rel=1e-12)


SIGMA = np.array([4.0, 3.1, 1.2])


@pytest.mark.parametrize(
    ("sigma", "shape"), [(SIGMA, (3, 3)), (SIGMA, (3, 7)), (SIGMA[:1], (1, 5)), (SIGMA[:1], (1, 1))]
)
@pytest.mark.parametrize("at", [4.4, 3.6, 2.0, 0.7])
def test_a_conditional_density_is_that_of_the_law_of_singular_values(sigma, shape, at):
    """The joint density of singular values and vectors, one variable of it, normalized by scipy's quadrature."""
    noise, spare = 0.5, abs(shape[0] - shape[1])
    total = 0.0
    for i, own in enumerate(sigma):
        others = np.delete(sigma, i)
        low, high = (sigma[i + 1] if i + 1 < len(sigma) else 0.0), (sigma[i - 1] if i else own + 12 * noise)
        a = own - noise**2 * (spare / own + sum(2 * own / (own**2 - other**2) for other in others))

        def weight(t: float, a: float = a, others: np.ndarray = others) -> float:
            return t**spare * abs(np.prod(t**2 - others**2)) * np.exp(-((t - a) ** 2) / (2 * noise**2))

        if low < at < high:
            total += weight(at) / quad(weight, low, high, epsabs=0, epsrel=1e-10, points=[own], limit=200)[0]
    assert total > 0
    assert s.density_at(sigma, shape, noise, at) == pytest.approx(total, rel=2e-4)


def simulated(depth: int, runs: int = 4000) -> dict[str, np.ndarray]:
    """Draws of Y = M + s Z with what Stein's identity has on its two sides."""
    shape, noise, rng = (6, 8), 0.5, np.random.default_rng(depth)
    m = np.zeros(shape)
    m[0, 0], m[1, 1] = 4.0, 2.5
    lam = float(critical_lambda(noise * (np.sqrt(6) + np.sqrt(8)), depth))
    found: dict[str, list[float]] = {"truth": [], "naive": [], "jump": [], "near": [], "loss": [], "risk": []}
    for _ in range(runs):
        z = rng.standard_normal(shape)
        u, sigma, v_t = np.linalg.svd(m + noise * z, full_matrices=False)
        x = (u * scalar_minimizer(sigma, depth, lam)) @ v_t
        risk = s.stein_risk(sigma, shape, noise, depth, lam)
        found["truth"].append(float(np.sum(z * (x - m))) / noise)  # E <Z, M> = 0 takes out its variance
        found["naive"].append(risk.degrees)
        found["jump"].append(risk.jump)
        found["near"].append(float(np.sum(np.abs(sigma - collapse_threshold(depth, lam)) < 0.05)) / 0.1)
        found["loss"].append(float(np.sum((x - m) ** 2)))
        found["risk"].append(risk.risk)
    found["near"] = [float(jump(depth, lam)) * one for one in found["near"]]
    return {name: np.array(values) for name, values in found.items()}


@pytest.mark.parametrize("depth", DEPTHS)
def test_steins_identity_holds_with_the_jump_and_only_with_it(depth):
    found = simulated(depth)

    def apart(expected: np.ndarray) -> float:
        """In standard errors."""
        gap = found["truth"] - expected
        return abs(gap.mean()) / (gap.std() / np.sqrt(len(gap)))

    assert apart(found["naive"] + found["jump"]) < 3
    assert apart(found["naive"] + found["near"]) < 3  # the density of singular values, counted
    assert (apart(found["naive"]) > 6) == (depth > 2)
    if depth > 2:
        assert found["jump"].mean() == pytest.approx(found["near"].mean(), rel=0.1)
    gap = found["loss"] - found["risk"]
    assert abs(gap.mean()) < 3 * gap.std() / np.sqrt(len(gap))
    assert gap.std() < 2 * 0.5**2 * np.sqrt(2 * 48)


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (lambda: s.shrinkage_derivative(np.eye(2), np.eye(3), 3, 0.1), "direction: got shape"),
        (lambda: s.degrees_of_freedom([2.0, 1.0], (3, 4), 3, 0.1), "sigma: got 2 values, expected"),
        (lambda: s.degrees_of_freedom([1.0, 2.0], (2, 4), 3, 0.1), "non-increasing"),
        (lambda: s.degrees_of_freedom([2.0, 1.0], (2, 4), 1, 0.1), "depth = 1"),
        (lambda: s.density_at([2.0, 1.0], (2, 4), 0.0, 1.5), "noise = 0.0: expected a number > 0"),
        (lambda: s.stein_risk([2.0, 1.0], (2, 4), -1.0, 3, 0.1), "noise = -1.0: expected a number > 0"),
        (lambda: s.density_at([2.0, 1.0], (2, 4), 1.0, 0.0), "threshold = 0.0: expected a number > 0"),
    ],
)
def test_wrong_input_is_one_line(call, line):
    with pytest.raises(ValueError, match=line):
        call()
