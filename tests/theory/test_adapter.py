"""Two factored layers in any loss: autograd, the nuclear norm's closed form, and a loss that is only convex."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from sklearn.datasets import load_digits

from dmf.theory import adapter

SHAPES = [(5, 2, 4), (3, 6, 4), (4, 4, 4), (1, 1, 1), (7, 1, 2)]


def drawn(shape: tuple[int, int, int], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    (m, r, n), rng = shape, np.random.default_rng(seed)
    return rng.standard_normal((m, r)), 0.3 * rng.standard_normal((r, n))


@pytest.mark.parametrize("shape", SHAPES)
def test_the_spectrum_is_that_of_the_product_and_balancing_keeps_it(shape):
    b, a = drawn(shape)
    values = np.linalg.svd(b @ a, compute_uv=False)
    np.testing.assert_allclose(adapter.pair_singular_values(b, a), values[: min(shape)], atol=1e-14)
    upper, lower = adapter.balanced_pair(b, a)
    assert (upper.shape, lower.shape) == (b.shape, a.shape)
    np.testing.assert_allclose(upper @ lower, b @ a, atol=1e-14)
    assert adapter.imbalance(upper, lower) < 1e-13
    assert np.sum(upper**2) + np.sum(lower**2) == pytest.approx(2 * values.sum(), rel=1e-13)
    assert adapter.removable_norm_sq(upper, lower) < 1e-13


@given(st.integers(0, 10_000), st.sampled_from(SHAPES))
def test_no_factors_of_the_product_are_smaller_than_what_cannot_be_removed(seed, shape):
    b, a = drawn(shape, seed)
    turn = np.random.default_rng(seed).standard_normal((shape[1], shape[1])) + 2 * np.eye(shape[1])
    upper, lower = b @ turn, np.linalg.solve(turn, a)
    least = np.sum(b**2) + np.sum(a**2) - adapter.removable_norm_sq(b, a)
    assert np.sum(upper**2) + np.sum(lower**2) >= least * (1 - 1e-9)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("scale", [1.0, 0.5, 4.0])
def test_gradients_are_those_of_autograd_for_a_loss_that_is_not_convex(shape, scale):
    b, a = drawn(shape, 1)
    rng, lam = np.random.default_rng(2), 0.3
    fixed, left = rng.standard_normal((shape[0], shape[2])), rng.standard_normal(shape[0])

    def loss(x: torch.Tensor) -> torch.Tensor:
        return torch.sin(torch.from_numpy(fixed) + x).sum() + (torch.from_numpy(left) @ x).square().sum()

    factors = [torch.from_numpy(factor).requires_grad_() for factor in (b, a)]
    product = (scale * factors[0] @ factors[1]).detach().requires_grad_()
    (gradient,) = torch.autograd.grad(loss(product), product)
    whole = loss(scale * factors[0] @ factors[1]) + lam * sum(factor.square().sum() for factor in factors)
    slopes = torch.autograd.grad(whole, factors)
    found = adapter.stationarity(b, a, gradient.numpy(), lam, scale)
    norm = float(torch.cat([slope.flatten() for slope in slopes]).norm())
    assert found.gradient_norm == pytest.approx(norm, rel=1e-12)
    assert found.threshold == pytest.approx(2 * lam / scale)
    assert 0 < adapter.least_gradient_norm(b, a, lam) <= norm * (1 + 1e-12)


def quadratic(rank: int, scale: float, lam: float, kept: int | None = None):
    """||M - c B A||^2: its critical pair with the leading directions, and the minimum over all ranks."""
    target = np.random.default_rng(3).standard_normal((6, 5))
    u, sigma, v_t = np.linalg.svd(target, full_matrices=False)
    best = np.maximum(sigma - lam / scale, 0)
    x = np.where(np.arange(5) < (rank if kept is None else kept), best, 0)[:rank]
    b, a = u[:, :rank] * np.sqrt(x / scale), np.sqrt(x / scale)[:, None] * v_t[:rank]
    gap = scale * b @ a - target
    minimum = np.sum((sigma - best) ** 2) + 2 * lam / scale * best.sum()
    return b, a, 2 * gap, float(np.sum(gap**2)), float(minimum), np.count_nonzero(best)


@pytest.mark.parametrize("scale", [1.0, 2.0])
@pytest.mark.parametrize("rank", [1, 2, 3, 4, 5])
def test_the_rank_suffices_exactly_where_the_closed_form_needs_no_more(rank, scale):
    lam = 0.8 * scale  # keeps four of five
    b, a, gradient, loss, minimum, needed = quadratic(rank, scale, lam)
    found = adapter.stationarity(b, a, gradient, lam, scale)
    assert needed == 4
    assert found.share < 1e-12
    assert (found.gradient_spectral <= found.threshold + found.allowance) == (rank >= needed)
    norm_sq = float(np.sum(a**2) + np.sum(b**2))
    above = loss + lam * norm_sq - minimum
    gain = adapter.most_to_gain(found, loss, norm_sq, lam)
    assert above - 1e-12 <= gain
    assert (gain < 1e-10) == (rank >= needed)


@pytest.mark.parametrize("away", [1e-2, 1e-4, 1e-6])
def test_kept_directions_of_a_pair_near_a_critical_one_are_allowed_and_little_more(away):
    lam, scale = 1.6, 2.0
    b, a, *_ = quadratic(4, scale, lam)
    b, a = (1 - away) * b, (1 - away) * a
    target = np.random.default_rng(3).standard_normal((6, 5))
    found = adapter.stationarity(b, a, 2 * (scale * b @ a - target), lam, scale)
    excess = found.gradient_spectral - found.threshold
    assert 0 < excess <= found.allowance <= 10 * excess


@given(st.integers(0, 10_000))
def test_what_is_to_gain_is_a_bound_anywhere(seed):
    """At pairs that are nowhere near critical, of a loss whose minimum is known."""
    rng, lam, scale = np.random.default_rng(seed), 0.7, 1.5
    _, _, _, _, minimum, _ = quadratic(2, scale, lam)
    target = np.random.default_rng(3).standard_normal((6, 5))
    b, a = rng.standard_normal((6, 3)) * rng.uniform(0, 2), rng.standard_normal((3, 5)) * rng.uniform(0, 2)
    gap = scale * b @ a - target
    found = adapter.stationarity(b, a, 2 * gap, lam, scale)
    loss, norm_sq = float(np.sum(gap**2)), float(np.sum(a**2) + np.sum(b**2))
    assert loss + lam * norm_sq - minimum <= adapter.most_to_gain(found, loss, norm_sq, lam) + 1e-10


def test_softmax_on_digits_keeps_the_rank_that_the_gradient_says():
    """A convex loss without a closed form: too low a rank is found, enough of it is certified, AdamW's decay is not."""
    pixels, classes = load_digits(return_X_y=True)
    pixels, hot, lam = pixels / 16, np.eye(10)[classes], 0.02

    def loss(x: np.ndarray) -> tuple[float, np.ndarray]:
        logits = pixels @ x.T
        logits -= logits.max(axis=1, keepdims=True)
        shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        return -np.mean(np.log(np.sum(shares * hot, axis=1))), (shares - hot).T @ pixels / len(pixels)

    def trained(rank: int) -> tuple[np.ndarray, np.ndarray]:
        def value(theta: np.ndarray) -> tuple[float, np.ndarray]:
            b, a = theta[: 10 * rank].reshape(10, rank), theta[10 * rank :].reshape(rank, 64)
            fit, gradient = loss(b @ a)
            slopes = gradient @ a.T + 2 * lam * b, b.T @ gradient + 2 * lam * a
            return fit + lam * theta @ theta, np.concatenate([slope.ravel() for slope in slopes])

        start = 0.3 * np.random.default_rng(0).standard_normal(74 * rank)
        end = minimize(value, start, jac=True, method="L-BFGS-B", options={"maxiter": 3000, "ftol": 0, "gtol": 1e-8})
        return end.x[: 10 * rank].reshape(10, rank), end.x[10 * rank :].reshape(rank, 64)

    ratios = {}
    for rank in (1, 2, 4, 8):
        b, a = trained(rank)
        fit, gradient = loss(b @ a)
        found = adapter.stationarity(b, a, gradient, lam)
        assert found.share < 1e-4
        ratios[rank] = found.gradient_spectral / found.threshold
        gain = adapter.most_to_gain(found, fit, float(np.sum(a**2) + np.sum(b**2)), lam)
        assert (gain < 1e-4) == (rank == 8)
    assert ratios[1] > ratios[2] > ratios[4] > 1.01
    assert ratios[8] == pytest.approx(1, abs=1e-4)


def test_a_sweep_finds_runs_above_the_envelope_and_no_global_one():
    """v is known in closed form for the nuclear norm: runs on it pass at any lambda, a run above it fails."""
    sigma, lams = np.array([3.0, 2.0, 1.0]), np.geomspace(0.05, 4, 30)
    x = np.maximum(sigma - lams[:, None], 0)
    loss, norm = np.sum((sigma - x) ** 2, axis=1), 2 * x.sum(axis=1)
    excess, rounding = adapter.sweep_excess(lams, loss, norm)
    assert (excess <= rounding).all()
    worse = loss.copy()
    worse[7] += 1e-3
    excess, rounding = adapter.sweep_excess(
        np.append(lams, lams[7]), np.append(loss, worse[7]), np.append(norm, norm[7])
    )
    assert (excess > rounding).nonzero()[0].tolist() == [30]
    assert excess[30] == pytest.approx(1e-3)


@given(st.integers(0, 10_000), st.integers(1, 40))
def test_the_excess_of_a_sweep_is_that_of_all_pairs(seed, count):
    rng = np.random.default_rng(seed)
    lams, losses, norms = rng.uniform(0, 2, count), rng.integers(0, 5, count) * 1.0, rng.integers(0, 5, count) * 1.0
    every = losses + lams[:, None] * norms
    np.testing.assert_allclose(
        adapter.sweep_excess(lams, losses, norms)[0], np.diag(every) - every.min(axis=1), atol=1e-12
    )


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (
            lambda: adapter.imbalance(np.ones((2, 3)), np.ones((2, 3))),
            "B has 3 columns and A 2 rows: expected one number",
        ),
        (lambda: adapter.imbalance([[np.nan]], [[1.0]]), r"B\[0, 0\] = nan: expected a finite number"),
        (lambda: adapter.stationarity([[1.0]], [[1.0]], [[1.0, 2.0]], 0.1), r"gradient: got shape \(1, 2\), expected"),
        (lambda: adapter.stationarity([[1.0]], [[1.0]], [[1.0]], 0.0), r"lam = 0.0: expected"),
        (lambda: adapter.stationarity([[1.0]], [[1.0]], [[1.0]], 0.1, -1.0), r"scale = -1.0: expected a number > 0"),
        (lambda: adapter.sweep_excess([1.0], [1.0, 2.0], [1.0, 2.0, 3.0]), "shapes lam .*: expected shapes"),
        (lambda: adapter.sweep_excess([1.0, -1.0], [1.0, 2.0], [1.0, 1.0]), r"lam\[1\] = -1.0: expected a number >= 0"),
    ],
)
def test_wrong_input_is_one_line(call, says):
    with pytest.raises(ValueError, match=f"^{says}") as error:
        call()
    assert "\n" not in str(error.value)
