"""Networks on data: what the study trains on is what it says, and its equations hold against plain torch."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
import xarray as xr

from dmf import theory
from dmf.grid.cells import Series
from dmf.studies import Settings
from dmf.studies._networks import Data, is_white, misalignment, network_evidence, train_networks
from dmf.studies.networks import COMPONENTS, CONDITIONS, EVERY, SPECTRUM, _blocks, digits_data

Halves = tuple[xr.Dataset, xr.Dataset]
SETTINGS = Settings(seed=3, gradient_norm=1e-10)


def of(evidence: xr.Dataset, **wanted: object) -> xr.Dataset:
    masks = [evidence[name].values == value for name, value in wanted.items()]
    return evidence.isel(cell=np.flatnonzero(np.logical_and.reduce(masks)))


def test_all_synthetic_data_have_one_correlation_with_their_outputs_and_the_conditions_asked_for() -> None:
    (white, other, *correlated, deficient) = _blocks(3)[0].data
    for one, condition in zip([white, *correlated], CONDITIONS, strict=True):
        np.testing.assert_allclose(one.outputs @ one.inputs.T, white.outputs @ white.inputs.T, atol=1e-13)
        assert np.linalg.cond(one.inputs @ one.inputs.T) == pytest.approx(condition, rel=1e-9)
        assert np.trace(one.inputs @ one.inputs.T) == pytest.approx(5, rel=1e-12)
    np.testing.assert_allclose(white.target.singular_values, SPECTRUM, rtol=1e-12)
    assert np.linalg.norm(white.outputs) > 1.05 * np.linalg.norm(SPECTRUM), "some of the outputs is out of reach"
    assert [is_white(one.inputs) for one in (white, other, *correlated, deficient)] == [True, True] + [False] * 5
    assert np.linalg.matrix_rank(deficient.inputs) == 3


def test_digits_are_principal_components_of_real_digits() -> None:
    from sklearn.datasets import load_digits
    from sklearn.decomposition import PCA

    source = load_digits()
    scores = PCA(COMPONENTS, svd_solver="full").fit_transform(source.data[::EVERY]).T
    white, correlated = digits_data(white=True), digits_data(white=False)
    assert is_white(white.inputs)
    for row, score in zip(white.inputs, scores, strict=True):
        assert abs(row @ score) == pytest.approx(np.linalg.norm(score), rel=1e-10)
    ratio = np.linalg.norm(correlated.inputs, axis=1) / np.linalg.norm(scores, axis=1)
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-10)
    assert np.sum(correlated.inputs**2) == pytest.approx(COMPONENTS)
    classes = white.outputs - white.outputs.min(axis=1, keepdims=True)
    np.testing.assert_array_equal(classes.argmax(axis=0), source.target[::EVERY])


def test_every_honest_run_is_certified_but_for_a_few(study: Callable[[str], Halves]) -> None:
    evidence, controls = study("networks")
    assert float((evidence["certified"] == 1).mean()) > 0.97
    assert (of(controls, inputs="stopped")["certified"] == 0).all()
    assert (of(controls, inputs="correlated")["certified"] == 1).mean() > 0.8


def test_white_inputs_end_on_levels_that_differ(study: Callable[[str], Halves]) -> None:
    evidence, _ = study("networks")
    white = evidence.isel(cell=np.flatnonzero(evidence["white"].values == 1))
    assert (white["kept"].values[(white["certified"] == 1).values] >= 0).all()
    assert len(np.unique(of(white, target="digits-white")["kept"])) >= 4
    assert ((white["minimal"] == 1).any("start")).mean() > 0.8


def test_alignment_with_the_target_is_lost_on_correlated_inputs_and_kept_on_white_ones(
    study: Callable[[str], Halves],
) -> None:
    evidence, _ = study("networks")
    alive = (evidence["certified"] == 1) & (evidence["end_to_end_norm"] > 1e-3)
    for name in ("to_target", "to_least_squares"):
        measured = evidence[name].where(alive)
        assert float(measured.where(evidence["white"] == 1).max()) < 1e-6
        correlated = (evidence["white"] == 0) & (evidence["deficiency"] == 0)
        assert float(measured.where(correlated).min()) > 1e-3
    assert float(evidence["to_residual"].where(alive).max()) < 1e-5
    certified = (evidence["certified"] == 1).transpose("cell", "start").values
    np.testing.assert_array_equal(np.isnan(evidence["to_residual"].values[certified]), ~alive.values[certified])


def test_deficient_inputs_leave_nothing_outside_their_span(study: Callable[[str], Halves]) -> None:
    evidence, _ = study("networks")
    deficient = of(evidence, inputs="deficient")
    assert (deficient["deficiency"] == 2).all()
    assert float(deficient["off_span"].where(deficient["certified"] == 1).max()) < 1e-8
    assert (deficient["end_to_end_norm"] > 0.1).any()


def test_rounding_of_data_stays_below_what_levels_are_told_apart_by() -> None:
    """F on the data is a sum of squares of Y; the claim compares what is left of it to rounding of ||M||^2."""
    for block in _blocks(3):
        for one in block.data:
            if is_white(one.inputs):
                assert np.sum(one.outputs**2) < 8 * np.sum(one.target.values**2)


def test_gaps_and_their_tolerances_at_a_point_that_is_not_critical_are_identities() -> None:
    """At any point the gaps are what the gradient makes of them: against autograd, after three steps."""
    from dmf.training.settings import GradientDescent

    rng = np.random.default_rng(0)
    data = Data("random", rng.standard_normal((4, 3)), rng.standard_normal((3, 3)))
    early = GradientDescent(name="gd", step=1e-3, max_iterations=3)
    runs = train_networks([data], 3, ["0.3c"], {Series("gaussian", 1.0): range(2)}, SETTINGS, early)
    evidence = network_evidence([(runs, [data])])
    lam = float(evidence["lam"][0])
    for start in range(2):
        layers = [torch.tensor(runs[f"layer_{k}"].values[0, 0, start], requires_grad=True) for k in (1, 2, 3)]
        x, y = torch.from_numpy(data.inputs), torch.from_numpy(data.outputs)
        w = layers[2] @ layers[1] @ layers[0]
        value = (y - w @ x).square().sum() + lam * sum(layer.square().sum() for layer in layers)
        slopes = torch.autograd.grad(value, layers)
        norm = torch.sqrt(sum(slope.square().sum() for slope in slopes)).item()
        here = {name: float(evidence[name][0, start]) for name in evidence.data_vars if evidence[name].ndim == 2}
        assert here["gradient_norm"] == pytest.approx(norm, rel=1e-9)
        m = data.outputs @ data.inputs.T
        assert here["objective"] == pytest.approx(value.item() - np.sum(data.outputs**2) + np.sum(m**2), rel=1e-10)
        outside = np.linalg.svd(data.inputs)[0][:, 3:]
        first = layers[0].detach().numpy()
        assert here["off_span"] == pytest.approx(np.linalg.norm(first @ outside), rel=1e-10)
        assert np.linalg.norm(slopes[0].numpy() @ outside) == pytest.approx(2 * lam * here["off_span"], rel=1e-9)
        gaps = [
            torch.linalg.norm(slopes[2] @ layers[2].T).item() / 2,
            torch.linalg.norm(layers[0].T @ slopes[0]).item() / 2,
        ]
        assert here["residual_gap"] == pytest.approx(max(gaps), rel=1e-9)
        inner = [(layer * slope).sum().item() for layer, slope in zip(layers, slopes, strict=True)]
        assert here["norm_gap"] == pytest.approx(np.ptp(inner) / (2 * lam), rel=1e-8)
        for gap, allowed in (("norm_gap", "norm_gap_tolerance"), ("off_span", "off_span_tolerance")):
            assert here[gap] <= here[allowed]
        assert here["residual_gap"] <= here["residual_tolerance"]


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_minimizers_of_white_inputs_scaled_by_c_are_reached_by_training_on_them(depth: int) -> None:
    rng = np.random.default_rng(depth)
    white, y = 3 * theory.whitened(rng.standard_normal((3, 12)), 3), rng.standard_normal((3, 12))
    runs = train_networks([Data("scaled", white, y)], depth, ["0.02c"], {Series("gaussian", 1.0): range(8)}, SETTINGS)
    found = theory.as_factorization(white, y, depth, runs["lam"].item())
    expected = theory.end_to_end_minimizer(found.target, depth, found.lam) / np.sqrt(found.scale)
    distance = np.linalg.norm(runs["end_to_end"].values[0, 0] - expected, axis=(1, 2))
    assert distance.min() < 1e-8 * np.linalg.norm(expected)


def test_misalignment_is_zero_for_common_bases_one_for_rotated_ones_and_needs_no_gap() -> None:
    rng = np.random.default_rng(1)
    u, v = (np.linalg.qr(rng.standard_normal((size, size)))[0][:, :3] for size in (3, 5))
    one = (u * [3.0, 2.0, 2.0]) @ v.T
    assert misalignment(one, (u * [1.0, 0.5, 0.0]) @ v.T) < 1e-14
    quarter = np.array([[0.0, -1.0], [1.0, 0.0]])
    assert misalignment(np.eye(2), quarter) == pytest.approx(1)
    assert misalignment(np.zeros((2, 2)), quarter) == 0
    angle = 0.3
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    assert misalignment(np.eye(2), turn) == pytest.approx(np.sin(angle))
