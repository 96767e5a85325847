"""A record of a job is what was written, and names files of its folder only: what it names may be moved or removed."""

import json
from pathlib import Path

import pytest

from dmf.dataset.manifest import _digest, read_entries, record
from dmf.dataset.store import DamagedFile
from dmf.dataset.sweep import sweep


def forged(root: Path, name: str) -> Path:
    """A record, with the right fingerprint, of a job that made a file with that name."""
    path = root / "manifest/job.json"
    path.parent.mkdir(parents=True)
    entry = {"identity": "other", "sha256": "", "bytes": 0, "modified": 0}
    content = {"job": "job", "files": {name: entry}}
    path.write_text(json.dumps({**content, "sha256": _digest(content)}))
    return path


@pytest.mark.parametrize("name", ["../other/mine.txt", "a/../../mine.txt", "/etc/hostname", ".."])
def test_a_record_that_names_a_file_outside_of_its_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DamagedFile, match="which is not in this folder"):
        read_entries(forged(tmp_path / "grid", name))


def test_a_sweep_touches_no_file_outside_of_the_grid(tmp_path: Path) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("mine")
    root = tmp_path / "data/grid"
    path = forged(root, "../../mine.txt")
    said: list[str] = []
    assert sweep({}, [root], [], said.append) == []
    assert mine.read_text() == "mine"
    assert [line.partition(":")[0] for line in said] == [str(path)]


def test_what_was_recorded_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    path = tmp_path / "manifest/job.json"
    record(path, {tmp_path / "a.txt": "identity"})
    assert read_entries(path)["a.txt"].identity == "identity"
