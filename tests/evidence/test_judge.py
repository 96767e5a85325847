"""The rule of verdicts, on evidence made by hand."""

import json
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from dmf.evidence.cases import SAYS, cell_table
from dmf.evidence.claim import Arm, Claim, Finding, Verdict
from dmf.evidence.controls import declared
from dmf.evidence.judge import find, judge
from dmf.grid.config import Certificate

TWO_OF_HALF = Certificate(runs_per_cell=2, cells=0.5)


def times_hundred(cells: xr.Dataset, ratio: xr.DataArray) -> xr.DataArray:
    return ratio * 100


def claim(order: tuple[str, str] = ("cell", "start")) -> Claim:
    texts = dict.fromkeys(("title", "source", "statement", "statistic", "tolerance", "refuted_by", "control"), "text")
    return Claim(
        scope=lambda evidence: evidence["in_scope"] == 1,
        arms=(Arm("ratio", lambda evidence: evidence["ratio"].transpose(*order), declared(ratio=times_hundred)),),
        statements=(),
        study="made up",
        **texts,
    )


def table(evidence: xr.Dataset) -> xr.Dataset:
    return cell_table(claim(), [evidence], TWO_OF_HALF)


def evidence(
    ratio: Sequence[Sequence[float]],
    minimal: Sequence[Sequence[int]] | int = 1,
    scope: Sequence[int] | int = 1,
    radius: Sequence[Sequence[float]] | float = 1e-9,
    certified: Sequence[Sequence[int]] | int = 1,
) -> xr.Dataset:
    """Cells in rows, starts in columns."""
    shape = np.shape(ratio)

    def field(value: object) -> tuple[tuple[str, str], np.ndarray]:
        return ("cell", "start"), np.broadcast_to(np.asarray(value), shape)

    return xr.Dataset(
        {
            "ratio": field(ratio),
            "minimal": field(minimal),
            "radius": field(radius),
            "certified": field(certified),
            "in_scope": ("cell", np.broadcast_to(np.asarray(scope), shape[:1])),
        },
        coords={
            "target": ("cell", [f"t{i}" for i in range(shape[0])]),
            "depth": ("cell", np.arange(shape[0]) + 2),
            "lam_label": ("cell", [f"{i}c" for i in range(shape[0])]),
            "scheme": ("start", ["gaussian"] * shape[1]),
            "scale": ("start", np.arange(shape[1]) + 0.5),
            "draw": ("start", np.arange(shape[1])),
        },
    )


def test_confirmed_when_enough_cells_speak_and_none_contradicts() -> None:
    found = find(claim(), evidence([[0.1, 0.9, 0.2], [0.3, 0.0, -5.0]]), TWO_OF_HALF)
    assert found == Finding(
        statistic=0.9,
        runs=6,
        runs_certified=6,
        runs_counted=6,
        runs_distinct=6,
        cells_all=2,
        cells=2,
        cells_counted=2,
        cells_needed=1,
        worst={"target": "t0", "depth": 2, "lam_label": "0c", "scheme": "gaussian", "scale": 1.5, "draw": 1},
    )
    assert (found.word, found.margin) == ("confirmed", pytest.approx(0.1))


def test_the_edge_itself_is_allowed() -> None:
    assert find(claim(), evidence([[1.0, 0.5]]), TWO_OF_HALF).word == "confirmed"
    assert find(claim(), evidence([[math.nextafter(1, 2), 0.5]]), TWO_OF_HALF).word == "violated"


def test_one_run_that_speaks_against_it_violates_a_claim_and_is_named() -> None:
    found = find(claim(), evidence([[0.1, 0.2], [0.1, 0.3], [2.5, 0.1]]), TWO_OF_HALF)
    assert (found.word, found.statistic, found.margin) == ("violated", 2.5, -1.5)
    assert found.worst == {"target": "t2", "depth": 4, "lam_label": "2c", "scheme": "gaussian", "scale": 0.5, "draw": 0}


def test_a_violation_outweighs_a_lack_of_runs() -> None:
    found = find(claim(), evidence([[9.0, 0.1], [0.1, 0.1]], minimal=[[1, 0], [0, 0]]), TWO_OF_HALF)
    assert (found.word, found.runs_counted, found.cells_counted) == ("violated", 1, 0)


@pytest.mark.parametrize(
    "silence",
    [
        {"minimal": [[0, 1, 1]]},
        {"radius": [[np.inf, 1e-9, 1e-9]]},
        {"radius": [[np.nan, 1e-9, 1e-9]]},
    ],
    ids=str,
)
def test_a_run_without_certificate_cannot_contradict(silence: dict[str, object]) -> None:
    found = find(claim(), evidence([[50.0, 0.1, 0.1]], **silence), TWO_OF_HALF)
    assert (found.word, found.statistic, found.runs, found.runs_counted) == ("confirmed", 0.1, 3, 2)


@pytest.mark.parametrize("silent", [50.0, -3.0])
def test_the_worst_run_is_one_that_spoke_even_where_all_are_far_on_the_good_side(silent: float) -> None:
    found = find(claim(), evidence([[silent, -7.0, -5.0]], minimal=[[0, 1, 1]]), TWO_OF_HALF)
    assert (found.statistic, found.margin) == (-5.0, 6.0)
    assert found.worst is not None
    assert found.worst["draw"] == 2


def test_a_cell_out_of_scope_counts_nowhere() -> None:
    found = find(claim(), evidence([[50.0, 50.0], [0.1, 0.1]], scope=[0, 1]), TWO_OF_HALF)
    assert (found.word, found.runs, found.cells, found.runs_certified) == ("confirmed", 2, 1, 2)


def test_a_ratio_that_is_no_number_contradicts() -> None:
    found = find(claim(), evidence([[np.nan, 0.1], [0.1, 0.1]]), TWO_OF_HALF)
    assert found.word == "violated"
    assert found.statistic == np.finfo(float).max
    assert found.margin == -np.finfo(float).max
    assert found.worst is not None
    assert found.worst["target"] == "t0"


@pytest.mark.parametrize(
    ("minimal", "word", "counted"),
    [
        ([[1, 1], [1, 1], [0, 0]], "confirmed", 2),
        ([[1, 1], [1, 0], [0, 1]], "inconclusive", 1),  # one run is less than runs_per_cell
        ([[1, 1], [0, 0], [0, 0]], "inconclusive", 1),
        ([[0, 0], [0, 0], [0, 0]], "inconclusive", 0),
    ],
)
def test_too_few_cells_that_count_are_inconclusive(minimal: list[list[int]], word: str, counted: int) -> None:
    found = find(claim(), evidence([[0.1, 0.2]] * 3, minimal=minimal), TWO_OF_HALF)
    assert (found.word, found.cells_counted) == (word, counted)


def test_exactly_the_wanted_share_of_cells_is_enough() -> None:
    minimal = [[1, 1], [0, 0]]
    assert find(claim(), evidence([[0.1, 0.1]] * 2, minimal=minimal), Certificate(cells=0.5)).word == "confirmed"
    assert find(claim(), evidence([[0.1, 0.1]] * 2, minimal=minimal), Certificate(cells=0.6)).word == "inconclusive"


def test_no_cell_in_scope_is_inconclusive_with_nothing_to_show() -> None:
    found = find(claim(), evidence([[0.1, 0.1]], scope=0), TWO_OF_HALF)
    assert found == Finding(None, 0, 0, 0, 0, 1, 0, 0, 0, None)
    assert (found.word, found.margin) == ("inconclusive", None)


def test_uncertified_runs_are_counted() -> None:
    found = find(claim(), evidence([[0.1, 0.2, 0.3]], minimal=[[1, 1, 0]], certified=[[1, 1, 0]]), TWO_OF_HALF)
    assert (found.runs, found.runs_certified, found.runs_counted) == (3, 2, 2)


def test_the_order_of_dimensions_does_not_matter() -> None:
    data = evidence([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]])
    turned = data.transpose("start", "cell")
    assert find(claim(("start", "cell")), turned, TWO_OF_HALF) == find(claim(), data, TWO_OF_HALF)


@pytest.mark.parametrize("control_ratio", [0.5, 0.001])
def test_a_verdict_fails_on_a_violation_or_a_missed_control(control_ratio: float) -> None:
    detected = control_ratio * 100 > 1
    good = judge("name", claim(), table(evidence([[0.1, 0.2]])), evidence([[control_ratio] * 2]), TWO_OF_HALF)
    bad = judge("name", claim(), table(evidence([[0.1, 2.0]])), evidence([[control_ratio] * 2]), TWO_OF_HALF)
    assert (good.finding.word, good.control_detected, good.fails) == ("confirmed", detected, not detected)
    assert (bad.finding.word, bad.fails) == ("violated", True)


def test_an_inconclusive_control_is_a_missed_one() -> None:
    verdict = judge("name", claim(), table(evidence([[0.1, 0.2]])), evidence([[5.0, 5.0]], minimal=0), TWO_OF_HALF)
    (control,) = verdict.controls
    assert (control.cells, control.detected, control.statistic) == (1, 0, -np.finfo(float).max)
    assert (verdict.control_detected, verdict.fails) == (False, True)


@pytest.mark.parametrize("ratio", [[[0.1, 0.2]], [[np.inf, 0.2]], [[np.nan, 0.2]], [[-np.inf, -np.inf]]], ids=str)
def test_a_verdict_round_trips_through_strict_json(ratio: list[list[float]]) -> None:
    verdict = judge("name", claim(), table(evidence(ratio)), evidence([[0.5, 0.5]]), TWO_OF_HALF)
    text = json.dumps(verdict.as_json(), allow_nan=False)
    raw = json.loads(text)
    assert Verdict.from_json(raw) == verdict
    assert (raw["control_detected"], raw["fails"]) == (verdict.control_detected, verdict.fails)


def ends(count: int) -> xr.Dataset:
    """Two cells with three runs each, of `count` different end points."""
    data = evidence([[0.1, 0.2, 0.3], [0.1, 0.2, 0.3]])
    ended = np.minimum(np.arange(3), count - 1) * np.ones((2, 1))
    return data.assign(objective=(("cell", "start"), ended), gradient_norm=(("cell", "start"), 1e-11 + ended))


@pytest.mark.parametrize(("count", "word"), [(3, "confirmed"), (2, "confirmed"), (1, "inconclusive")])
def test_runs_that_end_at_one_point_are_one(count: int, word: str) -> None:
    """Identical starts: as if the same run had been counted three times."""
    found = find(claim(), ends(count), TWO_OF_HALF)
    assert (found.word, found.runs_counted, found.runs_distinct) == (word, 6, 2 * count)
    cells = cell_table(claim(), [ends(count)], TWO_OF_HALF)
    assert [SAYS[index] for index in cells["says"].values] == 2 * ["confirms" if count > 1 else "too few counted"]


@pytest.mark.parametrize(("study", "word"), [("runs", "inconclusive"), ("made up", "confirmed")])
def test_a_grid_outside_of_the_scope_of_a_claim_on_runs_confirms_nothing(study: str, word: str) -> None:
    one = replace(claim(), study=study)
    found = find(one, evidence([[0.1, 0.2]] * 5, scope=[0, 0, 0, 1, 1]), TWO_OF_HALF)
    assert (found.word, found.cells_counted, found.cells, found.cells_all) == (word, 2, 2, 5)
