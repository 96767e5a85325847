"""Real data that come with installed libraries; nothing is downloaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import numpy as np

from dmf.grid.labelled import Floats, LabelledMatrix, labels


@dataclass(frozen=True)
class Dataset:
    """What a library holds under a name: `origin`.

    `matrix` is observations (n, features), or a matrix of a graph; `outcome` (n, outcomes) is classes as indicators or
    a measured value, None where there is none.
    """

    matrix: LabelledMatrix
    outcome: LabelledMatrix | None
    origin: str


def digits() -> Dataset:
    """1,797 handwritten digits of 8 x 8 pixels, ten classes."""
    return _classes("digits")


def iris() -> Dataset:
    """150 flowers, four measurements, three species."""
    return _classes("iris")


def breast_cancer() -> Dataset:
    """569 tumours, 30 features, two classes."""
    return _classes("breast_cancer")


def wine() -> Dataset:
    """178 wines, 13 features, three growers."""
    return _classes("wine")


def diabetes() -> Dataset:
    """442 patients, ten features in their own units, progression of the disease after a year."""
    bunch = _bunch("diabetes", scaled=False)
    outcome = LabelledMatrix(np.asarray(bunch.target, dtype=np.float64)[:, None], (), ("progression",))
    return Dataset(_features(bunch), outcome, _origin("scikit-learn", "load_diabetes"))


def karate_club() -> Dataset:
    """Laplacian (34, 34) of the friendships in a karate club, unweighted; members are named with the side they took."""
    import networkx

    graph = networkx.karate_club_graph()
    adjacency = networkx.to_numpy_array(graph, weight=None)
    names = labels(f"{member}, {side}" for member, side in graph.nodes(data="club"))
    laplacian = np.diag(adjacency.sum(axis=0)) - adjacency
    return Dataset(LabelledMatrix(laplacian, names, names), None, _origin("networkx", "karate_club_graph"))


def davis_women() -> Dataset:
    """Which of 18 women (rows) came to which of 14 social events (columns): 1 or 0."""
    import networkx

    graph = networkx.davis_southern_women_graph()
    women, events = graph.graph["top"], graph.graph["bottom"]
    came = np.array([[float(graph.has_edge(woman, event)) for event in events] for woman in women])
    matrix = LabelledMatrix(came, labels(women), labels(events))
    return Dataset(matrix, None, _origin("networkx", "davis_southern_women_graph"))


DATASETS: dict[str, Callable[[], Dataset]] = {
    loader.__name__: loader for loader in (digits, iris, diabetes, breast_cancer, wine, karate_club, davis_women)
}


def _classes(name: str) -> Dataset:
    """A data set of scikit-learn whose outcome is a class."""
    bunch = _bunch(name)
    indicators: Floats = (np.asarray(bunch.target)[:, None] == np.arange(len(bunch.target_names))).astype(np.float64)
    outcome = LabelledMatrix(indicators, (), labels(bunch.target_names))
    return Dataset(_features(bunch), outcome, _origin("scikit-learn", f"load_{name}"))


def _bunch(name: str, **options: bool) -> Any:
    from sklearn import datasets

    return getattr(datasets, f"load_{name}")(**options)


def _features(bunch: Any) -> LabelledMatrix:
    return LabelledMatrix(np.asarray(bunch.data, dtype=np.float64), (), labels(bunch.feature_names))


def _origin(library: str, name: str) -> str:
    return f"{library} {metadata.version(library)}, {name}"
