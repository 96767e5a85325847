"""A grid from the command line to a commented YAML file.

What a user writes becomes a configuration, which the model checks, and the comments are the model's own descriptions of
its keys.
"""

from __future__ import annotations

import inspect
import os
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from dmf.cli.grammar import Config, lambdas, named, plain, target
from dmf.errors import UserError
from dmf.grid.config import SCHEMA_FILE, Grid, validate

WIDTH = 110  # of a comment


def configuration(given: Mapping[str, Any], settings: Sequence[str]) -> Config:
    """The configuration of `name`, `targets`, `depths` and `lams`, and of other keys as KEY=VALUE. Raises UserError."""
    config: Config = {
        "grid": given["name"],
        "targets": named([target(text) for text in given["targets"]]),
        # Lambdas have spaces only: 1,5c might be one number.
        "depths": [plain(text) for text in " ".join(given["depths"]).replace(",", " ").split()],
        "lambdas": lambdas(given["lams"]),
    }
    for setting in settings:
        put(config, setting)
    return config


def put(config: Config, setting: str) -> None:
    """Set a key, dotted where it is inside another: starts.count=4. Raises UserError for text that is no KEY=VALUE."""
    place, equals, text = setting.partition("=")
    *outer, key = place.split(".")
    if not equals or not key:
        raise UserError(f"--set: got {setting!r}, expected KEY=VALUE, such as starts.count=4")
    for name in outer:
        config = config.setdefault(name, {})
        if not isinstance(config, dict):
            raise UserError(f"--set: got {setting!r}, but {name} has no keys")
    config[key] = plain(text)


def grid_text(grid: Grid, path: Path) -> str:
    """The file for `path`, every key written out. Raises UserError where it would not be read as that same grid."""
    head = [
        "# Made by dmf new-grid. Every key is here, with its default if no value was given; config/README.md says more."
    ]
    if SCHEMA_FILE.exists() and path.resolve().is_relative_to(Path.cwd()):  # editors complete and check as you type
        head.insert(0, f"# yaml-language-server: $schema={Path(os.path.relpath(SCHEMA_FILE, path.parent)).as_posix()}")
    text = "\n".join([*head, *_keys(grid, set())]) + "\n"
    if validate(yaml.safe_load(text), str(path)) != grid:
        raise UserError(f"{path}: this grid would not be the same when read again; please report the command")
    return text


def _keys(model: BaseModel, told: set[str]) -> list[str]:
    """The lines of a mapping, at its own indentation. A text that was `told` is not repeated."""
    lines = []
    for key, field in type(model).model_fields.items():
        value = getattr(model, key)
        if value is None:  # text or labels that are not given
            continue
        lines += _comment(field.description or _meaning(value), told)
        if isinstance(value, BaseModel):
            lines += [f"{key}:", *(f"  {line}" for line in _keys(value, told))]
        elif isinstance(value, list) and value and isinstance(value[0], BaseModel):
            lines += [f"{key}:", *(f"  {line}" for one in value for line in _item(one, told))]
        else:
            lines.append(f"{key}: {_flow(value)}")
        if isinstance(model, Grid):
            lines.append("")
    return lines[:-1] if isinstance(model, Grid) else lines


def _item(model: BaseModel, told: set[str]) -> Iterator[str]:
    """The lines of an entry of a list: its comments first, then the dash."""
    yield from _comment(_meaning(model), told)
    lines = _keys(model, told)
    above = list(takewhile(lambda line: line.startswith("#"), lines))
    yield from above
    first, *rest = lines[len(above) :]
    yield f"- {first}"
    yield from (f"  {line}" for line in rest)


def _comment(text: str, told: set[str]) -> list[str]:
    if text in told:
        return []
    told.add(text)
    return [f"# {line}" for line in textwrap.wrap(text, WIDTH)]


def _meaning(value: Any) -> str:
    """What the docstring of a part of the configuration says first; nothing for plain values."""
    return (inspect.getdoc(type(value)) or "").partition("\n\n")[0] if isinstance(value, BaseModel) else ""


def _flow(value: Any) -> str:
    plain = value if isinstance(value, str | int | float) else list(value)
    text: str = yaml.safe_dump(plain, default_flow_style=True, allow_unicode=True, width=1_000_000)
    return text.removesuffix("\n").removesuffix("...").removesuffix("\n")
