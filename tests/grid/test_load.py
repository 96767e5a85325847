"""Configuration files that are missing, no text or no YAML are refused in one line that names them."""

from pathlib import Path

import pytest

from dmf.errors import UserError
from dmf.grid.config import load

GOOD = """
grid: demo
targets: [{name: g, kind: gaussian, shape: [3, 4]}]
depths: [2, 3]
lambdas: {relative: [0.5], absolute: [1e-9]}
"""


def test_a_good_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "grid.yaml"
    path.write_text(GOOD)
    grid = load(path)
    assert (grid.grid, grid.depths, grid.lambdas.absolute) == ("demo", [2, 3], [1e-9])


@pytest.mark.parametrize(
    ("content", "fragment"),
    [
        (b"grid: [1, 2\ndepths: 3", "not valid YAML"),
        (b"grid: demo\n\tdepths: [2]", "not valid YAML"),
        (b"a: 1\n---\nb: 2", "not valid YAML"),
        (b"grid: !!python/object:os.system x", "not valid YAML"),
        (b"grid: 2026-13-45", "not valid YAML"),
        (b"[" * 1100, "not valid YAML"),
        (b"\x89PNG\r\n\x1a\n\xff\xfe", "not readable as text"),
        (b"grid: \x00", "not valid YAML"),
        (b"", "got None: expected a mapping"),
        (b"- 1\n- 2", "got [1, 2]: expected a mapping"),
        (b"just words", "got 'just words': expected a mapping"),
        (GOOD.replace("[2, 3]", "[2, 2]").encode(), "depths: 2 given twice"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_bad_file_is_refused_in_one_line(tmp_path: Path, content: bytes, fragment: str) -> None:
    path = tmp_path / "grid.yaml"
    path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: {fragment}")
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere\.yaml: no such file"):
        load(tmp_path / "nowhere.yaml")
    with pytest.raises(UserError, match="is a folder, a device or a pipe; expected a file"):
        load(str(tmp_path))
