"""Pairs of directions and radii are counted as one would count their targets one by one."""

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr

from dmf.studies.measure_zero import EXPONENTS, WINDOWS, near_pairs, slopes

Halves = tuple[xr.Dataset, xr.Dataset]


@pytest.mark.parametrize("shape", [(2, 2), (3, 3), (2, 4)])
def test_the_count_is_that_of_every_target_decomposed(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    directions = rng.standard_normal((300, *shape))
    directions /= np.linalg.norm(directions, axis=(1, 2), keepdims=True)
    radii = np.sort(np.sqrt(rng.chisquare(shape[0] * shape[1], 400)))
    m_star = 1.1
    targets = radii[None, :, None, None] * directions[:, None]
    distance = np.abs(np.linalg.svd(targets, compute_uv=False) - m_star).min(axis=-1)
    expected = [np.count_nonzero(distance <= 10.0**exponent * m_star) for exponent in EXPONENTS]
    assert expected[-1] > 1000
    assert expected[2] > 0
    np.testing.assert_array_equal(near_pairs(np.linalg.svd(directions, compute_uv=False), radii, m_star), expected)


def test_a_target_with_two_singular_values_near_counts_once() -> None:
    direction = np.array([[1.001, 1.0, 0.0]])
    assert near_pairs(direction, np.array([1.0]), 1.0).tolist() == [1, 1, 1, 1, 1]
    assert near_pairs(direction, np.array([0.5, 1.0, 1.0, 2.0]), 1.0).tolist() == [2, 2, 2, 2, 2]


@pytest.mark.parametrize("power", [0.0, 1.0, 2.0])
def test_slopes_are_the_exponents_of_a_power_law(power: float) -> None:
    counts = 1e12 * 10.0 ** (power * np.array(EXPONENTS))
    np.testing.assert_allclose(slopes(counts), np.full(len(WINDOWS), power), atol=1e-12)


def test_radius_times_direction_is_a_gaussian_matrix() -> None:
    from dmf.studies.measure_zero import _draw

    singular, radii = _draw((3, 2), seed=0, batch=0)
    sampled = np.sort(singular[:, 0] * np.random.default_rng(1).choice(radii, len(singular)))
    gaussian = np.random.default_rng(2).standard_normal((20_000, 3, 2))
    truth = np.sort(np.linalg.svd(gaussian, compute_uv=False)[:, 0])
    # Kolmogorov and Smirnov: the largest gap of two distributions, at a level of 1e-4
    at = np.searchsorted(truth, sampled, side="right") / len(truth)
    gap = np.abs(at - np.arange(1, len(sampled) + 1) / len(sampled)).max()
    assert gap < np.sqrt(-np.log(1e-4 / 2) / 2) * np.sqrt(1 / len(sampled) + 1 / len(truth))


def test_intervals_hold_the_share_that_a_direct_sample_shows(study: Callable[[str], Halves]) -> None:
    honest, false = study("measure_zero")
    cell = np.flatnonzero((honest["shape"].values == "3 x 3") & (honest["depth"].values == 4))[0]
    case = honest.isel(cell=int(cell), radius=-1)
    values = np.linalg.svd(np.random.default_rng(5).standard_normal((200_000, 3, 3)), compute_uv=False)
    m_star = float(case["m_star"])
    share = (np.abs(values - m_star).min(axis=1) <= float(case["eps"]) * m_star).mean()
    spread = np.sqrt(share / 200_000)
    assert float(case["probability_low"]) - 4 * spread < share < float(case["probability_high"]) + 4 * spread
    assert (false["probability"] == 1).all()
