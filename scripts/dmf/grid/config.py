"""The typed configuration of a grid: what a user may write, checked before anything runs.

`python -m dmf.grid.config` writes its JSON schema, with which editors complete and check.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    StrictBool,
    StrictInt,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from dmf.errors import UserError, near, printable
from dmf.grid.fields import Count, Dimension, Finite, Model, Name, Positive, Positives, Title, first_problem, unique
from dmf.grid.kinds import Target
from dmf.grid.user_files import read_yaml
from dmf.training.arguments import DEVICE
from dmf.training.settings import Lbfgs, Optimizer

SCHEMA_FILE = Path("workflow/schemas/config.schema.json")
# Planning takes time and memory in proportion to the first; the second fills a disk of terabytes.
MOST_SERIES = 1_000_000  # targets x depths x lambdas x schemes x scales
MOST_RUNS = 10**10
DEEPEST = 200  # layers
FEWEST_ATTEMPTS = 200  # runs of the search for refutations, which random trials alone then find a false statement with


def _widths(value: Any, check: ValidatorFunctionWrapHandler) -> Any:
    try:
        return check(value)
    except ValidationError:  # one line for the three ways to write widths
        raise PydanticCustomError(
            "hidden_widths", "expected same, a whole number from 1 to 4096, or a list of such numbers"
        ) from None


def _names(value: Any, check: ValidatorFunctionWrapHandler) -> Any:
    try:
        return check(value)
    except ValidationError:  # one line for the two ways to choose
        raise PydanticCustomError("names", "expected all, or a list of names") from None


def _device(value: str) -> str:
    if not re.fullmatch(DEVICE, value):
        raise ValueError("expected auto, cpu, torch, cuda or cuda:N")
    return value


Chosen = Annotated[list[Name], Field(max_length=1000), AfterValidator(unique)]
Choice = Annotated[Literal["all"] | Chosen, WrapValidator(_names)]
Widths = Annotated[list[Dimension], Field(min_length=1, max_length=DEEPEST)]
Scheme = Literal["gaussian", "orthogonal", "balanced", "identity"]


class Lambdas(Model):
    """The regularization parameters, every one combined with every target and depth."""

    relative: Positives = Field([], description="In units of lambda_c(sigma_1, depth) of each target.")
    absolute: Positives = Field([], description="The same number for every target and depth.")

    @model_validator(mode="after")
    def _some(self) -> Lambdas:
        if not self.relative and not self.absolute:
            raise ValueError("no lambda given; list at least one under relative or absolute")
        return self


class Starts(Model):
    """Where training begins: `count` draws for each scheme and scale."""

    schemes: Annotated[list[Scheme], Field(max_length=4), AfterValidator(unique)] = Field(["gaussian"], min_length=1)
    scales: Positives = Field(
        [0.5, 1.0, 2.0],
        min_length=1,
        description="Size of a layer in units of sigma_1^(1/L), the size of a layer of the unregularized solution.",
    )
    count: Count = Field(8, le=10_000_000, description="Draws for each scheme and scale.")


class Certificate(Model):
    """When a run is certified, and how many runs and cells a verdict needs."""

    gradient_norm: Positive = Field(
        1e-10,
        ge=1e-15,
        lt=1e-2,
        description="Largest certified gradient norm, in units of sigma_1^(2-1/L), the natural size of a gradient.",
    )
    runs_per_cell: Count = Field(2, description="Certified minimizers a cell needs before it counts.")
    cells: Annotated[Finite, Field(gt=0, le=1)] = Field(
        0.5, description="Share of a claim's cells that must count; below it the verdict is inconclusive."
    )


class Keep(Model):
    """Optional parts of the stored runs."""

    layers: StrictBool = Field(False, description="Also store every layer of every run (L times the size).")


class Tiles(Model):
    """How runs are packed into jobs; changes no result."""

    seconds: Positive = Field(20.0, description="Predicted seconds of training in each job.")
    chunk_mib: Positive = Field(512.0, description="Most MiB of runs that a job assembles or certifies.")


def _enough(runs: int) -> int:
    if 0 < runs < FEWEST_ATTEMPTS:
        raise ValueError(f"expected 0 or at least {FEWEST_ATTEMPTS}: fewer would miss the control of the search")
    return runs


class Refute(Model):
    """The search for cells that refute a claim on runs."""

    runs: Annotated[StrictInt, Field(ge=0, le=100_000_000), AfterValidator(_enough)] = Field(
        3200, description="Runs that the search may train, at least 200; 0 turns it off."
    )


class Prove(Model):
    """The runs that are proved in ball arithmetic."""

    runs: Annotated[StrictInt, Field(ge=0, le=10_000_000)] = Field(
        4000, description="Runs to prove, two of every cell as far as they go; 0 turns it off."
    )


class MinimumSearch(Model):
    """The search for a certified global minimizer in every cell."""

    runs: Annotated[StrictInt, Field(ge=0, le=10_000_000)] = Field(
        200, description="Runs that the search may spend in a cell before it gives up; 0 turns it off."
    )


class Grid(Model):
    """One grid: targets x depths x lambdas x starts, and how they are trained and judged."""

    grid: Name = Field(description="Name of the grid: results go to data/NAME and reports/NAME.")
    title: Title | None = Field(None, description="Heading of the report; changes no number.")
    seed: Annotated[StrictInt, Field(ge=0, lt=2**63)] = Field(0, description="Every random number depends on it.")
    targets: list[Target] = Field(min_length=1, max_length=10_000)
    depths: Annotated[list[Annotated[StrictInt, Field(ge=2, le=DEEPEST)]], AfterValidator(unique)] = Field(
        min_length=1, max_length=DEEPEST, description="Number of layers L."
    )
    hidden_widths: Annotated[
        Literal["same"] | Dimension | Annotated[list[Dimension], Field(min_length=1, max_length=DEEPEST)],
        WrapValidator(_widths),
    ] = Field(
        "same",
        description="same: min(d_0, d_L), the narrowest the theory allows; a number: every hidden layer; "
        "a list: d_1 ... d_(L-1), for a single depth.",
    )
    lambdas: Lambdas
    starts: Starts = Starts()
    optimizer: Optimizer = Lbfgs(name="lbfgs")
    device: Annotated[str, AfterValidator(_device)] = Field(
        "cpu",
        json_schema_extra={"pattern": DEVICE},
        description="cpu: the compiled engine; cuda, cuda:N: torch on a graphics card; torch: the same on the "
        "processor; auto: a graphics card where there is one.",
    )
    certificate: Certificate = Certificate()
    keep: Keep = Keep()
    tiles: Tiles = Tiles()
    refute: Refute = Refute()
    minimum_search: MinimumSearch = MinimumSearch()
    prove: Prove = Prove()
    figures: Choice = Field("all", description="all, or the names of the figures to draw.")
    studies: Choice = Field(
        "all",
        description="all, or the names of studies: evidence for statements that no run of a grid reaches. all is all "
        "but those of config/grids/frontier.yaml.",
    )

    @model_validator(mode="after")
    def _consistent(self) -> Grid:
        repeated = sorted(name for name, times in Counter(t.name for t in self.targets).items() if times > 1)
        if repeated:
            raise ValueError(f"targets: name {', '.join(repeated)} given twice; names must be unique")
        if isinstance(self.hidden_widths, list):
            wrong = [d for d in self.depths if d != len(self.hidden_widths) + 1]
            if wrong:
                raise ValueError(
                    f"hidden_widths: a list of {len(self.hidden_widths)} fits depth "
                    f"{len(self.hidden_widths) + 1} only, but depths has {wrong[0]}"
                )
        lambdas, starts = len(self.lambdas.relative) + len(self.lambdas.absolute), self.starts
        series = len(self.targets) * len(self.depths) * lambdas * len(starts.schemes) * len(starts.scales)
        if series > MOST_SERIES:
            raise ValueError(
                f"targets x depths x lambdas x schemes x scales: got {series:,}, expected at most {MOST_SERIES:,}; "
                "split it into several grids"
            )
        if series * starts.count > MOST_RUNS:
            raise ValueError(
                f"starts.count: makes {series * starts.count:,} runs, expected at most {MOST_RUNS:,}; lower it"
            )
        return self


def validate(raw: Any, source: str) -> Grid:
    """Check a parsed configuration.

    `raw` is what YAML gave, `source` the file to name in a complaint. Raises UserError with one line naming
    the first wrong key, its value and what was expected.
    """
    try:
        return Grid.model_validate(raw)
    except ValidationError as error:
        raise UserError(f"{source}: {first_problem(error, Grid.model_json_schema())}") from None


def load(path: str | Path) -> Grid:
    """Read and check a grid's YAML file. Raises UserError."""
    return validate(read_yaml(path), printable(str(path)))


class _Named(BaseModel):
    grid: Name


def grid_name(path: str | Path) -> str:
    """The name in a grid's YAML file, whatever else is in it. Raises UserError where it could not be a grid's."""
    try:
        return _Named.model_validate(read_yaml(path)).grid
    except ValidationError as error:
        raise UserError(f"{printable(str(path))}: {first_problem(error)}") from None


def chosen(
    key: str, wanted: str | Sequence[str], known: Sequence[str], source: str, unless_named: Sequence[str] = ()
) -> list[str]:
    """Those of `known` that a grid wants under `key`, "all" or names. Raises UserError for a name that is none.

    `source` is the file to name in a complaint; "all" leaves out those of `unless_named`.
    """
    if isinstance(wanted, str):
        return [name for name in known if name not in unless_named]
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise UserError(
            f"{source}: {key}: got {unknown[0]!r}, expected all or names out of {', '.join(known)}"
            f"{near(unknown[0], known)}"
        )
    return [name for name in known if name in wanted]


def schema_text() -> str:
    """The JSON schema of a configuration, as text. A test compares it with SCHEMA_FILE."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Grid.model_json_schema()}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")
