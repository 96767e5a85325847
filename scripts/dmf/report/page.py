"""The report as one HTML page that needs no network and no script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from dmf.claims import load_claim
from dmf.evidence.claim import Claim, Verdict
from dmf.evidence.speak import may_speak
from dmf.falsify.record import Record
from dmf.grid.config import Grid
from dmf.grid.targets import TargetMatrix
from dmf.report import listing, statements, text
from dmf.report.census import MINIMUM, census, outcomes
from dmf.report.pictures import Picture
from dmf.report.verdicts import cell_text

HERE = Path(__file__).parent
WORDS = ("confirmed", "violated", "inconclusive")
MOST_TARGETS = 40


@dataclass(frozen=True)
class Section:
    """One claim on the page: what it says, what was found, its worst run and its figures."""

    verdict: Verdict
    claim: Claim
    worst: Mapping[str, Any] | None
    pictures: Sequence[Picture]


def page_html(
    grid: Grid,
    targets: Sequence[TargetMatrix],
    evidence: xr.Dataset,
    verdicts: Sequence[Verdict],
    pictures: Sequence[Picture],
    provenance: Mapping[str, Any],
    found: Record | None = None,
) -> str:
    """The page, from a grid's targets, evidence (cell, start), verdicts, figures, provenance and what was found by the
    search for refutations, None where there was none.

    Figures of a claim stand in its section, all others in one of their own; both keep their order. Everything
    that a user can name is escaped. Raises ValueError for a claim or figure whose LaTeX is not understood.
    """
    named = {verdict.claim for verdict in verdicts}
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            title=grid.title or grid.grid,
            grid=grid,
            targets=targets[:MOST_TARGETS],
            targets_hidden=len(targets[MOST_TARGETS:]),
            labels={target.name: target.label or target.name for target in grid.targets},
            sections=[_section(verdict, evidence, pictures) for verdict in verdicts],
            statements=statements.rows(
                {verdict.claim: verdict.finding.word for verdict in verdicts},
                frozenset(picture.name for picture in pictures),
            ),
            words={word: sum(verdict.finding.word == word for verdict in verdicts) for word in WORDS},
            missed=[verdict for verdict in verdicts if not verdict.control_detected],
            loose=[picture for picture in pictures if picture.claim not in named],
            runs=_run_counts(evidence),
            census=census(evidence),
            by_status=listing.uncertified_by_status(evidence),
            uncertified=listing.uncertified_runs(evidence),
            no_level=listing.runs_at_no_level(evidence),
            short=listing.cells_short_of_minimum(evidence, grid.certificate.runs_per_cell),
            degenerate=listing.degenerate_cells(evidence),
            provenance=provenance,
            found=found,
        )
    )


def _section(verdict: Verdict, evidence: xr.Dataset, pictures: Sequence[Picture]) -> Section:
    own = [picture for picture in pictures if picture.claim == verdict.claim]
    return Section(verdict, load_claim(verdict.claim), listing.find_run(evidence, verdict.finding.worst), own)


def _run_counts(evidence: xr.Dataset) -> dict[str, int]:
    return {
        "trained": int(evidence["certified"].size),
        "certified": int(np.sum(evidence["certified"].values == 1)),
        "spoke": int(may_speak(evidence).sum()),
        "cells": evidence.sizes["cell"],
        "cells_without_minimum": int(np.sum(~(outcomes(evidence) == MINIMUM).any(axis=1))),
        "starts": evidence.sizes["start"],
    }


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {filter.__name__: filter for filter in (*text.FILTERS, listing.status_text, cell_text)}
    environment.globals["css"] = Markup((HERE / "page.css").read_text(encoding="utf-8"))
    return environment
