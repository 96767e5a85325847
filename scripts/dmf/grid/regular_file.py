"""The bytes of a file that is one: no link, no device, no pipe that would wait for ever, and not too large."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from dmf.errors import UserError

# The type is asked of the open file: between a look at the name and opening it another file could take its place.
FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)


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
