"""The experiment on noise: shrinkages by what is known of them, losses against large matrices and a second SVD."""

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr

from dmf.grid.seeds import generator
from dmf.studies import Settings
from dmf.studies import denoising as study_of

Halves = tuple[xr.Dataset, xr.Dataset]


def test_depths_keep_what_is_above_the_edge_and_hard_thresholds_what_is_above_theirs() -> None:
    y = np.linspace(0, 5, 1001)
    for shape in study_of.SHAPES:
        edge = study_of.edge(shape)
        for depth in (2, 3, 4):
            np.testing.assert_array_equal(study_of.shrunk(y, shape, f"depth {depth}") > 0, y > edge)
        np.testing.assert_allclose(study_of.shrunk(y, shape, "depth 2"), np.maximum(y - edge, 0), atol=1e-12)
    hard = study_of.shrunk(y, (80, 80), "hard threshold")
    np.testing.assert_array_equal(hard, np.where(y > 4 / np.sqrt(3), y, 0))  # Gavish & Donoho 2014
    best = study_of.shrunk(y, (80, 80), "best shrinkage")
    np.testing.assert_allclose(best, np.sqrt(np.maximum(y**2 - 4, 0)), atol=1e-12)  # of square matrices


def test_few_matrices_of_noise_have_a_value_above_the_edge() -> None:
    rng = np.random.default_rng(0)
    above = [
        np.linalg.norm(rng.standard_normal((80, 80)), 2) / np.sqrt(80) > study_of.edge((80, 80)) for _ in range(300)
    ]
    assert 0 <= np.mean(above) < 0.04


@pytest.mark.parametrize("method", study_of.METHODS)
def test_losses_are_those_of_matrices_that_are_decomposed_one_by_one(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(study_of, "DRAWS", 2)
    monkeypatch.setattr(study_of, "SPIKES", np.array([1.9]))
    shape = (6, 9)
    found = study_of._losses(Settings(4, 1e-10), shape, equal=True)[study_of.METHODS.index(method), 0]
    rng = generator(["study", "denoising", 4, *shape, True])
    a, b = rng.standard_normal((2, 6, 1)), rng.standard_normal((2, 9, 1))
    noise = rng.standard_normal((2, 6, 9))
    for draw in range(2):
        m = 1.9 * 3 * np.outer(a[draw] / np.linalg.norm(a[draw]), b[draw] / np.linalg.norm(b[draw]))
        gram = (m + noise[draw]) @ (m + noise[draw]).T
        values, vectors = np.linalg.eigh(gram)
        ratio = study_of.shrunk(np.sqrt(values) / 3, shape, method) * 3 / np.sqrt(values)
        x = (vectors * ratio) @ vectors.T @ (m + noise[draw])
        assert found[draw] == pytest.approx(np.sum((x - m) ** 2) / 9, rel=1e-9)


def test_marks_lie_on_the_curves_where_noise_is_equal_and_off_them_where_it_is_not(
    study: Callable[[str], Halves],
) -> None:
    honest, control = study("denoising")
    # Finite matrices: near the edge spikes are seen now and then, and corrections are a few parts in 80.
    strong = honest["spike"].values > 1.6
    off = abs(honest["loss"] - honest["asymptotic"]).values[:, strong]
    allowed = 4 * honest["standard_error"].values[:, strong] + 0.06 * honest["asymptotic"].values[:, strong]
    assert (off < allowed).all()
    kept = np.isin(control["method"].values, ["depth 3", "depth 4", "best shrinkage"])
    assert (abs(control["loss"] - control["asymptotic"]) > 3 * control["standard_error"]).values[kept].mean() > 0.8


def test_depth_three_and_four_are_nearly_minimax_and_no_shrinkage_is_below_the_best(
    study: Callable[[str], Halves],
) -> None:
    honest, _ = study("denoising")
    square = honest.isel(cell=honest["shape"].values == "80x80")
    curves = dict(zip(square["method"].values, square["curve"].values, strict=True))
    for method in study_of.METHODS:
        assert (curves[method] >= curves["best shrinkage"] - 1e-12).all()
    assert max(curves["depth 3"].max(), curves["depth 4"].max()) < 1.1 * 2  # 2 is the worst of the best shrinkage
    assert curves["hard threshold"].max() > 1.45 * 2
    assert curves["depth 2"].max() > 2.2 * 2
