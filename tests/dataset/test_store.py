"""A file is whole or absent, and a value that was altered on disk is noticed."""

import os
import re
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import netCDF4
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from dmf.dataset.schema import DataError
from dmf.dataset.store import (
    COMPRESS_ABOVE,
    DamagedFile,
    read,
    read_header,
    replace_file,
    values_fingerprint,
    write,
    write_text,
)
from outside import deep_storage, external_link, external_storage, virtual


@pytest.fixture
def dataset() -> xr.Dataset:
    """Every kind of value that files of this project hold."""
    rng = np.random.default_rng(0)
    special = np.array([np.nan, np.inf, -np.inf, 5e-324, -0.0, 1.7976931348623157e308])
    return xr.Dataset(
        {
            "reals": (("x", "y"), rng.standard_normal((3, 4)), {"long_name": "reals", "units": "1"}),
            "special": ("z", special),
            "counts": ("x", np.array([1, -2, 3], dtype=np.int32)),
            "codes": ("x", np.array([0, 1, 3], dtype=np.int8)),
            "text": ("x", np.array(["", "λ", "b c"], dtype=object)),
            "large": (("x", "w"), rng.standard_normal((3, COMPRESS_ABOVE // 8))),
        },
        coords={"x": np.array(["p", "q", "r"], dtype=object), "y": np.arange(4)},
        attrs={"title": "T", "widths": [3, 3]},
    )


def assert_only(folder: Path, *names: str) -> None:
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)


def test_round_trip_to_the_last_bit(dataset: xr.Dataset, tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.nc"
    write(dataset, path)
    found = read(path)
    for name in dataset.variables:
        expected, got = dataset[name].values, found[name].values
        if expected.dtype.kind == "O":
            assert got.tolist() == expected.tolist()
        else:
            assert got.dtype == expected.dtype
            assert got.tobytes() == expected.tobytes()
    assert found["reals"].attrs == dataset["reals"].attrs
    assert found.attrs["title"] == "T"
    assert_only(path.parent, "a.nc")
    assert read(path, check=lambda dataset, where: None).identical(found)


def test_large_variables_are_compressed(dataset: xr.Dataset, tmp_path: Path) -> None:
    write(dataset, tmp_path / "a.nc")
    with netCDF4.Dataset(tmp_path / "a.nc") as file:
        assert file["large"].filters()["zlib"]
        assert not file["reals"].filters()["zlib"]


def test_writing_does_not_change_the_dataset(dataset: xr.Dataset, tmp_path: Path) -> None:
    before = dataset.copy(deep=True)
    write(dataset, tmp_path / "a.nc")
    assert dataset.identical(before)


@pytest.mark.parametrize("name", ["reals", "counts", "codes", "y", "special"])
def test_a_value_altered_on_disk_is_noticed(dataset: xr.Dataset, tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.nc"
    write(dataset, path)
    with netCDF4.Dataset(path, "a") as file:
        index = (0,) * file[name].ndim
        file[name][index] = 7
    with pytest.raises(DataError, match=r"a\.nc: values do not match their fingerprint [0-9a-f]{12}; delete it"):
        read(path)


def test_a_text_altered_on_disk_is_noticed(dataset: xr.Dataset, tmp_path: Path) -> None:
    write(dataset, tmp_path / "a.nc")
    with netCDF4.Dataset(tmp_path / "a.nc", "a") as file:
        file["text"][1] = "μ"
    with pytest.raises(DataError, match="do not match"):
        read(tmp_path / "a.nc")


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "not a readable netCDF file"), (b"no data at all", "not a readable netCDF file")],
    ids=["empty", "text"],
)
def test_a_file_that_is_no_netcdf_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.nc"
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"^{re.escape(str(path))}: {message} .*; delete it and run again$"):
        read(path)


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(dataset: xr.Dataset, tmp_path: Path, part: float) -> None:
    path = tmp_path / "a.nc"
    write(dataset, path)
    content = path.read_bytes()
    path.write_bytes(content[: int(part * len(content))])
    with pytest.raises(DataError, match=r"a\.nc: not a readable netCDF file"):
        read(path)


def test_a_missing_file_a_folder_and_a_foreign_file_are_refused(dataset: xr.Dataset, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.nc: no such file; run the step that makes it"):
        read(tmp_path / "none.nc")
    with pytest.raises(DataError, match="not a file"):
        read(tmp_path)
    dataset.to_netcdf(tmp_path / "foreign.nc", engine="netcdf4")
    with pytest.raises(DataError, match=r"foreign\.nc: values do not match their fingerprint None"):
        read(tmp_path / "foreign.nc")


def test_the_check_sees_the_file_name_and_may_refuse(dataset: xr.Dataset, tmp_path: Path) -> None:
    write(dataset, tmp_path / "a.nc")

    def refuse(dataset: xr.Dataset, where: str) -> None:
        raise DataError(f"{where}: no")

    with pytest.raises(DataError, match=r"a\.nc: no$"):
        read(tmp_path / "a.nc", refuse)


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """Files cannot grow beyond `size` bytes, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text("old", path)
    with (
        file_size_limit(1000),
        pytest.raises(
            DataError, match=r"a\.txt: cannot be written \(File too large; [0-9,]+ bytes are free there\); make room"
        ),
    ):
        write_text("x" * 100_000, path)
    assert path.read_text() == "old"
    assert_only(tmp_path, "a.txt")


def test_a_dataset_that_does_not_fit_leaves_the_old_file_and_nothing_else(
    dataset: xr.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.nc"
    write(dataset, path)

    def fill_the_disk(self: xr.Dataset, target: Path, **options: object) -> None:
        Path(target).write_bytes(b"half a file")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(xr.Dataset, "to_netcdf", fill_the_disk)
    with pytest.raises(DataError, match=r"a\.nc: cannot be written \(No space left on device; [0-9,]+ bytes are free"):
        write(dataset * 0, path)
    assert_only(tmp_path, "a.nc")
    xr.testing.assert_equal(read(path), dataset)


@pytest.mark.parametrize("error", [RuntimeError("netCDF"), KeyboardInterrupt()], ids=["error", "interrupt"])
def test_an_interrupted_write_leaves_nothing(tmp_path: Path, error: BaseException) -> None:
    def fill(temporary: Path) -> None:
        temporary.write_text("half")
        raise error

    with pytest.raises(type(error)):
        replace_file(tmp_path / "a.nc", fill)
    assert_only(tmp_path)


def test_the_file_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"

    def fill(temporary: Path) -> None:
        temporary.write_text("whole")
        assert not path.exists()
        assert temporary.parent == path.parent  # a rename across file systems would copy

    replace_file(path, fill)
    assert path.read_text() == "whole"
    assert_only(tmp_path, "a.txt")


def test_the_fingerprint_does_not_know_the_order_of_variables(dataset: xr.Dataset) -> None:
    turned = dataset[list(dataset.data_vars)[::-1]]
    assert list(turned.data_vars) != list(dataset.data_vars)
    assert values_fingerprint(turned) == values_fingerprint(dataset)


def test_the_fingerprint_of_text_does_not_know_how_text_is_stored() -> None:
    texts = ["a", "bc"]
    stored = [xr.Dataset({"t": ("x", np.array(texts, dtype=kind))}) for kind in (object, "U2", "U9")]
    assert len({values_fingerprint(d) for d in stored}) == 1


def test_the_fingerprint_knows_names_shapes_types_and_values() -> None:
    values = np.arange(6.0)
    different = [
        xr.Dataset({"a": ("x", values)}),
        xr.Dataset({"b": ("x", values)}),
        xr.Dataset({"a": (("x", "y"), values.reshape(2, 3))}),
        xr.Dataset({"a": (("x", "y"), values.reshape(3, 2))}),
        xr.Dataset({"a": ("x", values.astype(np.int64))}),
        xr.Dataset({"a": ("x", values.astype(np.float32))}),
        xr.Dataset({"a": ("x", values[::-1])}),
        xr.Dataset({"a": ("x", np.nextafter(values, 9))}),
        xr.Dataset({"a": ("x", values)}, coords={"x": values}),
        xr.Dataset({"a": ("x", np.array(["1", "2"], dtype=object))}),
        xr.Dataset({"a": ("x", np.array(["1", "3"], dtype=object))}),
    ]
    assert len({values_fingerprint(d) for d in different}) == len(different)


@given(
    st.lists(st.floats(width=64), min_size=1, max_size=5),
    st.integers(0, 4),
    st.floats(width=64, allow_nan=False),
)
@settings(derandomize=True, deadline=None, max_examples=100)
def test_the_fingerprint_changes_with_any_value(values: list[float], place: int, value: float) -> None:
    changed = np.array(values)
    changed[place % len(values)] = value
    one, other = (xr.Dataset({"a": ("x", v)}) for v in (np.array(values), changed))
    same = np.array(values).tobytes() == changed.tobytes()
    assert (values_fingerprint(one) == values_fingerprint(other)) == same


@pytest.mark.parametrize("made", [external_storage, virtual, external_link, deep_storage])
def test_a_stranger_s_file_takes_no_values_from_other_files(
    made: Callable[[Path, Path], bytes], tmp_path: Path
) -> None:
    """A copied data folder is read in this process, so nothing in it may reach out."""
    secret = tmp_path / "secret.h5"
    secret.write_bytes(bytes(48))
    made(tmp_path / "targets.nc", secret)
    for look in (read, read_header):
        with pytest.raises(DamagedFile, match="other file"):
            look(tmp_path / "targets.nc")


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "targets.nc")
    with pytest.raises(DamagedFile, match="not a file"):
        read(tmp_path / "targets.nc")
