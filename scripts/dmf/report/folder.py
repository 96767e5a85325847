"""What a report's folder holds, read back: for tables and for comparisons."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dmf.dataset.manifest import recorded
from dmf.dataset.store import DamagedFile, read_bytes
from dmf.errors import UserError
from dmf.evidence.claim import Verdict
from dmf.report.census import AT_MINIMUM
from dmf.report.provenance import read_provenance
from dmf.report.verdicts import read_verdicts

Series = tuple[int, str, float]


@dataclass(frozen=True)
class Report:
    """One report: `name` is its folder as given; figures are PNG files by name; the census maps (depth, scheme, scale)
    to the counts of `dmf.report.census.csv_text`, and is empty where the folder has none."""

    name: str
    provenance: Mapping[str, Any]
    verdicts: Mapping[str, Verdict]
    census: Mapping[Series, Mapping[str, int]]
    figures: Mapping[str, bytes]


def read_report(folder: Path) -> Report:
    """Read a report's folder, each file as its job recorded it.

    Raises UserError where it is none, DamagedFile where a file is not what its job wrote, naming the file.
    """
    with recorded(folder) as files:
        verdicts = verdict_files(folder, files)
        if not verdicts or folder / "provenance.json" not in files:
            raise UserError(f"{folder}: no report here; expected a folder such as reports/default after a run")
        drawn = [file for file in files if file.parent == folder / "figures" and file.suffix == ".png"]
        return Report(
            str(folder),
            read_provenance(folder / "provenance.json"),
            {verdict.claim: verdict for verdict in read_verdicts(verdicts)},
            _census(folder / "census.csv"),
            {file.stem: read_bytes(file) for file in drawn},
        )


def verdict_files(folder: Path, files: Iterable[Path]) -> list[Path]:
    """The files of verdicts among those of a report."""
    return [file for file in files if file.parent == folder / "verdicts" and file.suffix == ".json"]


def _census(path: Path) -> dict[Series, dict[str, int]]:
    if not path.exists():
        return {}
    try:
        rows = list(csv.DictReader(read_bytes(path).decode().splitlines()))
        if any(AT_MINIMUM not in row for row in rows):
            raise ValueError(f"no column {AT_MINIMUM}")
        return {
            (int(row.pop("depth")), row.pop("scheme"), float(row.pop("scale"))): {
                name: int(count) for name, count in row.items()
            }
            for row in rows
        }
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedFile(path, f"not a readable census ({' '.join(str(error).split())})") from None
