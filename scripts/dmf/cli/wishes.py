"""What a user writes on the command line for a grid, as a configuration. It is checked by the model, not here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import yaml

from dmf.errors import UserError
from dmf.grid.kinds import DatasetTarget

DATASETS = get_args(DatasetTarget.model_fields["dataset"].annotation)
Config = dict[str, Any]


def configuration(given: Mapping[str, Any], settings: Sequence[str]) -> Config:
    """The configuration of `name`, `targets`, `depths` and `lams`, and of other keys as KEY=VALUE. Raises UserError."""
    lams = given["lams"]
    config: Config = {
        "grid": given["name"],
        "targets": named([target(text) for text in given["targets"]]),
        "depths": [plain(text) for text in given["depths"]],
        "lambdas": {
            "relative": [plain(lam.removesuffix("c")) for lam in lams if lam.endswith("c")],
            "absolute": [plain(lam) for lam in lams if not lam.endswith("c")],
        },
    }
    for setting in settings:
        put(config, setting)
    return config


def target(text: str) -> Config:
    """A target from its short form: 5x5, 4,2,1, a data set's name, or a path. It has no final name yet."""
    shape = re.fullmatch(r"(\d+)x(\d+)", text)
    if shape:
        return {"name": f"gaussian-{text}", "kind": "gaussian", "shape": [int(size) for size in shape.groups()]}
    if re.fullmatch(r"[-+.,\deE]*\d[-+.,\deE]*", text):
        values = [plain(value) for value in text.split(",")]
        return {"name": "spectrum", "kind": "spectrum", "shape": [len(values)] * 2, "singular_values": values}
    if text in DATASETS:
        return {"name": text, "kind": "dataset", "dataset": text}
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", Path(text).stem).strip("-_.")
    return {"name": name or "file", "kind": "file", "path": text}


def named(targets: Sequence[Config]) -> list[Config]:
    """The targets with a number behind every name that another one has already."""
    taken: list[str] = []
    for one in targets:
        number, free = 1, one["name"]
        while free in taken:
            number += 1
            free = f"{one['name']}-{number}"
        taken.append(free)
    return [{**one, "name": name} for one, name in zip(targets, taken, strict=True)]


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


def plain(text: str) -> Any:
    """A value as YAML reads it. Raises UserError for what is none."""
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):  # ValueError: a date such as 2026-13-01
        raise UserError(f"got {text!r}, expected a value as in YAML: a number, text or a list such as [2, 3]") from None
