"""Recovery problems are what they are called: ranks, orthonormal rows, entries, and degrees of freedom."""

import numpy as np
import pytest

from dmf.recovery.problems import COMPLETION, SENSING, degrees_of_freedom, draw, stack


@pytest.mark.parametrize("kind", [SENSING, COMPLETION])
@pytest.mark.parametrize(("shape", "rank", "count"), [((4, 6), 2, 9), ((5, 5), 5, 25), ((3, 1), 1, 1)])
def test_a_truth_has_its_rank_and_norm_and_rows_are_orthonormal(kind, shape, rank, count):
    truth, operator = draw(kind, shape, rank, count, np.random.default_rng(1))
    values = np.linalg.svd(truth, compute_uv=False)
    assert values[0] == pytest.approx(1)
    assert np.count_nonzero(values > 1e-12) == rank
    np.testing.assert_allclose(operator @ operator.T, np.eye(count), atol=1e-14)


def test_completion_sees_single_entries_row_by_row():
    truth, operator = draw(COMPLETION, (4, 6), 2, 10, np.random.default_rng(1))
    assert ((operator == 0) | (operator == 1)).all()
    assert (operator.sum(1) == 1).all()
    place = operator.argmax(1)
    np.testing.assert_array_equal(operator @ truth.ravel(), truth[place // 6, place % 6])


def test_short_operators_are_filled_up_with_rows_that_measure_nothing():
    rng = np.random.default_rng(2)
    drawn = [draw(SENSING, (3, 4), 1, count, rng) for count in (5, 8)]
    problem = stack(drawn)
    assert problem.operators.shape == (2, 8, 12)
    assert (problem.operators[0, 5:] == 0).all()
    for (truth, operator), found in zip(drawn, problem.measurements, strict=True):
        np.testing.assert_allclose(found[: len(operator)], operator @ truth.ravel(), rtol=1e-13)
        assert (found[len(operator) :] == 0).all()


@pytest.mark.parametrize(("shape", "rank"), [((8, 8), 1), ((8, 8), 3), ((4, 7), 2), ((3, 5), 3)])
def test_degrees_of_freedom_are_the_rank_of_the_map_from_factors_to_matrices(shape, rank):
    rng = np.random.default_rng(3)
    left, right = rng.standard_normal((shape[0], rank)), rng.standard_normal((rank, shape[1]))
    columns = [np.outer(e, right[k]).ravel() for k in range(rank) for e in np.eye(shape[0])]
    columns += [np.outer(left[:, k], e).ravel() for k in range(rank) for e in np.eye(shape[1])]
    assert np.linalg.matrix_rank(np.array(columns)) == degrees_of_freedom(shape, rank)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((SENSING, (3, 4), 4, 5), "rank 4, measurements 5: expected at most 3 and 12"),
        ((SENSING, (3, 4), 2, 13), "rank 2, measurements 13"),
        (("denoising", (3, 4), 2, 5), "kind 'denoising': expected sensing or completion"),
    ],
)
def test_impossible_problems_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        draw(*arguments, np.random.default_rng(0))
