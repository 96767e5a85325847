"""Promises to whoever opens a report: nothing loaded from afar, nothing hidden, nothing injected."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import xarray as xr

from attempts import record
from dmf import report
from dmf.claims import load_claims
from dmf.evidence.claim import Finding, Verdict
from dmf.grid.config import Grid
from dmf.report.pictures import LARGEST_SVG, Picture, picture
from html_reader import Reader

Build = Callable[..., str]


def table_rows(page: str) -> list[str]:
    """Text of each body row of the table of verdicts."""
    table = page[page.index('<table class="verdicts">') :]
    body = table[table.index("<tbody>") : table.index("</tbody>")]
    return [Reader(row).text for row in body.split("</tr>")[:-1]]


def test_the_page_is_balanced_html_with_landmarks(build: Build) -> None:
    page = build()
    reader = Reader(page)
    assert page.startswith("<!DOCTYPE html>")
    assert reader.unbalanced == []
    assert reader.open == []
    assert reader.all("html")[0]["lang"] == "en"
    assert len(reader.all("h1")) == len(reader.all("main")) == 1
    assert len({nav["aria-label"] for nav in reader.all("nav")}) == len(reader.all("nav")) == 2


def test_identifiers_are_unique_and_every_link_within_the_page_has_its_goal(build: Build) -> None:
    reader = Reader(build())
    names = [attributes["id"] for _, attributes in reader.elements if "id" in attributes]
    assert len(names) == len(set(names))
    goals = [href[1:] for link in reader.all("a") if (href := link["href"] or "").startswith("#")]
    assert len(goals) > len(load_claims())
    assert set(goals) <= set(names)


def test_nothing_is_loaded_from_anywhere(build: Build) -> None:
    page = build()
    reader = Reader(page)
    assert not {"link", "iframe", "object", "embed"} & {tag for tag, _ in reader.elements}
    assert reader.all("script") == [{}]
    sources = [
        attributes[name] for _, attributes in reader.elements for name in ("src", "srcset") if name in attributes
    ]
    assert sources
    assert sources == ["figures/first.svg", "figures/second.png"]
    assert not re.search(r"url\(|@import", page)


def test_what_users_name_is_text_and_never_markup(build: Build) -> None:
    page = build()
    own = (Path(report.__file__).parent / "page.js").read_text(encoding="utf-8")
    assert page.lower().count("<script") == page.count(own) == 1
    text = Reader(page).text
    assert "title <script>alert(1)</script> & more" in text
    assert "label <script>alert(1)</script>" in text


def test_every_image_has_a_caption_and_words_in_its_place(build: Build) -> None:
    reader = Reader(build())
    assert len(reader.all("img")) == len(reader.all("figcaption")) == 2
    assert all("A figure of X" in (image["alt"] or "") for image in reader.all("img"))
    assert reader.text.count("a point off the line") == 2


def test_verdicts_come_before_everything_that_explains_them(build: Build) -> None:
    page = build()
    places = [page.index(text) for text in ('class="verdicts"', 'id="claims"', "<figure", 'id="figures"', 'id="grid"')]
    assert places == sorted(places)


def test_figures_of_no_checked_claim_are_shown_all_the_same(build: Build) -> None:
    stray = Picture("stray", "T", "C", "R", "a_claim_not_checked", "figures/stray.svg")
    page = build(pictures=[stray])
    assert page.index("figures/stray.svg") > page.index('id="figures"')


def test_every_number_of_every_verdict_is_in_its_row(build: Build, verdicts: list[Verdict]) -> None:
    rows = table_rows(build())
    assert len(rows) == len(verdicts)
    for row, verdict in zip(rows, verdicts, strict=True):
        one = verdict.finding
        assert one.statistic is not None
        assert one.margin is not None
        for expected in (verdict.source, f"{one.statistic:.3f}", f"{one.margin:.3f}", "confirmed", "detected"):
            assert expected in row
        assert f"{one.runs_counted:,} of {one.runs:,}" in row
        assert f"{one.cells_counted} of {one.cells}" in row


def test_statement_tolerance_and_refutation_of_every_claim_are_there(build: Build) -> None:
    text = Reader(build()).text
    for claim in load_claims().values():
        for field in (claim.statement, claim.statistic, claim.tolerance, claim.refuted_by, claim.control):
            for words in field.split("$")[::2]:
                assert " ".join(words.split()) in text


def test_formulas_are_mathml(build: Build) -> None:
    reader = Reader(build())
    formulas = sum(
        field.count("$") // 2
        for claim in load_claims().values()
        for field in (claim.title, claim.statement, claim.statistic, claim.tolerance, claim.refuted_by, claim.control)
    )
    assert len(reader.all("math")) >= formulas > 10
    assert "$" not in reader.text
    assert "\\" not in reader.text


def test_a_dollar_in_a_users_title_stays_a_dollar(build: Build, grid: Grid) -> None:
    text = Reader(build(grid=grid.model_copy(update={"title": "It cost $5 and $6"}))).text
    assert "It cost $5 and $6" in text


def test_a_missed_control_is_shouted_with_its_arm_and_cell(
    build: Build, verdicts: list[Verdict], blinded: Callable[[Verdict], Verdict]
) -> None:
    assert "MISSED" not in build()
    page = build(verdicts=[verdicts[0], blinded(verdicts[1]), *verdicts[2:]])
    head = Reader(page[: page.index("<main>")]).text
    assert "Control MISSED" in head
    assert verdicts[1].source in head
    assert "departure (far) in 1 of 7 cells, with statistic 0.31 at target ordinary, depth 3" in head
    assert f"{2 * len(verdicts) - 1} of {2 * len(verdicts)} negative controls" in head
    assert [("MISSED" in row) for row in table_rows(page)] == [False, True] + [False] * (len(verdicts) - 2)


def test_the_head_says_on_how_many_facts_the_verdicts_on_runs_rest(build: Build, verdicts: list[Verdict]) -> None:
    page = build()
    head = Reader(page[: page.index("<main>")]).text
    of_runs = [claim for claim in load_claims().values() if claim.study == "runs"]
    assert f"The {len(of_runs)} verdicts on the grid's runs are not {len(of_runs)} independent confirmations" in head
    facts = {claim.fact for claim in of_runs if claim.fact}
    assert f"the others rest on {len(facts)} facts, measured at 11 different end points in 3 cells" in head
    assert all(fact in head for fact in facts)
    # each claim on runs is an identity or names its fact
    assert all((claim.basis == "identity") == (not claim.fact) for claim in of_runs)


def test_a_violation_is_in_the_head_and_in_the_table(build: Build, verdicts: list[Verdict]) -> None:
    bad = replace(verdicts[0].finding, statistic=37.2)
    page = build(verdicts=[replace(verdicts[0], finding=bad), *verdicts[1:]])
    assert "37.2" in Reader(page[: page.index("<main>")]).text
    row = table_rows(page)[0]
    assert all(expected in row for expected in ("violated", "37.2", "−36.2"))


def test_a_claim_of_which_no_run_spoke_is_inconclusive_and_says_why(build: Build, verdicts: list[Verdict]) -> None:
    none = Finding(None, 16, 0, 0, 0, 4, 4, 0, 3, None)
    page = build(verdicts=[replace(verdicts[0], finding=none), *verdicts[1:]])
    assert "inconclusive" in table_rows(page)[0]
    assert "Too few:" in Reader(page).text


def test_uncertified_and_stray_runs_are_listed_with_their_coordinates(build: Build) -> None:
    page = build()
    text = Reader(page[page.index('id="ineligible"') : page.index('id="limits"')]).text
    uncertified, rest = text.split("Certified runs at no critical level")
    assert "1 of 16 runs have no certificate" in uncertified
    assert "gaussian × 2, no. 0" in uncertified
    assert "stalled" in uncertified
    assert "gaussian × 0.5, no. 1" in rest


def test_a_grid_whose_runs_are_all_certified_says_so(build: Build, evidence: xr.Dataset) -> None:
    whole = evidence.assign(certified=xr.ones_like(evidence["certified"]), minimal=xr.ones_like(evidence["minimal"]))
    text = Reader(build(evidence=whole)).text
    assert "None: every run has a certificate." in text
    assert "None: in every cell" in text


def test_a_cell_short_of_runs_at_the_minimum_is_named(build: Build) -> None:
    text = Reader(build()).text
    assert "In 1 of 4 cells fewer than 2 certified runs reached the closed-form minimum" in text


@pytest.mark.parametrize(("size", "kind"), [(LARGEST_SVG, "svg"), (LARGEST_SVG + 1, "png")])
def test_a_large_svg_is_shown_as_png(size: int, kind: str) -> None:
    from dmf.figures.figure import Figure

    figure = Figure("T", "C", "R", lambda evidence, controls, labels: pytest.fail("drawn"))
    assert picture("collapse", figure, size).source == f"figures/collapse.{kind}"


def test_the_same_data_give_the_same_page(build: Build) -> None:
    assert build() == build()


def test_the_worst_cases_that_a_search_found_are_listed_with_its_control(build: Build) -> None:
    page = build(found=record(0.4321, 1e5))
    reader = Reader(page)
    assert reader.unbalanced == []
    section = page[page.index('id="attempts"') : page.index('id="grid"')]
    text = Reader(section).text
    for words in ("800 runs in 100 cells", "0.432", "777", "L3-4x2x2x2", "2.5, 0.75", "balanced × 0.3", "refuted it"):
        assert words in text, words
    assert "no run was counted" in text
    assert "violated" not in text
    assert "Refuted by the search" not in reader.text


def test_a_refutation_by_the_search_and_a_missed_control_cannot_be_overlooked(build: Build) -> None:
    page = build(found=record(3.5, 0.5))
    text = Reader(page).text
    assert page.index("Refuted by the search") < page.index('id="verdicts"')
    assert "its attempts prove nothing" in text


def test_without_a_search_there_is_no_section_of_attacks(build: Build) -> None:
    assert "attempts" not in build()


@pytest.mark.parametrize(
    ("every", "says"), [((1, 1), None), ((4, 1), "one in 4 runs"), ((600, 2), "one in 1,200 runs")]
)
def test_the_page_says_how_many_runs_figures_show(
    build: Callable[..., str], every: tuple[int, int], says: str | None
) -> None:
    page = build(every=every)
    assert (f"figures show {says}" in page) if says else ("figures show" not in page)
