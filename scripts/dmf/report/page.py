"""The report as an HTML page that needs no network, and no script but to sort its table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dmf import theory
from dmf.claims import load_claim
from dmf.evidence.cases import MOST_ROWS
from dmf.evidence.claim import Claim, Verdict
from dmf.grid.config import Grid
from dmf.grid.targets import TargetMatrix
from dmf.refute.record import Record, too_loose
from dmf.report import statements
from dmf.report.listing import missing
from dmf.report.pictures import Picture
from dmf.report.practice import Practice
from dmf.report.proofs import Proved
from dmf.report.search import Searched
from dmf.report.summary import Summary
from dmf.report.template import environment
from dmf.report.verdicts import reproduce

WORDS = ("confirmed", "violated", "inconclusive")
MOST_TARGETS = 40
MOST_DIRECTIONS, MOST_NAMES, MOST_DEPTHS = 4, 4, 4
ZERO = 1e-12  # of sigma_1: singular values below it are rounding
EQUAL = 1e-9  # of sigma_1: singular values nearer to each other share a space, in which no direction is determined


@dataclass(frozen=True)
class Section:
    """One claim on the page: what it says, what was found, its worst run, how to see that again, and its figures."""

    verdict: Verdict
    claim: Claim
    worst: Mapping[str, Any] | None
    command: str | None
    pictures: Sequence[Picture]


@dataclass(frozen=True)
class Content:
    """What the page shows of a grid.

    `found` is what the search for refutations found and `searched` what a global minimizer cost, None for a search that
    is turned off. `every` says which draws of which cells figures show, (1, 1) for all. `absent` names files that an
    incomplete grid lacks. `practice` is what was measured of networks on data, `proved` what was proved of runs.
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


def page_html(content: Content) -> str:
    """The page.

    Figures of a claim stand in its section, experiments and all others in two more, in their order. Everything that a
    user can name is escaped. Raises ValueError for a claim or figure whose LaTeX is not understood.
    """
    grid, targets, summary = content.grid, content.targets, content.summary
    verdicts, pictures = content.verdicts, content.pictures
    named = {verdict.claim for verdict in verdicts}
    loose = [picture for picture in pictures if picture.claim not in named]
    return (
        environment()
        .get_template("page.html.j2")
        .render(
            title=grid.title or grid.grid,
            grid=grid,
            targets=targets[:MOST_TARGETS],
            targets_hidden=len(targets[MOST_TARGETS:]),
            directions={target.name: directions(target, grid.depths) for target in targets[:MOST_TARGETS]},
            labels={target.name: target.label or target.name for target in grid.targets},
            sections=[_section(verdict, summary, pictures, grid.grid) for verdict in verdicts],
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


def _section(verdict: Verdict, summary: Summary, pictures: Sequence[Picture], grid: str) -> Section:
    own = [picture for picture in pictures if picture.claim == verdict.claim]
    claim = load_claim(verdict.claim)
    command = reproduce(verdict, claim.study, grid)
    return Section(verdict, claim, summary.worst.get(verdict.claim), command, own)


@dataclass(frozen=True)
class Direction:
    """One pair of singular vectors.

    `kept_below`: depth and the lambda, in units of the target's lambda_c, up to which the minimizer keeps it. `rows`
    and `columns`: names with the largest loadings, largest first, and the loadings; empty where `alone` is false,
    since then another direction has the same singular value.
    """

    number: int
    sigma: float
    alone: bool
    kept_below: Sequence[tuple[int, float]]
    rows: Sequence[tuple[str, float]]
    columns: Sequence[tuple[str, float]]


def directions(target: TargetMatrix, depths: Sequence[int]) -> list[Direction]:
    """The leading directions of a target with any labels, none of one without."""
    if not target.rows and not target.columns:
        return []
    left, sigma, right = np.linalg.svd(target.values, full_matrices=False)
    found = []
    for i in range(min(MOST_DIRECTIONS, int(np.sum(sigma > ZERO * sigma[0])))):
        alone = not np.any(np.abs(np.delete(sigma, i) - sigma[i]) <= EQUAL * sigma[0])
        u, v = left[:, i], right[i]
        sign = np.sign(u[np.abs(u).argmax()])  # of a pair +-(u, v), the one in which u's largest entry is positive
        rows, columns = (
            _largest(sign * w, names) if alone else [] for w, names in ((u, target.rows), (v, target.columns))
        )
        kept = [(depth, float(_unit(sigma[i], depth) / _unit(sigma[0], depth))) for depth in depths[:MOST_DEPTHS]]
        found.append(Direction(i + 1, float(sigma[i]), alone, kept, rows, columns))
    return found


def _unit(sigma: float, depth: int) -> float:
    return float(theory.critical_lambda(sigma, depth))


def _largest(loadings: NDArray[np.float64], names: Sequence[str]) -> list[tuple[str, float]]:
    shown = names or [str(i) for i in range(len(loadings))]
    order = np.argsort(-np.abs(loadings), kind="stable")[:MOST_NAMES]
    return [(shown[i], float(loadings[i])) for i in order if abs(loadings[i]) > ZERO]
