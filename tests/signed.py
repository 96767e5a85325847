"""Records what lies in a folder as if jobs had written it: for reports made by hand, and for forgers with our code."""

from dataclasses import replace
from pathlib import Path

from dmf.dataset.manifest import MANIFEST, read_entries, record, records
from dmf.evidence.claim import Finding, Verdict


def sign(folder: Path) -> None:
    """Record the files of a folder as they are now, each where it was recorded before; others as a job `hand`."""
    known: set[Path] = set()
    for path in records(folder):
        entries = {folder / name: entry.identity for name, entry in read_entries(path).items()}
        record(path, {file: identity for file, identity in entries.items() if file.exists()})
        known |= entries.keys()
    files = {path for path in folder.rglob("*") if path.is_file() and MANIFEST not in path.parts}
    if files - known:
        record(folder / MANIFEST / "hand.json", dict.fromkeys(sorted(files - known), ""))


def saying(finding: Finding, word: str) -> Finding:
    """A finding whose numbers say that word."""
    statistic = {"confirmed": 0.5, "violated": 2.0, "inconclusive": None}[word]
    return replace(finding, statistic=statistic, cells_counted=0 if statistic is None else finding.cells)


def changed(verdict: Verdict, part: str, word: str) -> Verdict:
    """A verdict whose `part`, finding or control, says that word."""
    if part == "control":
        first, *others = verdict.controls
        seen, statistic = (first.cells, 2.0) if word == "violated" else (0, 0.5)
        return replace(verdict, controls=(replace(first, detected=seen, statistic=statistic), *others))
    return replace(verdict, finding=saying(verdict.finding, word))
