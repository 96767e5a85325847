"""Readers of matrices, one file a format: SUFFIXES, USES, ISOLATED and read. A new format is a new file here."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from types import ModuleType

from dmf.errors import UserError
from dmf.grid.labelled import LabelledMatrix, real
from dmf.grid.readers._contract import KEYS, MAX_BYTES, Options, Reader
from dmf.grid.readers._isolated import read_isolated

__all__ = ["MAX_BYTES", "Options", "parse", "read", "readers"]

# The type is asked of the open file: between a look at the name and opening it another file could take its place.
FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)


@cache
def readers() -> dict[str, Reader]:
    """The reader of every suffix. Importing them is cheap: each loads its library when it reads."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))
    modules = [import_module(f"{__name__}.{name}") for name in names]
    return {suffix: _reader(module) for module in modules for suffix in module.SUFFIXES}


def _reader(module: ModuleType) -> Reader:
    return Reader(partial(read_isolated, module.__name__) if module.ISOLATED else module.read, module.USES)


def read(path: str, options: Options) -> tuple[LabelledMatrix, str]:
    """The matrix in the file at `path`, finite and real, and in words where it came from: path and hash of the file.

    Raises UserError for what is missing, no regular file, larger than MAX_BYTES, or no such matrix.
    """
    content = _regular_file(Path(path), MAX_BYTES)
    return real(parse(content, path, options)), f"{path}, SHA-256 {hashlib.sha256(content).hexdigest()}"


def parse(content: bytes, name: str, options: Options) -> LabelledMatrix:
    """The matrix in a file's `content`; the suffix of `name` says its format.

    Raises UserError for a suffix that no reader knows, for an option that the format has no use for, and for content
    that is not a matrix in that format. The values are as stored: any type, any shape.
    """
    suffix = Path(name).suffix.lower()
    reader = readers().get(suffix)
    if reader is None:
        raise UserError(f"got suffix {suffix!r}, expected one of {', '.join(readers())}")
    for key in KEYS:
        if getattr(options, key) is not None and key not in reader.uses:
            able = [other for other, known in readers().items() if key in known.uses]
            raise UserError(f"{key} given, but only {', '.join(able)} files have one; leave it out")
    try:
        return reader.read(content, suffix, options)
    except UserError:
        raise
    except Exception as error:  # readers raise whatever a malformed file makes them raise
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"not a readable {suffix} matrix ({reason})") from None


def _regular_file(path: Path, most: int) -> bytes:
    """All bytes of a file that is no link, device or pipe, which could wait for ever. Raises UserError."""
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
            raise UserError(f"has {status.st_size} bytes, expected at most {most}; reduce the matrix")
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read(most)
    finally:
        os.close(handle)
