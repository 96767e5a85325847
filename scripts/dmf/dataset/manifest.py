"""The manifest of a folder: what every job wrote there, so that any file can be compared with what its job wrote.

A job adds one small file to the folder `manifest`, with the SHA-256 and the identity of each of its outputs in that
folder. It is written last, in one piece, by that job alone: jobs that run at once need no lock.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dmf.dataset.stamps import OTHER, Stamp, expecting
from dmf.dataset.store import DamagedFile, write_text
from dmf.errors import UserError, printable

MANIFEST = "manifest"
LARGE = 2**24  # bytes above which a file of the recorded size and age is taken as it is, until it is read


@dataclass(frozen=True)
class Entry:
    """A file as its job left it: `modified` is its time of modification in ns."""

    identity: str
    sha256: str
    bytes: int
    modified: int


def record(path: Path, files: Mapping[Path, str]) -> None:
    """Record the files of a job in `path`, which is ROOT/manifest/JOB.json; `files` maps them to their identities."""
    root = path.parents[1]
    entries = {file.relative_to(root).as_posix(): asdict(_entry(file, identity)) for file, identity in files.items()}
    content = {"job": path.stem, "files": entries}
    text = json.dumps({**content, "sha256": _digest(content)}, indent=1, sort_keys=True) + "\n"
    write_text(text, path)


def records(root: Path) -> list[Path]:
    """The files that the manifest of a folder consists of."""
    return sorted((root / MANIFEST).glob("*.json"))


def read_entries(path: Path) -> dict[str, Entry]:
    """What one job recorded, by path below the folder. Raises DamagedFile where the record is not what was written."""
    try:
        raw = json.loads(path.read_bytes())
        content = {"job": raw["job"], "files": raw["files"]}
        if raw["sha256"] != _digest(content) or raw["job"] != path.stem:
            raise ValueError("it does not match its fingerprint")
        if outside := [name for name in raw["files"] if ".." in Path(name).parts or Path(name).is_absolute()]:
            raise ValueError(f"it names {printable(outside[0], 60)}, which is not in this folder")
        return {name: Entry(**entry) for name, entry in raw["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DamagedFile(path, f"not a readable record of a job ({' '.join(str(error).split())})") from None


def read_manifest(root: Path) -> dict[str, Entry]:
    """All that is recorded of a folder, by path below it. Raises DamagedFile where a record is damaged."""
    return {name: entry for path in records(root) for name, entry in read_entries(path).items()}


@contextmanager
def recorded(root: Path) -> Iterator[list[Path]]:
    """Expect the files of a folder to be what its manifest says, inside; yields those that are there, in order.

    Raises UserError for a report without a manifest, DamagedFile where that is damaged.
    """
    if (root / "verdicts").exists() and not records(root):
        where = printable(str(root))
        raise UserError(f"{where}: no folder {MANIFEST}, as in reports of earlier versions; run the grid again")
    entries = {root / name: entry for name, entry in read_manifest(root).items()}
    with expecting({file: Stamp(entry.identity, entry.sha256) for file, entry in entries.items()}):
        yield sorted(file for file in entries if file.exists())


def recorded_stamp(file: Path, identity: str, path: Path) -> Stamp:
    """What to expect of a file that cannot carry a stamp itself: what its job recorded in `path`.

    Raises DamagedFile, naming the file, where no job recorded it, or one that made something else.
    """
    name = file.relative_to(path.parents[1]).as_posix()
    try:
        entry = read_entries(path).get(name)
    except DamagedFile:
        entry = None
    if entry is None:
        raise DamagedFile(file, f"{path} does not say who wrote it")
    if entry.identity != identity:
        raise DamagedFile(file, f"{OTHER} (identity {entry.identity[:12]}, expected {identity[:12]})")
    return Stamp(identity, entry.sha256)


def problem(file: Path, entry: Entry, quick: bool = False) -> str:
    """What is wrong with a file, compared with its record: "" where nothing is, or where it is not there.

    A large file of the recorded size and age is taken as it is if `quick`.
    """
    try:
        found = file.stat()
    except FileNotFoundError:
        return ""
    same = (found.st_size, found.st_mtime_ns) == (entry.bytes, entry.modified)
    if quick and same and entry.bytes > LARGE:
        return ""
    if found.st_size != entry.bytes or _sha256(file) != entry.sha256:
        return f"content does not match its fingerprint {entry.sha256[:12]}"
    return ""


def _entry(file: Path, identity: str) -> Entry:
    found = file.stat()
    return Entry(identity, _sha256(file), found.st_size, found.st_mtime_ns)


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
