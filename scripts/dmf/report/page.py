"""The report as an HTML page that needs no network, and a script only for its tables, commands and figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from dmf.claims import load_claim
from dmf.evidence.cases import MOST_ROWS
from dmf.evidence.claim import Claim, Verdict
from dmf.grid.config import Grid
from dmf.grid.targets import TargetMatrix
from dmf.refute.record import Record, too_loose
from dmf.report import statements
from dmf.report.directions import directions
from dmf.report.explorer.page import NO_RUNS, link
from dmf.report.explorer.runs import Runs
from dmf.report.listing import missing
from dmf.report.pictures import Picture, numbers_json
from dmf.report.practice import Practice
from dmf.report.proofs import Proved
from dmf.report.search import Searched
from dmf.report.summary import Summary
from dmf.report.template import environment
from dmf.report.verdicts import reproduce

WORDS = ("confirmed", "violated", "inconclusive")
MOST_TARGETS = 40
FIRST = "collapse"  # the figure next to the answer, where it is drawn


@dataclass(frozen=True)
class Section:
    """One claim on the page: what it says, what was found, its worst run, how to see that again, and its figures.

    `explorer` is the worst run's setting there, None for one that the explorer cannot take; `at_top` a figure of the
    claim that stands next to the answer.
    """

    verdict: Verdict
    claim: Claim
    worst: Mapping[str, Any] | None
    command: str | None
    pictures: Sequence[Picture]
    explorer: str | None
    at_top: Picture | None


@dataclass(frozen=True)
class Content:
    """What the page shows of a grid.

    `found` is what the search for refutations found and `searched` what a global minimizer cost, None for a search that
    is turned off. `every` says which draws of which cells figures show, (1, 1) for all. `absent` names files that an
    incomplete grid lacks. `practice` is what was measured of networks on data, `proved` what was proved of runs, and
    `runs` those that the explorer draws.
    """

    grid: Grid
    targets: Sequence[TargetMatrix]
    summary: Summary
    verdicts: Sequence[Verdict]
    pictures: Sequence[Picture]
    provenance: Mapping[str, Any]
    found: Record | None = None
    every: tuple[int, int] = (1, 1)
    searched: Searched | None = None
    absent: Sequence[str] = ()
    practice: Practice | None = None
    proved: Proved | None = None
    runs: Runs = NO_RUNS


def page_html(content: Content) -> str:
    """The page.

    Figures of a claim stand in its section, experiments and all others in two more, in their order; FIRST stands at the
    top. Everything that a user can name is escaped. Raises ValueError for a claim or figure whose LaTeX is not
    understood.
    """
    grid, targets, summary = content.grid, content.targets, content.summary
    verdicts, pictures = content.verdicts, content.pictures
    named = {verdict.claim for verdict in verdicts}
    first = next((picture for picture in pictures if picture.name == FIRST), None)
    loose = [picture for picture in pictures if picture.claim not in named and picture != first]
    own = [target for target in targets[:MOST_TARGETS] if directions(target, grid.depths)]
    return (
        environment()
        .get_template("page.html.j2")
        .render(
            title=grid.title or grid.grid,
            grid=grid,
            targets=targets[:MOST_TARGETS],
            targets_in_all=len(targets),
            own=own,
            first_figure=first,
            numbers=Markup(numbers_json(pictures)),  # escaped for its place
            targets_hidden=len(targets[MOST_TARGETS:]),
            directions={target.name: directions(target, grid.depths) for target in own},
            labels={target.name: target.label or target.name for target in grid.targets},
            sections=[_section(verdict, content) for verdict in verdicts],
            statements=statements.rows(
                {verdict.claim: verdict.finding.word for verdict in verdicts},
                frozenset(picture.name for picture in pictures),
            ),
            facts=_facts(verdicts),
            words={word: sum(verdict.finding.word == word for verdict in verdicts) for word in WORDS},
            missed=[verdict for verdict in verdicts if not verdict.control_detected],
            controls=sum(len(verdict.controls) for verdict in verdicts),
            controls_missed=sum(len(verdict.missed) for verdict in verdicts),
            loose=[picture for picture in loose if not picture.experiment],
            experiments=[picture for picture in loose if picture.experiment],
            runs={**summary.counts, "starts": summary.counts["wanted"] // summary.counts["cells"]},
            every=content.every,
            most_rows=MOST_ROWS,
            census=summary.census,
            by_status=summary.by_status,
            uncertified=summary.uncertified,
            no_level=summary.no_level,
            short=summary.short,
            degenerate=summary.degenerate,
            provenance=content.provenance,
            found=content.found,
            too_loose=too_loose(content.found) if content.found else [],
            searched=content.searched,
            practice=content.practice,
            proved=content.proved,
            missing=missing(summary.lost, summary.counts, content.absent),
        )
    )


def _facts(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """What the verdicts on the grid's runs rest on: claims with one measured fact stand and fall together."""
    pairs = [(verdict.finding, load_claim(verdict.claim)) for verdict in verdicts]
    of_runs = [(finding, claim) for finding, claim in pairs if claim.study == "runs"]
    return {
        "verdicts": len(of_runs),
        "identities": sum(claim.basis == "identity" for _, claim in of_runs),
        "texts": list(dict.fromkeys(claim.fact for _, claim in of_runs if claim.fact)),
        "distinct": max((finding.runs_distinct for finding, _ in of_runs), default=0),
        "cells": max((finding.cells_counted for finding, _ in of_runs), default=0),
    }


def _section(verdict: Verdict, content: Content) -> Section:
    own = [picture for picture in content.pictures if picture.claim == verdict.claim]
    below = [picture for picture in own if picture.name != FIRST]
    at_top = next((picture for picture in own if picture.name == FIRST), None)
    claim = load_claim(verdict.claim)
    worst = content.summary.worst.get(verdict.claim)
    command = reproduce(verdict, claim.study, content.grid.grid)
    return Section(verdict, claim, worst, command, below, _explored(worst, content), at_top)


def _explored(run: Mapping[str, Any] | None, content: Content) -> str | None:
    """The explorer at the setting of a run of the grid."""
    for target in content.targets:
        if run is not None and target.name == run["target"]:
            return link(target, run["depth"], run["lam"], content.grid.hidden_widths)
    return None
