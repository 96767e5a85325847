"""Targets from a file of the user."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StrictBool

from dmf.errors import UserError
from dmf.grid.fields import LARGEST_DIMENSION, Label, Visible
from dmf.grid.kinds._contract import Built, DataTarget
from dmf.grid.labelled import LabelledMatrix, real
from dmf.grid.readers import MAX_BYTES, Options, parse
from dmf.grid.regular_file import regular_file

Labels = Annotated[list[Label], Field(min_length=1, max_length=LARGEST_DIMENSION)]


class FileTarget(DataTarget):
    """A matrix from a file."""

    kind: Literal["file"]
    map: Literal["none", "covariance", "correlation"] = Field(
        "none", description="covariance or correlation: of the columns, with rows as observations, instead of the data."
    )
    path: Visible = Field(
        min_length=1,
        description="Relative to the working directory; the suffix determines the format (config/README.md).",
    )
    variable: str | None = Field(
        None, description="Which array of a .npz, .mat or .nc file; required if there are several."
    )
    header: StrictBool | None = Field(None, description="Whether a table's first row is labels; inferred if unset.")
    index: StrictBool | None = Field(None, description="Whether the first column is labels; inferred if unset.")
    rows: Labels | None = Field(None, description="Labels of the rows, instead of the file's; change no number.")
    columns: Labels | None = Field(None, description="Labels of the columns, instead of the file's; change no number.")

    @property
    def place(self) -> str:
        """Path of the file."""
        return self.path

    def build(self, seed: int) -> Built:
        """The file's matrix, standardised; its values define it, not its name, format or labels."""
        content = regular_file(Path(self.path), MAX_BYTES)
        matrix = real(parse(content, self.path, Options(self.variable, self.header, self.index)))
        origin = f"{self.path}, SHA-256 {hashlib.sha256(content).hexdigest()}"
        return self.standardised(self._labelled(matrix), origin, self.map)

    def _labelled(self, matrix: LabelledMatrix) -> LabelledMatrix:
        found = []
        for axis, (key, own) in enumerate((("rows", matrix.rows), ("columns", matrix.columns))):
            given: list[str] | None = getattr(self, key)
            if given is not None and len(given) != matrix.values.shape[axis]:
                raise UserError(f"{key}: got {len(given)} labels, but the matrix has {matrix.values.shape[axis]} {key}")
            found.append(own if given is None else tuple(given))
        return LabelledMatrix(matrix.values, *found)
