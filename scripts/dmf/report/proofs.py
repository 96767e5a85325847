"""What was proved of a grid's runs, in sums and by name: the column `proved`, and the runs that could not be proved."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from dmf.dataset.store import DamagedFile
from dmf.proof.minimizer import Reason
from dmf.proof.statements import FAILS, HOLDS, UNDECIDED
from dmf.studies.contract import halves

FILE = "proofs.json"
MOST = 40  # runs without a proof that are named on the page; the file of proofs has all


@dataclass(frozen=True)
class OfClaim:
    """Runs that one claim counts: how many were tried and proved, and what it says of the proved minimizers."""

    tried: int
    proved: int
    holds: int
    fails: int
    undecided: int


@dataclass(frozen=True)
class Proved:
    """The proofs of a grid: `cells` have runs that were tried, out of `of_cells`; `unproved` are the first MOST."""

    runs: int
    proved: int
    cells: int
    of_cells: int
    seconds: float
    claims: Mapping[str, OfClaim]
    unproved_counted: int
    unproved: Sequence[Mapping[str, Any]]

    def as_json(self) -> str:
        """As text; the inverse is `read_proved`."""
        return json.dumps(asdict(self), indent=2) + "\n"


def summarize_proofs(proofs: xr.Dataset) -> Proved:
    """The sums of a dataset of proofs (`dmf.evidence.proofs`), its controls left out."""
    honest, _ = halves(proofs)
    tried, proved = honest["draw"].values >= 0, honest["certified"].values == 1
    counts, says = honest["counts"].values == 1, honest["statements"].values
    of_claims = {}
    for number, name in enumerate(honest["claim"].values.tolist()):
        mine = counts[number] & proved
        words = {word: int((says[number][mine] == word).sum()) for word in (HOLDS, FAILS, UNDECIDED)}
        of_claims[name] = OfClaim(
            int((counts[number] & tried).sum()), int(mine.sum()), words[HOLDS], words[FAILS], words[UNDECIDED]
        )
    missing = np.argwhere(tried & ~proved & counts.any(axis=0))
    return Proved(
        runs=int(tried.sum()),
        proved=int((tried & proved).sum()),
        cells=int(tried.any(axis=1).sum()),
        of_cells=int(proofs.attrs["cells_of_the_grid"]),
        seconds=float(proofs.attrs.get("prove_seconds", 0.0)),
        claims=of_claims,
        unproved_counted=len(missing),
        unproved=[_named(honest.isel(cell=int(cell), start=int(start))) for cell, start in missing[:MOST]],
    )


def _named(run: xr.Dataset) -> dict[str, Any]:
    names = run["claim"].values[run["counts"].values == 1].tolist()
    coordinates = ("target", "depth", "lam_label", "scheme", "scale", "draw", "gradient_norm")
    reason = list(Reason)[int(run["reason"])]
    return {name: run[name].item() for name in coordinates} | {"reason": reason.value, "claims": names}


def read_proved(report: Path) -> Proved | None:
    """The sums beside a report; None where it has none. Raises DamagedFile where it is damaged."""
    path = report / FILE
    if not path.exists():
        return None
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        raw["claims"] = {name: OfClaim(**one) for name, one in raw["claims"].items()}
        return Proved(**raw)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedFile(path, f"not readable proofs ({' '.join(str(error).split())})") from None


def proved_text(claim: str, proved: Proved | None) -> str:
    """Runs proved of runs tried among those that a claim counts; a dash where none was tried."""
    one = proved.claims.get(claim) if proved else None
    return f"{one.proved:,}/{one.tried:,}" if one else "–"
