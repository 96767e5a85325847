"""What is proved is true of points whose minimizer is known with 50 digits; saddles and distant ones are not proved."""

import itertools
from collections.abc import Sequence
from typing import Any

import mpmath as mp
import numpy as np
import pytest

import exact
from critical_points import critical, exact_hessian
from dmf.proof import minimizer
from dmf.proof.balls import upper
from dmf.proof.definite import spectral
from dmf.proof.hessian import hessian_change, point
from dmf.proof.minimizer import MOST_PARAMETERS, Reason, prove

# sigma, widths d_0 ... d_L, lambda, roots of the minimizer
MINIMIZERS: list[tuple[list[float], tuple[int, ...], float, str]] = [
    ([3.0, 1.0], (2, 2, 2), 0.5, "LL"),
    ([3.0, 0.25], (3, 2, 2), 0.5, "L0"),
    ([0.4, 0.25], (2, 2, 2), 0.5, "00"),
    ([2.0], (1, 1, 1, 1), 0.3, "L"),
    ([3.0, 2.0], (2, 2, 2, 2), 0.5, "LL"),
    ([3.0, 2.0, 0.5], (3, 3, 3, 3), 0.5, "LL0"),
    ([3.0, 2.0, 2.0], (3, 4, 3, 3), 0.5, "LLL"),
    ([3.0, 0.5], (2, 3, 2, 4), 0.5, "L0"),
    ([0.5, 0.25], (2, 2, 2, 2), 0.5, "00"),
    ([3.0, 0.3], (3, 2, 2, 2, 2), 0.2, "L0"),
    ([2.0], (1, 1, 1, 1, 1, 1, 1), 0.1, "L"),
]
LOCAL = [([3.0, 2.0], (2, 2, 2, 2), 0.5, "L0"), ([3.0, 2.0], (2, 2, 2, 2), 0.5, "00")]


@pytest.mark.parametrize(("sigma", "widths", "lam", "roots"), MINIMIZERS)
def test_a_minimizer_is_proved_with_its_value_orbit_and_curvature(
    sigma: list[float], widths: Sequence[int], lam: float, roots: str
) -> None:
    found, _ = critical(sigma, widths, lam, roots)
    proof = prove(found.layers, found.matrix, lam)
    rank = roots.count("L")
    assert proof.proved, proof
    assert proof.orbit == sum(d * rank - rank * (rank + 1) // 2 for d in widths[1:-1])
    assert proof.radius < 1e-13
    with mp.workdps(50):
        depth = len(widths) - 1
        # The target is rounded: F* by at most 2 ||M|| times that, its eigenvalues likewise.
        true = exact.minimum_value([mp.mpf(m) for m in sigma], depth, lam)
        assert proof.objective.low - 1e-13 <= true <= proof.objective.high + 1e-13
        spectrum = exact.hessian_blocks([mp.mpf(m) for m in sigma], widths, lam)
        soft = float(spectrum[proof.orbit])
        assert float(spectrum[proof.orbit - 1]) < 1e-20 or proof.orbit == 0
    assert proof.curvature.low <= soft * (1 + 1e-12)
    assert soft * (1 - 1e-12) <= proof.curvature.high
    assert proof.curvature.high - proof.curvature.low <= 1e-9 * soft


@pytest.mark.parametrize(("sigma", "widths", "lam", "roots"), LOCAL)
def test_a_spurious_local_minimizer_is_a_local_minimizer(
    sigma: list[float], widths: Sequence[int], lam: float, roots: str
) -> None:
    found, _ = critical(sigma, widths, lam, roots)
    assert prove(found.layers, found.matrix, lam).proved


def saddles() -> list[Any]:
    """Every combination of roots that is no prefix of larger ones, for L = 3 and 4; saddles of depth 2."""
    deep = [
        ([2.0, 1.5], widths, 0.3, "".join(letters))
        for widths in ((2, 2, 2, 2), (3, 2, 2, 2, 2))
        for letters in itertools.product("LS0", repeat=2)
        if "".join(letters) not in ("LL", "L0", "00")
    ]
    flat = [([2.0, 1.5], (2, 2, 2), 0.3, roots) for roots in ("L0", "0L", "00")]
    scalar = [([2.0], (1,) * (depth + 1), 1e-4, "S") for depth in (3, 4, 6)]
    return [*deep, *flat, *scalar]


@pytest.mark.parametrize(("sigma", "widths", "lam", "roots"), saddles())
def test_a_saddle_is_not_proved_nor_is_a_point_beside_it(
    sigma: list[float], widths: Sequence[int], lam: float, roots: str
) -> None:
    found, _ = critical(sigma, widths, lam, roots)
    assert prove(found.layers, found.matrix, lam).reason is Reason.CURVATURE
    rng = np.random.default_rng(1)
    for size in (1e-12, 1e-9, 1e-7):
        moved = [layer + size * rng.standard_normal(layer.shape) for layer in found.layers]
        assert not prove(moved, found.matrix, lam).proved


def test_the_run_that_once_passed_for_a_minimum_at_zero_is_not_proved() -> None:
    """1 x 1, L = 3, lambda = 1e-4 lambda_c: beside the small root, which is near zero, the gradient is tiny."""
    lam = 1e-4 * float(exact.critical_lambda(1.0, 3))
    found, _ = critical([1.0], (1, 1, 1, 1), lam, "S")
    proof = prove(found.layers, found.matrix, lam)
    assert proof.gradient_norm < 1e-15
    assert (proof.reason, proof.proved) == (Reason.CURVATURE, False)


@pytest.mark.parametrize(("depth", "lam"), [(3, 0.5), (4, 0.3)])
def test_a_degenerate_critical_point_is_not_proved(depth: int, lam: float) -> None:
    m = float(exact.branch_threshold(depth, lam))
    w = float(exact.turning_point(depth, lam)) ** (1 / depth)
    proof = prove([np.array([[w]])] * depth, np.array([[m]]), lam)
    assert not proof.proved
    assert not prove([np.zeros((2, 2))] * 2, np.diag([0.5, 0.25]), 0.5).proved  # L = 2, sigma = lambda


@pytest.mark.parametrize("size", [1e-12, 1e-9, 1e-7, 1e-6])
@pytest.mark.parametrize(("sigma", "widths", "lam", "roots"), [MINIMIZERS[0], MINIMIZERS[5], MINIMIZERS[9]])
def test_the_radius_holds_the_true_distance_along_the_softest_mode(
    sigma: list[float], widths: Sequence[int], lam: float, roots: str, size: float
) -> None:
    """Moved by `size` along the softest eigenvector, to first order no minimizer is nearer than `size`."""
    found, _ = critical(sigma, widths, lam, roots)
    count = sum(layer.size for layer in found.layers)
    values, vectors = np.linalg.eigh(exact_hessian(found.layers, found.matrix, lam).astype(np.float64))
    orbit = prove(found.layers, found.matrix, lam).orbit
    direction, ends = vectors[:, orbit], np.cumsum([0, *(layer.size for layer in found.layers)])
    assert count == ends[-1]
    moved = [
        layer + size * direction[first:last].reshape(layer.shape)
        for layer, first, last in zip(found.layers, ends, ends[1:], strict=False)
    ]
    proof = prove(moved, found.matrix, lam)
    assert proof.proved
    assert size * 0.999 - 1e-15 <= proof.radius <= 1.2 * size + 1e-13
    assert proof.gradient_norm == pytest.approx(size * values[orbit], rel=1e-3, abs=1e-13)
    with mp.workdps(50):
        true = exact.minimum_value([mp.mpf(m) for m in sigma], len(widths) - 1, lam)
        assert proof.objective.low - 1e-13 <= true <= proof.objective.high + 1e-13
        assert proof.objective.high - proof.objective.low <= 3 * values[orbit] * size**2 + 1e-14


def test_a_point_too_far_away_is_not_proved_for_its_radius_or_curvature() -> None:
    found, _ = critical([3.0, 2.0], (2, 2, 2, 2), 0.5, "LL")
    moved = [layer * 1.05 for layer in found.layers]
    proof = prove(moved, found.matrix, 0.5)
    assert proof.reason is Reason.RADIUS
    assert "C g / mu^2" in proof.detail
    rng = np.random.default_rng(0)
    assert not prove([rng.standard_normal((2, 2)) for _ in range(3)], found.matrix, 0.5).proved


def test_a_minimizer_of_one_problem_is_not_proved_for_another() -> None:
    found, _ = critical([3.0, 2.0], (2, 2, 2, 2), 0.5, "LL")
    assert not prove(found.layers, found.matrix, 0.6).proved
    assert not prove(found.layers, 1.1 * found.matrix, 0.5).proved


@pytest.mark.parametrize("depth", [2, 3, 4, 6])
def test_the_hessian_moves_no_faster_than_its_bound_and_the_bound_is_near(depth: int) -> None:
    rng = np.random.default_rng(depth)
    widths = [2] * (depth + 1) if depth < 6 else [1] * 7
    largest = 0.0
    for _ in range(6):
        layers = [rng.standard_normal((widths[k + 1], widths[k])) for k in range(depth)]
        matrix = rng.standard_normal((widths[-1], widths[0]))
        step = [1e-3 * rng.standard_normal(layer.shape) for layer in layers]
        size = float(np.sqrt(sum(np.sum(part**2) for part in step)))
        moved = [layer + part for layer, part in zip(layers, step, strict=True)]
        change = (exact_hessian(moved, matrix, 0.1) - exact_hessian(layers, matrix, 0.1)).astype(np.float64)
        top = max(spectral(layer) for layer in [*layers, *moved])
        bound = hessian_change(point(layers, matrix, 0.1), top) * size
        largest = max(largest, float(np.linalg.norm(change, 2)) / bound)
    assert largest <= 1
    # One layer size for all and the direction of all of them attain the first term for 1 x 1 layers.
    layers, step = [np.ones((1, 1))] * depth, 1e-6
    moved = [layer + step for layer in layers]
    change = (exact_hessian(moved, np.ones((1, 1)), 0.1) - exact_hessian(layers, np.ones((1, 1)), 0.1)).astype(float)
    ratio = float(np.linalg.norm(change, 2)) / (hessian_change(point(layers, np.ones((1, 1)), 0.1), 1 + step))
    assert 0.9 * step * np.sqrt(depth) <= ratio <= step * np.sqrt(depth)


def test_a_frame_that_is_not_tangent_to_the_orbit_is_refused() -> None:
    """Without the test of the orbit any kernel would do: at zero there is no orbit, for any Hessian."""
    zero = [np.zeros((2, 2))] * 2
    assert not minimizer._is_transversal(zero, np.eye(8)[:, :1], 0.0)
    found, _ = critical([3.0, 1.0], (2, 2, 2), 0.5, "LL")
    values, vectors = np.linalg.eigh(exact_hessian(found.layers, found.matrix, 0.5).astype(np.float64))
    assert abs(values[0]) < 1e-12 < values[1]
    assert minimizer._is_transversal(found.layers, vectors[:, :1], 1e-3)
    assert not minimizer._is_transversal(found.layers, vectors[:, 1:2], 1e-3)
    assert not minimizer._is_transversal(found.layers, vectors[:, :1], 10.0)


def test_the_orbit_moves_as_the_tangents_say_and_the_softest_value_is_an_upper_bound() -> None:
    found, _ = critical([3.0, 2.0], (2, 2, 2, 2), 0.5, "LL")
    proof = prove(found.layers, found.matrix, 0.5)
    spectrum = np.linalg.eigvalsh(exact_hessian(found.layers, found.matrix, 0.5).astype(np.float64))
    assert proof.mu <= spectrum[proof.orbit] <= proof.curvature.high
    assert proof.mu >= spectrum[proof.orbit] * (1 - 1e-10)


@pytest.mark.parametrize("scale", [1e-40, 1e-10, 1e10, 1e40])
def test_units_change_nothing(scale: float) -> None:
    """M -> c M, W -> c^(1/L) W, lambda -> c^(2 - 2/L) lambda scales every quantity."""
    found, _ = critical([3.0, 2.0], (2, 2, 2, 2), 0.5, "LL")
    layers = [layer * scale ** (1 / 3) for layer in found.layers]
    proof = prove(layers, found.matrix * scale, 0.5 * scale ** (4 / 3))
    assert proof.proved
    assert proof.mu == pytest.approx(prove(found.layers, found.matrix, 0.5).mu * scale ** (4 / 3), rel=1e-8)


def test_numbers_that_are_not_finite_and_sizes_beyond_the_limit_are_named() -> None:
    good, bad = np.eye(2), np.array([[np.nan, 0], [0, 1]])
    assert prove([good, bad], good, 0.5).reason is Reason.NOT_FINITE
    assert prove([good, good], good, float("inf")).reason is Reason.NOT_FINITE
    assert prove([1e200 * good] * 3, good, 0.5).reason is Reason.NOT_FINITE
    size = int(np.sqrt(MOST_PARAMETERS / 2)) + 1
    assert prove([np.eye(size)] * 2, np.eye(size), 0.5).reason is Reason.TOO_LARGE


def test_wrong_shapes_are_errors() -> None:
    with pytest.raises(ValueError, match="two or more"):
        prove([np.eye(2)], np.eye(2), 0.5)
    with pytest.raises(ValueError, match="chain"):
        prove([np.eye(2), np.eye(3)], np.eye(2), 0.5)
    with pytest.raises(ValueError, match="lam"):
        prove([np.eye(2), np.eye(2)], np.eye(2), 0.0)


def test_zero_is_proved_where_it_is_a_minimum() -> None:
    proof = prove([np.zeros((2, 2))] * 3, np.diag([1.0, 0.5]), 0.5)
    assert proof.proved
    assert (proof.orbit, proof.radius) == (0, 0.0)
    assert proof.curvature.low == pytest.approx(1.0)
    assert upper(point([np.zeros((2, 2))] * 3, np.diag([1.0, 0.5]), 0.5).objective) == pytest.approx(1.25)


def test_eigenvalues_that_look_positive_prove_nothing_where_the_error_or_the_frame_does_not_allow_it() -> None:
    """The curvature is that of the verified decomposition, not that of the eigenvalues that suggest it."""
    found, _ = critical([3.0, 2.0], (2, 2, 2, 2), 0.5, "LL")
    proof = prove(found.layers, found.matrix, 0.5)
    exactly = exact_hessian(found.layers, found.matrix, 0.5).astype(np.float64)
    spectrum = minimizer.Spectrum.of(exactly, 1e-15)
    soft = float(spectrum.values[proof.orbit])
    assert minimizer._curvature(spectrum, proof.orbit) == pytest.approx(soft, rel=1e-9)
    assert minimizer._curvature(spectrum._replace(error=1.01 * soft), proof.orbit) == 0
    assert 0 < minimizer._curvature(spectrum._replace(error=0.2 * soft), proof.orbit) <= 0.8 * soft
    turned = spectrum._replace(vectors=spectrum.vectors[:, ::-1])  # Q is the stiffest directions, not the kernel
    assert minimizer._curvature(turned, proof.orbit) == 0
