"""Trained runs on, beside and across the cut, against directions known by construction and a search over choices."""

import numpy as np
import pytest

from dmf import theory
from dmf.studies import bottleneck


@pytest.fixture(scope="module")
def made(study):
    return study("bottleneck")


def test_every_cell_has_many_runs_at_its_lowest_value(made):
    for half in made:
        assert ((half["lowest"] == 1).sum("start") >= 4).all()


def test_runs_keep_the_larger_of_two_directions_down_to_a_gap_of_1e_5_and_any_mixture_at_the_tie(made):
    honest, _ = made
    lowest = honest["lowest"] == 1
    across = honest["target"] == "across the cut"
    expected = (honest["gap"] > 0).astype(float)
    wrong = abs(honest["turn"] - expected).where(lowest & across)
    assert float(wrong.max()) < 2e-3
    on = honest["turn"].where(lowest & (honest["target"] == "on the cut"))
    for cell in np.flatnonzero(honest["target"] == "on the cut"):
        turns = on.values[cell][np.isfinite(on.values[cell])]
        assert turns.min() < 0.3
        assert turns.max() > 0.7
        assert float(honest["spread"][cell]) > 0.5
        assert float(honest["norm_gap"].where(lowest).max("start")[cell]) < 1e-10


def test_a_value_at_the_threshold_below_the_cut_leaves_one_minimizer(made):
    honest, _ = made
    cells = honest.isel(cell=(honest["target"] == "m* below the cut").values)
    assert cells.sizes["cell"] == len(bottleneck.SHAPES)
    assert float(cells["spread"].max()) < 1e-9
    assert float(theory.exceptional_distance(np.diag([2.0, 1.0, bottleneck.M_STAR]), 3, float(cells["lam"][1]))) < 1e-14


def test_no_start_of_a_denser_search_is_lower(made):
    """Gradient-free check of the minimum: every choice of two directions, each with its best singular value."""
    honest, _ = made
    for cell in range(honest.sizes["cell"] - 1):
        case = honest.isel(cell=cell)
        target = next(
            one
            for one in (*bottleneck.ACROSS, bottleneck.ON, *bottleneck.APART)
            if one.name == str(case["target"].item()) and one.gap == float(case["gap"])
        )
        x = np.linspace(0, 2.2, 40_001)
        lam, depth = float(case["lam"]), int(case["depth"])
        gains = sorted(s**2 - ((s - x) ** 2 + lam * depth * x ** (2 / depth)).min() for s in target.sigma)
        expected = sum(s**2 for s in target.sigma) - sum(gains[-2:])
        assert float(case["minimum"]) == pytest.approx(expected, abs=1e-8)


def test_every_name_of_a_case_can_be_typed_again(made):
    """JSON has no NaN, and no NaN equals itself."""
    for half in made:
        assert all(np.isfinite(half[name]).all() for name in ("gap", "depth", "scale", "draw"))
