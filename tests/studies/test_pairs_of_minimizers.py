"""Lines between minimizers have the barrier of their angle; both components of the orbit are reached."""

from collections.abc import Callable

import numpy as np
import xarray as xr

from dmf.claims.minimizers import ORBIT
from dmf.evidence.judge import find
from dmf.grid.config import Certificate

Halves = tuple[xr.Dataset, xr.Dataset]


def test_rotations_have_the_barrier_of_their_angle(study: Callable[[str], Halves]) -> None:
    """For a rotation by phi both layers shrink alike midway: the barrier is sin^4(phi / 2) ||X*||_F^2."""
    cell = study("orbit")[0].isel(cell=0)
    assert set(cell["orientation"].values) == {1.0, -1.0}
    turn = (np.roll(cell["angle"].values, -1) - cell["angle"].values)[(cell["shared"] == 1).values]
    turn = turn[np.isfinite(turn)]
    barrier = cell["line"].isel(t=20).values[(cell["shared"] == 1).values]
    np.testing.assert_allclose(barrier, np.sin(turn / 2) ** 4 * float(cell["predicted_norm"]) ** 2, atol=1e-7)


def test_a_barrier_lost_a_path_left_and_a_point_off_the_orbit_are_violations(study: Callable[[str], Halves]) -> None:
    honest, controls = study("orbit")
    assert find(ORBIT, honest, Certificate()).word == "confirmed"
    assert find(ORBIT, ORBIT.arms[0].far(controls), Certificate()).word == "violated"
    for name, change in {"line": 0.0, "path": 1e-5, "orbit_gap": 1e-6}.items():
        false = honest.copy(deep=True)
        false[name].values[1, 0] = change
        assert find(ORBIT, false, Certificate()).word == "violated", name
