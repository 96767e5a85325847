"""Verdicts as files, table and failures: what is written is what was found."""

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dmf.claims import load_claims
from dmf.errors import UserError
from dmf.evidence.claim import Verdict
from dmf.report import text
from dmf.report.paper import tex
from dmf.report.verdicts import COLUMNS, cell_text, csv_text, failures, number, read_verdicts

FOLDER = Path("reports/tiny")
LOGS = Path("data/tiny/logs")


def test_the_table_round_trips(verdicts: list[Verdict]) -> None:
    table = list(csv.DictReader(io.StringIO(csv_text(verdicts))))
    assert len(table) == len(verdicts)
    for row, verdict in zip(table, verdicts, strict=True):
        assert tuple(row) == COLUMNS
        assert (row["claim"], row["source"], row["verdict"]) == (verdict.claim, verdict.source, verdict.finding.word)
        assert float(row["statistic"]) == verdict.finding.statistic
        assert float(row["margin"]) == verdict.finding.margin
        assert float(row["statistic"]) + float(row["margin"]) == pytest.approx(float(row["tolerance"]))
        assert int(row["runs_counted"]) == verdict.finding.runs_counted
        assert row["control_detected"] == "True"
        assert verdict.finding.worst is not None
        for name, value in verdict.finding.worst.items():
            assert row[f"worst_{name}"] == str(value)


def test_what_is_missing_is_empty_in_the_table(verdicts: list[Verdict]) -> None:
    none = replace(verdicts[0].finding, statistic=None, cells_counted=0, worst=None)
    (row,) = csv.DictReader(io.StringIO(csv_text([replace(verdicts[0], finding=none)])))
    assert [row[name] for name in ("statistic", "margin", "worst_target")] == ["", "", ""]


def test_files_are_read_back_in_the_order_of_the_paper(verdicts: list[Verdict], tmp_path: Path) -> None:
    files = [tmp_path / f"{verdict.claim}.json" for verdict in reversed(verdicts)]
    for file, verdict in zip(files, reversed(verdicts), strict=True):
        file.write_text(json.dumps(verdict.as_json()))
    assert read_verdicts(files) == verdicts
    assert [verdict.claim for verdict in read_verdicts(files)] == list(load_claims())


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"claim": "uniqueness"'])
def test_a_damaged_file_is_named_in_one_line(content: str, tmp_path: Path) -> None:
    file = tmp_path / "uniqueness.json"
    file.write_text(content)
    with pytest.raises(UserError, match=r"uniqueness\.json: not a readable verdict") as raised:
        read_verdicts([file])
    assert "\n" not in str(raised.value)


def test_nothing_fails_where_all_is_confirmed_and_detected(verdicts: list[Verdict]) -> None:
    assert failures(verdicts, FOLDER, LOGS) == []


def test_an_inconclusive_claim_does_not_stop_the_pipeline(verdicts: list[Verdict]) -> None:
    unsure = replace(verdicts[0], finding=replace(verdicts[0].finding, cells_counted=2))
    assert failures([unsure], FOLDER, LOGS) == []


def test_a_violation_names_claim_cell_and_files(verdicts: list[Verdict]) -> None:
    bad = replace(verdicts[0], finding=replace(verdicts[0].finding, statistic=37.2))
    (line,) = failures([bad, *verdicts[1:]], FOLDER, LOGS)
    expected = [
        bad.claim, bad.source, "violated", "target square", "depth 3", "lambda 0.5c", "balanced x 2 no. 0", "37.2",
        f"reports/tiny/verdicts/{bad.claim}.json", "reports/tiny/index.html", f"data/tiny/logs/check-{bad.claim}.log",
    ]  # fmt: skip
    assert [part for part in expected if part not in line] == []


Blind = Callable[[Verdict], Verdict]


@pytest.mark.parametrize("word", ["confirmed", "inconclusive"])
def test_a_missed_control_fails_whatever_the_verdict_and_names_its_arm(
    verdicts: list[Verdict], blinded: Blind, word: str
) -> None:
    counted = {"confirmed": 3, "inconclusive": 2}[word]
    blind = replace(blinded(verdicts[1]), finding=replace(verdicts[1].finding, cells_counted=counted))
    assert blind.finding.word == word
    (line,) = failures([verdicts[0], blind], FOLDER, LOGS)
    assert blind.claim in line
    assert "control not detected" in line
    assert "departure (far) in 1 of 7 cells, with statistic 0.31 at target ordinary, depth 3" in line


def test_a_verdict_without_controls_fails(verdicts: list[Verdict]) -> None:
    (line,) = failures([replace(verdicts[0], controls=())], FOLDER, LOGS)
    assert "it has none" in line


def test_a_control_without_any_cell_is_missed(verdicts: list[Verdict]) -> None:
    empty = replace(verdicts[0].controls[1], cells=0, detected=0, statistic=None, weakest=None)
    (line,) = failures([replace(verdicts[0], controls=(verdicts[0].controls[0], empty))], FOLDER, LOGS)
    assert "departure (near) has no cell" in line


def test_a_violated_claim_with_a_missed_control_gives_both_lines(verdicts: list[Verdict], blinded: Blind) -> None:
    one = verdicts[0]
    both = replace(blinded(one), finding=replace(one.finding, statistic=2.0))
    assert len(failures([both], FOLDER, LOGS)) == 2


def test_infinity_is_written_as_such() -> None:
    assert [number(value) for value in (None, 1.79e308, -1.79e308, 0.12345)] == ["none", "inf", "-inf", "0.123"]


@pytest.mark.parametrize("value", [0.99999655, 1 - 2**-53, 1 + 2**-52, 1.0000001, 3e-7, -3e-7, 5e-324])
def test_rounding_puts_no_statistic_or_margin_on_an_edge_or_across(value: float) -> None:
    for one in (value, 1 - value):
        plain = number(one)
        page = text.number(one).replace(text.MINUS, "-").replace(",", "")
        page = re.sub(r"\u00a0×\u00a010<sup>(.*)</sup>", r"e\1", page)
        latex = re.sub(r"\\times10\^\{(.*)\}", r"e\1", tex.number(one).strip("$"))
        for shown in (plain, page, latex):
            assert [float(shown) < edge for edge in (0, 1)] == [one < edge for edge in (0, 1)], shown
            assert [float(shown) > edge for edge in (0, 1)] == [one > edge for edge in (0, 1)], shown


def test_what_is_next_to_1_is_not_shown_as_1_where_a_case_is_named(verdicts: list[Verdict]) -> None:
    case = {"lam": 1e-8, "strength": 1.000000001, "depth": 3, "sign": 1}
    finding = replace(verdicts[0].finding, worst=case)
    assert cell_text(finding) == "lam 1e-08, strength 1.000000001, depth 3, sign 1"
    assert (text.given(1.000000001), tex.given(0.9999999)) == ("1.000000001", "$0.9999999$")
    assert (text.given(1 / 3), tex.given(1 / 3)) == ("0.333333", "$0.333333$")


@pytest.mark.parametrize("change", [{"word": "violated"}, {"margin": 0.5}, {"statistic": float("nan")}, {"runs": True}])
def test_a_verdict_whose_words_are_not_those_of_its_numbers_is_refused(
    verdicts: list[Verdict], tmp_path: Path, change: dict[str, object]
) -> None:
    file = tmp_path / f"{verdicts[0].claim}.json"
    raw = verdicts[0].as_json()
    file.write_text(json.dumps({**raw, "finding": {**raw["finding"], **change}}))
    with pytest.raises(UserError, match="not a readable verdict"):
        read_verdicts([file])
