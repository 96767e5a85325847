"""Networks on data against the sums written out, brute force over lambda, and scans of one weight."""

from itertools import pairwise

import numpy as np
import pytest

from dmf import theory

RNG = np.random.default_rng(5)
DATA = {
    "full rank": (RNG.standard_normal((4, 30)), RNG.standard_normal((3, 30))),
    "few samples": (RNG.standard_normal((5, 3)), RNG.standard_normal((4, 3))),
    "rank 2": (RNG.standard_normal((4, 2)) @ RNG.standard_normal((2, 9)), RNG.standard_normal((2, 9))),
}


def loss(layers: list[np.ndarray], x: np.ndarray, y: np.ndarray, lam: float) -> float:
    misfit = y - theory.end_to_end(layers) @ x
    return float(np.sum(misfit**2) + lam * sum(np.sum(layer**2) for layer in layers))


def layers_for(x: np.ndarray, y: np.ndarray, depth: int = 3) -> list[np.ndarray]:
    widths = [len(x), *[5] * (depth - 1), len(y)]
    return [RNG.standard_normal((m, n)) for n, m in pairwise(widths)]


@pytest.mark.parametrize("name", DATA)
def test_reduced_data_have_the_same_objective_but_for_the_constant(name: str) -> None:
    x, y = DATA[name]
    target, factor, constant = theory.reduced(x, y)
    np.testing.assert_allclose(factor @ factor, x @ x.T, atol=1e-12)
    np.testing.assert_allclose(factor, factor.T, atol=1e-13)
    assert constant == pytest.approx(np.sum(y**2) - np.sum(target**2), rel=1e-10, abs=1e-10)
    for _ in range(3):
        layers = layers_for(x, y)
        assert loss(layers, factor, target, 0.3) + constant == pytest.approx(loss(layers, x, y, 0.3), rel=1e-12)


@pytest.mark.parametrize("scale", [1.0, 30.0, 1e-4])
@pytest.mark.parametrize("depth", [2, 3, 5])
def test_white_inputs_make_a_factorization_whose_layers_are_scaled(scale: float, depth: int) -> None:
    x, y = DATA["full rank"]
    white = np.sqrt(scale) * theory.whitened(x, 4)
    found = theory.as_factorization(white, y, depth, 0.3)
    assert found.scale == pytest.approx(scale, rel=1e-12)
    constant = np.sum(y**2) - np.sum(found.target**2)
    for _ in range(3):
        layers = layers_for(white, y, depth)
        grown = [scale ** (1 / (2 * depth)) * layer for layer in layers]
        value = theory.objective(grown, found.target, found.lam) + constant
        assert value == pytest.approx(loss(layers, white, y, 0.3), rel=1e-11)


def test_whitened_inputs_are_white_and_leading_components() -> None:
    x, _ = DATA["full rank"]
    white = theory.whitened(x, 3)
    np.testing.assert_allclose(white @ white.T, np.eye(3), atol=1e-14)
    assert np.linalg.norm(x - (x @ white.T) @ white) == pytest.approx(np.linalg.svd(x)[1][3], rel=1e-10)


def test_inputs_that_are_not_white_are_refused_by_how_much() -> None:
    x, y = DATA["full rank"]
    white = theory.whitened(x, 4)
    with pytest.raises(ValueError, match=r"is 1\.0e-06 from the identity, expected white inputs"):
        theory.as_factorization(white * np.sqrt([1 + 1e-6, 1, 1 - 1e-6, 1])[:, None], y, 3, 0.1)
    with pytest.raises(ValueError, match="expected white inputs"):
        theory.as_factorization(DATA["few samples"][0], DATA["few samples"][1], 3, 0.1)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (np.ones((2, 5)), np.ones((3, 4)), "outputs has 4 columns: expected 5, those of inputs"),
        (np.zeros((2, 5)), np.ones((3, 5)), "inputs: expected rank 1 or more, got all zeros"),
        (np.ones((2, 4)), np.array([[1.0, -1, 1, -1]]), "outputs: expected some correlation with inputs"),
        (np.full((2, 4), np.nan), np.ones((1, 4)), r"inputs\[0, 0\] = nan: expected a finite number"),
        (np.ones((2, 4)), np.array([[1.0, 1, np.inf, 1]]), r"outputs\[0, 2\] = inf"),
        (np.ones(4), np.ones((1, 4)), r"inputs: expected 2 dimension\(s\), got 1"),
        (np.empty((0, 4)), np.ones((1, 4)), "inputs: expected at least one row"),
        ([["a", "b"]], np.ones((1, 2)), "inputs: expected real numbers"),
    ],
)
def test_bad_data_are_refused_in_one_line(x: np.ndarray, y: np.ndarray, message: str) -> None:
    for function in (theory.reduced, lambda x, y: theory.as_factorization(x, y, 3, 0.1)):
        with pytest.raises(ValueError, match=message) as refusal:
            function(x, y)
        assert "\n" not in str(refusal.value)


def test_no_more_components_are_kept_than_there_are() -> None:
    with pytest.raises(ValueError, match="kept = 3: expected at most 2, the rank of inputs"):
        theory.whitened(DATA["rank 2"][0], 3)


SIGMA = np.array([3.0, 1.7, 1.7, 0.4, 0.0])


@pytest.mark.parametrize("depth", [2, 3, 4, 7])
@pytest.mark.parametrize("rank", [0, 1, 3, 4])
def test_the_interval_of_lambda_holds_just_the_minimizers_that_keep_the_rank(depth: int, rank: int) -> None:
    """Against the minimum over x of each singular value's own objective, on a fine grid."""
    low, high = theory.lambda_to_keep(SIGMA, depth, rank)
    top = min(high, 3 * low) if rank == 0 else high
    for lam, inside in [(low * 0.999, False), (low * 1.001, True), (top * 0.999, True), (high * 1.001, False)]:
        if not 0 < lam < np.inf:
            continue
        x = np.linspace(0, 3, 300_001)
        kept = [(theory.scalar_objective(x, m, depth, lam)).argmin() > 0 for m in SIGMA]
        assert (sum(kept) == rank) == inside, (lam, kept)
        assert theory.kept_at_minimum(np.diag(SIGMA), depth, lam) == sum(kept)


@pytest.mark.parametrize("depth", [2, 3, 4, 7])
def test_the_level_of_a_rank_exists_up_to_its_own_lambda(depth: int) -> None:
    for rank in (1, 3, 4):
        end = theory.lambda_where_kept(SIGMA, depth, rank)
        assert theory.max_kept(np.diag(SIGMA), depth, end * (1 - 1e-9)) >= rank
        assert theory.max_kept(np.diag(SIGMA), depth, end * (1 + 1e-9)) < rank
    assert theory.lambda_where_kept(SIGMA, depth, 0) == np.inf


@pytest.mark.parametrize(
    ("rank", "message"),
    [
        (2, r"rank = 2: singular values 2 and 3 are equal \(1.7\)"),
        (5, "rank = 5: expected at most 4, the rank of the target"),
        (-1, "rank = -1: expected an integer >= 0"),
        (1.0, "rank = 1.0: expected an integer >= 0"),
    ],
)
def test_a_rank_that_no_lambda_keeps_is_refused(rank: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        theory.lambda_to_keep(SIGMA, 3, rank)


def test_singular_values_that_only_rounding_tells_apart_are_equal() -> None:
    with pytest.raises(ValueError, match="singular values 1 and 2 are equal"):
        theory.lambda_to_keep([1 + 4e-16, 1.0], 3, 1)
    low, high = theory.lambda_to_keep([1 + 1e-12, 1.0], 3, 1)
    assert low < high
