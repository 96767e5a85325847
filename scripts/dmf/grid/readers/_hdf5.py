"""Refuses HDF5 files that reach outside of themselves, before a library follows.

HDF5 knows three ways to take values from other files of the machine: external links, external storage and virtual
datasets. A reader of netCDF follows them silently. The netCDF4 module does not say which parts of a file are such, so
this asks the HDF5 library that the module is linked with, by its public C interface.
"""

from __future__ import annotations

import ctypes
import sys
from ctypes import CDLL, CFUNCTYPE, POINTER, byref, c_char_p, c_int, c_int64, c_size_t, c_uint, c_void_p
from pathlib import Path
from typing import Any

import netCDF4

from dmf.errors import UserError, shown

LINKED: str = sys.modules[netCDF4.Dataset.__module__].__file__ or ""
CDLL(LINKED)  # found now: later no file can be opened

CLASSIC = (b"CDF\x01", b"CDF\x02", b"CDF\x05")  # netCDF 3, which has no such thing
HARD, SOFT = 0, 1  # kinds of links (H5Lpublic.h); from 64 on they are external, or a plug-in's
DATASET = 5  # H5I_DATASET (H5Ipublic.h); the library says if it is another
VIRTUAL = 3  # a dataset's layout (H5Dpublic.h)
CURE = "write the values into the file itself"
STEP = 2**16  # bytes by which a file in memory would grow
VISIT = CFUNCTYPE(
    c_int, c_int64, c_char_p, POINTER(c_int), c_void_p
)  # int visit(group, name, first field of info, data)


def refuse_outside(content: bytes | Path) -> None:
    """Raise UserError where a netCDF file, or its content, takes values from other files; OSError where it is no such.

    Nothing is followed: links are listed, not opened.
    """
    if isinstance(content, Path):
        with content.open("rb") as file:
            start = file.read(len(CLASSIC[0]))
    else:
        start = content[: len(CLASSIC[0])]
    if start in CLASSIC:
        return
    hdf5 = _library()
    opened = _opened(hdf5, content)
    problems: list[Exception] = []

    def visit(group: int, name: bytes, kind: object, data: object) -> int:
        try:  # an exception cannot pass through the library's own frames
            _check(hdf5, opened, name, ctypes.cast(kind, POINTER(c_int))[0])  # type: ignore[arg-type]
        except (UserError, OSError) as problem:
            problems.append(problem)
        return len(problems)  # anything but 0 ends the walk

    try:
        done = hdf5.H5Lvisit2(opened, 0, 0, VISIT(visit), None)  # in the order of names, hard links only
    finally:
        hdf5.H5Fclose(opened)
    if problems:
        raise problems[0]
    if done != 0:
        raise OSError("its HDF5 objects cannot be listed")


def _check(hdf5: CDLL, file: int, name: bytes, link: int) -> None:
    """Raise UserError where the object behind a link is in another file, OSError where it cannot be opened."""
    text = shown(name.decode("utf-8", "replace"))
    if link == SOFT:
        return  # within the file
    if link != HARD:
        raise UserError(f"{text} is a link to another file; {CURE}")
    entry = hdf5.H5Oopen(file, name, 0)
    if entry < 0:
        raise OSError(f"its object {text} cannot be opened")
    try:
        if hdf5.H5Iget_type(entry) != DATASET:
            return
        made = hdf5.H5Dget_create_plist(entry)
        layout, stored = hdf5.H5Pget_layout(made), hdf5.H5Pget_external_count(made)
        hdf5.H5Pclose(made)
    finally:
        hdf5.H5Oclose(entry)
    if layout == VIRTUAL:
        raise UserError(f"{text} is a virtual dataset, whose values are in other files; {CURE}")
    if stored != 0 or layout < 0:
        raise UserError(f"{text} has external storage: its values are in other files; {CURE}")


def _library() -> CDLL:
    """The library's functions. Raises OSError where they cannot be reached."""
    hdf5 = CDLL(LINKED)
    try:
        arguments: list[Any]
        for name, *arguments in (
            ("H5Pcreate", c_int64),
            ("H5Fopen", c_char_p, c_uint, c_int64),
            ("H5Oopen", c_int64, c_char_p, c_int64),
            ("H5Dget_create_plist", c_int64),
        ):
            getattr(hdf5, name).argtypes, getattr(hdf5, name).restype = arguments, c_int64
        for name, *arguments in (
            ("H5Pset_fapl_core", c_int64, c_size_t, c_uint),
            ("H5Pset_file_image", c_int64, c_void_p, c_size_t),
            ("H5Lvisit2", c_int64, c_int, c_int, VISIT, c_void_p),
            ("H5Iget_type", c_int64),
            ("H5Pget_layout", c_int64),
            ("H5Pget_external_count", c_int64),
            ("H5Eset_auto2", c_int64, c_void_p, c_void_p),
            ("H5Pclose", c_int64),
            ("H5Oclose", c_int64),
            ("H5Fclose", c_int64),
        ):
            getattr(hdf5, name).argtypes, getattr(hdf5, name).restype = arguments, c_int
    except AttributeError as error:
        raise OSError(f"this HDF5 library cannot be asked what the file refers to: {error}") from None
    hdf5.H5open()
    hdf5.H5Eset_auto2(0, None, None)  # its own messages would only be printed
    return hdf5


def _opened(hdf5: CDLL, content: bytes | Path) -> int:
    """The file; its content as a file in memory has no file of the machine behind it."""
    opened: int
    if isinstance(content, Path):
        opened = hdf5.H5Fopen(str(content).encode(), 0, 0)
        if opened < 0:
            raise OSError("it is no HDF5 file")
        return opened
    access = hdf5.H5Pcreate(c_int64.in_dll(hdf5, "H5P_CLS_FILE_ACCESS_ID_g").value)
    image = ctypes.create_string_buffer(content, len(content))
    hdf5.H5Pset_fapl_core(access, STEP, 0)
    hdf5.H5Pset_file_image(access, byref(image), len(content))
    opened = hdf5.H5Fopen(b"target", 0, access)
    hdf5.H5Pclose(access)
    if opened < 0:
        raise OSError("it is no HDF5 file")
    return opened
