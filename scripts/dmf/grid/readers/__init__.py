"""Readers of matrices, one file a format: SUFFIXES, USES, ISOLATED and read. A new format is a new file here."""

from __future__ import annotations

import hashlib
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from types import ModuleType

from dmf.errors import UserError, printable, shown
from dmf.grid.labelled import LabelledMatrix, real
from dmf.grid.readers._contract import KEYS, MAX_BYTES, Options, Reader
from dmf.grid.readers._isolated import read_isolated
from dmf.grid.user_files import regular_file

__all__ = ["KEYS", "MAX_BYTES", "Options", "parse", "read", "readers"]

LONGEST_REASON = 300  # characters of what a library says of a file


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
    content = regular_file(Path(path), MAX_BYTES)
    return real(parse(content, path, options)), f"{path}, SHA-256 {hashlib.sha256(content).hexdigest()}"


def parse(content: bytes, name: str, options: Options) -> LabelledMatrix:
    """The matrix in a file's `content`; the suffix of `name` says its format.

    Raises UserError for a suffix that no reader knows, for an option that the format has no use for, and for content
    that is not a matrix in that format. The values are as stored: any type, any shape.
    """
    suffix = Path(name).suffix.lower()
    reader = readers().get(suffix)
    if reader is None:
        raise UserError(f"got suffix {shown(suffix, quoted=True)}, expected one of {', '.join(readers())}")
    for key in KEYS:
        if getattr(options, key) is not None and key not in reader.uses:
            able = [other for other, known in readers().items() if key in known.uses]
            raise UserError(f"{key} given, but only {', '.join(able)} files have one; leave it out")
    try:
        return reader.read(content, suffix, options)
    except UserError:
        raise
    except Exception as error:  # readers raise whatever a malformed file makes them raise
        reason = printable(" ".join(str(error)[:LONGEST_REASON].split()), LONGEST_REASON) or type(error).__name__
        raise UserError(f"not a readable {suffix} matrix ({reason})") from None
