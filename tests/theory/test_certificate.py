"""The certificate against points at known distance from a minimizer, its units of rounding against exact arithmetic.

Minimizers are those of 60-digit roots or of Newton's method on a dense Hessian by automatic differentiation; no closed
form of the package enters a truth.
"""

import ast
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import mpmath as mp
import numpy as np
import pytest
import torch

import exact
from dmf import theory
from dmf.evidence.cells import gradient_norm
from dmf.studies._measurements import Point, objective
from dmf.studies.orbit import _frames
from dmf.theory import certificate
from dmf.theory.certificate import EPS, ROUNDING, SAFETY, gradient_error

PACKAGE = Path(certificate.__file__).parents[1]
WIDTHS = [(1, 1, 1), (2, 2, 2), (3, 4, 2), (2, 3, 3, 2), (2, 2, 2, 2, 2, 2)]
NEAR = [(2, 2, 2), (3, 4, 2), (2, 3, 3, 2), (2, 2, 2, 2), (1, 1, 1, 1, 1)]


def rational(array: np.ndarray) -> np.ndarray:
    return np.vectorize(Fraction, otypes=[object])(array)


def chain(layers: list[np.ndarray], size: int) -> np.ndarray:
    """W_L ... W_1 of rational layers, the identity of `size` where there are none."""
    result = rational(np.eye(size))
    for layer in layers:
        result = layer @ result
    return result


# --- the radius, and what follows from it


class Problem:
    """F of a target, widths and lambda, with its derivatives by torch; theta (N,) is the layers one after another."""

    def __init__(self, target: np.ndarray, widths: tuple[int, ...], lam: float) -> None:
        self.target, self.widths, self.lam = target, widths, lam
        self.shapes = [(m, n) for n, m in pairwise(widths)]
        self.sizes = [m * n for m, n in self.shapes]

    def layers(self, theta: np.ndarray) -> list[np.ndarray]:
        parts = np.split(theta, np.cumsum(self.sizes)[:-1])
        return [part.reshape(shape) for part, shape in zip(parts, self.shapes, strict=True)]

    def product(self, theta: np.ndarray) -> np.ndarray:
        return np.linalg.multi_dot([*self.layers(theta)[::-1], np.eye(self.widths[0])])

    def value(self, theta: torch.Tensor) -> torch.Tensor:
        whole = torch.eye(self.widths[0], dtype=torch.float64)
        for part, shape in zip(torch.split(theta, self.sizes), self.shapes, strict=True):
            whole = part.reshape(shape) @ whole
        return ((torch.from_numpy(self.target) - whole) ** 2).sum() + self.lam * (theta**2).sum()

    def at(self, theta: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """F, its gradient and its Hessian."""
        point = torch.from_numpy(theta)
        slope, bend = torch.func.grad(self.value)(point), torch.func.jacrev(torch.func.grad(self.value))(point)
        return float(self.value(point)), slope.numpy(), bend.numpy()

    def minimize(self, theta: np.ndarray) -> np.ndarray:
        """The critical point that Newton's steps across the flat directions lead to."""
        for _ in range(12):
            _, slope, bend = self.at(theta)
            values, vectors = np.linalg.eigh(bend)
            across = np.abs(values) > 1e-7 * values[-1]
            step = vectors[:, across] @ (vectors[:, across].T @ slope / values[across])
            theta = theta - step
            if np.linalg.norm(step) < 1e-13:
                break
        return theta


def random_problem(widths: tuple[int, ...], seed: int) -> tuple[Problem, np.ndarray]:
    """A target of singular values about 3, 2, ... in random bases, with one of its minimizers."""
    rng = np.random.default_rng(seed)
    rank = min(widths[0], widths[-1])
    left, right = (np.linalg.qr(rng.standard_normal((size, rank)))[0] for size in (widths[-1], widths[0]))
    problem = Problem((left * (3.0 - np.arange(rank))) @ right.T, widths, 0.2)
    depth = len(widths) - 1
    frames = [right, *(np.linalg.qr(rng.standard_normal((d, rank)))[0] for d in widths[1:-1]), left]
    s = (3.0 - np.arange(rank)) ** (1 / depth)
    start = np.concatenate([((above * s) @ below.T).ravel() for below, above in pairwise(frames)])
    best = problem.minimize(start)
    assert np.linalg.norm(problem.at(best)[1]) < 1e-13
    return problem, best


@pytest.mark.parametrize("widths", NEAR, ids=str)
def test_no_quantity_of_a_point_near_the_minimizers_is_off_by_more_than_its_tolerance(widths: tuple[int, ...]) -> None:
    depth, shares = len(widths) - 1, []
    for seed in range(3):
        problem, best = random_problem(widths, seed)
        minimum, _, bend = problem.at(best)
        values, vectors = np.linalg.eigh(bend)
        assert values[0] > -1e-13  # a minimizer: nothing but flat directions and curved ones
        across = np.flatnonzero(values > 1e-10)
        mu, x_best = float(values[across[0]]), problem.product(best)
        sigma = np.linalg.svd(problem.target, compute_uv=False)
        kept = np.linalg.svd(x_best, compute_uv=False)
        top, residual = certificate.reach(kept, sigma, depth)
        alpha = float(np.linalg.norm(problem.layers(best)[0]))
        rng = np.random.default_rng(seed)
        for size in (1e-9, 1e-7, 1e-5, 1e-4, 1e-3):
            for direction in (vectors[:, across[0]], vectors[:, across[-1]], rng.standard_normal(best.size)):
                theta = best + size * direction / np.linalg.norm(direction)
                value, slope, hessian = problem.at(theta)
                norm = float(np.linalg.norm(slope))
                radius = certificate.radius(np.array([norm]), mu, np.linalg.norm(theta))
                if not certificate.is_near(radius, mu, depth, top, residual)[0]:
                    assert size > 1e-5
                    continue
                nearest = problem.minimize(theta)  # no nearer than the nearest minimizer
                assert np.linalg.norm(theta - nearest) <= radius[0]
                turned = certificate.turning(radius, depth, top, residual)
                allowed = {
                    "X": certificate.distance_tolerance(radius, depth, top, sigma[0]),
                    "F": certificate.gap_tolerance(np.array([norm]), mu, np.sum(problem.target**2)),
                    "norms": certificate.layer_norm_tolerance(radius, depth, alpha, sigma[0]),
                    "trace": certificate.trace_tolerance(radius, widths, top, np.trace(bend)),
                    "spectrum": certificate.eigenvalue_tolerance(turned, best.size, values[-1]),
                }
                norms = [np.sum(layer**2) for layer in problem.layers(theta)]
                seen = {
                    "X": np.linalg.norm(problem.product(theta) - x_best),
                    "F": value - minimum,
                    "norms": np.abs(np.array(norms) - alpha**2).max(),
                    "trace": abs(np.trace(hessian) - np.trace(bend)),
                    "spectrum": np.abs(np.linalg.eigvalsh(hessian) - values).max(),
                }
                share = {name: float(seen[name] / allowed[name][0]) for name in seen}
                assert max(share.values()) <= 1, share
                shares.append(list(share.values()))
    assert np.max(shares, axis=0).min() > 0.001  # a tolerance that no point comes near would prove nothing


@pytest.mark.parametrize("depth", [2, 3, 4, 6])
def test_the_radius_bounds_60_digit_distances_and_twice_is_what_the_second_order_may_cost(depth: int) -> None:
    """Minimizers of a scalar problem are isolated: the distance to the nearest one is exact. Gradients too."""
    m, lam = 1.5, 0.2
    with mp.workdps(60):
        w = mp.power(exact.minimizer(mp.mpf(m), depth, lam), mp.mpf(1) / depth)
        spectrum = exact.scalar_hessian(mp.mpf(m), depth, lam)
        mu, x = spectrum[0], w**depth
        top, residual = float(w), float(m - x)
        ratios = []
        # eigenvectors: the difference of two factors, of 4 lambda, and all alike; and two others
        for direction in ([1, -1, *[0] * (depth - 2)], [1] * depth, [1, *[0] * (depth - 1)], list(range(1, depth + 1))):
            unit = [mp.mpf(d) / mp.sqrt(mp.fsum(e * e for e in direction)) for d in direction]
            for step in ("1e-12", "1e-6", "-1e-6", "1e-4", "-1e-4", "1e-2"):
                theta = [w + mp.mpf(step) * one for one in unit]
                product = mp.fprod(theta)
                slope = [2 * (product - m) * product / one + 2 * mp.mpf(lam) * one for one in theta]
                norm = float(mp.sqrt(mp.fsum(one * one for one in slope)))
                radius = certificate.radius(np.array([norm]), float(mu), float(mp.norm(mp.matrix(theta))))
                distance = abs(float(mp.mpf(step)))
                if certificate.is_near(radius, float(mu), depth, top, residual)[0]:
                    assert distance <= radius[0]
                    ratios.append(distance * float(mu) / norm)
    assert len(ratios) >= 16
    # to first order the softest mode uses all of 1 / mu, and so half of the radius: no factor but SAFETY is given away
    assert max(ratios) == pytest.approx(1, abs=0.05)
    assert SAFETY == 2


def test_a_radius_does_not_hold_where_the_hessian_turns_too_far_within_it() -> None:
    """For depth 2 C = 6 sqrt(2) t: the test is 6 sqrt(2) (top + r) r <= mu / 2, by hand."""
    mu, top = 0.8, 1.25
    edge = (-top + np.sqrt(top**2 + 4 * mu / 2 / (6 * np.sqrt(2)))) / 2
    radii = np.array([0.0, edge * (1 - 1e-9), edge * (1 + 1e-9), 1.0, np.inf, np.nan])
    near = certificate.is_near(radii, mu, 2, top, 0.3)
    np.testing.assert_array_equal(near, [True, True, False, False, False, False])
    turned = certificate.turning(radii, 2, top, 0.3)
    np.testing.assert_allclose(turned[:4], 6 * np.sqrt(2) * (top + radii[:4]) * radii[:4], rtol=1e-14)
    assert np.isinf(turned[4:]).all()


def test_beyond_mu_over_c_a_gradient_says_nothing() -> None:
    """(1 - w_2 w_1)^2 + 1.9 (w_1^2 + w_2^2) / 2 has a saddle at zero: no gradient there, and a minimizer 0.22 away."""
    lam = 0.95
    w = np.sqrt(1 - lam)
    mu = min(4 * lam, 4 * (1 - lam))
    near = certificate.radius(np.array([0.0]), mu, 0.0)
    assert near[0] == 0 < np.sqrt(2) * w
    # what is_near promises: a point is within its radius, or beyond (1 + 1 / sqrt 2) mu / C, as this saddle is
    far = np.sqrt(2) * w
    constant = certificate.hessian_lipschitz(2, w + far, 1 - (1 - lam))
    assert far > (1 + 1 / np.sqrt(2)) * mu / constant


def test_a_curvature_of_zero_gives_no_radius() -> None:
    with np.errstate(all="ignore"):
        radius = certificate.radius(np.array([1e-12]), 0.0, 1.0)
    assert np.isinf(radius).all()
    assert not certificate.is_near(radius, 0.0, 3, 1.0, 0.1).any()


@pytest.mark.parametrize("widths", WIDTHS, ids=str)
def test_the_gradient_bounds_the_imbalance_at_any_point_in_exact_arithmetic(widths: tuple[int, ...]) -> None:
    rng, lam = np.random.default_rng(7), 0.4
    target = rng.standard_normal((widths[-1], widths[0]))
    layers = [rng.standard_normal(shape[::-1]) for shape in pairwise(widths)]
    norm_sq = np.array([[np.sum(layer**2) for layer in layers]])
    spectral = np.array([max(np.linalg.norm(layer, 2) for layer in layers)])
    value = np.array([np.sum((target - chain(layers, widths[0]).astype(float)) ** 2) + lam * norm_sq.sum()])
    slope, floor = certificate.imbalance_tolerance(widths, lam, norm_sq, spectral, value)
    chained = [rational(layer) for layer in layers]
    gaps = [above.T @ above - below @ below.T for below, above in pairwise(chained)]
    imbalance = max(np.sqrt(float((gap**2).sum())) for gap in gaps)
    gradient = exact_gradient_norm(layers, target, lam)
    assert imbalance <= slope[0] * gradient * (1 + 1e-14)
    assert floor[0] < 1e-9 * slope[0] * gradient


# --- units of rounding


def exact_gradient_norm(layers: list[np.ndarray], target: np.ndarray, lam: float) -> float:
    """The norm of the gradient with every sum and product exact."""
    chained = [rational(layer) for layer in layers]
    residual = chain(chained, target.shape[1]) - rational(target)
    total = Fraction(0)
    for i, layer in enumerate(chained):
        above, below = chain(chained[i + 1 :], layer.shape[0]), chain(chained[:i], target.shape[1])
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


def test_eps_is_the_spacing_of_float64_at_one() -> None:
    assert Fraction(EPS) == Fraction(1, 2**52)
    assert np.nextafter(1.0, 2.0) - 1 == EPS


@pytest.mark.parametrize(("depth", "width"), [(2, 2), (3, 5), (4, 30), (6, 19), (6, 64)])
def test_products_and_their_singular_values_lose_less_than_rounding(depth: int, width: int) -> None:
    """Layers of spectral norm 1, equally near a minimizer in relative units; L (d + 2) <= 128 but for the last."""
    rng, scale = np.random.default_rng(8), 2**40
    drawn = [np.linalg.qr(rng.standard_normal((width, width)))[0] for _ in range(depth)]
    layers = [np.round(layer * scale) / scale for layer in drawn]
    whole = np.eye(width)
    integers = np.eye(width, dtype=int).astype(object)
    for layer in layers:
        whole = layer @ whole
        integers = np.vectorize(int, otypes=[object])(layer * scale) @ integers
    truth = integers  # in units of scale^-L
    error = np.vectorize(lambda one, other: float(Fraction(one) - Fraction(other, scale**depth)))(whole, truth)
    assert 0 < np.linalg.norm(error, 2) <= ROUNDING
    assert np.abs(np.linalg.svd(whole, compute_uv=False) - 1).max() <= ROUNDING + depth * width / scale
    assert np.linalg.norm(error) <= certificate.relative([width] * (depth + 1)) * np.linalg.norm(whole)


def test_singular_values_that_are_equal_stay_within_what_counts_as_tied() -> None:
    rng = np.random.default_rng(9)
    widest = 0.0
    for _ in range(50):
        left, right = (np.linalg.qr(rng.standard_normal((8, 8)))[0] for _ in range(2))
        sigma = np.linalg.svd((left * np.array([3.0] * 4 + [1.0] * 4)) @ right.T, compute_uv=False)
        widest = max(widest, (sigma[0] - sigma[3]) / sigma[0], (sigma[4] - sigma[7]) / sigma[0])
    assert 0 < widest <= certificate.TIED


@pytest.mark.parametrize("widths", NEAR, ids=str)
def test_flat_directions_are_told_from_curved_ones(widths: tuple[int, ...]) -> None:
    problem, best = random_problem(widths, 4)
    values = np.linalg.eigvalsh(problem.at(best)[2])
    flat = np.abs(values) <= certificate.ZERO_MODE * values[-1]
    rank = min(widths[0], widths[-1])
    assert flat.sum() == sum(d * rank - rank * (rank + 1) // 2 for d in widths[1:-1])
    assert np.abs(values[~flat]).min() > 1e6 * certificate.ZERO_MODE * values[-1]


@pytest.mark.parametrize("depth", [2, 3, 4, 10])
def test_values_of_a_scalar_problem_err_by_half_of_what_two_may(depth: int) -> None:
    worst = 0.0
    with mp.workdps(60):
        for m in np.random.default_rng(10).uniform(0.5, 5, 60):
            lam = 0.3 * float(theory.critical_lambda(m, depth))
            x = float(exact.minimizer(mp.mpf(m), depth, lam))
            for near in (x, x * (1 + 1e-8), x * (1 - 1e-3)):
                truth = exact.g(mp.mpf(near), mp.mpf(m), depth, lam)
                error = abs(float(theory.scalar_objective(near, m, depth, lam) - truth))
                worst = max(worst, error / (certificate.ROUNDING_SCALAR / 2 * m**2))
    assert 0.01 < worst <= 1


def test_values_of_a_product_of_factors_err_by_as_many_times_as_much() -> None:
    rng, depth, lam, m = np.random.default_rng(11), 6, 0.01, 2.0
    for _ in range(40):
        w = rng.uniform(0.95, 1.05, depth) * 2 ** (1 / 6)
        truth = (Fraction(m) - np.prod(rational(w))) ** 2 + Fraction(lam) * np.sum(rational(w) ** 2)
        error = abs(float(Fraction(float((m - np.prod(w)) ** 2 + lam * np.sum(w**2))) - truth))
        assert error <= depth * certificate.ROUNDING_SCALAR * m**2


@pytest.mark.parametrize("penalty", [theory.Log(0.2, 0.5), theory.Mcp(0.3, 4.0)], ids=["log", "MCP"])
def test_values_of_a_proximal_step_err_by_less_than_its_unit(penalty: theory.Log | theory.Mcp) -> None:
    """25 measurements of a 6 x 5 matrix, as in the study; the sizes are those of the sums' parts."""
    rng, worst = np.random.default_rng(12), 0.0
    for _ in range(10):
        operator = np.linalg.qr(rng.standard_normal((30, 25)))[0].T
        matrix = rng.standard_normal((6, 5))
        b = operator @ rng.standard_normal(30)
        point = Point.at(matrix[None])
        value = float(objective(operator[None], b[None], penalty, point)[0])
        with mp.workdps(40):
            gap = rational(operator) @ rational(matrix.ravel()) - rational(b)
            singular = mp.svd_r(mp.matrix(matrix.tolist()), compute_uv=False)
            parts = [float(penalty(float(one))) for one in singular]
            fit = (gap**2).sum()
            truth = mp.mpf(fit.numerator) / fit.denominator + mp.fsum(parts)
            error = abs(float(value - truth))
        size = np.sum(b**2) + 2 * np.sum(matrix**2) + sum(parts)
        worst = max(worst, error / (certificate.ROUNDING_STEP * size))
    assert 0 < worst <= 1


def test_a_point_carried_along_its_orbit_returns_within_the_unit_of_paths() -> None:
    rng, worst = np.random.default_rng(13), 0.0
    for depth in (2, 3, 4):
        for _ in range(30):
            layers = [np.diag([1.2, 0.7])] * depth
            angles = [0.0, *rng.uniform(-np.pi, np.pi, depth - 1), 0.0]
            turns = [np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]) for a in angles]
            other = [turns[i + 1] @ layer @ turns[i].T for i, layer in enumerate(layers)]
            frames = [np.eye(2), *_frames(layers, other), np.eye(2)]
            moved = [frames[i + 1] @ layer @ frames[i].T for i, layer in enumerate(layers)]
            gap = np.sqrt(sum(np.sum((a - b) ** 2) for a, b in zip(moved, other, strict=True)))
            alpha = np.sqrt(sum(np.sum(layer**2) for layer in layers))
            worst = max(worst, gap / (certificate.ROUNDING_PATHS * alpha))
    assert 1e-4 < worst <= 1


def test_the_rank_of_a_product_is_found_where_trailing_values_are_rounding() -> None:
    rng = np.random.default_rng(14)
    for shape in ((3, 3), (8, 5), (40, 60)):
        columns, rows = rng.integers(-9, 10, (shape[0], 2)), rng.integers(-9, 10, (2, shape[1]))
        values = np.linalg.svd((columns @ rows).astype(float), compute_uv=False)  # of integers: exactly of rank 2
        assert np.count_nonzero(values > certificate.rank_rounding(shape) * values[0]) == 2


@pytest.mark.parametrize("shape", [(1, 1), (4, 30), (8, 500), (30, 30)])
def test_white_inputs_are_white_to_the_rounding_of_their_sums(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(15)
    samples = rng.standard_normal(shape)
    white = theory.whitened(samples, shape[0])
    # the sums in extended precision: their own rounding is of another order
    gram = (white.astype(np.longdouble) @ white.T.astype(np.longdouble)).astype(np.float64)
    assert np.linalg.norm(gram - np.eye(shape[0]), 2) <= certificate.sum_rounding(sum(shape))
    assert np.linalg.norm(white @ white.T - gram, 2) <= certificate.sum_rounding(shape[1])


def test_powers_err_by_no_more_than_their_exponents_and_operations() -> None:
    rng = np.random.default_rng(16)
    bases = 10.0 ** rng.uniform(-12, 12, (200, 2))
    allowed = certificate.power_rounding(bases[:, 0], bases[:, 1])
    worst = 0.0
    for power, other in ((2 / 3, 4 / 3), (1 / 3, -1 / 3), (1.9, 0.1), (-2 / 7, 2 / 7)):
        computed = bases[:, 0] ** power * bases[:, 1] ** other
        for (one, two), value, most in zip(bases.tolist(), computed.tolist(), allowed.tolist(), strict=True):
            # the exponent that was meant is within half a unit of the one that float64 holds
            with mp.workdps(60):
                meant = [mp.mpf(e) * (1 + mp.mpf(EPS) / 2) for e in (power, other)]
                truth = mp.power(one, meant[0]) * mp.power(two, meant[1])
                worst = max(worst, float(abs(value / truth - 1)) / most)
    assert 0.01 < worst <= 1


# --- one place


def assigned(node: ast.AST) -> list[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return [one.id for one in targets if isinstance(one, ast.Name)]


def test_no_other_module_has_a_unit_of_rounding_or_a_safety_factor() -> None:
    """Optimizers have their own in training/constants.py, so that a tolerance's edit trains nothing again, and near
    controls in evidence/moved.py, so that they do not move with the tolerance that they test."""
    owners = {"theory/certificate.py", "training/constants.py", "evidence/moved.py"}
    for path in PACKAGE.rglob("*.py"):
        place, text = path.relative_to(PACKAGE).as_posix(), path.read_text("utf-8")
        for node in ast.walk(ast.parse(text)):
            if place != "theory/certificate.py" and isinstance(node, ast.Assign | ast.AnnAssign):
                names = [name.lstrip("_") for name in assigned(node)]
                assert not [n for n in names if n in ("EPS", "SAFETY") or n.startswith("ROUNDING")], place
            if place not in owners and isinstance(node, ast.Attribute):
                assert node.attr != "eps", f"{place}: finfo(...).eps"
                assert ast.unparse(node) != "sys.float_info.epsilon", place
        assert place in owners or "2.0**-52" not in text, place


def test_a_sublevel_set_that_confines_a_run_stays_near_the_minimizers() -> None:
    """1 x 1 with two layers: all points of {F <= F* + excess} by brute force, and the hyperbola of minimizers."""
    grid = np.linspace(-2.5, 2.5, 2001)
    w_1, w_2 = np.meshgrid(grid, grid)
    for m, lam in ((1.5, 0.5), (1.0, 0.2), (0.3, 0.5)):
        top, x = np.sqrt(max(m - lam, 0)), max(m - lam, 0)
        mu = float(
            np.sort(np.abs(np.linalg.eigvalsh([[2 * x + 2 * lam, 4 * x - 2 * m], [4 * x - 2 * m, 2 * x + 2 * lam]])))[0]
        )
        value = (m - w_1 * w_2) ** 2 + lam * (w_1**2 + w_2**2)
        lowest = (m - x) ** 2 + 2 * lam * x
        distance = np.minimum(np.hypot(w_1 - top, w_2 - top), np.hypot(w_1 + top, w_2 + top))
        reach = certificate._confining_distance(mu, 2, top, m - x)
        assert reach * certificate.hessian_lipschitz(2, top + reach, m - x) <= mu
        assert 1.01 * reach * certificate.hessian_lipschitz(2, top + 1.01 * reach, m - x) > mu
        excess = 0.999 * mu * reach**2 / 3
        assert certificate.is_confined(excess, mu, 2, top, m - x)
        assert distance[value <= lowest + excess].max() <= reach
        assert not certificate.is_confined(mu * reach**2, mu, 2, top, m - x)


def test_the_rounding_of_the_objective_confines_no_run_at_two_layers_and_a_tiny_lambda() -> None:
    """The rounding of F alone, 64 EPS ||M||^2, would allow a run far from every minimizer there."""
    for lam, confined in ((1e-3, True), (1e-5, False), (1e-6, False)):
        mu = 4 * lam
        assert bool(certificate.is_confined(2 * ROUNDING, mu, 2, np.sqrt(1 - lam), lam)) is confined
    assert not certificate.is_confined(0.0, 0.0, 2, 1.0, 0.1)
    assert not certificate.is_confined(np.array([1e-30, np.inf, np.nan]), 0.5, 3, 1.0, 0.1)[1:].any()
