"""Targets from real data that come with installed libraries."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dmf.grid import standard
from dmf.grid.datasets import DATASETS
from dmf.grid.kinds._contract import Built, DataTarget
from dmf.grid.labelled import real


class DatasetTarget(DataTarget):
    """A matrix of real data."""

    kind: Literal["dataset"]
    dataset: Literal["digits", "iris", "diabetes", "breast_cancer", "wine", "karate_club", "davis_women"]
    map: standard.Map = Field(
        "none",
        description="covariance or correlation: of the features; cross: covariance of outcomes (rows; classes as "
        "indicators) with features (columns).",
    )

    @property
    def place(self) -> str:
        """Name of the data set."""
        return self.dataset

    def build(self, seed: int) -> Built:
        """The data's matrix, standardised."""
        data = DATASETS[self.dataset]()
        outcome = data.outcome if self.map == "cross" else None
        return self.standardised(real(data.matrix), data.origin, self.map, outcome)
