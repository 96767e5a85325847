"""The controls are cells where the paper's statements are false, and training shows it."""

import numpy as np
import pytest
import xarray as xr

from dmf.evidence.controls import (
    CRITICAL,
    DEGENERATE,
    EXCEPTIONAL,
    EXCEPTIONAL_SCALAR,
    ORDINARY,
    STOPPED,
    UNBALANCED,
    control_cells,
    declared,
    where,
)

# Depth 3, lambda 1/2: x_J = lambda^(3/4), m* = 2 x_J
M_STAR = 2 * 0.5**0.75


def test_every_control_target_is_one_cell(controls: xr.Dataset) -> None:
    names = [EXCEPTIONAL, EXCEPTIONAL_SCALAR, DEGENERATE, ORDINARY, STOPPED, UNBALANCED]
    assert controls["target"].values.tolist() == names
    assert controls.sizes["start"] == 48
    for name in names:
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


def test_at_a_degenerate_lambda_runs_end_at_the_inflection_which_is_no_level(controls: xr.Dataset) -> None:
    cell = control_cells(controls, DEGENERATE).isel(cell=0)
    assert float(cell["degenerate_distance"]) == 0.0
    assert float(cell["gradient_separation"]) == 0.0
    assert (cell["certified"].values == 1).all()
    stray = cell["kept"].values == -1
    assert stray.sum() >= 5
    inflection = (0.5 / 3) ** 0.75  # depth 3, lambda 1/2: (lambda (L - 2) / L)^(L / (2 (L - 1)))
    away = np.abs(cell["end_to_end_norm"].values[stray] - inflection)
    # the gradient there is quadratic in the distance: 1e-10 of it leaves 1e-5
    assert away.max() < 1e-5
    assert np.abs(cell["level_gap"].values[stray]).min() > 1e-2


def test_runs_stopped_early_are_far_from_critical_and_unbalanced(controls: xr.Dataset) -> None:
    cell = control_cells(controls, STOPPED).isel(cell=0)
    assert not cell["certified"].values.any()
    assert np.isfinite(cell["objective"].values).all()
    assert cell["gradient_norm"].values.min() > 0.1
    assert cell["imbalance"].values.min() > 1e-2


def test_unbalanced_runs_have_the_product_of_the_ordinary_ones_and_more_regularization(controls: xr.Dataset) -> None:
    before, after = (control_cells(controls, name).isel(cell=0) for name in (ORDINARY, UNBALANCED))
    at_zero = before["kept"].values == 0
    for name in ("distance", "schatten", "end_to_end_norm"):
        np.testing.assert_array_equal(after[name].values, before[name].values)
    # by lambda (4 + 1/4 - 2) ||W||_F^2, all layers having one norm
    growth = 2.25 * before["lam"].values * before["layer_norm_sq_max"].values
    np.testing.assert_allclose((after["objective"] - before["objective"]).values, growth, rtol=1e-9, atol=1e-12)
    assert not after["certified"].values[~at_zero].any()


def test_declaring_runs_critical_changes_nothing_that_was_measured(controls: xr.Dataset) -> None:
    cells = control_cells(controls, STOPPED)
    critical = declared(where(target=STOPPED), **CRITICAL)(controls)
    assert (critical["certified"] == 1).all()
    np.testing.assert_array_equal(critical["gradient_norm"].values, float(cells["gradient_tolerance"][0]))
    same = [name for name in cells.data_vars if name not in ("certified", "gradient_norm")]
    assert critical[same].equals(cells[same])
