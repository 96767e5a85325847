"""`dmf.SpectralPenalty` has the value and the proximal map of its penalty, as a solver of proximal steps calls them."""

import numpy as np
import pytest
from scipy.optimize import minimize

import dmf
from dmf.theory import Geman, Log, Mcp, Power, Scad

PENALTIES = [Power.of_depth(3, 0.2), Power(0.5, 1.0), Log(0.5, 1.0), Geman(0.5, 1.0), Mcp(0.5, 3.0), Scad(0.5, 3.7)]
X = np.random.default_rng(0).standard_normal((3, 2)) * 2


@pytest.mark.parametrize("penalty", PENALTIES, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("tau", [0.5, 1.3])
def test_no_matrix_near_or_far_is_better_than_the_proximal_point(penalty, tau):
    f = dmf.SpectralPenalty(penalty, X.shape)
    best = f.prox(X, tau)

    def cost(z: np.ndarray) -> float:
        return f(z) + float(np.sum((z.reshape(X.shape) - X) ** 2)) / (2 * tau)

    least = cost(best)
    rng = np.random.default_rng(1)
    for scale in (1e-3, 0.1, 1.0):
        assert min(cost(best + scale * rng.standard_normal(X.shape)) for _ in range(50)) >= least - 1e-12
    for start in (X, np.zeros_like(X), X + rng.standard_normal(X.shape)):
        assert minimize(cost, start.ravel(), method="Nelder-Mead", options={"maxiter": 2000}).fun >= least - 1e-9
    assert cost(X) > least


def test_the_value_is_the_schatten_norm_and_the_map_the_minimizer_of_the_theory():
    f = dmf.SpectralPenalty(Power.of_depth(4, 0.3), X.shape)
    sigma = np.linalg.svd(X, compute_uv=False)
    assert f(X) == pytest.approx(0.3 * 4 * np.sum(sigma**0.5), rel=1e-13)
    # ||X - Z||^2 + penalty has no factor 1/2: tau = 1/2
    np.testing.assert_allclose(f.prox(X, 0.5), dmf.predict(X, 4, 0.3).minimizer, atol=1e-13)


def test_vectors_stay_vectors():
    f = dmf.SpectralPenalty(Power.of_depth(3, 0.2), X.shape)
    assert f(X.ravel()) == f(X)
    np.testing.assert_array_equal(f.prox(X.ravel(), 0.7), f.prox(X, 0.7).ravel())
    assert f.hasgrad is False
    assert repr(f) == "SpectralPenalty(Power(weight=0.6000000000000001, exponent=0.6666666666666666), shape=(3, 2))"


def test_proximal_steps_with_it_end_where_completion_ends():
    """The loop of any solver: x = prox(x - tau grad f(x), tau)."""
    from dmf.theory.completion import complete

    rng = np.random.default_rng(2)
    target = np.outer(rng.standard_normal(8), rng.standard_normal(6))
    seen = rng.random(target.shape) < 0.7
    f = dmf.SpectralPenalty(Power.of_depth(3, 0.01), target.shape)
    x = np.zeros(target.size)
    for _ in range(500):
        x = f.prox(x - 0.5 * 2 * (seen * (x.reshape(target.shape) - target)).ravel(), 0.5)
    np.testing.assert_allclose(x.reshape(target.shape), complete(target, seen, 3, 0.01).x, atol=1e-6)


@pytest.mark.parametrize(
    ("call", "kind", "line"),
    [
        (
            lambda: dmf.SpectralPenalty(lambda x: x, (2, 2)),
            TypeError,
            "penalty: got function, expected one of dmf.theory",
        ),
        (
            lambda: dmf.SpectralPenalty(Power(1, 1), (2,)),
            ValueError,
            "shape: got \\(2,\\), expected \\(rows, columns\\)",
        ),
        (lambda: dmf.SpectralPenalty(Power(1, 1), (2, 0)), ValueError, "shape\\[1\\] = 0: expected an integer >= 1"),
        (
            lambda: dmf.SpectralPenalty(Power(1, 1), (2, 3)).prox(np.ones((3, 2)), 1.0),
            ValueError,
            "x: got shape \\(3, 2\\)",
        ),
        (lambda: dmf.SpectralPenalty(Power(1, 1), (2, 3))(np.ones(5)), ValueError, "or a vector of 6"),
        (
            lambda: dmf.SpectralPenalty(Power(1, 1), (1, 1)).prox([1.0], 0.0),
            ValueError,
            "tau = 0.0: expected a number > 0",
        ),
        (lambda: dmf.SpectralPenalty(Power(1, 1), (1, 1))([np.nan]), ValueError, "expected a finite number"),
    ],
)
def test_wrong_input_is_one_line(call, kind, line):
    with pytest.raises(kind, match=line):
        call()
