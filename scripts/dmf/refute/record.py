"""What the search found: the worst case of every claim, as JSON values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from dmf.errors import UserError
from dmf.evidence.claim import Claim, Finding
from dmf.evidence.judge import find
from dmf.refute.false_claim import DECOY
from dmf.grid.config import Certificate

CELL_FACTS = ("lam_value", "relative", "branch", "exceptional_distance", "degenerate_distance", "mu")
FACTS = (*CELL_FACTS, "gradient_norm", "radius")


@dataclass(frozen=True)
class Attack:
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
        """Whether a run that may speak lies beyond the edge."""
        return self.finding.word == "violated"


@dataclass(frozen=True)
class Record:
    """All attacks in the order of the paper; `control` is the one on a statement that is false."""

    runs: int
    cells: int
    attacks: list[Attack]
    control: Attack

    def as_json(self) -> dict[str, Any]:
        """JSON values; the inverse is `read_record`."""
        return asdict(self)


def judge_all(claims: Mapping[str, Claim], evidence: xr.Dataset, certificate: Certificate) -> Record:
    """Every claim's worst case in evidence (cell, start) of the search."""
    attacks = [_attack(name, claim, evidence, certificate) for name, claim in claims.items()]
    control = _attack("decoy", DECOY, evidence, certificate)
    return Record(int(evidence["certified"].size), evidence.sizes["cell"], attacks, control)


def read_record(path: str | Path) -> Record:
    """Read what `Record.as_json` wrote. Raises UserError for a damaged file."""
    try:
        raw = json.loads(Path(path).read_text(encoding="utf-8"))
        attacks = [_from_json(one) for one in raw["attacks"]]
        return Record(raw["runs"], raw["cells"], attacks, _from_json(raw["control"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path}: not a readable record of the search ({' '.join(str(error).split())}); delete it and run again"
        ) from None


def problems(record: Record, where: str) -> list[str]:
    """One line for each claim that the search refuted, and one where it missed its control; `where` is the file."""
    lines = [
        f"{attack.claim} ({attack.source}) is refuted by the search: statistic {attack.finding.statistic:.3g} in units "
        f"of tolerance, at {attack.widths} with singular values "
        f"{', '.join(f'{value:.6g}' for value in attack.singular_values)} and lambda {attack.facts['lam_value']!r}; "
        f"see {where}"
        for attack in record.attacks
        if attack.refuted
    ]
    if not record.control.refuted:
        lines.append(
            f"the search did not refute its control, a false statement, so it proves nothing; see {where} and raise "
            "falsifier.runs"
        )
    return lines


def _attack(name: str, claim: Claim, evidence: xr.Dataset, certificate: Certificate) -> Attack:
    finding = find(claim, evidence, certificate)
    if finding.worst is None:
        return Attack(name, claim.title, claim.source, finding, "", [], {})
    cell, start = (
        np.logical_and.reduce([evidence[name].values == finding.worst[name] for name in names])
        for names in (["target"], ["scheme", "scale", "draw"])
    )
    run = evidence.isel(cell=int(np.flatnonzero(cell)[0]), start=int(np.flatnonzero(start)[0]))
    sigma = run["sigma"].values
    return Attack(
        name,
        claim.title,
        claim.source,
        finding,
        str(run["group"].item()),
        sigma[np.isfinite(sigma)].tolist(),
        {fact: _finite(run[fact].item()) for fact in FACTS},
    )


def _finite(value: float) -> float:
    """JSON has no infinity."""
    return float(np.clip(value, -np.finfo(float).max, np.finfo(float).max))


def _from_json(raw: dict[str, Any]) -> Attack:
    return Attack(**{**raw, "finding": Finding(**raw["finding"])})
