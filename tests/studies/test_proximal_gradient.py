"""Walks of proximal gradient steps: what they were to do, and their end recomputed in another way."""

import itertools
from collections.abc import Callable

import numpy as np
import xarray as xr

from dmf.studies import proximal_gradient
from dmf.studies._measurements import SENSING, Point, lipschitz
from dmf.theory import Power

Halves = tuple[xr.Dataset, xr.Dataset]


def test_walks_come_to_rest_and_have_gone_down(study: Callable[[str], Halves]) -> None:
    honest, _ = study("proximal_gradient")
    assert set(honest["penalty"].values) == {f"power 2/{depth}" for depth in (2, 3, 4, 5)} | set(
        proximal_gradient.OTHERS
    )
    assert float(honest["certified"].mean()) > 0.95
    falls = honest["trace"].diff("after").values
    assert np.nanmax(falls) <= 1e-14
    assert (honest["objective"] <= honest["trace"].min("after") + 1e-14).all()
    # from different starts the convex problem ends at one value, and some other penalty does not
    spread = (honest["objective"].max("start") - honest["objective"].min("start")) / honest["objective"].min("start")
    convex = (honest["penalty"] == "power 2/2").values
    assert float(spread[convex].max()) < 1e-8
    assert float(spread[~convex].max()) > 1e-3


def test_departures_scale_with_the_last_step(study: Callable[[str], Halves]) -> None:
    """A departure far below what the step allows everywhere would mean that the check sees nothing."""
    honest, control = study("proximal_gradient")
    rest = (honest["stationarity"] / (honest["per_step"] * honest["step"])).where(honest["certified"] == 1)
    assert float(rest.max()) <= 1
    assert float(rest.max()) > 0.3
    stopped = control.isel(cell=(control["run"] == "stopped early").values)
    assert float(stopped["stationarity"].min()) > 1e3 * float(
        honest["stationarity"].where(honest["certified"] == 1).max()
    )
    layered = np.isfinite(honest["layered"]).all("start").values
    np.testing.assert_array_equal(layered, [str(name).startswith("power") for name in honest["penalty"].values])


def test_long_steps_rise(study: Callable[[str], Halves]) -> None:
    _, control = study("proximal_gradient")
    long = control.isel(cell=(control["run"] == "too long steps").values)
    assert (long["mu"] < 0.5).all()
    assert (long["trace"].diff("after").max("after") > 1e-4).all()
    assert float((long["trace"].isel(after=-1) > 1e3 * long["trace"].isel(after=0)).mean()) > 0.5


def test_the_rounding_of_a_step_is_that_of_the_points_at_its_ends() -> None:
    """Not of an earlier point: the second of two steps either decides, with its own two ends, or the first does."""
    operators, measurements, starts = proximal_gradient._problem(SENSING, 3)
    penalty, bound = Power.of_depth(3, 0.03), float(lipschitz(operators[:1])[0])

    def walk(most: int) -> proximal_gradient.Walk:
        return proximal_gradient._walk(operators, measurements, penalty, 1.05 * bound, bound, starts, most)

    points = [Point.at(starts), *(walk(most).point for most in (1, 2, 3))]
    sizes = [proximal_gradient._energy(measurements, bound, penalty, point) for point in points]
    pairs = np.stack([before + after for before, after in itertools.pairwise(sizes)])
    found = walk(3).energy
    assert np.isclose(pairs, found, rtol=1e-14).any(axis=0).all()
    assert not np.isclose(pairs[0], found, rtol=1e-3).all()
