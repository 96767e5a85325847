"""The types of values in a configuration, and the line that says what is wrong with one: key, value, expectation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from reprlib import Repr
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictInt, ValidationError

from dmf.errors import near, shown
from dmf.grid.limits import HIDDEN, LARGEST, LARGEST_DIMENSION, SMALLEST


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
LONGEST_LIST = 10_000  # of lambdas or scales
Positives = Annotated[list[Positive], Field(max_length=LONGEST_LIST), AfterValidator(unique)]
Count = Annotated[StrictInt, Field(ge=1)]
Dimension = Annotated[StrictInt, Field(ge=1, le=LARGEST_DIMENSION)]
Name = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=64)
]  # becomes part of a path: no slash, no leading dot or dash
Visible = Annotated[str, AfterValidator(_visible)]
Title = Annotated[str, Field(max_length=120), AfterValidator(_visible)]
Label = Annotated[str, Field(max_length=80), AfterValidator(_visible)]

# By pydantic's type of complaint; braces are filled in from its context.
EXPECTED = {
    "extra_forbidden": "unknown key; see config/README.md for the keys",
    "missing": "missing; a value is required here",
    "invalid_key": "expected a key that is text",
    "model_type": "expected a mapping of keys to values",
    "model_attributes_type": "expected a mapping of keys to values",
    "list_type": "expected a list",
    "tuple_type": "expected a list",
    "too_short": "expected a list of at least {min_length}",
    "too_long": "expected a list of at most {max_length}",
    "string_type": "expected text",
    "string_too_short": "expected text, not an empty one",
    "string_too_long": "expected at most {max_length} characters",
    "string_pattern_mismatch": "expected letters, digits, '_', '.' and '-' only, beginning with a letter or digit",
    "bool_type": "expected true or false",
    "int_type": "expected a whole number",
    "float_type": "expected a number",
    "float_parsing": "expected a number",
    "finite_number": "expected a finite number",
    "greater_than": "expected a number greater than {gt}",
    "greater_than_equal": "expected a number of at least {ge}",
    "less_than": "expected a number less than {lt}",
    "less_than_equal": "expected a number of at most {le}",
    "literal_error": "expected {expected}",
    "union_tag_not_found": "missing; a value is required here",
    "union_tag_invalid": "expected one of {expected_tags}",
}
RENAMED = {  # keys of old, refused with their new name
    "falsifier": "refute",
    "search": "minimum_search",
    "tiles.part_mib": "tiles.chunk_mib",
}
TAG_AT = {"targets": 2, "optimizer": 1}  # where pydantic's place goes through the kind or the name that was chosen
LONGEST_VALUE = 60
_SHORTENED = Repr()  # of a list or mapping the first entries, to a depth
_SHORTENED.maxlevel, _SHORTENED.maxdict, _SHORTENED.maxlist = 3, 8, 8
_SHORTENED.maxstring = _SHORTENED.maxlong = _SHORTENED.maxother = 500


def first_problem(error: ValidationError, schema: Mapping[str, Any] = MappingProxyType({})) -> str:
    """The first wrong key, its value and what was expected, and how many more there are; one line.

    The JSON `schema` of the configuration says which key an unknown one may be a misspelling of.
    """
    problems = error.errors(include_url=False)
    # An unknown key is often a misspelt one, and then explains the missing key reported before it.
    problem = next((p for p in problems if p["type"] == "extra_forbidden"), problems[0])
    kind, value, context = problem["type"], problem["input"], problem.get("ctx", {})
    place = [shown(part) for part in problem["loc"]]
    if place and place[0] in TAG_AT:
        del place[TAG_AT[place[0]] : TAG_AT[place[0]] + 1]
    if kind.startswith("union_tag"):
        key = context["discriminator"].strip("'")
        place, value = [*place, key], value.get(key)
    expected = EXPECTED[kind].format_map(context) if kind in EXPECTED else problem["msg"].removeprefix("Value error, ")
    if kind == "extra_forbidden" and (new := RENAMED.get(".".join(place))):
        expected = f"renamed; expected {new}"
    elif kind == "extra_forbidden" and (hint := near(str(problem["loc"][-1]), _keys_at(schema, problem["loc"][:-1]))):
        expected = f"unknown key{hint}"
    # A whole mapping or list says nothing that the text does not; a key that is not there has no value.
    silent = kind in ("missing", "extra_forbidden", "union_tag_not_found")
    silent = silent or (kind == "value_error" and isinstance(value, dict | list))
    parts = [".".join(place), "" if silent else f"got {_short(value)}", expected]
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return " ".join((": ".join(part for part in parts if part) + more).split())


def _keys_at(schema: Mapping[str, Any], place: Sequence[str | int]) -> list[str]:
    """The keys of a part of a configuration; `place` is pydantic's, with the kind or name that was chosen in it."""
    part: Mapping[str, Any] = schema
    try:
        for step in place:
            if isinstance(step, int):
                part = part["items"]
            elif "discriminator" in part:
                part = {"$ref": part["discriminator"]["mapping"][step]}
            else:
                part = part["properties"][step]
            if "$ref" in part:
                part = schema["$defs"][part["$ref"].rpartition("/")[2]]
    except KeyError:
        return []
    return list(part.get("properties", ()))


def _short(value: object) -> str:
    # Aliases in YAML can make a few lines mean a billion entries: never write a value out whole.
    try:
        text = _SHORTENED.repr(value)
    except ValueError:  # Python refuses to write out some thousand digits
        text = "a number of more digits than are shown"
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 3] + "..."
