"""The lockstep line search on functions of one variable with known minima."""

import numpy as np
from dmf.training.line_search import LineSearch
from hypothesis import given
from hypothesis import strategies as st


def search(functions, rounds=30):
    """Run all searches; return for each the accepted t (NaN if none) and the number of trials."""
    count, everyone = len(functions), np.ones(len(functions), dtype=bool)
    subject, accepted, trials = LineSearch(count), np.full(count, np.nan), np.zeros(count, dtype=int)
    at_zero = np.array([f(0.0) for f in functions])
    subject.begin(everyone, at_zero[:, 0], at_zero[:, 1])
    for _ in range(rounds):
        t = subject.t.copy()
        values = np.array([f(x) for f, x in zip(functions, t, strict=True)])
        with np.errstate(all="ignore"):
            ok = subject.judge(values[:, 0], values[:, 1], np.abs(at_zero[:, 0]))
        trials += np.isnan(accepted)
        accepted = np.where(ok & np.isnan(accepted), t, accepted)
    return accepted, trials


def parabola(minimum, depth=1.0, offset=3.0):
    return lambda t: (depth * (t - minimum) ** 2 / minimum**2 + offset, 2 * depth * (t - minimum) / minimum**2)


@given(st.lists(st.floats(-6, 6), min_size=1, max_size=9))
def test_wolfe_points_of_parabolas_of_any_width_are_found(exponents):
    minima = 10.0 ** np.array(exponents)
    t, trials = search([parabola(m) for m in minima])
    # On a parabola the weak Wolfe conditions with c1 = 1e-4, c2 = 0.9 hold on [0.1, 2 - 2e-4] times the minimum.
    assert np.all((t >= 0.1 * minima * (1 - 1e-6)) & (t <= 2 * minima))
    assert trials.max() <= 10


def test_trials_that_overflow_count_as_too_far():
    def wall(t):
        return (np.inf, np.nan) if t > 0.01 else parabola(0.005)(t)

    t, _ = search([wall])
    assert t[0] <= 0.01


def test_at_the_rounding_level_slopes_decide():
    t, trials = search([parabola(2.0, depth=1e-17, offset=1.0)])
    assert 0.2 <= t[0] <= 3.8
    assert trials[0] <= 5


def test_a_function_that_rises_against_its_slope_is_never_accepted():
    t, _ = search([lambda t: (1 + t, -1.0)])
    assert np.isnan(t[0])


def test_searches_do_not_see_each_other():
    functions = [parabola(10.0**k) for k in (-3, 0, 2)]
    together, _ = search(functions)
    alone = [search([f])[0][0] for f in functions]
    assert together.tolist() == alone


def test_a_search_that_only_overflows_is_exhausted_in_the_end():
    subject, one = LineSearch(1), np.ones(1)
    subject.begin(one > 0, one, -one)
    verdicts = []
    with np.errstate(all="ignore"):
        for _ in range(100):
            subject.judge(one * np.inf, one, one)
            verdicts.append(bool(subject.exhausted()[0]))
    assert not any(verdicts[:20])
    assert all(verdicts[50:])
    assert 0 < subject.t[0] < 1e-6
