"""Locks that end with the process that holds them, however it ends: one run a grid, one training a tile."""

from __future__ import annotations

import errno
import fcntl
import os
import platform
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from dmf.dataset.store import unwritable
from dmf.errors import UserError

TAKEN = (errno.EACCES, errno.EAGAIN)


def check_writable(folder: Path) -> None:
    """Make a folder where it is missing. Raises DataError where it cannot be made, or nothing can be written in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise unwritable(folder, error) from None


def hold(folder: Path) -> TextIO:
    """Hold a grid's folder, made where it is missing, for as long as the returned file is open.

    Raises UserError, naming the process, where another run holds it, and DataError where it cannot be written.
    """
    check_writable(folder)
    file = (folder / ".lock").open("a+", encoding="utf-8")
    if not _lock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB, 0):
        file.seek(0)
        holder = file.read().strip() or "another process"
        file.close()
        raise UserError(f"{folder}: {holder} is running this grid; expected one run at a time; wait for it or stop it")
    try:
        file.truncate(0)
        file.write(f"process {os.getpid()} on {platform.node()}\n")
        file.flush()
    except OSError as error:
        raise unwritable(folder, error) from None
    return file


@contextmanager
def alone(path: Path, place: int) -> Iterator[None]:
    """Wait until no other process is inside with the same `place`, a whole number from 0 to 2^63 - 2, of this file.

    One file serves any number of places: each is a byte of it, and no byte needs to exist.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a", encoding="utf-8")
    except OSError as error:
        raise unwritable(path, error) from None
    with file:
        _lock(file.fileno(), fcntl.LOCK_EX, place)
        yield


def _lock(file: int, how: int, place: int) -> bool:
    """Lock one byte; False where another process has it. A file system without locks lets everyone in."""
    try:
        fcntl.lockf(file, how, 1, place)
    except OSError as error:
        return error.errno not in TAKEN
    return True
