"""What continuation finds is decided by the cell, and its comparison with plain starts is a fair one."""

from collections.abc import Callable

import numpy as np
import xarray as xr

from dmf.evidence.wilson import wilson

Halves = tuple[xr.Dataset, xr.Dataset]


def of(evidence: xr.Dataset, **wanted: object) -> xr.Dataset:
    masks = [evidence[name].values == value for name, value in wanted.items()]
    return evidence.isel(cell=np.logical_and.reduce(masks))


def test_both_optimizers_train_the_same_cells_to_a_certificate(study: Callable[[str], Halves]) -> None:
    evidence, _ = study("continuation")
    plain, annealed = (of(evidence, optimizer=name) for name in ("lbfgs", "continuation"))
    assert plain["target"].values.tolist() == annealed["target"].values.tolist()
    np.testing.assert_array_equal(plain["minimum"], annealed["minimum"])
    assert float((evidence["certified"] == 1).mean()) > 0.99


def test_two_layers_have_no_spurious_minimum_to_end_in(study: Callable[[str], Halves]) -> None:
    assert (of(study("continuation")[0], depth=2)["minimal"] == 1).all()


def test_at_three_layers_continuation_ends_on_the_highest_level_from_every_start(
    study: Callable[[str], Halves],
) -> None:
    evidence, _ = study("continuation")
    annealed = of(evidence, optimizer="continuation", depth=3)
    np.testing.assert_array_equal(*xr.broadcast(annealed["most_kept"], annealed["kept"]))
    gap = annealed["most_kept"] > annealed["kept_at_minimum"]
    assert 0 < int(gap.sum()) < gap.size, "some cells have a singular value between m_loc and m*"
    assert not (annealed["minimal"].values[gap.values] == 1).any()
    assert (annealed["minimal"].values[~gap.values] == 1).all()
    plain = of(evidence, optimizer="lbfgs", depth=3)
    assert (plain["kept"] < plain["most_kept"]).any()
    assert (plain["minimal"].values[gap.values] == 1).any(), "plain starts find what continuation cannot"


def test_continuation_that_changes_nothing_finds_what_plain_starts_find(study: Callable[[str], Halves]) -> None:
    evidence, idle = study("continuation")
    plain = of(evidence, optimizer="lbfgs", depth=3)
    for scale in np.unique(plain["scale"]):
        one, other = (half["minimal"].values[:, half["scale"].values == scale] for half in (plain, idle))
        low, high = wilson(one.sum(), one.size)
        assert low <= other.mean() <= high
