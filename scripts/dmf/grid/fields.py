"""The kinds of values that a configuration is made of, and what is refused wherever they occur."""

from __future__ import annotations

import re
from collections import Counter
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictInt

SMALLEST, LARGEST = 1e-50, 1e50  # between them every product that training and theory form stays in range
LARGEST_DIMENSION = 4096  # rows or columns of a matrix
# Control characters break XML, and characters that turn the direction of writing make a page say what it does not.
HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


class Model(BaseModel):
    """A part of a configuration: unknown keys are refused, and it never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _not_bool(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("expected a number")
    return value


def _visible(value: str) -> str:
    if HIDDEN.search(value):
        raise ValueError("expected text without line breaks, control characters or changes of direction")
    return value


def unique(values: list[Any]) -> list[Any]:
    """The list as it is. Raises ValueError naming what is in it twice."""
    repeated = sorted(str(value) for value, times in Counter(values).items() if times > 1)
    if repeated:
        raise ValueError(f"{', '.join(repeated)} given twice; list each value once")
    return values


# PyYAML reads 1e-9 as text (YAML 1.1 wants a point), so a number written as text is taken as one.
Finite = Annotated[float, BeforeValidator(_not_bool), Field(allow_inf_nan=False)]
Positive = Annotated[Finite, Field(gt=0), Field(ge=SMALLEST, le=LARGEST)]
Positives = Annotated[list[Positive], AfterValidator(unique)]
Count = Annotated[StrictInt, Field(ge=1)]
Dimension = Annotated[StrictInt, Field(ge=1, le=LARGEST_DIMENSION)]
Name = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=64)
]  # becomes part of a path: no slash, no leading dot or dash
Visible = Annotated[str, AfterValidator(_visible)]
Title = Annotated[str, Field(max_length=120), AfterValidator(_visible)]
Label = Annotated[str, Field(max_length=80), AfterValidator(_visible)]
