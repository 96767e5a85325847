"""The study's pairs and factorizations are what their kinds say, and its numbers are those of the inequalities."""

import mpmath as mp
import numpy as np
import pytest

from dmf.studies import Settings, inequalities, load_study

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def made():
    return load_study("inequalities").make(Settings(seed=3, gradient_norm=1e-10))


def of_kind(made, kind):
    return made.isel(cell=(made["kind"] == kind).values)


def test_the_same_seed_makes_the_same_cases_and_another_seed_others(made):
    again, other = (load_study("inequalities").make(Settings(seed=seed, gradient_norm=1e-3)) for seed in (3, 4))
    assert made.identical(again)
    assert not np.array_equal(made["gap"], other["gap"])


def test_every_case_is_certified_but_those_that_cannot_multiply_to_their_matrix(made):
    np.testing.assert_array_equal((made["certified"] == 0).all("start"), made["kind"] == "too narrow")
    np.testing.assert_array_equal((made["certified"] == 1).all("start"), made["kind"] != "too narrow")


def test_gaps_grow_with_the_square_of_the_distance_from_equality(made):
    for kind in ("tilted on one side", "tilted on both sides", "one layer scaled", "sheared", "unequal powers"):
        cells = of_kind(made, kind)
        amount, gap = np.log(cells["amount"].values.ravel()), np.log(cells["gap"].values.ravel())
        slope = np.polyfit(amount, gap - np.log(cells["larger"].values.ravel()), 1)[0]
        assert slope == pytest.approx(2, abs=0.1), kind


def test_the_lower_bound_on_the_gap_is_attained_for_two_by_two_pairs_turned_together(made):
    cells = of_kind(made, "tilted on both sides")
    cells = cells.isel(cell=(cells["shape"] == "2 x 2").values)
    np.testing.assert_allclose(cells["gap"], cells["least_gap"], rtol=1e-5)


def test_the_gap_of_a_pair_is_that_of_50_digits():
    """One hand-made pair with a known sum, through the same code: A = diag(3, 1), B = diag(2, 1) turned by 0.3."""
    with mp.workdps(50):
        turn = mp.matrix([[mp.cos(0.3), -mp.sin(0.3)], [mp.sin(0.3), mp.cos(0.3)]])
        b = turn * mp.diag([2, 1]) * turn.T
        exact = 7 - (3 * b[0, 0] + b[1, 1])
    half = 0.5 * (3 - 1) * (2 - 1) * 2 * np.sin(0.3) ** 2  # both sides turn, only the first space does
    assert float(exact) == pytest.approx(half, rel=1e-14)
    c, s = np.cos(0.3), np.sin(0.3)
    overlap = np.broadcast_to(np.array([[c, -s], [s, c]]), (inequalities.DRAWS, 2, 2))
    of_a, of_b = (np.broadcast_to(np.array(v), (inequalities.DRAWS, 2)) for v in ([3.0, 1.0], [2.0, 1.0]))
    least = inequalities._least_gap(overlap, overlap, of_a, of_b)
    np.testing.assert_allclose(least, half, rtol=1e-13)


def test_balanced_layers_are_balanced_and_moved_ones_multiply_to_the_same_matrix():
    rng = np.random.default_rng(1)
    below, above = rng.standard_normal((2, inequalities.DRAWS, 3, 3))
    moved_below, moved_above = inequalities._sheared(below, above, np.full(inequalities.DRAWS, 0.3), rng)
    np.testing.assert_allclose(moved_above @ moved_below, above @ below, atol=1e-12)
    assert np.linalg.norm(moved_below - below, axis=(1, 2)).min() > 1e-2


def test_tilts_are_rotations_by_their_angle():
    angle = np.linspace(0, 1, inequalities.DRAWS)
    turns = inequalities._rotation(4, angle, RNG)
    np.testing.assert_allclose(turns @ turns.mT, np.broadcast_to(np.eye(4), turns.shape), atol=1e-15)
    np.testing.assert_allclose(np.trace(turns, axis1=1, axis2=2), 2 + 2 * np.cos(angle), atol=1e-14)
