"""Two reports side by side, as one HTML page: what was asked and made otherwise, and which verdicts moved."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dmf.claims import in_order
from dmf.evidence.claim import Verdict
from dmf.evidence.wilson import wilson
from dmf.figures import load_figures
from dmf.report.census import AT_MINIMUM
from dmf.report.folder import Report, Series
from dmf.report.template import environment

NOT_THERE = "not set"
UNTOLD = ("configuration", "configuration_fingerprint", "files", "references", "grid", "title", "seed")


@dataclass(frozen=True)
class Difference:
    """A value that two reports do not share, as text; NOT_THERE where one has none."""

    key: str
    first: str
    second: str


@dataclass(frozen=True)
class Move:
    """A claim in both reports, with what moved in words, "" where nothing did; or in one of them alone."""

    claim: str
    title: str
    source: str
    first: Verdict | None
    second: Verdict | None
    change: str

    @property
    def only(self) -> str:
        """The report that alone has the claim, "" where both have."""
        return "" if self.first and self.second else "first" if self.first else "second"


@dataclass(frozen=True)
class Ends:
    """Where runs of one depth and kind of start ended: all runs, and those at the global minimum, of each report.

    `apart` where the Wilson 95 % intervals of the two shares do not meet.
    """

    series: Series
    first: tuple[int, int] | None
    second: tuple[int, int] | None
    apart: bool


@dataclass(frozen=True)
class Pair:
    """A figure of both reports as data URIs, None where a report has it not; `same` where they agree to the byte."""

    name: str
    title: str
    first: str | None
    second: str | None
    same: bool


def compare_html(first: Report, second: Report) -> str:
    """The page. Everything that a user can name is escaped."""
    moves = verdict_moves(first, second)
    return (
        environment()
        .get_template("compare.html.j2")
        .render(
            first=first,
            second=second,
            configuration=differences(first.provenance["configuration"], second.provenance["configuration"]),
            provenance=differences(_told(first.provenance), _told(second.provenance)),
            moves=moves,
            moved=[move for move in moves if move.change],
            shared=sum(not move.only for move in moves),
            ends=census_ends(first, second),
            pairs=figure_pairs(first, second),
        )
    )


def differences(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[Difference]:
    """Values that differ, by dotted key: keys of `first` in its order, then those only `second` has."""
    one, other = dict(_flat(first)), dict(_flat(second))
    keys = dict.fromkeys([*one, *other])
    return [
        Difference(key, one.get(key, NOT_THERE), other.get(key, NOT_THERE))
        for key in keys
        if one.get(key, NOT_THERE) != other.get(key, NOT_THERE)
    ]


def _flat(values: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        place = f"{above}{key}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{place}.")
        elif isinstance(value, list) and value and all(isinstance(one, Mapping) and "name" in one for one in value):
            for one in value:  # targets: by name, so that one more does not shift all others
                rest = {key: part for key, part in one.items() if key != "name"}
                yield f"{place}.{one['name']}", "; ".join(f"{key} {part}" for key, part in _flat(rest))
        elif value is not None:
            yield place, (", ".join(map(str, value)) or "none") if isinstance(value, list) else str(value)


def _told(provenance: Mapping[str, Any]) -> dict[str, Any]:
    """What a provenance says beside the configuration, versions one by one."""
    told = {key: value for key, value in provenance.items() if key not in UNTOLD}
    for key in ("training", "evidence", "report"):
        part = dict(told.get(key, {}))
        versions = part.pop("package_versions", [])
        for text in [versions] if isinstance(versions, str) else versions:
            for package in text.split(", "):
                name, _, version = package.rpartition(" ")
                part.setdefault(name, []).append(version)
        told[key] = part
    return told


def verdict_moves(first: Report, second: Report) -> list[Move]:
    """Every claim of either report, in the order of the paper."""
    both = {**second.verdicts, **first.verdicts}
    ordered = sorted(both.values(), key=lambda verdict: in_order(verdict.claim))
    return [
        Move(
            one.claim,
            one.title,
            one.source,
            first.verdicts.get(one.claim),
            second.verdicts.get(one.claim),
            _change(first.verdicts.get(one.claim), second.verdicts.get(one.claim)),
        )
        for one in ordered
    ]


def _change(first: Verdict | None, second: Verdict | None) -> str:
    if first is None or second is None:
        return ""
    parts = []
    if first.finding.word != second.finding.word:
        parts.append(f"{first.finding.word} → {second.finding.word}")
    if first.control_detected != second.control_detected:
        parts.append("control now missed" if first.control_detected else "control now detected")
    return "; ".join(parts)


def census_ends(first: Report, second: Report) -> list[Ends]:
    """Runs and those at the global minimum, for every depth and kind of start of either report."""
    ends = []
    for series in sorted({*first.census, *second.census}):
        one, other = (_at_minimum(report.census.get(series)) for report in (first, second))
        ends.append(Ends(series, one, other, bool(one and other and _apart(one, other))))
    return ends


def _at_minimum(counts: Mapping[str, int] | None) -> tuple[int, int] | None:
    return None if counts is None else (sum(counts.values()), counts[AT_MINIMUM])


def _apart(one: tuple[int, int], other: tuple[int, int]) -> bool:
    if not one[0] or not other[0]:
        return False
    (low, high), (lower, higher) = (wilson(hit, runs) for runs, hit in (one, other))
    return bool(low > higher or lower > high)


def figure_pairs(first: Report, second: Report) -> list[Pair]:
    """Figures of either report, in the order of the report; those that are no more come last."""
    names = dict.fromkeys([*load_figures(), *first.figures, *second.figures])
    titles = {name: figure.title for name, figure in load_figures().items()}
    return [
        Pair(
            name,
            titles.get(name, name),
            _embedded(first.figures.get(name)),
            _embedded(second.figures.get(name)),
            first.figures.get(name) == second.figures.get(name),
        )
        for name in names
        if name in first.figures or name in second.figures
    ]


def _embedded(png: bytes | None) -> str | None:
    return None if png is None else f"data:image/png;base64,{b64encode(png).decode('ascii')}"
