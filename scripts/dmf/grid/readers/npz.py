"""NumPy's archive of named arrays."""

from __future__ import annotations

import io
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

from dmf.errors import UserError
from dmf.grid.labelled import LabelledMatrix
from dmf.grid.readers import npy
from dmf.grid.readers._contract import MAX_BYTES, Options, one_of

SUFFIXES = (".npz",)
USES = ("variable",)
ISOLATED = False
MEMBER = ".npy"
ENTRY, MOST_MEMBERS = b"PK\x01\x02", 10_000


def read(content: bytes, suffix: str, options: Options) -> LabelledMatrix:
    """The one array, or the one named. An archive unpacks to no more than its directory says, which is asked first."""
    # An entry of the archive's directory each; zipfile would read a million of them, which takes gigabytes.
    if content.count(ENTRY) > MOST_MEMBERS:
        raise UserError(f"has more than {MOST_MEMBERS} members; save fewer arrays")
    with ZipFile(io.BytesIO(content)) as archive:
        members = [name.removesuffix(MEMBER) for name in archive.namelist() if name.endswith(MEMBER)]
        member = archive.getinfo(one_of(members, options.variable) + MEMBER)
        if member.file_size > MAX_BYTES:
            raise UserError(f"unpacks to {member.file_size} bytes, expected at most {MAX_BYTES}; reduce the matrix")
        if member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            raise UserError("is packed otherwise than numpy.savez and numpy.savez_compressed do; use one of them")
        return npy.read(archive.read(member), MEMBER, options)
