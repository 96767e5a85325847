"""Every tile is trained once: a file that is whole is kept where no rule deletes it, and found again after any kill."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import xarray as xr

from dmf.dataset.locks import alone
from dmf.dataset.owner import owned
from dmf.dataset.provenance import timestamp
from dmf.dataset.schema import DataError, check_runs
from dmf.dataset.store import REMEDY, DamagedFile, append_line, read, replace_file, set_aside, write
from dmf.grid.tiles import Tile, tile_text

CODE = "training_code"
Say = Callable[[str], None]


def read_tile(path: Path, tile: Tile) -> xr.Dataset:
    """The runs of a tile from its file.

    Raises DataError, naming the file, where it is missing, damaged, breaks the contract, or holds another tile.
    """
    dataset = read(path, check_runs)
    if dataset.attrs.get("tile") != tile_text(tile):
        raise DamagedFile(path, "holds other runs than its name says")
    return dataset


def provide(tile: Tile, data: Path, code: str, make: Callable[[Tile], xr.Dataset], say: Say) -> bool:
    """Put the file of a tile into data/tiles, trained by `make` where no whole one is kept; returns whether it was.

    Snakemake deletes an output that it believes incomplete, and whatever a failed job wrote: after a kill that can be
    a tile that is whole. So the tile is written to data/tile_cache, which no rule names, and the output is a second
    name of the same file. `code` is the fingerprint of the code that trains: a tile that another code made is trained
    again. `say` is called with a line on a damaged one. Raises DataError where the disk is full or may not be written.
    """
    kept, output = (data / folder / f"{tile.name}.nc" for folder in ("tile_cache", "tiles"))
    with alone(kept.with_suffix(".lock")):
        missing = not _is_kept(kept, tile, code, say)
        if missing:
            for remains in kept.parent.glob(f".{kept.stem}.*"):  # of a write that was killed
                remains.unlink(missing_ok=True)
            _note(data, "began", tile)
            write(make(tile).assign_attrs({CODE: code}), kept)
        _note(data, "wrote" if missing else "found", tile)
        _second_name(kept, output)
    return missing


def read_or_repair(path: Path, tile: Tile, repair: Callable[[Tile], object], say: Say) -> xr.Dataset:
    """The runs of a tile; where its file is damaged or foreign it is named, moved aside and made by `repair` again."""
    try:
        return read_tile(path, tile)
    except DataError as error:
        say(f"{_moved(path, error)}, made again" if path.exists() else f"{path}: lost, made again")
    repair(tile)
    return read_tile(path, tile)


def _is_kept(path: Path, tile: Tile, code: str, say: Say) -> bool:
    if not path.exists():
        return False
    try:
        return bool(read_tile(path, tile).attrs.get(CODE) == code)
    except DataError as error:
        say(_moved(path, error))
        return False


def _moved(path: Path, error: DataError) -> str:
    """Move a damaged file aside; what was wrong with it, and where it is."""
    return f"{str(error).removesuffix(f'; {REMEDY}')}; moved to {set_aside(path)}"


def _second_name(kept: Path, output: Path) -> None:
    """Hard-link a file, or copy it where the file system has no links."""

    def fill(temporary: Path) -> None:
        try:
            os.link(kept, temporary)
        except OSError:
            shutil.copyfile(kept, temporary)

    with owned():
        output.unlink(missing_ok=True)  # to rename one name of a file to another name of it does nothing
        replace_file(output, fill)
        os.utime(output)  # else it could be older than the code, and be asked for again


def _note(data: Path, what: str, tile: Tile) -> None:
    append_line(f"{timestamp()} {what} {tile.name} by process {os.getpid()}", data / "trained.log")
