"""NumPy's archive of named arrays, and the sparse matrix that SciPy saves as one."""

from __future__ import annotations

import io
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from dmf.errors import UserError
from dmf.grid.labelled import LabelledMatrix, refuse_shape
from dmf.grid.readers import npy
from dmf.grid.readers._contract import MAX_BYTES, Options, one_of

SUFFIXES = (".npz",)
USES = ("variable",)
ISOLATED = False
MEMBER = ".npy"
SPARSE = {"format", "shape", "data"}  # members of every sparse matrix that scipy.sparse.save_npz writes
ENTRY, MOST_MEMBERS = b"PK\x01\x02", 10_000


def read(content: bytes, suffix: str, options: Options) -> LabelledMatrix:
    """The one array, or the one named. An archive unpacks to no more than its directory says, which is asked first."""
    # An entry of the archive's directory each; zipfile would read a million of them, which takes gigabytes.
    if content.count(ENTRY) > MOST_MEMBERS:
        raise UserError(f"has more than {MOST_MEMBERS} members; save fewer arrays")
    with ZipFile(io.BytesIO(content)) as archive:
        members = [name.removesuffix(MEMBER) for name in archive.namelist() if name.endswith(MEMBER)]
        if set(members) >= SPARSE:
            return _sparse(content, archive, options)
        member = archive.getinfo(one_of(members, options.variable) + MEMBER)
        return npy.read(_unpacked(archive, member), MEMBER, options)


def _unpacked(archive: ZipFile, member: ZipInfo) -> bytes:
    _refuse_size(member.file_size)
    if member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise UserError("is packed otherwise than numpy.savez and numpy.savez_compressed do; use one of them")
    return archive.read(member)


def _refuse_size(size: int) -> None:
    if size > MAX_BYTES:
        raise UserError(f"unpacks to {size} bytes, expected at most {MAX_BYTES}; reduce the matrix")


def _sparse(content: bytes, archive: ZipFile, options: Options) -> LabelledMatrix:
    """SciPy's sparse matrix; its size is asked first."""
    from scipy.sparse import load_npz

    from dmf.grid.readers._sparse import dense

    if options.variable is not None:
        raise UserError("is one sparse matrix of scipy.sparse.save_npz, without variables; leave variable out")
    _refuse_size(sum(member.file_size for member in archive.infolist()))
    shape = npy.read(_unpacked(archive, archive.getinfo("shape" + MEMBER)), MEMBER, options).values
    refuse_shape(tuple(shape.tolist()))
    return LabelledMatrix(dense(load_npz(io.BytesIO(content))))
