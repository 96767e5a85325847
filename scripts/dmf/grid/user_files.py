"""The bytes of a user's file, if it is one, and what a YAML file says: both bounded before anything is read."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Any

import yaml

from dmf.errors import UserError, printable

# The type is asked of the open file: between a look at the name and opening it another file could take its place.
FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
MOST_BYTES = 8 * 2**20  # a grid of 100,000 targets takes 5 MiB
MOST_VALUES = 1_000_000  # with those of every alias; a grid of 100,000 targets has 900,000
LONGEST = 10_000  # characters of one value: long numbers in base 60 take a time that grows with their square


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
    shown = printable(str(path))
    try:
        # A link to a file is as good as the file; a pipe would wait for ever.
        content = regular_file(Path(os.path.realpath(path)), MOST_BYTES, "split it into several grids")
        return _values(content.decode("utf-8"))
    except UserError as error:
        raise UserError(f"{shown}: {error}") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{shown}: not readable as text ({error}); save it as UTF-8") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: a date such as 2026-13-01
        raise UserError(f"{shown}: not valid YAML: {printable(' '.join(str(error).split()))}") from None


def _values(text: str) -> Any:
    loader = _Bounded(text)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


class _Bounded(yaml.SafeLoader):
    """Counts values while it reads them, those behind an alias each time that it is used, before anything copies them.

    Merge keys (`<<`) copy what their aliases stand for, so this bounds the work as well.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._count = 0
        self._sizes: dict[str, int] = {}  # values behind an anchor that is read to its end

    def compose_node(self, parent: Any, index: Any) -> Any:
        """The next value. Raises UserError where there are too many, or one is too long or part of itself."""
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        before = self._count
        node = super().compose_node(parent, index)
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._sizes:
                raise UserError(f"line {line}: *{event.anchor} is part of itself; write its values out")
            self._count += self._sizes[event.anchor]
        else:
            self._count += 1
            if event.anchor is not None:
                self._sizes[event.anchor] = self._count - before
        if self._count > MOST_VALUES:
            raise UserError(
                f"line {line}: more than {MOST_VALUES:,} values, with those of every alias (*name); use fewer"
            )
        if isinstance(event, yaml.ScalarEvent) and len(event.value) > LONGEST:
            raise UserError(f"line {line}: a value of {len(event.value):,} characters, expected at most {LONGEST:,}")
        return node
