"""Targets made of data: a data set of an installed library, a user's file, or a network's inputs and outputs."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Literal, TypeVar

import numpy as np
from pydantic import Field, StrictBool, ValidationError, ValidatorFunctionWrapHandler, WrapValidator
from pydantic_core import PydanticCustomError

from dmf.errors import UserError
from dmf.grid import standard
from dmf.grid.datasets import DATASETS
from dmf.grid.fields import Dimension, Label, Visible
from dmf.grid.kinds._contract import Built, TargetSpec
from dmf.grid.labelled import Floats, LabelledMatrix, real
from dmf.grid.limits import LARGEST_DIMENSION
from dmf.grid.readers import KEYS, Options, read
from dmf.theory.linear_network import data_matrices, whitened

Labels = Annotated[list[Label], Field(min_length=1, max_length=LARGEST_DIMENSION)]
File = Annotated[Visible, Field(min_length=1)]
OF_A_FILE = {
    "variable": "Which array of a .npz, .mat or .nc file; required if there are several.",
    "header": "Whether a table's first row is labels; if unset, only words are.",
    "index": "Whether its first column is labels; if unset, only words are, or whole numbers without a heading.",
}
OF_BOTH = "One value for both files, or a list of two, for inputs and for outputs."
Value = TypeVar("Value")


def _one_or_two(value: Any, check: ValidatorFunctionWrapHandler) -> Any:
    try:
        return check(value)
    except ValidationError:  # one line for the two ways to say it
        raise PydanticCustomError(
            "one_or_two",
            "expected one value for both files, or a list of two, for inputs and for outputs (null: unset)",
        ) from None


Both = Annotated[Value | tuple[Value | None, Value | None] | None, WrapValidator(_one_or_two)]


class DataTarget(TargetSpec):
    """A target made of data, standardised or not."""

    center: standard.Center = Field("none", description="Subtract the means of rows, columns or both.")
    scale: standard.Scale = Field(
        "none", description="Divide by the Frobenius or spectral norm, or each row or column by its norm."
    )

    def standardised(
        self, data: LabelledMatrix, origin: str, map: standard.Map, outcome: LabelledMatrix | None = None
    ) -> Built:
        """What `data` become, and `outcome` with them by the map "cross". Raises UserError."""
        steps = (map, self.center, self.scale)
        sources = [data] if outcome is None else [data, outcome]
        # By the data, not by what was made of them: the last bits of that may differ from machine to machine.
        definition = {"name": self.name, "data": [values_digest(source.values) for source in sources], "steps": steps}
        made = standard.standardised(data, outcome, *steps)
        return Built(made, definition, origin, standard.in_words(*steps))


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
    variable: str | None = Field(None, description=OF_A_FILE["variable"])
    header: StrictBool | None = Field(None, description=OF_A_FILE["header"])
    index: StrictBool | None = Field(None, description=OF_A_FILE["index"])
    rows: Labels | None = Field(None, description="Labels of the rows, instead of the file's; change no number.")
    columns: Labels | None = Field(None, description="Labels of the columns, instead of the file's; change no number.")

    @property
    def place(self) -> str:
        """Path of the file."""
        return self.path

    def build(self, seed: int) -> Built:
        """The file's matrix, standardised; its values define it, not its name, format or labels."""
        matrix, origin = read(self.path, Options(self.variable, self.header, self.index))
        return self.standardised(self._labelled(matrix), origin, self.map)

    def _labelled(self, matrix: LabelledMatrix) -> LabelledMatrix:
        found = []
        for axis, (key, own) in enumerate((("rows", matrix.rows), ("columns", matrix.columns))):
            given: list[str] | None = getattr(self, key)
            if given is not None and len(given) != matrix.values.shape[axis]:
                raise UserError(f"{key}: got {len(given)} labels, but the matrix has {matrix.values.shape[axis]} {key}")
            found.append(own if given is None else tuple(given))
        return LabelledMatrix(matrix.values, *found)


class NetworkTarget(TargetSpec):
    """M = Y Z^T: outputs Y, and inputs whitened to Z with Z Z^T = I. One sample a row of both files."""

    kind: Literal["network"]
    inputs: File = Field(description="A file as for kind file, samples in rows, features in columns.")
    outputs: File = Field(description="A second file, with the same samples in rows.")
    components: Dimension | None = Field(
        None, description="Principal components of the centred inputs that are kept; all of their rank if unset."
    )
    variable: Both[str] = Field(None, description=f"{OF_A_FILE['variable']} {OF_BOTH}")
    header: Both[StrictBool] = Field(None, description=f"{OF_A_FILE['header']} {OF_BOTH}")
    index: Both[StrictBool] = Field(None, description=f"{OF_A_FILE['index']} {OF_BOTH}")

    @property
    def place(self) -> str:
        """Paths of both files."""
        return f"{self.inputs}, {self.outputs}"

    def build(self, seed: int) -> Built:
        """The correlation of outputs with whitened inputs, both centred; the files' values define it."""
        (x, first), (y, second) = (self._read(side) for side in (0, 1))
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

    def _read(self, side: int) -> tuple[LabelledMatrix, str]:
        """One of the two files, with its origin in words. Raises UserError that says which file it is."""
        given = {key: getattr(self, key) for key in KEYS}
        own = {key: value[side] if isinstance(value, tuple) else value for key, value in given.items()}
        try:
            return read((self.inputs, self.outputs)[side], Options(**own))
        except UserError as error:
            raise UserError(f"{('inputs', 'outputs')[side]}: {error}") from None


def values_digest(values: Floats) -> str:
    """SHA-256 of shape and values, the same on every machine and for every file format."""
    ordered = np.ascontiguousarray(values, dtype="<f8")
    return hashlib.sha256(f"{values.shape}".encode() + ordered.tobytes()).hexdigest()
