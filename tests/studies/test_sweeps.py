"""Sweeps of weight decay: the rule by brute force, decoupled decay against torch's, and runs whose place is known."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
import xarray as xr

import dmf
from dmf.studies import sweeps
from dmf.studies._models import Network, adam

Halves = tuple[xr.Dataset, xr.Dataset]


def test_a_sweep_is_audited_by_the_rule_of_the_command_and_that_is_all_pairs(study: Callable[[str], Halves]) -> None:
    honest, _ = study("sweeps")
    called = 0
    for place in range(honest.sizes["cell"]):
        cell = honest.isel(cell=place)
        for draw in range(sweeps.SWEEPS):
            one = cell.isel(start=np.flatnonzero(cell["draw"].values == draw))
            lam, loss, norm = (one[name].values for name in ("lam", "loss", "norm_sq"))
            costs = loss[None, :] + lam[:, None] * norm[None, :]  # of the weights of j at the lambda of i
            expected = np.diag(costs) - costs.min(axis=1)
            np.testing.assert_allclose(one["excess"].values, expected, atol=1e-14)
            public = dmf.audit_sweep(lam, loss, norm)
            np.testing.assert_array_equal(public.not_global, one["called"].values == 1)
            called += int(public.not_global.sum())
    assert called > 10


def test_no_global_run_is_called_and_most_that_are_not_global_are(study: Callable[[str], Halves]) -> None:
    honest, _ = study("sweeps")
    known = np.isfinite(honest["true_excess"].values) & (honest["certified"].values == 1)
    minimal, called = honest["minimal"].values == 1, honest["called"].values == 1
    assert not (minimal & called).any()
    assert (known & ~minimal).sum() >= 10
    assert (known & ~minimal & called).sum() >= 0.5 * (known & ~minimal).sum()
    # What is known of values: nothing is below the minimum, and what is not at it is far above.
    above = honest["true_excess"].values[known & ~minimal]
    assert above.min() > 1e-6
    assert np.abs(honest["true_excess"].values[minimal]).max() < 1e-12


def test_the_least_value_is_below_what_any_of_many_starts_reaches() -> None:
    rng = np.random.default_rng(0)
    one = replace(sweeps.CELLS["three layers"](rng), lam=0.3)
    least = sweeps.least_value(one, np.zeros((0, one.parameters)))
    ends = sweeps.minimize(one, rng.standard_normal((30, one.parameters)), 1e-10)
    assert ends.values.min() == pytest.approx(least, abs=1e-12)
    relu = replace(sweeps.CELLS["relu, two layers"](rng), lam=0.4)
    assert np.isnan(sweeps.least_value(relu, rng.standard_normal((3, relu.parameters))))


@pytest.mark.parametrize("decoupled", [True, False])
def test_adam_is_that_of_torch(decoupled: bool) -> None:
    rng = np.random.default_rng(1)
    one = Network(np.eye(2), rng.standard_normal((2, 2)), (2, 2, 2), 0.1)
    start = rng.standard_normal((1, one.parameters))
    point = torch.tensor(start[0], requires_grad=True)
    kind = torch.optim.AdamW if decoupled else torch.optim.Adam  # which adds the decay to the gradient
    optimizer = kind([point], lr=0.05, weight_decay=2 * one.lam)
    for number in range(1, 41):
        optimizer.param_groups[0]["lr"] = 0.05 * (1 - number / 40)
        optimizer.zero_grad()
        ((torch.from_numpy(one.labels) - point[4:].reshape(2, 2) @ point[:4].reshape(2, 2)) ** 2).sum().backward()
        optimizer.step()
    np.testing.assert_allclose(adam(one, start, 40, 0.05, decoupled)[0], point.detach().numpy(), atol=1e-10)


def test_the_value_is_concave_and_its_slope_the_norm_at_fifty_digits() -> None:
    """The closed form's own minimum: its second difference is negative, its slope the squared norm of all layers."""
    import mpmath as mp

    import exact

    with mp.workdps(50):
        for depth in (2, 3, 5):

            def value(lam: mp.mpf, depth: int = depth) -> mp.mpf:
                x = exact.minimizer(mp.mpf(2), depth, lam)
                return (2 - x) ** 2 + lam * depth * x ** (mp.mpf(2) / depth)

            lam, step = mp.mpf("0.3"), mp.mpf("1e-12")
            slope = (value(lam + step) - value(lam - step)) / (2 * step)
            norm = depth * exact.minimizer(mp.mpf(2), depth, lam) ** (mp.mpf(2) / depth)
            assert abs(slope - norm) < mp.mpf("1e-20")
            assert value(lam + step) + value(lam - step) < 2 * value(lam)
