"""`dmf.train`: runs of a cell as a grid trains them, held against 50 digits, NumPy's own products and autograd."""

from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import mpmath as mp
import numpy as np
import pytest
import torch

import dmf
import exact
from dmf.api.training import Training
from dmf.dataset.train import Piece, train_starts
from dmf.grid.cells import Series
from dmf.training.settings import Lbfgs

SIGMA, LAM = (3.0, 2.2, 0.4), 1.0  # m* is 2, m_loc 1.75: runs end at three levels
TARGET = np.diag(SIGMA)


@pytest.fixture(scope="module")
def found() -> Training:
    return dmf.train(TARGET, depth=3, lam=LAM)


@pytest.fixture(scope="module")
def unfinished() -> Training:
    """Runs without a certificate."""
    return dmf.train(TARGET, depth=3, lam=LAM, starts=3, optimizer={"name": "gd", "max_iterations": 5})


def gradient_norm(layers: tuple[np.ndarray, ...], target: np.ndarray, lam: float) -> float:
    weights = [torch.tensor(layer, requires_grad=True) for layer in layers]
    product = weights[0]
    for weight in weights[1:]:
        product = weight @ product
    value = ((torch.tensor(target) - product) ** 2).sum() + lam * sum((weight**2).sum() for weight in weights)
    value.backward()  # type: ignore[no-untyped-call]
    return float(torch.sqrt(sum((weight.grad**2).sum() for weight in weights)))  # type: ignore[operator, misc, arg-type]


def test_the_best_run_is_the_minimizer_of_50_digits(found: Training) -> None:
    with mp.workdps(50):
        x = [float(exact.minimizer(mp.mpf(m), 3, LAM)) for m in SIGMA]
        minimum = float(exact.minimum_value([mp.mpf(m) for m in SIGMA], 3, LAM))
    best = found.best
    assert best.minimal
    assert best.kept == np.count_nonzero(x)
    assert best.objective == pytest.approx(minimum, rel=1e-13)
    assert np.linalg.norm(best.product - np.diag(x)) < 1e-8
    assert best.product == pytest.approx(best.layers[2] @ best.layers[1] @ best.layers[0], abs=1e-15)
    assert [layer.shape for layer in best.layers] == [(3, 3)] * 3
    assert gradient_norm(best.layers, TARGET, LAM) == pytest.approx(best.gradient_norm, abs=1e-13)
    assert best.objective == found.evidence["objective"].values[found.evidence["certified"].values == 1].min()


def test_every_run_is_at_the_level_that_it_is_said_to_reach(found: Training) -> None:
    with mp.workdps(50):
        levels = [float(value) for value in exact.critical_levels([mp.mpf(m) for m in SIGMA], 3, LAM)]
    table = found.table()
    assert len(table) == len(found) == 48
    assert table["certified"].all()
    assert table["objective"].to_numpy() == pytest.approx([levels[kept] for kept in table["kept"]], rel=1e-10)
    assert (table["status"] == "converged").all()
    assert (table["excess"] > -1e-12).all()
    assert found.ends == table["kept"].value_counts().to_dict()
    assert len(found.ends) > 1, "a target at which all runs reach one level would not show a level that is wrong"
    for number, kept in enumerate(table["kept"]):
        assert np.linalg.matrix_rank(found[number].product, tol=1e-6) == kept


def test_starts_are_those_of_grids_spread_over_schemes_and_scales(found: Training) -> None:
    table = found.table()
    assert (table.groupby(["scheme", "scale"]).size() == 4).all()
    assert set(table["scheme"]) == {"gaussian", "orthogonal", "balanced", "identity"}
    piece = Piece("M", TARGET, 3.0, "1.0", LAM, 1e-10 * 3 ** (5 / 3), Series("balanced", 0.5), range(4))
    again = train_starts([piece], (3, 3, 3, 3), 0, Lbfgs(name="lbfgs"))
    mine = table[(table["scheme"] == "balanced") & (table["scale"] == 0.5)]
    assert mine["objective"].tolist() == again.objective.tolist()
    assert np.array_equal(found.layers[0][mine.index], again.layers[0])


@pytest.mark.parametrize("starts", [1, 5, 13, 25])
def test_any_number_of_starts_is_trained_and_nested(starts: int) -> None:
    some, more = (dmf.train(TARGET, 3, LAM, starts=count).table() for count in (starts, starts + 12))
    assert len(some) == starts
    names = ["scheme", "scale", "draw"]
    assert set(some[names].itertuples(index=False)) <= set(more[names].itertuples(index=False))


def test_equal_arguments_give_equal_bits_and_another_seed_others() -> None:
    one, same, other = (dmf.train(TARGET, 3, "0.1c", starts=4, seed=seed).layers[0] for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_widths_and_optimizers_reach_the_engine() -> None:
    target = [[2.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    found = dmf.train(target, 3, 0.1, starts=2, widths=[4, 3], optimizer="continuation")
    assert [layer.shape for layer in found.layers] == [(2, 4, 3), (2, 3, 4), (2, 2, 3)]
    assert found.prediction.widths == (3, 4, 3, 2)
    assert found.best.kept == 2


def test_the_best_run_is_proved_and_its_intervals_hold_the_truth(found: Training) -> None:
    proved = found.prove()
    with mp.workdps(50):
        m = [mp.mpf(value) for value in SIGMA]
        minimum = exact.minimum_value(m, 3, LAM)
        mu = min(value for value in exact.hessian_blocks(m, (3, 3, 3, 3), LAM) if value > 1e-20)
        assert proved.objective[0] <= minimum <= proved.objective[1]
        assert proved.curvature[0] <= mu <= proved.curvature[1]
    assert proved.proved
    assert proved.is_global
    assert proved.level == 2
    assert proved.radius < 1e-8
    assert set(proved.statements.values()) == {"holds"}


def test_runs_without_a_certificate_have_no_best_and_no_proof(unfinished: Training) -> None:
    assert unfinished.ends == {-1: 3}
    assert not unfinished.table()["certified"].any()
    assert "3 runs" in repr(unfinished)
    assert "0 certified" in repr(unfinished)
    for of_best in (lambda: unfinished.best, unfinished.prove):
        with pytest.raises(ValueError, match=r"^best: none of 3 runs is certified; train with lbfgs"):
            of_best()


def test_only_a_certified_run_is_the_best_and_it_is_the_one_that_is_proved(found: Training) -> None:
    spurious = found.evidence["kept"] != 2
    other = replace(found, evidence=found.evidence.assign(certified=spurious.astype(np.int8)))
    assert bool(spurious[other.best.number])
    assert other.best.objective == found.evidence["objective"].values[spurious.values].min()
    proved = other.prove()
    assert proved.proved
    assert not proved.is_global
    assert proved.level == other.best.kept != 2


def test_texts_say_where_the_runs_ended(found: Training) -> None:
    first, *ends = repr(found).splitlines()
    assert first.startswith("48 runs of a 3 × 3 target, depth 3, λ = 1 (")
    assert "48 certified" in first
    assert len(ends) == len(found.ends)
    assert f"  keeps 2 (global minimum): {found.ends[2]}" in ends
    assert "keeps 2 (global minimum)</td>" in found._repr_html_()
    assert repr(found.best).startswith(f"Run {found.best.number} (")


def test_the_plot_has_every_run_and_every_level(found: Training, unfinished: Training) -> None:
    with mpl.rc_context({"backend": "agg"}):
        axes = found.plot()
        (points,) = [line for line in axes.lines if line.get_label() == "certified"]
        assert points.get_ydata() == pytest.approx(np.sort(found.evidence["objective"].values))
        assert len(axes.texts) == len(found.prediction.levels)
        (points,) = [line for line in unfinished.plot().lines if line.get_label() == "not certified"]
        assert len(points.get_ydata()) == 3
        mpl.pyplot.close("all")


@pytest.mark.parametrize(
    ("setting", "kind", "line"),
    [
        ({"starts": 0}, ValueError, "starts: got 0, expected at least 1"),
        ({"starts": 2.5}, TypeError, "starts: got '2.5', expected a whole number of runs"),
        ({"optimizer": "sgd"}, ValueError, "dmf.train: optimizer.name: got 'sgd': expected one of 'lbfgs'"),
        ({"optimizer": {"name": "adam", "stepp": 1}}, ValueError, "optimizer.stepp: unknown key; did you mean step?"),
        ({"optimizer": 3}, TypeError, "optimizer: got '3', expected a name such as lbfgs"),
        ({"seed": -1}, ValueError, "dmf.train: seed: got -1"),
        ({"depth": 201}, ValueError, "201"),
    ],
)
def test_settings_that_a_grid_refuses_are_refused_in_one_line(
    setting: dict[str, object], kind: type[Exception], line: str
) -> None:
    with pytest.raises(kind) as refused:
        dmf.train(TARGET, **{"depth": 3, "lam": LAM, **setting})  # type: ignore[arg-type]
    assert line in str(refused.value)
    assert str(refused.value).isprintable()


def test_training_leaves_no_file(in_tmp: Path) -> None:
    dmf.train(TARGET, 3, LAM, starts=1)
    assert list(in_tmp.iterdir()) == []
