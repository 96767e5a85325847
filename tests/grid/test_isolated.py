"""A reader in a separate process answers as it would here; what happens to it there is reported in one line.

That process runs nothing of the user's folder, and opens no file, whatever a file says.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dmf.errors import UserError
from dmf.grid.readers import _isolated, mat, parse
from dmf.grid.readers._contract import Options
from files import MATRIX, in_process, netcdf
from files import mat as mat_file
from outside import deep_storage, external_link, external_storage, virtual

ANY = Options()


def test_values_and_labels_come_back_to_the_last_bit(tmp_path: Path) -> None:
    content = netcdf({"m": MATRIX}, {"m_0": ["é", "b"]}, draft=str(tmp_path / "draft.nc"))
    found = _isolated.read_isolated("dmf.grid.readers.netcdf", content, ".nc", Options("m"))
    np.testing.assert_array_equal(found.values, MATRIX)
    assert (found.rows, found.columns) == (("é", "b"), ())


def test_a_refusal_comes_back_as_one() -> None:
    with pytest.raises(UserError, match=r"^has no variable 'n'; it has m$"):
        _isolated.read_isolated(mat.__name__, mat_file(m=MATRIX), ".mat", Options("n"))


HARMFUL = {
    "os.kill(os.getpid(), 6)": "its reader crashed: SIGABRT",
    "sys.exit(3)": "its reader crashed: exit code 3",
    "np.ones(10**9)": f"it would take more than {_isolated.MAX_MEMORY} bytes of memory",
    "1 / 0": "division by zero",
    "time.sleep(100)": "its reader did not come back within 1 s",
    "while True: pass": f"it would take more than {_isolated.CPU_SECONDS} s to read",
    "open('/etc/hosts')": "[Errno 24] Too many open files: '/etc/hosts'",
    "os.open('/dev/urandom', os.O_RDONLY)": "[Errno 24] Too many open files: '/dev/urandom'",
    "socket.socket()": "[Errno 24] Too many open files",
    "netCDF4.Dataset('m', memory=CONTENT)['m'][...]": "NetCDF: HDF error",
    "print('lines that are no answer'); 1 / 0": "division by zero",
}


@pytest.mark.parametrize("act", HARMFUL)
def test_whatever_a_reader_does_is_told(act: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = b""
    if "CONTENT" in act:  # that of the library is not refused here, but it cannot be followed
        (tmp_path / "other").write_bytes(bytes(range(48)))
        content = external_storage(tmp_path / "m.nc", tmp_path / "other")
    head = f"import os, socket, sys, time\nimport netCDF4\nimport numpy as np\nCONTENT = {content!r}\n"
    source = f"{head}def read(content, suffix, options):\n    {act}\n"
    (tmp_path / "harmful.py").write_text(source)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setattr(_isolated, "MAX_SECONDS", 1 if "sleep" in act else 120)
    with pytest.raises(RuntimeError) as caught:
        _isolated.read_isolated("harmful", b"", ".x", ANY)
    assert str(caught.value) == HARMFUL[act]


OWN_SCRIPTS = (
    "random",
    "types",
    "numbers",
    "csv",
    "copy",
    "json",
    "struct",
    "numpy",
    "scipy",
    "netCDF4",
    "enum",
    "dmf",
)


@pytest.mark.parametrize("path", ["", ".", "the folder"])
def test_a_users_own_scripts_are_never_run(path: str, in_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in OWN_SCRIPTS:
        (in_tmp / f"{name}.py").write_text("import pathlib\npathlib.Path(__file__).with_name('it_ran').touch()\n")
    monkeypatch.setattr(sys, "path", [str(in_tmp) if path == "the folder" else path, *sys.path])
    monkeypatch.setenv("PYTHONPATH", str(in_tmp))
    found = parse(mat_file(m=MATRIX), "m.mat", ANY)
    np.testing.assert_array_equal(found.values, MATRIX)
    assert not (in_tmp / "it_ran").exists()


WAYS: dict[str, tuple[Callable[[Path, Path], bytes], str]] = {
    "external storage": (external_storage, "m has external storage: its values are in other files"),
    "external storage in a group": (deep_storage, "a/b/m has external storage: its values are in other files"),
    "virtual dataset": (virtual, "m is a virtual dataset, whose values are in other files"),
    "external link": (external_link, "m is a link to another file"),
    "external link with a forged name": (
        lambda path, other: external_link(path, other, "\x1b[31m\u202em"),
        r"'\x1b[31m\u202em' is a link to another file",
    ),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("other", ["a matrix", "a pipe", "/dev/urandom", "nothing"])
def test_a_file_that_takes_values_from_others_is_refused_before_they_are_opened(
    way: str, other: str, in_tmp: Path
) -> None:
    there = Path("/dev/urandom") if other == "/dev/urandom" else in_tmp / "there"
    if other == "a matrix":
        there.write_bytes(netcdf({"m": MATRIX}))
    elif other == "a pipe":  # to open it would wait for ever
        os.mkfifo(there)
    make, line = WAYS[way]
    content = make(in_tmp / "m.nc", there)
    with in_process(), pytest.raises(UserError) as caught:
        parse(content, "m.nc", ANY)
    assert str(caught.value) == f"{line}; write the values into the file itself"


def test_links_within_a_file_are_followed(in_tmp: Path) -> None:
    content = netcdf({"a/m": MATRIX}, form="NETCDF4")
    found = parse(content, "m.nc", Options("a/m"))
    np.testing.assert_array_equal(found.values, MATRIX)
