"""What a report's folder holds, read back: for tables and for comparisons."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
    """Read a report's folder. Raises UserError where it is none, or damaged, naming the file."""
    files = sorted((folder / "verdicts").glob("*.json"))
    if not files or not (folder / "provenance.json").is_file():
        raise UserError(f"{folder}: no report here; expected a folder such as reports/default after a run")
    verdicts = {verdict.claim: verdict for verdict in read_verdicts(files)}
    figures = {file.stem: file.read_bytes() for file in sorted((folder / "figures").glob("*.png"))}
    return Report(
        str(folder), read_provenance(folder / "provenance.json"), verdicts, _census(folder / "census.csv"), figures
    )


def _census(path: Path) -> dict[Series, dict[str, int]]:
    if not path.exists():
        return {}
    try:
        rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
        if any(AT_MINIMUM not in row for row in rows):
            raise ValueError(f"no column {AT_MINIMUM}")
        return {
            (int(row.pop("depth")), row.pop("scheme"), float(row.pop("scale"))): {
                name: int(count) for name, count in row.items()
            }
            for row in rows
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{path}: not a readable census ({reason}); delete it and run again") from None
