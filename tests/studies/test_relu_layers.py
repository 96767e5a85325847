"""Three ReLU layers: what the experiment reports of its ends, and two layers against their certificate."""

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr

from dmf.studies import relu_layers
from dmf.studies._models import smooth_relu

Halves = tuple[xr.Dataset, xr.Dataset]


def test_fits_and_norms_agree_where_the_best_value_is_reached_and_parameters_do_not(
    study: Callable[[str], Halves],
) -> None:
    honest, _ = study("relu_layers")
    apart = 0.0
    for place in range(honest.sizes["cell"]):
        cell = honest.isel(cell=place)
        reached = cell["reached"].values == 1
        excess = cell["value"].values - float(cell["best"])
        assert excess.min() == 0
        np.testing.assert_array_equal(reached, excess <= relu_layers.CLOSE * float(cell["energy"]))
        # A point where the value is flat to first order: gaps of fits are of the root of the excess.
        assert cell["fit_gap"].values[reached].max() < 3 * np.sqrt(relu_layers.CLOSE * float(cell["energy"]))
        assert cell["norm_spread"].values[reached].max() < 0.05
        apart = max(apart, cell["apart"].values[reached].max())
    assert apart > 0.5
    assert (honest["reached"] == 1).mean() < 0.8  # most draws have spurious ends


def test_without_a_certificate_two_layers_have_no_best_value(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    network = smooth_relu(rng)
    monkeypatch.setattr(relu_layers, "dual_excess", lambda *_: 1.0)
    monkeypatch.setattr(relu_layers, "STEPS", 50)
    found = relu_layers._cell(network, rng)
    assert found["best"] == np.inf


def test_two_layers_reach_their_certified_minimum_and_nothing_is_below_it(study: Callable[[str], Halves]) -> None:
    _, control = study("relu_layers")
    cell = control.isel(cell=0)
    assert np.isfinite(float(cell["best"]))
    assert float(cell["value"].min()) > float(cell["best"]) - 1e-11
    assert (cell["reached"].values == 1).mean() > 0.5
