"""Brackets against brute force over the objective of the largest singular value; the parts the search is made of."""

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr

from dmf import theory
from dmf.studies import Settings, load_study
from dmf.studies._brackets import WIDTH, truncated

Halves = tuple[xr.Dataset, xr.Dataset]


def lead_of_zero(sigma: float, depth: int, lam: float) -> float:
    """min over x > 0 of g(x) - g(0), by brute force; without g(0), which would hide it in rounding."""
    x = np.geomspace(1e-9, 1, 400_001) * sigma
    return float((x * (x - 2 * sigma) + lam * depth * x ** (2 / depth)).min())


def lowest_slope(sigma: float, depth: int, lam: float) -> float:
    """min over x > 0 of g'(x) / 2: negative where a nonzero local minimum exists."""
    x = np.geomspace(1e-9, 1, 2_000_001) * sigma
    return float((x - sigma + lam * x ** (2 / depth - 1)).min())


def test_brute_force_changes_its_answer_within_every_bracket(study: Callable[[str], Halves]) -> None:
    honest, _ = study("thresholds")
    for cell in range(honest.sizes["cell"]):
        case = honest.isel(cell=cell)
        sigma, depth = float(case["sigma_1"]), int(case["depth"])
        below, above = (lead_of_zero(sigma, depth, float(lam)) for lam in case["global"])
        assert below < 0 < above
        below, above = (lowest_slope(sigma, depth, float(lam)) for lam in case["branch"])
        assert below < 0 < above


@pytest.mark.parametrize("seed", [14, 29])
def test_an_upper_end_counts_what_the_round_that_asked_there_can_miss(seed: int) -> None:
    """With a tenth of the final width, an eighth of that round's, these seeds had a branch beyond its bracket."""
    evidence = load_study("thresholds").make(Settings(seed=seed, gradient_norm=1e-10))
    branch, known = evidence["branch"], evidence["lambda_s"]
    inside = (branch.isel(start=0) < known) & (known < branch.isel(start=1))
    assert inside[evidence["control"] == 0].all()


def test_brackets_are_narrower_than_a_millionth(study: Callable[[str], Halves]) -> None:
    honest, _ = study("thresholds")
    for name in ("global", "branch"):
        low, high = honest[name].isel(start=0), honest[name].isel(start=1)
        assert (high > low).all()
        assert ((high - low) / low < 1e-6).all()
    assert WIDTH < 1e-6
    assert (honest["branch"].isel(start=0) >= honest["global"].isel(start=0) * (1 - 1e-6)).all()


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_a_truncated_minimizer_keeps_the_leading_singular_values_and_stays_critical(rank: int) -> None:
    rng = np.random.default_rng(0)
    sigma = [2.0, 2.0, 1.5]  # two equal ones: the layers' own singular bases would not fit together
    left, _, right = np.linalg.svd(rng.standard_normal((3, 4)), full_matrices=False)
    target, lam, widths = (left * sigma) @ right, 0.05, [4, 3, 5, 3]
    layers = [layer[None] for layer in theory.sample_minimizer(target, widths, lam, rng)]
    cut = [layer[0] for layer in truncated(layers, rank)]
    found = np.linalg.svd(theory.end_to_end(cut), compute_uv=False)
    expected = np.linalg.svd(theory.end_to_end([layer[0] for layer in layers]), compute_uv=False)
    np.testing.assert_allclose(found[:rank], expected[:rank], rtol=1e-12)
    assert (found[rank:] < 1e-12).all()
    residual = theory.end_to_end(cut) - target
    first, second, third = cut
    chains = [(third @ second, np.eye(4)), (third, first), (np.eye(3), second @ first)]
    for layer, (above, below) in zip(cut, chains, strict=True):
        np.testing.assert_allclose(2 * above.T @ residual @ below.T + 2 * lam * layer, 0, atol=1e-12)


def test_small_starts_alone_stop_far_below(study: Callable[[str], Halves]) -> None:
    _, false = study("thresholds")
    assert (false["global"] / false["lambda_c"] < 0.9).all()
    assert (false["certified"] == 1).all()
