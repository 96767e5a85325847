"""Verdicts as files, rows and failures, and the command that shows again what a verdict saw."""

from __future__ import annotations

import csv
import io
import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dmf.claims import CLAIMS, in_order, load_claim
from dmf.dataset.store import DamagedFile, read_bytes
from dmf.errors import printable
from dmf.evidence.cases import shown
from dmf.evidence.claim import Detection, Finding, Verdict
from dmf.report.proofs import Proved

COLUMNS = (
    "claim", "source", "basis", "verdict", "statistic", "tolerance", "margin", "runs", "runs_certified", "runs_counted",
    "runs_distinct", "runs_tried", "runs_proved", "cells_all", "cells", "cells_counted",
    "controls", "controls_missed", "control_statistic", "control_detected",
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
                f"{verdict.claim} ({verdict.source}): negative control not detected: "
                f"{'; '.join(map(missed_text, verdict.missed)) or 'it has none'}; so its check proves nothing; {files}"
            )
    return lines


def missed_text(control: Detection) -> str:
    """A control that was not detected, in words: the arm, and the cell where its departure was least."""
    if control.weakest is None:
        return f"{control.name} has no cell"
    cell = ", ".join(f"{name} {value}" for name, value in control.weakest.items())
    return (
        f"{control.name} in {control.cells - control.detected} of {control.cells} cells, with statistic "
        f"{number(control.statistic)} at {cell}"
    )


def cell_text(finding: Finding) -> str:
    """The worst run or case of a finding in words."""
    worst = finding.worst
    if worst is None:
        return "nothing"
    if "scheme" not in worst:
        return ", ".join(
            f"{name} {shown(value, 6)}" if isinstance(value, float) else f"{name} {value}"
            for name, value in worst.items()
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
    return shown(value)


def basis(claim: str) -> str:
    """What decides a claim; nothing for a name of an older report that no claim has any more."""
    return load_claim(claim).basis if claim in CLAIMS else ""


def rows(verdicts: Sequence[Verdict], proved: Proved | None = None) -> list[dict[str, Any]]:
    """One flat row a verdict, keys COLUMNS. Statistic and margin are in units of tolerance, so that is 1.

    What was proved of its runs is None where none was tried.
    """
    result = []
    for verdict in verdicts:
        finding, worst = verdict.finding, verdict.finding.worst or {}
        one = proved.claims.get(verdict.claim) if proved else None
        row = {
            "claim": verdict.claim,
            "source": verdict.source,
            "basis": basis(verdict.claim),
            "verdict": finding.word,
            "statistic": finding.statistic,
            "tolerance": 1.0,
            "margin": finding.margin,
            "runs": finding.runs,
            "runs_certified": finding.runs_certified,
            "runs_counted": finding.runs_counted,
            "runs_distinct": finding.runs_distinct,
            "runs_tried": one.tried if one else None,
            "runs_proved": one.proved if one else None,
            "cells_all": finding.cells_all,
            "cells": finding.cells,
            "cells_counted": finding.cells_counted,
            "controls": len(verdict.controls),
            "controls_missed": "; ".join(control.name for control in verdict.missed),
            "control_statistic": verdict.control_statistic,
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
