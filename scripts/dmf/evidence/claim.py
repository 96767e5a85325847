"""What a claim declares and what a verdict records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
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
    """What evidence says of a claim. `statistic` is the worst ratio, `margin` is 1 - statistic."""

    word: Word
    statistic: float | None
    margin: float | None
    runs: int
    runs_certified: int
    runs_counted: int
    cells: int
    cells_counted: int
    worst: dict[str, Any] | None


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
        return {**asdict(self), "control_detected": self.control_detected, "fails": self.fails}

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Verdict:
        """Read what `as_json` wrote."""
        finding, control = Finding(**raw["finding"]), Finding(**raw["control"])
        return cls(raw["claim"], raw["title"], raw["source"], finding, control)
