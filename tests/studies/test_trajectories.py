"""Trajectories are those of the certified runs beside them, and end on several levels."""

from collections.abc import Callable

import numpy as np
import xarray as xr

Halves = tuple[xr.Dataset, xr.Dataset]


def test_a_trajectory_ends_where_the_certified_run_ended(study: Callable[[str], Halves]) -> None:
    """The study trains twice, once whole and once in pieces, and the pieces are of the same bits."""
    evidence, _ = study("trajectories")
    last = evidence["iteration"].max("point")
    np.testing.assert_array_equal(last, evidence["iterations"])
    place = evidence["iteration"].argmax("point")
    assert float(abs(evidence["objective_above"].isel(point=place) - evidence["level_gap"]).max()) < 1e-14
    assert (evidence["iteration"].isel(point=0) == 0).all()


def test_every_level_of_a_cell_is_reached_and_all_but_zero_are_equally_sharp(study: Callable[[str], Halves]) -> None:
    evidence, controls = study("trajectories")
    square = evidence.isel(cell=(evidence["target"] == "square").values)
    assert len(np.unique(square["kept"])) >= 4
    assert (evidence["certified"] == 1).all()
    kept = evidence["kept"] > 0
    ratio = (evidence["end_sharpness"] / evidence["sharpness_at_minimum"]).where(kept)
    np.testing.assert_allclose(ratio.values[kept.values], 1, rtol=1e-7)
    zero = evidence["end_sharpness"].where(evidence["kept"] == 0) / evidence["lam"]
    np.testing.assert_allclose(zero.values[np.isfinite(zero.values)], 2, rtol=1e-6)
    assert len(np.unique(controls["kept"])) > 1


def test_gradient_descent_never_goes_up(study: Callable[[str], Halves]) -> None:
    evidence, _ = study("trajectories")
    descent = evidence.isel(cell=(evidence["optimizer"] == "gd").values)
    assert descent.sizes["cell"] == 1
    steps = descent["objective_above"].diff("point").values
    assert steps[np.isfinite(steps)].max() < 1e-13
