"""Commands that let a reader see again what a verdict saw."""

from __future__ import annotations

import shlex

from dmf.evidence.claim import Verdict

CONFIGURATION = "grid.yaml"  # the grid's file in its report


def reproduce(verdict: Verdict, study: str, grid: str) -> str | None:
    """The command that trains a verdict's worst run again, or makes its case again; None where nothing spoke.

    `study` is the study that the claim reads, "runs" for the grid's own.
    """
    worst = verdict.finding.worst
    if worst is None:
        return None
    file, claim = f"reports/{grid}/{CONFIGURATION}", ["--claim", verdict.claim]
    if study == "runs":
        options = [word for name, value in worst.items() for word in (f"--{name.removesuffix('_label')}", str(value))]
        return shlex.join(["dmf", "cell", file, *options, *claim])
    case = [f"{name}={value}" for name, value in worst.items()]
    return shlex.join(["dmf", "study", file, study, *claim, "--case", *case])
