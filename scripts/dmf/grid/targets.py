"""Target matrices: drawn from the configuration or made of data."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from dmf.errors import UserError
from dmf.grid.config import Grid
from dmf.grid.labelled import Floats, refuse_extreme
from dmf.grid.seeds import digest


@dataclass(frozen=True)
class TargetMatrix:
    """One target M (d_L, d_0) with what defines it; equal fingerprints mean equal numbers.

    `rows` and `columns` are labels, one for each, or empty; `origin` and `standardisation` say in words which data the
    target was made of and how, empty where neither applies. None of these four is part of the fingerprint.
    """

    name: str
    label: str
    kind: str
    fingerprint: str
    values: Floats
    rows: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    origin: str = ""
    standardisation: str = ""

    @property
    def shape(self) -> tuple[int, int]:
        """(d_L, d_0)."""
        rows, columns = self.values.shape
        return rows, columns

    @property
    def singular_values(self) -> Floats:
        """(min(d_L, d_0),), descending."""
        return np.asarray(np.linalg.svd(self.values, compute_uv=False), dtype=np.float64)

    @property
    def words(self) -> list[str | list[str]]:
        """Notes on the data, which no number depends on."""
        return [list(self.rows), list(self.columns), self.origin, self.standardisation]


def build_targets(grid: Grid, source: str, names: Collection[str] | None = None) -> list[TargetMatrix]:
    """Every target of a grid, or those of `names`, in its order. `source` is the file to name in a complaint.

    Raises UserError for data that are missing, malformed or not a finite real matrix of rank >= 1.
    """
    targets = []
    for position, spec in enumerate(grid.targets):
        if names is not None and spec.name not in names:
            continue
        try:
            built = spec.build(grid.seed)
            matrix = built.matrix
            refuse_extreme(matrix.values)
        except UserError as error:
            place = f"{spec.place}: " if spec.place else ""
            raise UserError(f"{source}: targets.{position} ({spec.name}): {place}{error}") from None
        fingerprint = digest([built.definition, grid.seed])
        origin = (matrix.rows, matrix.columns, built.origin, built.standardisation)
        targets.append(TargetMatrix(spec.name, spec.label or spec.name, spec.kind, fingerprint, matrix.values, *origin))
    return targets
