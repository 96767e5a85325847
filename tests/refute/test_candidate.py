"""Candidates are cells that theory and training accept, and lie where they say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dmf import theory
from dmf.refute.candidate import RANGES, SPREAD, Candidate, Shape, mutated, random_candidate, random_shape

ALWAYS_SAME = settings(deadline=None, derandomize=True, max_examples=200)


def any_candidate(seed: int, changes: int) -> Candidate:
    rng = np.random.default_rng(seed)
    candidate = random_candidate(random_shape(rng), rng)
    for _ in range(changes):
        candidate = mutated(candidate, rng)
    return candidate


@ALWAYS_SAME
@given(seed=st.integers(0, 10**9), changes=st.integers(0, 4))
def test_every_candidate_is_a_cell_that_theory_accepts(seed: int, changes: int) -> None:
    candidate = any_candidate(seed, changes)
    group = candidate.shape.group
    assert group.depth == candidate.shape.depth
    target = candidate.target("x", seed).values
    theory.hessian_spectrum(target, group.widths, candidate.lam)  # refuses what does not fit
    values = candidate.singular_values
    measured = np.linalg.svd(target, compute_uv=False)
    np.testing.assert_allclose(measured[: values.size], values, rtol=1e-12)
    assert (measured[values.size :] < 1e-14 * measured[0]).all()
    assert RANGES["scale"][0] <= candidate.scale <= RANGES["scale"][1]
    assert RANGES["nearness"][0] <= candidate.nearness <= RANGES["nearness"][1]
    assert values[-1] >= values[0] * 10**-SPREAD * (1 - 1e-12)


@ALWAYS_SAME
@given(seed=st.integers(0, 10**9), changes=st.integers(0, 2))
def test_lambda_is_as_near_to_its_threshold_as_it_says(seed: int, changes: int) -> None:
    candidate = any_candidate(seed, changes)
    threshold = theory.branch_lambda if candidate.branch else theory.critical_lambda
    edge = float(threshold(candidate.singular_values[candidate.rival], candidate.shape.depth))
    assert candidate.lam / edge - 1 == pytest.approx(candidate.side * 10**candidate.nearness, rel=1e-6, abs=1e-15)


def test_a_child_keeps_the_shape_and_changes_the_rest() -> None:
    rng = np.random.default_rng(0)
    parent = random_candidate(Shape(3, 2, (0, 1, 2)), rng)
    children = [mutated(parent, rng) for _ in range(100)]
    assert {child.shape for child in children} == {parent.shape}
    assert parent.shape.group.widths == (2, 3, 3, 4)
    steps = np.abs([child.nearness - parent.nearness for child in children])
    assert steps.min() < 1e-2 < 1 < steps.max()
    assert {child.side for child in children} == {-1, 1}
    assert len({child.falls for child in children}) > 90


def test_a_target_depends_on_its_name_and_the_seed_alone() -> None:
    candidate = any_candidate(3, 0)
    again, other, renamed = candidate.target("x", 1), candidate.target("x", 2), candidate.target("y", 1)
    np.testing.assert_array_equal(candidate.target("x", 1).values, again.values)
    assert len({again.fingerprint, other.fingerprint, renamed.fingerprint}) == 3
    assert not np.array_equal(again.values, other.values)
