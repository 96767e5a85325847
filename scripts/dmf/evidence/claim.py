"""What a claim declares and what a verdict records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from math import isfinite
from sys import float_info
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import xarray as xr

from dmf.evidence.eligibility import is_eligible

if TYPE_CHECKING:
    from dmf.evidence.controls import Declared

EDGE = 1.0  # of a statistic, in units of what the certificate allows
Word = Literal["confirmed", "violated", "inconclusive"]
Basis = Literal["training", "formula", "identity"]
"""What decides a claim: where training ended; closed forms at points that no training chose; or an identity, which
holds at every point as far as the gradient allows, trained or not."""
Distance = Literal["far", "near", "blank"]
"""How far a control is from the statement: far, by little more than the tolerance, or without any number at all."""


ONE_ORBIT = "certified runs at the minimum lie within their radius of the predicted orbit"
"""The fact of all claims on minimizers: product, layer norms, trace and value are functions of where on the orbit."""


@dataclass(frozen=True)
class Arm:
    """One comparison of a claim, with separate controls: what it cannot detect, no other arm detects for it.

    `ratio` gives (cell, start) how far a run is from what the statement says, in units of what the run's own
    certificate allows: 1 is the edge. `far` makes of the evidence of the control cells evidence in which the statement
    is false (see `dmf.evidence.controls.declared`), `near` evidence in which it is false by little more than the
    tolerance: one that is too loose misses it. None where the arm has no tolerance that could be too loose. `concerns`
    gives (cell, start) or (cell,) the runs that the arm is about; all of them where None.
    """

    name: str
    ratio: Callable[[xr.Dataset], xr.DataArray]
    far: Declared
    near: Declared | None = None
    concerns: Callable[[xr.Dataset], xr.DataArray] | None = None

    def departure(self, evidence: xr.Dataset) -> xr.DataArray:
        """The ratio, (cell, start); -inf where the arm is not about the run."""
        ratio = self.ratio(evidence)
        return ratio if self.concerns is None else ratio.where(self.concerns(evidence), -np.inf)


@dataclass(frozen=True)
class Claim:
    """One statement of the paper in a form that trained runs can contradict.

    Texts may hold LaTeX between dollar signs. `statements` are the names of the paper's statements that it checks, as
    `dmf.report.statements` lists them. `scope` gives the cells (cell,) that meet the statement's
    hypotheses. `arms` are the comparisons that it makes of a run; on the grid's runs, which come in parts, each looks
    at one run alone. `study` is the study whose evidence the claim reads, "runs" for the grid's own, and `eligible`
    gives (cell, start) the cases that count. `basis` says what decides it, and `fact` which measured fact: claims with
    one fact are not independent of each other.
    """

    title: str
    source: str
    statements: tuple[str, ...]
    statement: str
    statistic: str
    tolerance: str
    refuted_by: str
    control: str
    scope: Callable[[xr.Dataset], xr.DataArray]
    arms: tuple[Arm, ...]
    study: str = "runs"
    eligible: Callable[[xr.Dataset], xr.DataArray] = is_eligible
    basis: Basis = "training"
    fact: str = ""

    @property
    def noun(self) -> str:
        """What the claim counts."""
        return "run" if self.study == "runs" else "case"

    def ratio(self, evidence: xr.Dataset) -> xr.DataArray:
        """The largest ratio of the arms, (cell, start); NaN where one is."""
        first, *others = [arm.departure(evidence).transpose("cell", "start") for arm in self.arms]
        for other in others:
            first = xr.apply_ufunc(np.maximum, first, other)
        return first


@dataclass(frozen=True)
class Finding:
    """What evidence says of a claim. `statistic` is the worst ratio, None where nothing counted.

    `cells` of `cells_all` are in scope; at least `cells_needed` must have enough counted runs. `runs_distinct` are the
    different end points of the counted runs: fewer, where starts were identical.
    """

    statistic: float | None
    runs: int
    runs_certified: int
    runs_counted: int
    runs_distinct: int
    cells_all: int
    cells: int
    cells_counted: int
    cells_needed: int
    worst: dict[str, Any] | None

    @property
    def word(self) -> Word:
        """The verdict: it follows from the numbers and is never read."""
        if self.statistic is not None and self.statistic > EDGE:
            return "violated"
        return "inconclusive" if self.cells == 0 or self.cells_counted < self.cells_needed else "confirmed"

    @property
    def margin(self) -> float | None:
        """1 - statistic."""
        return None if self.statistic is None else json_number(1 - self.statistic)

    def as_json(self) -> dict[str, Any]:
        """JSON values, with the word and the margin for people; the inverse is `from_json`."""
        return {"word": self.word, "margin": self.margin, **asdict(self)}

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Finding:
        """Read what `as_json` wrote. Raises ValueError or TypeError where its words are not those of its numbers."""
        found = cls(**{name: value for name, value in raw.items() if name not in ("word", "margin")})
        _check_numbers(found.statistic, *(getattr(found, one.name) for one in fields(cls) if one.type == "int"))
        for name, told, derived in (("word", raw["word"], found.word), ("margin", raw["margin"], found.margin)):
            if told != derived:
                raise ValueError(f"{name} is {told!r}, but the numbers say {derived!r}")
        return found


def _check_numbers(statistic: Any, *counts: Any) -> None:
    """Raise ValueError for what JSON can hold and no check gives: NaN, truth values, text, negative counts."""
    if not all(type(count) is int and count >= 0 for count in counts):
        raise ValueError("a count is no whole number")
    if statistic is not None and not (type(statistic) is float and isfinite(statistic)):
        raise ValueError(f"statistic {statistic!r} is no finite number")


def json_number(value: float | None) -> float | None:
    """JSON has no infinity; the largest float stands for it and still compares as a violation."""
    return None if value is None else min(max(value, -float_info.max), float_info.max)


@dataclass(frozen=True)
class Detection:
    """What the check of one arm says of evidence in which the statement is false: it must be violated in every cell.

    `cells` in scope, `detected` of which are violated. `statistic` is the worst ratio of the cell where that is least,
    and `weakest` names that cell; None without any cell.
    """

    arm: str
    distance: Distance
    cells: int
    detected: int
    statistic: float | None
    weakest: dict[str, Any] | None

    @property
    def name(self) -> str:
        """For people: the arm, and which of its controls."""
        return f"{self.arm} ({self.distance})"

    @property
    def missed(self) -> bool:
        """Whether the same code did not say 'violated' somewhere where the statement is false."""
        return self.cells == 0 or self.detected < self.cells

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Detection:
        """Read what a verdict wrote. Raises ValueError or TypeError for numbers that no check gives."""
        found = cls(**raw)
        _check_numbers(found.statistic, found.cells, found.detected)
        if found.detected > found.cells or (found.statistic is not None and found.missed != (found.statistic <= EDGE)):
            raise ValueError(f"control {found.name}: {found.detected} of {found.cells} cells, {found.statistic!r}")
        return found


@dataclass(frozen=True)
class Verdict:
    """A claim's finding on the grid, and what its arms say of their negative controls."""

    claim: str
    title: str
    source: str
    finding: Finding
    controls: tuple[Detection, ...]

    @property
    def missed(self) -> tuple[Detection, ...]:
        """The controls that were not detected."""
        return tuple(control for control in self.controls if control.missed)

    @property
    def control_detected(self) -> bool:
        """Whether every arm was violated wherever the statement is false."""
        return bool(self.controls) and not self.missed

    @property
    def control_statistic(self) -> float | None:
        """The least departure that had to be detected; None where a control has no cell."""
        found = [control.statistic for control in self.controls]
        return None if not found or None in found else min(value for value in found if value is not None)

    @property
    def fails(self) -> bool:
        """Whether the pipeline must stop here: a violation, or a check that cannot fail."""
        return self.finding.word == "violated" or not self.control_detected

    def as_json(self) -> dict[str, Any]:
        """JSON values; the inverse is `from_json`."""
        found = {"finding": self.finding.as_json()}
        return {**asdict(self), **found, "control_detected": self.control_detected, "fails": self.fails}

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Verdict:
        """Read what `as_json` wrote. Raises ValueError, KeyError or TypeError where it says other than its numbers."""
        controls = tuple(Detection.from_json(one) for one in raw["controls"])
        verdict = cls(raw["claim"], raw["title"], raw["source"], Finding.from_json(raw["finding"]), controls)
        if (raw["control_detected"], raw["fails"]) != (verdict.control_detected, verdict.fails):
            raise ValueError("control_detected and fails are not what the numbers say")
        return verdict
