"""Everything malformed that we could think of is refused with one line, known in full, and nothing is written."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import yaml

from corpus.configurations import BASE, CHANGED, WHOLE
from corpus.target_files import FILES, THINGS, Make
from dmf.dataset.project import open_project
from dmf.errors import UserError
from dmf.grid.config import load
from files import in_process


def refusal(source: str) -> str:
    """What opening a grid's file says; holds it to one line, and to writing nothing."""
    before = sorted(Path().rglob("*"))
    with pytest.raises(UserError) as caught:
        open_project(load(source).model_dump(), source)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert message.isprintable()
    assert sorted(Path().rglob("*")) == before
    return message


def matches(pattern: str, message: str) -> bool:
    """Whether a message is the pattern, in which … stands for what a library says in its own words."""
    return re.fullmatch(".+".join(map(re.escape, pattern.split("…"))), message) is not None


def test_the_corpus_is_large_and_has_no_line_twice_by_mistake() -> None:
    assert len(CHANGED) + len(WHOLE) + len(FILES) + len(THINGS) >= 160


@pytest.mark.parametrize(("change", "line"), CHANGED, ids=[str(change)[1:50] for change, _ in CHANGED])
def test_a_configuration_with_one_thing_wrong(in_tmp: Path, change: dict[str, str], line: str) -> None:
    Path("grid.yaml").write_text("".join(f"{key}: {value}\n" for key, value in {**BASE, **change}.items()))
    message = refusal("grid.yaml")
    assert matches(f"grid.yaml: {line}", message), message


@pytest.mark.parametrize(("content", "line"), WHOLE, ids=[repr(content[:30]) for content, _ in WHOLE])
def test_a_file_that_is_no_configuration(in_tmp: Path, content: bytes, line: str) -> None:
    Path("grid.yaml").write_bytes(content)
    message = refusal("grid.yaml")
    assert matches(f"grid.yaml: {line}", message), message


def target_refusal(path: str, **keys: Any) -> str:
    target = {"name": "mine", "kind": "file", "path": path, **keys}
    text = yaml.safe_dump({"grid": "demo", "targets": [target], "depths": [3], "lambdas": {"relative": [0.5]}})
    Path("grid.yaml").write_text(text)
    return refusal("grid.yaml")


@pytest.mark.parametrize(
    ("name", "make", "keys", "line"), FILES, ids=[f"{i}-{case[0]}" for i, case in enumerate(FILES)]
)
def test_a_file_that_is_no_target(in_tmp: Path, name: str, make: Make, keys: dict[str, Any], line: str) -> None:
    Path(name).write_bytes(make())
    with nullcontext() if name.startswith("trap") else in_process():
        message = target_refusal(name, **keys)
    assert matches(f"grid.yaml: targets.0 (mine): {name}: {line}", message), message


@pytest.mark.parametrize(("name", "make", "line"), THINGS, ids=[name[:12] for name, _, _ in THINGS])
def test_what_is_no_file_at_all(in_tmp: Path, name: str, make: Callable[[Path], object], line: str) -> None:
    make(Path(name))
    message = target_refusal(name)
    assert matches(f"grid.yaml: targets.0 (mine): {name}: {line}", message), message
