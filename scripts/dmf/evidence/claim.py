"""What a claim declares and what a verdict records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from math import isfinite
from sys import float_info
from typing import TYPE_CHECKING, Any, Literal

from dmf.evidence.eligibility import is_eligible

if TYPE_CHECKING:
    import xarray as xr

    from dmf.evidence.controls import Declared

Word = Literal["confirmed", "violated", "inconclusive"]


@dataclass(frozen=True)
class Claim:
    """One statement of the paper in a form that trained runs can contradict.

    Texts may hold LaTeX between dollar signs. `statements` are the names of the paper's statements that it checks, as
    `dmf.report.statements` lists them. `scope` gives the cells (cell,) that meet the statement's
    hypotheses. `ratio` gives (cell, start) how far a run is from what the statement says, in units of what the
    run's own certificate allows: 1 is the edge. On the grid's runs, which come in parts, it looks at each run alone.
    `counterexample` makes of the evidence of the control cells evidence in which the statement is false (see
    `dmf.evidence.controls.declared`). `study` is
    the study whose evidence the claim reads, "runs" for the grid's own, and `eligible` gives (cell, start) the cases
    that count.
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
    ratio: Callable[[xr.Dataset], xr.DataArray]
    counterexample: Declared
    study: str = "runs"
    eligible: Callable[[xr.Dataset], xr.DataArray] = is_eligible

    @property
    def noun(self) -> str:
        """What the claim counts."""
        return "run" if self.study == "runs" else "case"


@dataclass(frozen=True)
class Finding:
    """What evidence says of a claim. `statistic` is the worst ratio, None where nothing counted.

    At least `cells_needed` of the `cells` in scope must have enough counted runs.
    """

    statistic: float | None
    runs: int
    runs_certified: int
    runs_counted: int
    cells: int
    cells_counted: int
    cells_needed: int
    worst: dict[str, Any] | None

    @property
    def word(self) -> Word:
        """The verdict: it follows from the numbers and is never read."""
        if self.statistic is not None and self.statistic > 1:
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
        counts = (getattr(found, field.name) for field in fields(cls) if field.type == "int")
        if not all(type(count) is int and count >= 0 for count in counts):
            raise ValueError("a count is no whole number")
        if found.statistic is not None and not (type(found.statistic) is float and isfinite(found.statistic)):
            raise ValueError(f"statistic {found.statistic!r} is no finite number")
        for name, told, derived in (("word", raw["word"], found.word), ("margin", raw["margin"], found.margin)):
            if told != derived:
                raise ValueError(f"{name} is {told!r}, but the numbers say {derived!r}")
        return found


def json_number(value: float | None) -> float | None:
    """JSON has no infinity; the largest float stands for it and still compares as a violation."""
    return None if value is None else min(max(value, -float_info.max), float_info.max)


@dataclass(frozen=True)
class Verdict:
    """A claim's finding on the grid and on its negative control."""

    claim: str
    title: str
    source: str
    finding: Finding
    control: Finding

    @property
    def control_detected(self) -> bool:
        """Whether the same code said 'violated' where the statement is false."""
        return self.control.word == "violated"

    @property
    def fails(self) -> bool:
        """Whether the pipeline must stop here: a violation, or a check that cannot fail."""
        return self.finding.word == "violated" or not self.control_detected

    def as_json(self) -> dict[str, Any]:
        """JSON values; the inverse is `from_json`."""
        found = {"finding": self.finding.as_json(), "control": self.control.as_json()}
        return {**asdict(self), **found, "control_detected": self.control_detected, "fails": self.fails}

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Verdict:
        """Read what `as_json` wrote. Raises ValueError, KeyError or TypeError where it says other than its numbers."""
        finding, control = Finding.from_json(raw["finding"]), Finding.from_json(raw["control"])
        verdict = cls(raw["claim"], raw["title"], raw["source"], finding, control)
        if (raw["control_detected"], raw["fails"]) != (verdict.control_detected, verdict.fails):
            raise ValueError("control_detected and fails are not what the numbers say")
        return verdict
