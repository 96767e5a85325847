"""The masked line search on functions of one variable with known minima."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from dmf.training.torch_engine.line_search import Search, begin, judge


def search(functions, rounds=30):
    """Run all searches; return for each the accepted t (NaN if none) and the number of trials."""
    count = len(functions)
    subject, waiting = Search.none(count, torch.device("cpu")), torch.ones(count, dtype=torch.bool)
    at_zero = torch.tensor([f(0.0) for f in functions], dtype=torch.float64)
    begin(subject, waiting, at_zero[:, 0], at_zero[:, 1])
    accepted = torch.full((count,), torch.nan, dtype=torch.float64)
    for _ in range(rounds):
        values = torch.tensor([f(x) for f, x in zip(functions, subject.t.tolist(), strict=True)], dtype=torch.float64)
        ok, _ = judge(subject, waiting, values[:, 0], values[:, 1], at_zero[:, 0].abs())
        accepted = torch.where(ok, subject.t, accepted)
        waiting = waiting & ~ok
    return accepted.numpy(), subject.tried.numpy()


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
    t, trials = search([lambda t: (1 + t, -1.0)])
    assert np.isnan(t[0])
    assert trials[0] == 30


def test_searches_do_not_see_each_other():
    functions = [parabola(10.0**k) for k in (-3, 0, 2)]
    together, _ = search(functions)
    alone = [search([f])[0][0] for f in functions]
    assert together.tolist() == alone


def test_what_the_mask_leaves_out_keeps_its_search():
    subject, one = Search.none(2, torch.device("cpu")), torch.ones(2, dtype=torch.float64)
    first = torch.tensor([True, False])
    begin(subject, ~first, one, -one)
    before = [entry[1].item() for entry in subject]
    begin(subject, first, 5 * one, -one)
    accepted, _ = judge(subject, first, 9 * one, one, one)
    assert not accepted.any()
    assert [entry[1].item() for entry in subject] == before
    assert 0 < subject.t[0] < 1
