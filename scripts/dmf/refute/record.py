"""What the search found: the worst case of every claim, as JSON values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from dmf.dataset.store import DamagedFile, read_bytes
from dmf.evidence.cases import shown
from dmf.evidence.claim import Claim, Finding
from dmf.evidence.judge import find
from dmf.grid.config import Certificate
from dmf.refute.false_claim import FALSE_CLAIM

CELL_FACTS = ("lam", "relative", "branch", "exceptional_distance", "degenerate_distance", "mu")
FACTS = (*CELL_FACTS, "gradient_norm", "radius")


@dataclass(frozen=True)
class Attempt:
    """The worst case found for one claim: its finding over all that was tried, and the facts of the worst run."""

    claim: str
    title: str
    source: str
    finding: Finding
    widths: str
    singular_values: list[float]
    facts: dict[str, float]

    @property
    def refuted(self) -> bool:
        """Whether an eligible run lies beyond the edge."""
        return self.finding.word == "violated"

    def as_json(self) -> dict[str, Any]:
        """JSON values."""
        return {**asdict(self), "finding": self.finding.as_json()}


@dataclass(frozen=True)
class Record:
    """All attempts in the order of the paper; `control` is the one on a statement that is false."""

    runs: int
    cells: int
    attempts: list[Attempt]
    control: Attempt

    def as_json(self) -> dict[str, Any]:
        """JSON values; the inverse is `read_record`."""
        attempts = [attempt.as_json() for attempt in self.attempts]
        return {**asdict(self), "attempts": attempts, "control": self.control.as_json()}


def judge_all(claims: Mapping[str, Claim], evidence: xr.Dataset, certificate: Certificate) -> Record:
    """Every claim's worst case in evidence (cell, start) of the search."""
    attempts = [_attempt(name, claim, evidence, certificate) for name, claim in claims.items()]
    control = _attempt("false_claim", FALSE_CLAIM, evidence, certificate)
    return Record(int(evidence["certified"].size), evidence.sizes["cell"], attempts, control)


def read_record(path: str | Path) -> Record:
    """Read what `Record.as_json` wrote. Raises DamagedFile for a damaged file."""
    content = read_bytes(path)
    try:
        raw = json.loads(content)
        attempts = [_from_json(one) for one in raw["attempts"]]
        return Record(raw["runs"], raw["cells"], attempts, _from_json(raw["control"]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        what = f"not a readable record of the search ({' '.join(str(error).split())})"
        raise DamagedFile(Path(path), what) from None


# What the worst case of a search of FULL runs or more uses of its tolerance, at least (docs/theory.md, section 8): the
# gradient's share is one half of a radius, and all of an imbalance. Shipped seeds come to 0.49, 0.45 and 0.99.
FLOORS = {"uniqueness": 0.25, "layer_norms": 0.25, "balancedness": 0.8}
FULL = 3200


def too_loose(record: Record) -> list[Attempt]:
    """Attempts that stayed farther from the edge than their tolerance allows, if that is what it should be."""
    if record.runs < FULL:
        return []
    return [
        attempt
        for attempt in record.attempts
        if attempt.finding.runs_counted >= FULL / 4 and (attempt.finding.statistic or 0) < FLOORS.get(attempt.claim, 0)
    ]


def problems(record: Record, where: str) -> list[str]:
    """One line for each claim that the search refuted or whose edge it did not come near, and for a missed control.

    `where` is the file.
    """
    lines = [
        f"{attempt.claim} ({attempt.source}) is refuted by the search: statistic "
        f"{shown(attempt.finding.statistic or 0)} in units of tolerance, at widths {attempt.widths} with singular "
        f"values {', '.join(f'{value:.6g}' for value in attempt.singular_values)} and lambda {attempt.facts['lam']!r}; "
        f"see {where}"
        for attempt in record.attempts
        if attempt.refuted
    ]
    lines += [
        f"{attempt.claim} ({attempt.source}): the search came only to {shown(attempt.finding.statistic or 0)} of its "
        f"edge, expected {FLOORS[attempt.claim]:g} or more: its tolerance is too loose; see {where}"
        for attempt in too_loose(record)
    ]
    if not record.control.refuted:
        lines.append(
            f"the search did not refute its control, a false statement, so it proves nothing; see {where} and raise "
            "refute.runs"
        )
    return lines


def _attempt(name: str, claim: Claim, evidence: xr.Dataset, certificate: Certificate) -> Attempt:
    finding = find(claim, evidence, certificate)
    if finding.worst is None:
        return Attempt(name, claim.title, claim.source, finding, "", [], {})
    cell, start = (
        np.logical_and.reduce([evidence[name].values == finding.worst[name] for name in names])
        for names in (["target"], ["scheme", "scale", "draw"])
    )
    run = evidence.isel(cell=int(np.flatnonzero(cell)[0]), start=int(np.flatnonzero(start)[0]))
    sigma = run["sigma"].values
    return Attempt(
        name,
        claim.title,
        claim.source,
        finding,
        ", ".join(reversed(str(run["group"].item()).partition("-")[2].split("x"))),
        sigma[np.isfinite(sigma)].tolist(),
        {fact: _finite(run[fact].item()) for fact in FACTS},
    )


def _finite(value: float) -> float:
    """JSON has no infinity."""
    return float(np.clip(value, -np.finfo(float).max, np.finfo(float).max))


def _from_json(raw: dict[str, Any]) -> Attempt:
    return Attempt(**{**raw, "finding": Finding.from_json(raw["finding"])})
