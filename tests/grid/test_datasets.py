"""Real data are those of the literature, labelled, and come from no network."""

import socket
from typing import Any, get_args

import numpy as np
import pytest

from dmf.grid.config import validate
from dmf.grid.datasets import DATASETS
from dmf.grid.kinds import DatasetTarget
from dmf.grid.targets import TargetMatrix, build_targets

# observations, features, outcomes, as their sources describe them
SIZES = {
    "digits": (1797, 64, 10),
    "iris": (150, 4, 3),
    "diabetes": (442, 10, 1),
    "breast_cancer": (569, 30, 2),
    "wine": (178, 13, 3),
    "karate_club": (34, 34, 0),
    "davis_women": (18, 14, 0),
}


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "socket", lambda *_, **__: pytest.fail("asked the network"))


def build(dataset: str, **keys: Any) -> TargetMatrix:
    target = {"name": "t", "kind": "dataset", "dataset": dataset, **keys}
    grid = {"grid": "x", "targets": [target], "depths": [2], "lambdas": {"relative": [1]}}
    return build_targets(validate(grid, "x"), "x")[0]


def test_the_configuration_knows_every_data_set() -> None:
    assert get_args(DatasetTarget.model_fields["dataset"].annotation) == tuple(DATASETS)
    assert DATASETS.keys() == SIZES.keys()


@pytest.mark.parametrize("name", DATASETS)
def test_sizes_labels_and_origin(name: str) -> None:
    data = DATASETS[name]()
    observations, features, outcomes = SIZES[name]
    assert data.matrix.values.shape == (observations, features)
    assert len(set(data.matrix.columns)) == features
    assert (data.outcome is None) == (outcomes == 0)
    if data.outcome is not None:
        assert data.outcome.values.shape == (observations, outcomes)
        assert len(data.outcome.columns) == outcomes
        if outcomes > 1:  # indicators: every observation is of one class
            np.testing.assert_array_equal(data.outcome.values.sum(axis=1), 1)
    assert build(name).origin.startswith("networkx 3" if outcomes == 0 else "scikit-learn 1")


def test_the_mean_iris() -> None:
    """Fisher (1936), tables I and II: means of the three species, in cm."""
    data = DATASETS["iris"]()
    assert data.outcome is not None
    means = data.outcome.values.T @ data.matrix.values / 50
    fisher = [[5.006, 3.428, 1.462, 0.246], [5.936, 2.770, 4.260, 1.326], [6.588, 2.974, 5.552, 2.026]]
    np.testing.assert_allclose(means, fisher, atol=1e-9)
    assert data.outcome.columns == ("setosa", "versicolor", "virginica")


def test_the_karate_club() -> None:
    """Zachary (1977): 34 members, 78 friendships; the instructor has 16 friends and the administrator 17."""
    laplacian = build("karate_club").values
    np.testing.assert_array_equal(laplacian, laplacian.T)
    np.testing.assert_array_equal(laplacian.sum(axis=0), 0)
    assert np.trace(laplacian) == 2 * 78
    assert (laplacian[0, 0], laplacian[33, 33]) == (16, 17)
    assert build("karate_club").rows[0] == "0, Mr. Hi"


def test_the_women_of_davis() -> None:
    """Davis, Gardner and Gardner (1941): 89 attendances; 14 women came to event 8, three to event 1."""
    target = build("davis_women")
    assert target.values.sum() == 89
    attendance = dict(zip(target.columns, target.values.sum(axis=0), strict=True))
    assert (attendance["E8"], attendance["E1"]) == (14, 3)
    assert "Evelyn Jefferson" in target.rows


def test_cross_of_classes_and_pixels() -> None:
    target = build("digits", map="cross")
    assert target.shape == (10, 64)
    assert target.rows == tuple("0123456789")
    data = DATASETS["digits"]()
    zeros = data.outcome.values[:, 0] == 1  # type: ignore[union-attr]
    pixels = data.matrix.values
    share = zeros.mean()  # cov(indicator, x) = n/(n-1) share (1 - share) (mean inside - mean outside)
    truth = share * (1 - share) * (pixels[zeros].mean(axis=0) - pixels[~zeros].mean(axis=0)) * 1797 / 1796
    np.testing.assert_allclose(target.values[0], truth, atol=1e-12)
    assert target.standardisation == "covariance of outcomes with features"


def test_the_map_is_part_of_the_definition() -> None:
    prints = [build("iris", map=kind).fingerprint for kind in ("none", "covariance", "correlation", "cross")]
    assert len(set(prints)) == 4
