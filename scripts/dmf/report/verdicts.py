"""Verdicts as files, rows and failures, and the command that shows again what a verdict saw."""

from __future__ import annotations

import csv
import io
import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dmf.claims import in_order
from dmf.dataset.store import DamagedFile, read_bytes
from dmf.errors import printable
from dmf.evidence.claim import Finding, Verdict
from dmf.report.proofs import Proved

COLUMNS = (
    "claim", "source", "verdict", "statistic", "tolerance", "margin", "runs", "runs_certified", "runs_counted",
    "runs_tried", "runs_proved", "cells", "cells_counted", "control", "control_statistic", "control_detected",
    "worst_target", "worst_depth", "worst_lam_label", "worst_scheme", "worst_scale", "worst_draw",
)  # fmt: skip

CONFIGURATION = "grid.yaml"  # the grid's file in its report


def read_verdicts(files: Sequence[Path]) -> list[Verdict]:
    """Verdicts from their JSON files, in the order of the list of claims. Raises DamagedFile for a damaged one."""
    verdicts = []
    for file in files:
        content = read_bytes(file)
        try:
            verdict = Verdict.from_json(json.loads(content))
            if verdict.claim != file.stem:
                raise ValueError(f"it is of the claim {printable(str(verdict.claim))[:40]}")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise DamagedFile(file, f"not a readable verdict ({' '.join(str(error).split())})") from None
        verdicts.append(verdict)
    return sorted(verdicts, key=lambda verdict: in_order(verdict.claim))


def failures(verdicts: Sequence[Verdict], folder: Path, logs: Path) -> list[str]:
    """One line for each verdict that must stop the pipeline, naming claim, worst cell, files and log."""
    lines = []
    for verdict in verdicts:
        files = (
            f"see {folder / 'verdicts' / verdict.claim}.json, {folder / 'index.html'} "
            f"and {logs / f'check-{verdict.claim}.log'}"
        )
        if verdict.finding.word == "violated":
            lines.append(
                f"{verdict.claim} ({verdict.source}) is violated at {cell_text(verdict.finding)}: statistic "
                f"{number(verdict.finding.statistic)} in units of tolerance; {files}"
            )
        if not verdict.control_detected:
            lines.append(
                f"{verdict.claim} ({verdict.source}): its negative control was not detected (found "
                f"{verdict.control.word}), so its check proves nothing; {files}"
            )
    return lines


def cell_text(finding: Finding) -> str:
    """The worst run or case of a finding in words."""
    worst = finding.worst
    if worst is None:
        return "nothing"
    if "scheme" not in worst:
        return ", ".join(
            f"{name} {value:.6g}" if isinstance(value, float) else f"{name} {value}" for name, value in worst.items()
        )
    return (
        f"target {worst['target']}, depth {worst['depth']}, lambda {worst['lam_label']}, "
        f"start {worst['scheme']} x {worst['scale']:g} no. {worst['draw']}"
    )


def reproduce(verdict: Verdict, study: str, grid: str) -> str | None:
    """The command that trains a verdict's worst run again, or makes its case again; None where nothing counted.

    `study` is the study that the claim reads, "runs" for the grid's own.
    """
    worst = verdict.finding.worst
    if worst is None:
        return None
    file, claim = f"reports/{grid}/{CONFIGURATION}", ["--claim", verdict.claim]
    if study == "runs":
        places = {name.removesuffix("_label"): value for name, value in worst.items()}
        return shlex.join(["dmf", "cell", file, *_options(places), *claim])
    if study == "proofs":
        names = {"target": "target", "depth": "depth", "lam_label": "lam", "number": "number"}
        places = {names[name]: value for name, value in worst.items() if name in names}
        return shlex.join(["dmf", "prove", f"data/{grid}/proofs.nc", *_options(places)])
    case = [f"{name}={value}" for name, value in worst.items()]
    return shlex.join(["dmf", "study", file, study, *claim, "--case", *case])


def _options(places: Mapping[str, Any]) -> list[str]:
    return [word for name, value in places.items() for word in (f"--{name}", str(value))]


def number(value: float | None) -> str:
    """A statistic or margin for people: three digits, a plain word where there is none."""
    if value is None:
        return "none"
    if abs(value) >= 1e300:
        return "inf" if value > 0 else "-inf"
    return f"{value:.3g}"


def rows(verdicts: Sequence[Verdict], proved: Proved | None = None) -> list[dict[str, Any]]:
    """One flat row a verdict, keys COLUMNS. Statistic and margin are in units of tolerance, so that is 1.

    What was proved of its runs is None where none was tried.
    """
    result = []
    for verdict in verdicts:
        finding, control, worst = verdict.finding, verdict.control, verdict.finding.worst or {}
        one = proved.claims.get(verdict.claim) if proved else None
        row = {
            "claim": verdict.claim,
            "source": verdict.source,
            "verdict": finding.word,
            "statistic": finding.statistic,
            "tolerance": 1.0,
            "margin": finding.margin,
            "runs": finding.runs,
            "runs_certified": finding.runs_certified,
            "runs_counted": finding.runs_counted,
            "runs_tried": one.tried if one else None,
            "runs_proved": one.proved if one else None,
            "cells": finding.cells,
            "cells_counted": finding.cells_counted,
            "control": control.word,
            "control_statistic": control.statistic,
            "control_detected": verdict.control_detected,
        }
        row |= {f"worst_{key}": worst.get(key) for key in ("target", "depth", "lam_label", "scheme", "scale", "draw")}
        result.append(row)
    return result


def csv_text(verdicts: Sequence[Verdict], proved: Proved | None = None) -> str:
    """The rows as CSV."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows(verdicts, proved))
    return buffer.getvalue()
