"""Both minimizers at +-m* are reached in every cell, and are equal minima by brute force."""

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr

Halves = tuple[xr.Dataset, xr.Dataset]


def test_small_starts_end_at_zero_and_large_ones_at_the_jump(study: Callable[[str], Halves]) -> None:
    honest, _ = study("two_minimizers")
    small = honest.isel(start=honest["scale"].values < 1)
    large = honest.isel(start=honest["scale"].values > 1)
    assert small.sizes["start"] == large.sizes["start"] == 8
    assert (abs(small["end_to_end"]) < 1e-9 * abs(small["m"])).all()
    assert (np.sign(large["end_to_end"]) == honest["sign"]).all()
    assert (abs(large["end_to_end"]) > 0.4 * abs(large["m"])).all()
    assert set(honest["sign"].values) == {1, -1}


@pytest.mark.parametrize("depth", [3, 10])
def test_both_values_are_the_lowest_of_a_fine_axis(depth: int, study: Callable[[str], Halves]) -> None:
    honest, _ = study("two_minimizers")
    for cell in np.flatnonzero(honest["depth"].values == depth):
        case = honest.isel(cell=int(cell))
        m, lam = float(case["m"]), float(case["lam"])
        x = np.linspace(-1, 1, 200_001) * m
        lowest = ((m - x) ** 2 + lam * depth * np.abs(x) ** (2 / depth)).min()
        np.testing.assert_allclose(case["objective"], lowest, rtol=1e-9)
