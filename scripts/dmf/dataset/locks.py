"""Locks that end with the process that holds them, however it ends: one run a grid, one training a tile."""

from __future__ import annotations

import errno
import os
import platform
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from dmf.dataset.owner import begin_run
from dmf.dataset.store import unwritable
from dmf.errors import UserError

NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP)  # what a file system without locks answers


def check_writable(folder: Path) -> None:
    """Make a folder where it is missing. Raises DataError where it cannot be made, or nothing can be written in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise unwritable(folder, error) from None


def hold(folder: Path) -> FileLock:
    """Hold a grid's folder, made where it is missing, until the returned lock is released or garbage, and begin a run.

    Raises UserError, naming the process, where another run holds it, and DataError where it cannot be written. From
    then on no job of an earlier run puts a file in place.
    """
    check_writable(folder)
    path = folder / ".lock"
    try:
        lock = _acquire(path, timeout=0)
        path.write_text(f"process {os.getpid()} on {platform.node()}\n", encoding="utf-8")
        begin_run(folder)
    except Timeout:
        holder = path.read_text(encoding="utf-8").strip() or "another process"
        raise UserError(
            f"{folder}: {holder} is running this grid; expected one run at a time; wait for it or stop it"
        ) from None
    except OSError as error:
        raise unwritable(folder, error) from None
    return lock


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Wait until no other process is inside with the same file, which is made where it is missing, and stays.

    A file that stays holds nobody up. To delete it would let two processes in: one that waits for the deleted file,
    and one that makes it again. Raises DataError where it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = _acquire(path, timeout=-1)
    except OSError as error:
        raise unwritable(path, error) from None
    try:
        yield
    finally:
        lock.release()


def _acquire(path: Path, timeout: float) -> FileLock:
    """The lock of a file; not locked, which lets everyone in, on a file system without locks.

    The library would mark such files by their existence instead; a killed process would leave its mark.
    """
    lock = FileLock(path, timeout, fallback_to_soft=False)
    try:
        lock.acquire()
    except OSError as error:  # a Timeout has no number
        if error.errno not in NO_LOCKS:
            raise
    return lock
