"""The ledger of a data folder: every tile ever planned, in a file that is made again from the tiles where damaged.

A checksum lies beside it, which `sha256sum --check` reads, so that a ledger cut short is noticed wherever it was cut.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from dmf.dataset.schema import DataError
from dmf.dataset.stamps import sha256
from dmf.dataset.store import read_header, write_text
from dmf.grid.tiles import Tile, ledger_text, read_ledger

LEDGER, CHECKSUM = "tiles.jsonl", "tiles.jsonl.sha256"
FOLDERS = ("tiles", "tile_cache")  # where trained tiles lie


def read_tiles(path: Path) -> list[Tile]:
    """The tiles of a ledger; of one that is damaged, those that can be read and those whose files are there."""
    found, _ = _readable(path)
    return list(dict.fromkeys([*found, *(_trained(path.parent) if ledger_problem(path) else ())]))


def ledger_problem(path: Path) -> str:
    """What is wrong with a ledger: "" where nothing is, or where there is none and no tile either."""
    if not path.exists():
        there = any(file for folder in FOLDERS for file in (path.parent / folder).glob("L*.nc"))
        return "is not there, but tiles are" if there else ""
    tiles, unreadable = _readable(path)
    return f"does not match {CHECKSUM}" if unreadable or _recorded(path) != _checksum(tiles) else ""


def write_tiles(tiles: Iterable[Tile], path: Path) -> None:
    """Write a ledger and its checksum."""
    whole = list(dict.fromkeys(tiles))
    write_text(ledger_text(whole), path)
    write_text(_checksum(whole), path.with_name(CHECKSUM))


def _checksum(tiles: Iterable[Tile]) -> str:
    return f"{sha256(ledger_text(tiles).encode())}  {LEDGER}\n"


def _recorded(path: Path) -> str:
    try:
        return path.with_name(CHECKSUM).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _readable(path: Path) -> tuple[list[Tile], int]:
    """The tiles of a ledger's lines that can be read, and the number of the others."""
    lines = path.read_bytes().decode(errors="replace").splitlines() if path.exists() else []
    found: list[Tile] = []
    unreadable = 0
    for line in lines:
        try:
            found += read_ledger(line)
        except (ValueError, KeyError, TypeError, RecursionError):
            unreadable += 1
    return found, unreadable


def _trained(data: Path) -> Iterator[Tile]:
    """The tiles whose files are there and hold what their name says."""
    for file in sorted({file.name: file for folder in FOLDERS for file in (data / folder).glob("L*.nc")}.values()):
        try:
            tile = Tile.from_json(json.loads(str(read_header(file).attrs["tile"])))
        except (DataError, ValueError, KeyError, TypeError):
            continue  # a job that reads it says so
        if tile.name == file.stem:
            yield tile
