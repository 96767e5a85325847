"""The bytes of a user's file, if it is one, and what a YAML file says: both bounded before anything is read."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from dmf.errors import UserError, printable, shown

# The type is asked of the open file: between a look at the name and opening it another file could take its place.
FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
MOST_BYTES = 4 * 2**20  # a grid of 10,000 targets with every key written out takes 2 MiB
MOST_VALUES = 150_000  # with those of every alias; such a grid has 130,000
MOST_ENTRIES = 10_000  # of one list or mapping, as of targets
LONGEST = 10_000  # characters of one value: long numbers in base 60 take a time that grows with their square
DEEPEST = 50  # lists and mappings inside others; a grid has 4
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same values, ten times as fast where PyYAML has libyaml


def regular_file(path: Path, most: int, remedy: str = "reduce the matrix") -> bytes:
    """All bytes of the file. Raises UserError where it is missing, no regular file, or larger than `most` bytes."""
    try:
        handle = os.open(path, FLAGS)
    except FileNotFoundError:
        raise UserError("no such file; paths are relative to the working directory") from None
    except ValueError:  # a null character
        raise UserError("not the name of a file") from None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise UserError("is a symbolic link; give the path of the file itself") from None
        raise UserError(f"not readable ({error.strerror})") from None
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise UserError("is a folder, a device or a pipe; expected a file")
        if status.st_size > most:
            raise UserError(f"has {status.st_size} bytes, expected at most {most}; {remedy}")
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read(most)
    finally:
        os.close(handle)


def read_yaml(path: str | Path) -> Any:
    """What the file says, in dictionaries, lists and plain values.

    Raises UserError, in one line, where the file is missing, no regular file or no YAML, or means too much.
    """
    place = printable(str(path))
    try:
        # A link to a file is as good as the file; a pipe would wait for ever.
        content = regular_file(Path(os.path.realpath(path)), MOST_BYTES, "split it into several grids")
        return _values(content.decode("utf-8"))
    except UserError as error:
        raise UserError(f"{place}: {error}") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{place}: not readable as text ({error}); save it as UTF-8") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: a date such as 2026-13-01
        raise UserError(f"{place}: not valid YAML: {printable(' '.join(str(error).split()))}") from None


def _values(text: str) -> Any:
    _refuse_abuse(yaml.parse(text, Loader=LOADER))
    loader = LOADER(text)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


@dataclass
class _Open:
    """A list or mapping that is being read: its anchor, and how many values were read before it."""

    anchor: str | None
    before: int
    keys: dict[str, int] | None
    """Of a mapping the lines of its keys; None of a list."""
    entries: int = 0

    def add(self, event: Any, line: int) -> None:
        """Read the next key or value. Raises UserError for a key that was given before, or could be one of those."""
        if self.keys is not None and self.entries % 2 == 0:
            if isinstance(event, yaml.AliasEvent):
                raise UserError(f"line {line}: *{shown(event.anchor)} stands for a key; write the key out")
            if isinstance(event, yaml.ScalarEvent):
                if event.value in self.keys:
                    known = f"first in line {self.keys[event.value]}; keep one of them"
                    raise UserError(f"line {line}: key {shown(event.value)} is given twice, {known}")
                self.keys[event.value] = line
        self.entries += 1
        if self.entries > MOST_ENTRIES * (1 if self.keys is None else 2):
            raise UserError(f"line {line}: more than {MOST_ENTRIES:,} entries of a list or mapping; use fewer")


def _refuse_abuse(events: Iterable[Any]) -> None:
    """Raise UserError where a text means too much, or gives a key twice: loaders would take the last one silently.

    Counts values, those behind an alias each time that it is used, before anything copies them. Merge keys (`<<`) copy
    what their aliases stand for, so this bounds the work as well.
    """
    count = 0
    around: list[_Open] = []
    sizes: dict[str, int] = {}  # values behind an anchor that is read to its end
    for event in events:
        if isinstance(event, yaml.CollectionEndEvent):
            ended = around.pop()
            if ended.anchor is not None:
                sizes[ended.anchor] = count - ended.before
            continue
        if not isinstance(event, yaml.NodeEvent):
            continue
        line = event.start_mark.line + 1  # type: ignore[union-attr]
        if around:
            around[-1].add(event, line)
        if isinstance(event, yaml.AliasEvent):
            if any(outer.anchor == event.anchor for outer in around):
                raise UserError(f"line {line}: *{shown(event.anchor)} is part of itself; write its values out")
            count += sizes.get(str(event.anchor), 0)
        elif isinstance(event, yaml.ScalarEvent):
            count += 1
            if event.anchor is not None:
                sizes[event.anchor] = 1
            if len(event.value) > LONGEST:
                raise UserError(
                    f"line {line}: a value of {len(event.value):,} characters, expected at most {LONGEST:,}"
                )
        else:
            keys: dict[str, int] | None = {} if isinstance(event, yaml.MappingStartEvent) else None
            around.append(_Open(event.anchor, count, keys))
            count += 1
            if len(around) > DEEPEST:
                raise ValueError(f"line {line}: lists and mappings inside others, expected at most {DEEPEST} levels")
        if count > MOST_VALUES:
            raise UserError(
                f"line {line}: more than {MOST_VALUES:,} values, with those of every alias (*name); use fewer"
            )
