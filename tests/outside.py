"""HDF5 files that take values from other files, made with the HDF5 library itself."""

from __future__ import annotations

import ctypes
from ctypes import c_char_p, c_int, c_int64, c_uint, c_uint64, c_void_p
from pathlib import Path

import netCDF4

CREATE, READ_WRITE = 2, 1  # H5F_ACC_TRUNC, H5F_ACC_RDWR
SHAPE = (c_uint64 * 2)(2, 3)


def external_storage(path: Path, other: Path) -> bytes:
    """A matrix m whose values are the bytes of `other`."""
    return _made(path, other, "storage")


def virtual(path: Path, other: Path) -> bytes:
    """A matrix m whose values are those of the dataset m of `other`."""
    return _made(path, other, "virtual")


def external_link(path: Path, other: Path, name: str = "m") -> bytes:
    """A link to the dataset m of `other`."""
    return _made(path, other, "link", name)


def deep_storage(path: Path, other: Path) -> bytes:
    """External storage two groups deep, next to a matrix that is as it should be."""
    return _made(path, other, "storage", "a/b/m", also=True)


def plain(path: Path, names: list[str]) -> bytes:
    """Matrices with names that the netCDF library would refuse to write."""
    lib = _library()
    file = lib.H5Fcreate(str(path).encode(), CREATE, 0, 0)
    space, double = lib.H5Screate_simple(2, SHAPE, None), _global(lib, "H5T_NATIVE_DOUBLE_g")
    made = [lib.H5Dcreate2(file, name.encode("utf-8", "replace"), double, space, 0, 0, 0) for name in names]
    for one in (*made, file):
        lib.H5Idec_ref(one)
    return path.read_bytes()


def _made(path: Path, other: Path, way: str, name: str = "m", also: bool = False) -> bytes:
    lib = _library()
    file = lib.H5Fcreate(str(path).encode(), CREATE, 0, 0)
    *groups, last = name.split("/")
    place, opened = file, []
    for group in groups:
        place = lib.H5Gcreate2(place, group.encode(), 0, 0, 0)
        opened.append(place)
    space = lib.H5Screate_simple(2, SHAPE, None)
    plain = lib.H5Pcreate(_global(lib, "H5P_CLS_DATASET_CREATE_ID_g"))
    double = _global(lib, "H5T_NATIVE_DOUBLE_g")
    if also:
        opened.append(lib.H5Dcreate2(file, b"good", double, space, 0, plain, 0))
    if way == "link":
        assert lib.H5Lcreate_external(str(other).encode(), b"/m", place, last.encode(), 0, 0) >= 0
    else:
        if way == "storage":
            assert lib.H5Pset_external(plain, str(other).encode(), 0, 48) >= 0
        else:
            assert lib.H5Pset_virtual(plain, space, str(other).encode(), b"/m", space) >= 0
        made = lib.H5Dcreate2(place, last.encode(), double, space, 0, plain, 0)
        assert made >= 0
        opened.append(made)
    for one in (*opened, file):
        assert lib.H5Idec_ref(one) >= 0
    return path.read_bytes()


def _global(lib: ctypes.CDLL, name: str) -> int:
    return c_int64.in_dll(lib, name).value


def _library() -> ctypes.CDLL:
    lib = ctypes.CDLL(netCDF4._netCDF4.__file__)
    for name, *arguments in (
        ("H5Fcreate", c_char_p, c_uint, c_int64, c_int64),
        ("H5Gcreate2", c_int64, c_char_p, c_int64, c_int64, c_int64),
        ("H5Screate_simple", c_int, c_void_p, c_void_p),
        ("H5Pcreate", c_int64),
        ("H5Dcreate2", c_int64, c_char_p, c_int64, c_int64, c_int64, c_int64, c_int64),
    ):
        getattr(lib, name).argtypes, getattr(lib, name).restype = arguments, c_int64
    for name, *arguments in (
        ("H5Lcreate_external", c_char_p, c_char_p, c_int64, c_char_p, c_int64, c_int64),
        ("H5Pset_external", c_int64, c_char_p, c_int64, c_uint64),
        ("H5Pset_virtual", c_int64, c_int64, c_char_p, c_char_p, c_int64),
        ("H5Idec_ref", c_int64),
    ):
        getattr(lib, name).argtypes, getattr(lib, name).restype = arguments, c_int
    lib.H5open()
    return lib
