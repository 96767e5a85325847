"""Where the runs of a report come from: training, a copied data folder, or what there is of an unfinished grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from dmf.dataset.archive import ASKED, asked, check_archive, configuration_of, open_archive
from dmf.dataset.project import Project, open_project
from dmf.grid.chunks import Chunk

CONFIGURATION = "config/config.yaml"  # of a call that names none


class Folders(NamedTuple):
    """Where files lie, relative to the working directory, or to the prefix of a module.

    Inputs of the grid (targets, tiles, controls, studies) in `data`, what is computed from them in `made`, the page and
    its tables in `reports`, assembled runs in `runs`, logs in `logs`, what each job took in `benchmarks`.
    """

    data: str
    made: str
    reports: str
    runs: str
    logs: str
    benchmarks: str


@dataclass(frozen=True)
class DataSource:
    """Where runs come from, and all that follows from it: training, unless one of two fields says otherwise.

    `archive` is a data folder copied from elsewhere, "" for none: it is read and never written. `incomplete` reports
    what there is of an unfinished grid, in folders apart from the finished report's. Either trains nothing.
    """

    archive: str = ""
    incomplete: bool = False

    @classmethod
    def asked(cls, config: Mapping[str, Any]) -> DataSource:
        """What Snakemake's configuration asks of this one call. Raises UserError; see `dmf.dataset.archive.asked`."""
        return cls(*asked(config))

    @property
    def configuration(self) -> str:
        """The configuration file of a call that names none."""
        return configuration_of(self.archive) if self.archive else CONFIGURATION

    @property
    def trains(self) -> bool:
        """Whether tiles are trained and assembled."""
        return not (self.archive or self.incomplete)

    @property
    def makes_inputs(self) -> bool:
        """Whether targets, controls, studies and searches are made; an archive comes with them."""
        return not self.archive

    def open(self, config: Mapping[str, Any], source: str, trains_here: bool, root: str = "") -> Project:
        """The grid and its tiles; see `open_archive` and `open_project`. Raises UserError. Writes nothing."""
        if self.archive:
            return open_archive(config, source, Path(self.archive))
        return open_project(config, source, Path(root), trains_here=trains_here and self.trains)

    def absent(self, project: Project, settings: Mapping[str, str]) -> list[str]:
        """Files of `settings` that an incomplete archive lacks. Raises UserError for an archive of another grid."""
        return check_archive(project, Path(self.archive), settings, self.incomplete) if self.archive else []

    def folders(self, grid: str) -> Folders:
        """The folders of a grid of that name."""
        data, made, reports = self.archive or f"data/{grid}", f"data/{grid}", f"reports/{grid}"
        if self.incomplete:
            made, reports = f"{made}/incomplete", f"{reports}/incomplete"
        elif self.archive:
            made = f"{made}/archived"
        runs = f"{made if self.incomplete else data}/runs"
        return Folders(data, made, reports, runs, f"{made}/logs", f"{made}/benchmarks")

    def trained(self, chunk: Chunk, data: str, root: str = "") -> list[str]:
        """The files with trained runs of a chunk that exist: its tiles, or the assembled file of an archive."""
        assembled = f"{data}/runs/{chunk.name}.nc"
        if self.archive and Path(root, assembled).exists():
            return [assembled]
        return [file for file in tile_files(chunk, data) if Path(root, file).exists()]


def grid_keys(config: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration without the keys that `DataSource.asked` reads: they are no part of a grid."""
    return {key: value for key, value in config.items() if key not in ASKED}


def read_numbers(config: dict[str, Any], given: Mapping[str, Any]) -> None:
    """Read the numbers in what the command line gave, `--config 'depths=[3,4]'`, as YAML reads them; in place.

    Snakemake leaves everything inside of a list or a mapping as text.
    """
    for key, value in given.items():
        if isinstance(value, Mapping) and isinstance(config.get(key), dict):
            read_numbers(config[key], value)
            config[key] |= {name: _number(one) for name, one in value.items() if isinstance(one, str)}
        elif isinstance(value, list | Mapping):
            config[key] = _number(value)


def _number(value: Any) -> Any:
    if isinstance(value, list):
        return [_number(one) for one in value]
    if isinstance(value, Mapping):
        return {key: _number(one) for key, one in value.items()}
    try:
        read = yaml.safe_load(value) if isinstance(value, str) else value
    except (yaml.YAMLError, ValueError):  # ValueError: a date such as 2026-13-01
        return value
    return read if isinstance(read, int | float) or read is None else value


def tile_files(chunk: Chunk, data: str) -> list[str]:
    """The files of a chunk's tiles in the data folder."""
    return [f"{data}/tiles/{tile.name}.nc" for tile in chunk.tiles]
