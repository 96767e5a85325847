"""Targets from inputs and outputs: what a deep linear network factorizes once its inputs are whitened."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from dmf.errors import UserError
from dmf.grid import standard
from dmf.grid.fields import Dimension, Visible
from dmf.grid.kinds._contract import Built, TargetSpec, values_digest
from dmf.grid.labelled import LabelledMatrix, real
from dmf.grid.readers import MAX_BYTES, Options, parse
from dmf.grid.regular_file import regular_file
from dmf.theory.linear_network import data_matrices, whitened

File = Annotated[Visible, Field(min_length=1)]


class NetworkTarget(TargetSpec):
    """M = Y Z^T: outputs Y, and inputs whitened to Z with Z Z^T = I. One sample a row of both files."""

    kind: Literal["network"]
    inputs: File = Field(description="A file as for kind file, samples in rows, features in columns.")
    outputs: File = Field(description="A second file, with the same samples in rows.")
    components: Dimension | None = Field(
        None, description="Principal components of the centred inputs that are kept; all of their rank if unset."
    )

    @property
    def place(self) -> str:
        """Paths of both files."""
        return f"{self.inputs}, {self.outputs}"

    def build(self, seed: int) -> Built:
        """The correlation of outputs with whitened inputs, both centred; the files' values define it."""
        (x, first), (y, second) = (_read(path) for path in (self.inputs, self.outputs))
        (samples, _), (found, _) = x.values.shape, y.values.shape
        if found != samples:
            raise UserError(
                f"outputs have {found} rows, expected {samples}, those of inputs; a sample is a row of both"
            )
        try:
            centred = (standard.centred(matrix.values, "columns").T for matrix in (x, y))
            inputs, outputs = data_matrices(*centred)
            white = whitened(inputs, self.components or int(np.linalg.matrix_rank(inputs)))
        except ValueError as error:
            raise UserError(str(error)) from None
        columns = tuple(f"component {number}" for number in range(1, len(white) + 1))
        definition = {
            "name": self.name,
            "data": [values_digest(matrix.values) for matrix in (x, y)],
            "steps": ["whitened", self.components],
        }
        words = f"inputs whitened to {len(white)} principal components, outputs centred"
        return Built(LabelledMatrix(outputs @ white.T, y.columns, columns), definition, f"{first}; {second}", words)


def _read(path: str) -> tuple[LabelledMatrix, str]:
    """The matrix of a file, and where it came from."""
    content = regular_file(Path(path), MAX_BYTES)
    matrix = real(parse(content, path, Options(None, None, None)))
    return matrix, f"{path}, SHA-256 {hashlib.sha256(content).hexdigest()}"
