"""What is too large is refused before it is read, in a moment: files, tables, films, archives; grids; jobs."""

import io
import zipfile
from typing import Any

import numpy as np
import pytest
import scipy.sparse

from dmf.dataset.project import open_project
from dmf.errors import UserError
from dmf.grid.config import MOST_RUNS, MOST_SERIES, validate
from dmf.grid.readers import Options, parse
from dmf.grid.tiles import MOST_JOBS
from files import in_process, mat, mtx, netcdf, npz

ANY = Options()


def refusal(content: bytes, name: str) -> str:
    with in_process(), pytest.raises(UserError) as caught:
        parse(content, name, ANY)
    return str(caught.value)


def test_a_table_of_one_long_line_is_refused_at_its_first_megabyte() -> None:
    line = (
        "line 1: a row of more than 1,048,576 characters, expected a table of at most 4096 columns; reduce the matrix"
    )
    assert refusal(b"1," * 600_000, "m.csv") == line
    assert refusal(b"1 " * 600_000, "m.tsv") == line


def test_a_row_of_many_lines_in_quotes_is_bounded_too() -> None:
    cell = b'"' + b"a\n" * 1000 + b'",'
    assert "a row of more than 1,048,576 characters" in refusal(cell * 600, "m.csv")


def test_many_columns_are_refused_before_they_are_numbers() -> None:
    assert refusal(b"1," * 5000 + b"1\n", "m.csv") == "has more than 4096 rows or columns; reduce the matrix"


def test_of_a_film_a_few_images_are_counted() -> None:
    from PIL import Image

    buffer = io.BytesIO()
    frame = Image.fromarray(np.ones((2, 2), dtype=np.uint8))
    frame.save(buffer, "TIFF", save_all=True, append_images=[frame] * 200)
    assert refusal(buffer.getvalue(), "m.tif") == "has at least 10 images, expected one"


def test_an_archive_of_many_members_is_refused_before_its_directory_is_read() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for number in range(10_001):
            file.writestr(f"{number}.npy", b"")
    assert refusal(buffer.getvalue(), "m.npz") == "has more than 10000 members; save fewer arrays"


@pytest.mark.parametrize("way", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_an_archive_that_numpy_does_not_write_is_refused(way: int) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", way) as file:
        file.writestr("m.npy", b"x" * 100)
    assert refusal(buffer.getvalue(), "m.npz").startswith("is packed otherwise than numpy.savez")


@pytest.mark.parametrize("suffix", [".mat", ".nc", ".npz", ".mtx"])
def test_the_largest_matrix_that_is_small_on_disk_is_read(suffix: str) -> None:
    """Compressed to almost nothing: the memory of a reader does not follow from the size of a file."""
    size = 2800 if suffix == ".npz" else 4096
    large = np.zeros((size, size))
    large[0, 0] = 1
    content = {
        ".mat": lambda: mat(compress=True, m=large),
        ".npz": lambda: npz(m=large),
        ".mtx": lambda: mtx(scipy.sparse.csc_array(large)),
        ".nc": lambda: netcdf({"m": large}, zlib=True),
    }[suffix]()
    assert len(content) < 2**21
    found = parse(content, f"m{suffix}", ANY).values
    assert found.shape == large.shape
    assert found[0, 0] == 1


def grid(**changes: Any) -> dict[str, Any]:
    target = {"name": "g", "kind": "gaussian", "shape": [2, 2]}
    return {"grid": "x", "targets": [target], "depths": [2], "lambdas": {"relative": [0.5]}, **changes}


def many_targets(count: int) -> list[dict[str, Any]]:
    return [{"name": f"t{i}", "kind": "gaussian", "shape": [2, 2]} for i in range(count)]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"targets": many_targets(10_000), "lambdas": {"absolute": [i + 1 for i in range(1000)]}},
            "targets x depths x lambdas x schemes x scales: got 30,000,000, expected at most 1,000,000; split it into "
            "several grids",
        ),
        (
            {"starts": {"count": 10_000_000}, "lambdas": {"absolute": [i + 1 for i in range(1000)]}},
            "starts.count: makes 30,000,000,000 runs, expected at most 10,000,000,000; lower it",
        ),
        (
            {"targets": many_targets(10_001)},
            "targets: got [{'kind': 'gaussian', 'name': 't0', 'shape': [2, 2]}, {'k...: expected a list of at most",
        ),
        (
            {"starts": {"count": 10**6}, "tiles": {"seconds": 1e-9}},
            "tiles.seconds: got 1e-09, which makes 3,000,000 jobs, expected at most 100,000; raise it",
        ),
        (
            {"starts": {"count": 10**6}, "tiles": {"chunk_mib": 1e-9}},
            "tiles.chunk_mib: got 1e-09, which makes 3,000,000 jobs, expected at most 100,000; raise it",
        ),
        (
            {"targets": [{"name": "g", "kind": "gaussian", "shape": [4096, 4096]}], "depths": [200]},
            "runs of depth 200, with layers up to 4096 wide, side by side take ",
        ),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_a_grid_that_nobody_could_plan_is_refused(changes: dict[str, Any], line: str, in_tmp: Any) -> None:
    with pytest.raises(UserError) as caught:
        open_project(grid(**changes), "x.yaml")
    assert str(caught.value).startswith(f"x.yaml: {line}")


def test_the_bounds_leave_room_for_a_billion_runs() -> None:
    large = grid(
        targets=many_targets(50),
        lambdas={"absolute": [i + 1 for i in range(20)]},
        starts={"count": 100_000, "scales": [0.25, 0.5, 1, 2, 4], "schemes": ["gaussian", "orthogonal"]},
        tiles={"seconds": 16.2},
    )
    project = open_project(large, "x.yaml", trains_here=False)
    assert project.runs == 10**9 <= MOST_RUNS
    assert project.cells * project.series <= MOST_SERIES
    assert len(project.plan.wanted) <= MOST_JOBS


def test_ten_thousand_targets_are_a_grid() -> None:
    assert validate(grid(targets=many_targets(10_000)), "x").targets[-1].name == "t9999"
