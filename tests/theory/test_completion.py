"""Proximal steps on observed entries: closed forms where all are, optimality conditions, and no step that rises."""

import numpy as np
import pytest

from dmf.theory import completion, critical_lambda, end_to_end_minimizer
from dmf.theory.completion import FINE, Stop, complete


def drawn(seed: int = 0, share: float = 0.6) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    m = rng.standard_normal((20, 2)) @ rng.standard_normal((2, 15)) + 0.1 * rng.standard_normal((20, 15))
    return m, rng.random(m.shape) < share


@pytest.mark.parametrize("depth", [2, 3, 5])
def test_with_every_entry_observed_one_step_is_the_minimizer(depth):
    m, _ = drawn()
    lam = 0.3 * float(critical_lambda(np.linalg.norm(m, 2), depth))
    found = complete(m, np.ones(m.shape, dtype=bool), depth, lam)
    np.testing.assert_allclose(found.x, end_to_end_minimizer(m, depth, lam), atol=1e-12)
    assert found.settled
    assert len(found.objectives) == 3  # the start, the step, and one that does not move


@pytest.mark.parametrize("depth", [2, 3, 4])
@pytest.mark.parametrize("seed", [0, 1])
def test_steps_never_rise_and_end_where_the_gradient_condition_holds(depth, seed):
    m, observed = drawn(seed)
    lam = 0.1 * float(critical_lambda(np.linalg.norm(np.where(observed, m, 0), 2), depth))
    found = complete(m, observed, depth, lam, stop=Stop(1e-11, 20_000))
    assert found.settled
    assert np.diff(found.objectives).max() <= 1e-12 * found.objectives[0]
    assert found.objectives[-1] < 0.5 * found.objectives[0]
    u, x, v_t = np.linalg.svd(found.x, full_matrices=False)
    kept = x > 1e-9
    np.testing.assert_allclose(x, found.singular_values, atol=1e-9)
    # P(M - X) = lam U diag(x^(2/L - 1)) V^T on kept directions; at depth 2 at most lam on all others: the minimum.
    left = np.where(observed, m - found.x, 0)
    pull = u[:, kept].T @ left @ v_t[kept].T
    np.testing.assert_allclose(pull, np.diag(lam * x[kept] ** (2 / depth - 1)), atol=1e-6)
    if depth == 2:
        assert np.linalg.norm(left, 2) <= lam * (1 + 1e-7)


def test_entries_that_are_not_observed_do_not_matter():
    m, observed = drawn()
    one = complete(m, observed, 3, 0.1)
    other = complete(np.where(observed, m, 1e6), observed, 3, 0.1)
    np.testing.assert_array_equal(one.x, other.x)


def test_a_step_that_rises_is_an_error(monkeypatch):
    m, observed = drawn()
    monkeypatch.setattr(completion, "scalar_minimizer", lambda sigma, depth, lam: sigma * 3)
    with pytest.raises(ArithmeticError, match="a proximal step rose"):
        complete(m, observed, 3, 0.1)


def test_it_stops_where_it_is_told_to_and_says_so():
    m, observed = drawn()
    found = complete(m, observed, 3, 0.5, stop=Stop(1e-12, 3))
    assert (len(found.objectives), found.settled) == (4, False)
    assert found.residual > 1e-12
    assert complete(m, observed, 3, 0.5).residual <= FINE.residual


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (lambda m, o: complete(m, o[:2], 3, 0.1), "observed: expected the shape of the target"),
        (lambda m, o: complete(m * ~o, o, 3, 0.1), "an entry that is not zero"),
        (lambda m, o: complete(m, o, 1, 0.1), "depth = 1"),
        (lambda m, o: complete(m, o, 3, 0.0), "expected a regularization strength > 0"),
        (lambda m, o: complete(m, o, 3, 0.1, stop=Stop(0.0, 5)), "residual = 0.0: expected a number > 0"),
    ],
)
def test_wrong_input_is_one_line(call, line):
    with pytest.raises(ValueError, match=line):
        call(*drawn())
