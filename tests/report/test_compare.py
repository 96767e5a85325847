"""Two reports side by side: what moved is named in words, what is the same is not, and nothing is injected."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chromium import Chromium, serious_findings
from dmf.claims import load_claims
from dmf.cli.main import main
from dmf.evidence.claim import Verdict
from dmf.report.census import Census, Row, csv_text
from dmf.report.compare import (
    Difference,
    census_ends,
    compare_html,
    differences,
    figure_pairs,
    verdict_moves,
)
from dmf.report.folder import read_report
from html_reader import Reader
from signed import sign

CONFIGURATION = {
    "grid": "tiny",
    "depths": [2, 3],
    "targets": [{"name": "a", "kind": "gaussian", "shape": [2, 2]}, {"name": "b", "kind": "gaussian", "shape": [3, 3]}],
    "certificate": {"gradient_norm": 1e-10, "cells": 0.5},
}
PROVENANCE: dict[str, Any] = {
    "grid": "tiny",
    "title": "A <b>title</b>",
    "runs": 100,
    "missing": 0,
    "training": {"package_versions": ["numpy 2.4.6, torch 2.13.0"], "machine": ["one"]},
    "report": {"package_versions": "numpy 2.4.6, torch 2.13.0", "date_created": "2026-01-02T03:04:05+00:00"},
    "configuration": CONFIGURATION,
}
CENSUS = Census(("0",), (Row(2, "gaussian", 0.5, (10, 80, 5, 5)), Row(3, "gaussian", 0.5, (50, 50, 0, 0))))
Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path, verdicts: list[Verdict]) -> Make:
    """Writes a report's folder; keyword arguments replace parts of it."""

    def made(name: str, **changes: Any) -> Path:
        folder = tmp_path / name
        (folder / "verdicts").mkdir(parents=True)
        (folder / "figures").mkdir()
        for verdict in changes.get("verdicts", verdicts):
            (folder / "verdicts" / f"{verdict.claim}.json").write_text(json.dumps(verdict.as_json()))
        (folder / "provenance.json").write_text(json.dumps({**PROVENANCE, **changes.get("provenance", {})}))
        (folder / "census.csv").write_text(csv_text(changes.get("census", CENSUS)))
        for figure, png in changes.get("figures", {"collapse": b"one", "census": b"two"}).items():
            (folder / "figures" / f"{figure}.png").write_bytes(png)
        sign(folder)
        return folder

    return made


def page_of(first: Path, second: Path) -> str:
    return compare_html(read_report(first), read_report(second))


def test_a_report_beside_itself_has_nothing_that_differs(make: Make, verdicts: list[Verdict]) -> None:
    page = page_of(make("one"), make("two"))
    text = Reader(page).text
    assert f"No verdict moved: all {len(verdicts)} that are in both reports are the same." in text
    assert text.count("Nothing: they are the same.") == 2
    assert "⇄" not in text
    assert page.count("data:image/png") == 2  # one for each figure, not for each report


def test_the_page_is_one_balanced_file_that_loads_nothing(make: Make) -> None:
    page = page_of(make("one"), make("two", figures={"collapse": b"other"}))
    reader = Reader(page)
    assert (reader.unbalanced, reader.open) == ([], [])
    assert not {"link", "iframe"} & {tag for tag, _ in reader.elements}
    assert reader.all("script") == [{}]
    assert all((image["src"] or "").startswith("data:image/png;base64,") for image in reader.all("img"))
    assert all(image["alt"] for image in reader.all("img"))
    names = [attributes["id"] for _, attributes in reader.elements if "id" in attributes]
    assert len(names) == len(set(names))
    assert {(link["href"] or "")[1:] for link in reader.all("a")} <= set(names)


def test_its_contents_stand_at_the_side_and_its_tables_sort(browser: Chromium, make: Make, tmp_path: Path) -> None:
    file = tmp_path / "compare.html"
    file.write_text(page_of(make("one"), make("two", figures={})), encoding="utf-8")
    with browser.open(file, viewport={"width": 1440, "height": 900}) as page:
        side, body = page.locator("nav.sections").bounding_box(), page.locator("main").bounding_box()
        assert side is not None
        assert body is not None
        assert side["x"] + side["width"] <= body["x"]
        table = page.locator("table.moves")
        paper = table.locator("tbody th").all_inner_texts()
        table.get_by_role("button", name="Margin").first.click()
        margins = [float(text) for text in table.locator("tbody td:nth-child(5)").all_inner_texts()]
        assert margins == sorted(margins)
        assert table.locator("tbody th").all_inner_texts() != paper
        assert serious_findings(page) == []


def test_what_users_name_is_text_and_never_markup(make: Make) -> None:
    hostile = {"title": "<script>alert(1)</script>", "configuration": {"title": "<script>alert(2)</script>"}}
    page = page_of(make("<script>"), make("two", provenance=hostile))
    assert page.count("<script") == 1  # the page's own
    assert "<b>title" not in page
    text = Reader(page).text
    assert "alert(1)" in text
    assert "alert(2)" in text


def test_a_verdict_that_moved_is_named_with_both_words_and_all_others_are_not(
    make: Make, verdicts: list[Verdict], blinded: Callable[[Verdict], Verdict]
) -> None:
    silent = replace(verdicts[2].finding, statistic=None, cells_counted=0)
    changed = [*verdicts]
    changed[2], changed[4] = replace(verdicts[2], finding=silent), blinded(verdicts[4])
    first, second = make("one"), make("two", verdicts=changed)
    moves = verdict_moves(read_report(first), read_report(second))
    assert {move.claim: move.change for move in moves if move.change} == {
        verdicts[2].claim: "confirmed → inconclusive",
        verdicts[4].claim: "control now missed",
    }
    assert [move.claim for move in moves] == [
        one.claim for one in sorted(verdicts, key=lambda verdict: list(load_claims()).index(verdict.claim))
    ]
    text = Reader(page_of(first, second)).text
    assert f"2 of the {len(verdicts)} verdicts in both reports moved" in text
    assert text.count("⇄") == 2
    back = verdict_moves(read_report(second), read_report(first))
    assert {move.change for move in back if move.change} == {"inconclusive → confirmed", "control now detected"}


def test_a_claim_of_one_report_alone_is_no_move(make: Make, verdicts: list[Verdict]) -> None:
    first, second = make("one", verdicts=verdicts[1:]), make("two", verdicts=verdicts[:-1])
    moves = verdict_moves(read_report(first), read_report(second))
    assert {move.claim: move.only for move in moves if move.only} == {
        verdicts[0].claim: "second",
        verdicts[-1].claim: "first",
    }
    text = Reader(page_of(first, second)).text
    assert "No verdict moved" in text
    assert "Only in the first:" in text
    assert "Only in the second:" in text


def test_differences_are_those_values_that_are_not_shared() -> None:
    other = json.loads(json.dumps(CONFIGURATION))
    assert differences(CONFIGURATION, other) == []
    other["depths"] = [2, 3, 4]
    other["certificate"]["cells"] = 0.75
    other["targets"] = [other["targets"][1], {"name": "c", "kind": "gaussian", "shape": [3, 3]}]
    other |= {"seed": 8, "figures": []}
    assert differences(CONFIGURATION, other) == [
        Difference("depths", "2, 3", "2, 3, 4"),
        Difference("targets.a", "kind gaussian; shape 2, 2", "not set"),
        Difference("certificate.cells", "0.5", "0.75"),
        Difference("targets.c", "not set", "kind gaussian; shape 3, 3"),
        Difference("seed", "not set", "8"),
        Difference("figures", "not set", "none"),
    ]


def test_versions_differ_one_by_one(make: Make) -> None:
    training = {"package_versions": ["numpy 2.4.7, torch 2.13.0"], "machine": ["one"]}
    text = Reader(page_of(make("one"), make("two", provenance={"training": training, "missing": 7}))).text
    assert "training.numpy 2.4.6 2.4.7" in text
    assert "training.torch" not in text
    assert "7 wanted runs" in text


def test_shares_are_apart_where_their_intervals_do_not_meet(make: Make) -> None:
    # Wilson's 95 % interval of 10 of 100 is 5.5 to 17.4 %, of 17 of 100 is 10.9 to 25.5 %, of 30 of 100 21.9 to 39.6 %.
    first = read_report(make("one"))
    for hits, apart in ((17, False), (30, True)):
        census = Census(("0", "1"), (Row(2, "gaussian", 0.5, (hits, 90 - hits, 10, 0, 0)),))
        ends = census_ends(first, read_report(make(f"two{hits}", census=census)))
        assert [(end.series, end.first, end.second, end.apart) for end in ends] == [
            ((2, "gaussian", 0.5), (100, 10), (100, hits), apart),
            ((3, "gaussian", 0.5), (100, 50), None, False),
        ]


def test_figures_of_one_report_alone_and_of_none_known_are_shown(make: Make) -> None:
    first = read_report(make("one", figures={"census": b"a", "unknown": b"b"}))
    second = read_report(make("two", figures={"census": b"c"}))
    pairs = figure_pairs(first, second)
    assert [(pair.name, pair.first is None, pair.second is None, pair.same) for pair in pairs] == [
        ("census", False, False, False),
        ("unknown", False, True, False),
    ]


def test_the_command_writes_the_page_and_says_what_moved(
    make: Make, verdicts: list[Verdict], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = replace(verdicts[0].finding, statistic=3.0)
    first, second = make("one"), make("two", verdicts=[replace(verdicts[0], finding=bad), *verdicts[1:]])
    out = tmp_path / "new" / "page.html"
    assert main(["compare", str(first), str(second), "--out", str(out)]) == 0
    lines = capsys.readouterr().out.splitlines()
    moved = f"{verdicts[0].claim} ({verdicts[0].source}): confirmed → violated"
    assert lines == [moved, f"Comparison: {out}"]
    assert out.read_text(encoding="utf-8") == page_of(first, second)


# What is put in place of a file, None for nothing, and what the one line names.
BROKEN: dict[str, tuple[str, str | None, str]] = {
    "no provenance": ("provenance.json", None, "no report here"),
    "a provenance cut short": ("provenance.json", '{"grid": ', "provenance.json"),
    "a provenance of something else": ("provenance.json", "[1]", "provenance.json"),
    "a provenance without runs": ("provenance.json", '{"grid": "x"}', "'runs'"),
    "a census of words": ("census.csv", "depth,scheme,scale\na,b,c\n", "census.csv"),
    "a census of something else": ("census.csv", "x\n1\n", "census.csv"),
    "a census that is short of columns": ("census.csv", "depth,scheme,scale,k\n2,gaussian,0.5,7\n", "census.csv"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_folder_that_is_no_report_is_one_line_and_nothing_is_written(
    make: Make, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, content, fragment = BROKEN[name]
    good, bad = make("one"), make("two")
    (bad / file).unlink()
    if content is not None:
        (bad / file).write_text(content)
    sign(bad)
    out = tmp_path / "page.html"
    assert main(["compare", str(good), str(bad), "--out", str(out)]) == 1
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert str(bad) in captured.err
    assert fragment in captured.err
    assert not out.exists()


def test_a_folder_that_is_not_there_is_one_line(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "nowhere", str(make("one"))]) == 1
    assert capsys.readouterr().err == (
        "nowhere: no report here; expected a folder such as reports/default after a run\n"
    )
