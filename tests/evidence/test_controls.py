"""The controls are cells where the paper's statements are false, and training shows it."""

import numpy as np
import pytest
import xarray as xr

from dmf.evidence.controls import EXCEPTIONAL, EXCEPTIONAL_SCALAR, ORDINARY, control_cells

# Depth 3, lambda 1/2: x_J = lambda^(3/4), m* = 2 x_J
M_STAR = 2 * 0.5**0.75


def test_every_control_target_is_one_cell(controls: xr.Dataset) -> None:
    assert controls["target"].values.tolist() == [EXCEPTIONAL, EXCEPTIONAL_SCALAR, ORDINARY]
    assert controls.sizes["start"] == 48
    for name in (EXCEPTIONAL, EXCEPTIONAL_SCALAR, ORDINARY):
        assert control_cells(controls, name)["target"].values.tolist() == [name]


@pytest.mark.parametrize(("name", "kept"), [(EXCEPTIONAL, {1, 2}), (EXCEPTIONAL_SCALAR, {0, 1})])
def test_exceptional_targets_are_trained_to_both_minimizers(controls: xr.Dataset, name: str, kept: set[int]) -> None:
    cell = control_cells(controls, name).isel(cell=0)
    minimal = cell["minimal"].values == 1
    assert {int(k) for k in cell["kept"].values[minimal]} == kept
    assert float(cell["exceptional_distance"]) < 1e-14
    # both have the same objective, and X differs by x_J in one singular value
    objective = cell["objective"].values[minimal]
    assert np.ptp(objective) < 1e-12
    assert np.ptp(cell["end_to_end_norm"].values[minimal]) > 0.05
    assert cell["distance"].values[minimal].max() == pytest.approx(M_STAR / 2, rel=1e-6)


def test_the_ordinary_target_has_its_minimizers_and_spurious_zeros(controls: xr.Dataset) -> None:
    cell = control_cells(controls, ORDINARY).isel(cell=0)
    assert float(cell["relative"]) == pytest.approx(0.8, rel=1e-12)
    assert float(cell["sigma_1"]) == pytest.approx(3, rel=1e-14)
    at_zero = (cell["kept"].values == 0) & (cell["certified"].values == 1)
    minimal = cell["minimal"].values == 1
    assert at_zero.sum() >= 2
    assert minimal.sum() >= 2
    assert not (at_zero & minimal).any()
    assert cell["end_to_end_norm"].values[minimal].min() > 0.5


def test_the_seed_of_the_grid_changes_the_bases_only(controls: xr.Dataset) -> None:
    scalar = control_cells(controls, EXCEPTIONAL_SCALAR)
    assert float(scalar["sigma_1"].values[0]) == pytest.approx(M_STAR, rel=1e-15)
