"""Closed forms in balls hold the 50-digit values of two other programs, and are narrow."""

import json
from pathlib import Path
from typing import Any

import mpmath as mp
import numpy as np
import pytest
from flint import arb

import exact
from dmf.proof.balls import in_balls, lower, upper
from dmf.proof.levels import larger_root, levels, thresholds

ORACLE: dict[str, Any] = json.loads((Path(__file__).parents[1] / "theory" / "oracle.json").read_text())


def holds(ball: arb, value: Any, width: float = 1e-12) -> bool:
    """Whether a ball holds a number, and is no wider than that share of it."""
    low, high = mp.mpf(lower(ball)), mp.mpf(upper(ball))
    return bool(low <= value <= high and high - low <= width * abs(value) + mp.mpf(10) ** -300)


@pytest.mark.parametrize("entry", ORACLE["scalar"], ids=lambda one: f"L{one['depth']} {one['lam']} {one['m']}")
@in_balls
def test_thresholds_and_roots_agree_with_the_oracle(entry: dict[str, Any]) -> None:
    """The oracle's numbers are decimal: lambda and m are balls around them."""
    depth, lam, m = entry["depth"], arb(entry["lam"]), abs(arb(entry["m"]))
    jump, turn = thresholds(depth, lam)
    with mp.workdps(50):
        assert holds(jump, mp.mpf(entry["m_star"]))
        assert holds(turn, mp.mpf(entry["m_loc"]))
        if m > jump:
            # Fifty digits were computed, fewer are written.
            ball = larger_root(m, depth, lam) + arb(0, 1e-25)
            assert holds(ball, abs(mp.mpf(entry["x_star"])))


@pytest.mark.parametrize("depth", [2, 3, 4, 6, 20, 60])
@pytest.mark.parametrize("lam", [1e-30, 1e-8, 0.3, 1e20])
def test_levels_hold_the_values_of_fifty_digits(depth: int, lam: float) -> None:
    unit = float(exact.branch_threshold(depth, lam))
    sigma = [40 * unit, 3 * unit, 1.1 * unit, 0.2 * unit]
    with mp.workdps(60):
        found = levels(np.diag(sigma), depth, lam)
        true = exact.critical_levels([mp.mpf(m) for m in sigma], depth, lam)
        assert len(true) == len(found.values) == 4
        assert all(holds(ball, value) for ball, value in zip(found.values, true, strict=True))
        assert found.kept == sum(mp.mpf(m) > exact.collapse_threshold(depth, lam) for m in sigma)
        assert holds(found.minimum, exact.minimum_value([mp.mpf(m) for m in sigma], depth, lam))
    assert not found.degenerate
    assert not found.exceptional


@pytest.mark.parametrize("depth", [3, 4, 6])
def test_a_ball_near_the_end_of_a_branch_still_holds_its_root(depth: int) -> None:
    with mp.workdps(60):
        turn = exact.branch_threshold(depth, 0.3)
        for away in (1e-3, 1e-8, 1e-13):
            m = float(turn * (1 + mp.mpf(away)))
            found = levels(np.array([[m]]), depth, 0.3)
            root = exact.large_root(mp.mpf(m), depth, 0.3)
            assert mp.mpf(lower(found.roots[0])) <= root <= mp.mpf(upper(found.roots[0]))


@in_balls
def test_the_root_of_a_ball_holds_the_roots_of_its_ends() -> None:
    ball = arb(2, 1e-3)
    root = larger_root(ball, 3, arb(0.3))
    for end in (ball.lower(), ball.upper()):
        assert root.contains(larger_root(end.mid(), 3, arb(0.3)).mid())
    assert 1e-3 < upper(root) - lower(root) < 4e-2


def test_targets_that_no_number_can_tell_from_a_threshold_are_named() -> None:
    jump, turn = float(exact.collapse_threshold(3, 0.5)), float(exact.branch_threshold(3, 0.5))
    rotation = np.linalg.qr(np.random.default_rng(0).standard_normal((2, 2)))[0]
    at_jump = levels(rotation * np.array([3 * jump, jump]), 3, 0.5)
    assert (at_jump.exceptional, at_jump.degenerate) == (True, False)
    at_turn = levels(rotation * np.array([3 * jump, turn]), 3, 0.5)
    assert (at_turn.exceptional, at_turn.degenerate) == (False, True)
    assert levels(np.diag([2.0, 0.5]), 2, 0.5).degenerate
    near = levels(np.diag([3 * jump, jump * (1 + 1e-12)]), 3, 0.5)
    assert not near.exceptional
    assert near.kept == 2


def test_a_target_of_zeros_has_one_level() -> None:
    found = levels(np.zeros((2, 3)), 3, 0.5)
    assert (found.kept, len(found.values)) == (0, 1)
    assert upper(found.minimum) <= 1e-100
