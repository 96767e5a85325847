"""How `dmf cell` and `dmf study` show runs and cases: a table, or JSON with every digit."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from dmf.claims import claim_names, load_claim
from dmf.cli.output import console, print_json
from dmf.cli.tables import Column, left_out, print_table
from dmf.errors import UserError, near, printable, shown
from dmf.evidence.cases import names_of, weigh
from dmf.evidence.claim import Claim
from dmf.report.listing import status_text
from dmf.report.verdicts import number

Fields = dict[str, Any]
YES_OR_NO = ("certified", "minimal", "is_eligible")
AS_GIVEN = (
    "scale",
    "lam",
    "lam_label",
    "m",
    "relative",
    "strength",
    "size",
)  # coordinates are shown with all their digits


def asked_claim(name: str | None, study: str) -> Claim | None:
    """The claim called `name`, None for None. Raises UserError where there is none, or where it reads another study."""
    if name is None:
        return None
    if name not in claim_names():
        hint = near(name, claim_names()) or "; dmf explain lists all"
        raise UserError(f"--claim: got {shown(name)}, expected the name of a claim{hint}")
    claim = load_claim(name)
    if claim.study != study:
        instead = "dmf cell" if claim.study == "runs" else f"dmf study with {claim.study}"
        raise UserError(f"--claim: {name} does not read {study}; use {instead}")
    return claim


def with_statistic(claim: Claim | None, evidence: xr.Dataset) -> xr.Dataset:
    """Evidence with the `statistic` of a claim and whether a case `is_eligible` for it; as it is for None."""
    if claim is None:
        return evidence
    weighed = weigh(claim, evidence)
    return evidence.assign(statistic=weighed["ratio"], is_eligible=weighed["eligible"].astype(np.int8))


def choose(evidence: xr.Dataset, conditions: list[str]) -> xr.Dataset:
    """The cells and starts whose coordinates have the values given as KEY=VALUE. Raises UserError where none has."""
    for condition in conditions:
        key, equals, text = condition.partition("=")
        known = names_of(evidence, "cell", "start")
        if not equals or key not in known:
            raise UserError(
                f"--case: got {condition}, expected KEY=VALUE with a key among {', '.join(known)}{near(key, known)}"
            )
        values, dim = evidence[key].values, str(evidence[key].dims[0])
        here = np.flatnonzero([_equal(value, text) for value in values.tolist()])
        if not here.size:
            shown = ", ".join(dict.fromkeys(map(str, values.tolist()[:200])))
            raise UserError(f"--case: no case has {condition}; values of {key}: {shown[:300]}")
        evidence = evidence.isel({dim: here})
    return evidence


def _equal(value: Any, text: str) -> bool:
    if str(value) == text:
        return True
    try:
        return isinstance(value, (int, float)) and value == float(text)
    except ValueError:
        return False


def show(evidence: xr.Dataset, fields: Sequence[str], as_json: bool) -> None:
    """Print every (cell, start) of `evidence`: its coordinates, what a claim makes of it, and `fields`.

    In a table, coordinates that all share are above it; of the rest, what comes last has no room first.
    """
    said = [name for name in ("statistic", "is_eligible") if name in evidence]
    coordinates = names_of(evidence, "cell", "start")
    names = list(dict.fromkeys([*coordinates, *said, *fields]))
    places = np.ndindex(evidence.sizes["cell"], evidence.sizes["start"])
    cases = [evidence.isel(cell=cell, start=start) for cell, start in places]
    records: list[Fields] = [{name: case[name].item() for name in names} for case in cases]
    if as_json:
        print_json(records)
        return
    texts = {name: [_text(name, record[name]) for record in records] for name in names}
    shared = [name for name in coordinates if len(set(texts[name])) == 1]
    print(printable(", ".join(f"{_words(name)} {texts[name][0]}" for name in shared)))
    varying = [name for name in names if name not in shared]
    screen = console(sys.stdout)
    if len(records) == 1:  # down the screen, not across it
        values = [Column("", [_words(name) for name in varying], 0), Column("", [texts[n][0] for n in varying], 1)]
        print_table(screen, values, header=False)
        return
    columns = [Column(_words(name), texts[name], rank) for rank, name in enumerate(varying)]
    missing = print_table(screen, columns)
    ends = [f"{sum(text == 'yes' for text in texts[name])} {_words(name)}" for name in YES_OR_NO if name in texts]
    print(f"{len(records)} {'runs' if 'certified' in texts else 'cases'}" + (f": {', '.join(ends)}" if ends else ""))
    if missing:
        print(left_out(missing, "a wider terminal or --json shows all"))


def _words(name: str) -> str:
    return "lambda" if name == "lam_label" else name.removeprefix("is_").replace("_", " ")


def _text(name: str, value: Any) -> str:
    if name == "status":
        return status_text(value)
    if name in YES_OR_NO:
        return "yes" if value else "no"
    return number(value) if isinstance(value, float) and name not in AS_GIVEN else str(value)
