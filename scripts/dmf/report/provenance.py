"""Where a report's numbers came from, as one JSON value."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import xarray as xr

from dmf.dataset.assemble import TRACED, run_count
from dmf.dataset.provenance import REFERENCE
from dmf.dataset.schema import LACKS
from dmf.dataset.store import DamagedFile, read_bytes
from dmf.grid.config import Grid
from dmf.grid.seeds import digest
from dmf.grid.targets import TargetMatrix

NEEDED = {"grid": str, "runs": int, "configuration": dict, "report": dict}  # of a provenance that is read back
STAMP = ("date_created", "git_revision", "machine", "package_versions", "values_sha256")


def runs_facts(runs: xr.Dataset) -> dict[str, Any]:
    """What a report keeps of a file of runs: how many there are and are missing, seconds of training, its stamp."""
    missing = int(runs.attrs.get(LACKS, 0))
    facts = {"runs": run_count(runs) - missing, "missing": missing, "train_seconds": float(runs.attrs["train_seconds"])}
    trained = {name: str(runs.attrs[f"trained_{name}"]) for name in TRACED if f"trained_{name}" in runs.attrs}
    return facts | {"training": str(runs.attrs["training"])} | _stamp(runs.attrs) | trained


def provenance(
    grid: Grid,
    targets: Sequence[TargetMatrix],
    evidence: Sequence[Mapping[str, Any]],
    runs: Mapping[str, Mapping[str, Any]],
    written: Mapping[str, Any],
) -> dict[str, Any]:
    """Provenance of a report.

    `evidence` and `written` are global attributes of each file of evidence and of a file written now
    (`dmf.dataset.provenance.file_attributes`); `runs` has the `runs_facts` of every group. Times are ISO 8601,
    `train_seconds` are seconds of one core.
    """
    configuration = grid.model_dump(mode="json")
    files = list(runs.values())
    dates = sorted(date for facts in files for date in str(facts["date_created"]).split(" | "))
    return {
        "grid": grid.grid,
        "title": grid.title,
        "seed": grid.seed,
        "runs": sum(int(facts["runs"]) for facts in files),
        "missing": sum(int(facts.get("missing", 0)) for facts in files),
        "train_seconds": sum(float(facts["train_seconds"]) for facts in files),
        "configuration_fingerprint": digest(configuration),
        "training": {
            "first": dates[0] if dates else None,
            "last": dates[-1] if dates else None,
            "fingerprint": _distinct(facts["training"] for facts in files),
            **{f"{name}": _distinct(facts[name] for facts in files) for name in STAMP[1:4]},
        },
        "evidence": _stamp(evidence[0]) if len(evidence) == 1 else _joint_stamp([_stamp(one) for one in evidence]),
        "report": {name: value for name, value in _stamp(written).items() if name != "values_sha256"},
        "references": REFERENCE,
        "configuration": configuration,
        "targets": [_target(target) for target in targets],
        "files": {name: dict(facts) for name, facts in runs.items()},
    }


def read_provenance(path: str | Path) -> dict[str, Any]:
    """Read what `provenance` made. Raises DamagedFile for a damaged file."""
    content = read_bytes(path)
    try:
        found: dict[str, Any] = json.loads(content)
        for key, kind in NEEDED.items():
            if not isinstance(found[key], kind):
                raise ValueError(f"{key} is no {kind.__name__}")
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise DamagedFile(Path(path), f"not a readable provenance ({' '.join(str(error).split())})") from None
    return found


def gaps(path: str | Path, absent: Sequence[str]) -> list[str]:
    """One line where the report of that provenance lacks runs, or files `absent`: then nothing is verified."""
    found = read_provenance(path)
    missing = int(found.get("missing", 0))
    lost = [f"{missing} of {found['runs'] + missing} runs"] if missing else []
    lost += absent
    return [f"incomplete: {', '.join(lost)} missing; train them before anything counts as verified"] if lost else []


def _target(target: TargetMatrix) -> dict[str, Any]:
    names = ("name", "label", "kind", "shape", "fingerprint", "origin", "standardisation")
    return {name: getattr(target, name) for name in names}


def _stamp(attributes: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(attributes.get(name, "unknown")) for name in STAMP}


def _joint_stamp(stamps: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """One stamp of several files: distinct values side by side, the last date, a fingerprint of their fingerprints."""
    joint = {name: " | ".join(_distinct(stamp[name] for stamp in stamps)) for name in STAMP}
    together = hashlib.sha256("".join(stamp["values_sha256"] for stamp in stamps).encode()).hexdigest()
    return joint | {"date_created": max(stamp["date_created"] for stamp in stamps), "values_sha256": together}


def _distinct(values: Iterable[Any]) -> list[str]:
    return sorted({str(value) for value in values})
