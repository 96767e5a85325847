"""NumPy's archive of named arrays."""

from __future__ import annotations

import io
from zipfile import ZipFile

from dmf.errors import UserError
from dmf.grid.labelled import LabelledMatrix
from dmf.grid.readers import npy
from dmf.grid.readers._contract import MAX_BYTES, Options, one_of

SUFFIXES = (".npz",)
USES = ("variable",)
ISOLATED = False
MEMBER = ".npy"


def read(content: bytes, suffix: str, options: Options) -> LabelledMatrix:
    """The one array, or the one named. An archive unpacks to no more than its directory says, which is asked first."""
    with ZipFile(io.BytesIO(content)) as archive:
        members = [name.removesuffix(MEMBER) for name in archive.namelist() if name.endswith(MEMBER)]
        member = archive.getinfo(one_of(members, options.variable) + MEMBER)
        if member.file_size > MAX_BYTES:
            raise UserError(f"unpacks to {member.file_size} bytes, expected at most {MAX_BYTES}; reduce the matrix")
        return npy.read(archive.read(member), MEMBER, options)
