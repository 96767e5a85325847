"""A block's runs are trained some at a time, which changes none of them."""

import numpy as np
import pytest
import xarray as xr

from dmf.dataset import train as module
from dmf.dataset.train import train_block
from dmf.grid import cost
from dmf.grid.cells import Group, Series
from dmf.grid.config import validate
from dmf.grid.targets import build_targets

SPANS = {Series("gaussian", 1.0): range(2, 9), Series("balanced", 0.5): range(3)}
CONFIG = {
    "grid": "small",
    "targets": [{"name": name, "kind": "gaussian", "shape": [2, 3]} for name in ("a", "b")],
    "depths": [3],
    "lambdas": {"relative": [0.5, 0.9]},
}


@pytest.mark.parametrize("layers", [False, True])
@pytest.mark.parametrize("together", [1, 3, 13, 40])
def test_runs_trained_some_at_a_time_are_the_same_bits(
    monkeypatch: pytest.MonkeyPatch, layers: bool, together: int
) -> None:
    grid = validate(CONFIG | {"keep": {"layers": layers}}, "small")
    noted: list[int] = []

    def block() -> xr.Dataset:
        noted.clear()
        targets = build_targets(grid, "small")
        return train_block(Group((3, 2, 2, 2)), targets, ["0.5c", "0.9c"], SPANS, grid, noted.append)

    whole = block()
    assert noted[-1:] == [40]
    monkeypatch.setattr(cost, "LEAST_PART", together)
    monkeypatch.setattr(cost, "PART", 1)
    calls: list[int] = []
    real = module.train
    monkeypatch.setattr(
        module, "train", lambda *given, **more: calls.append(len(given[0].lams)) or real(*given, **more)
    )
    xr.testing.assert_equal(block(), whole)
    assert calls == [together] * (40 // together) + [40 % together] * (40 % together > 0)
    assert noted == np.cumsum(calls).tolist(), "progress counts the runs of all parts"
