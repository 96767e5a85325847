"""Gaussian starts: what counts as kept is what the levels say, and the shares move with c and not with lambda."""

from collections.abc import Callable

import numpy as np
import xarray as xr

from dmf import theory
from dmf.studies.gaussian_starts import LAMBDAS, SPECTRUM, UNITS

Halves = tuple[xr.Dataset, xr.Dataset]


def test_every_lambda_leaves_both_values_worth_keeping() -> None:
    for depth, lams in LAMBDAS.items():
        for lam in lams:
            assert theory.kept_at_minimum(np.diag(SPECTRUM), depth, lam) == 2


def test_shares_go_from_none_to_all_and_two_layers_keep_all(study: Callable[[str], Halves]) -> None:
    honest, control = study("gaussian_starts")
    assert (honest["certified"] == 1).mean() > 0.99
    none = (honest["kept"] == 0).mean("start")
    small, large = (none.values[honest["unit"].values == end] for end in (UNITS[0], UNITS[-1]))
    assert small.min() > 0.95
    assert large.max() < 0.1
    assert (control["kept"] == 2).all()


def test_runs_of_one_draw_keep_the_same_at_every_lambda_but_for_a_few(study: Callable[[str], Halves]) -> None:
    honest, _ = study("gaussian_starts")
    for depth in LAMBDAS:
        for unit in UNITS:
            here = honest["kept"].values[(honest["depth"].values == depth) & (honest["unit"].values == unit)]
            assert len(here) == 3
            assert (np.ptp(here, axis=0) > 0).mean() < 0.05
