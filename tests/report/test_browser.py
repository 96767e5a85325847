"""The page in a real browser: what it shows, what its table does, and who can use it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from chromium import Chromium, serious_findings
from dmf.claims import load_claims
from dmf.evidence.claim import Verdict

if TYPE_CHECKING:
    from playwright.sync_api import Page

Build = Callable[..., str]
DRAWING = '<svg xmlns="http://www.w3.org/2000/svg" width="504pt" height="200pt" viewBox="0 0 504 200"/>'
PHONE = {"viewport": {"width": 390, "height": 844}}


@pytest.fixture
def report(build: Build, tmp_path: Path) -> Path:
    """The tiny report as files."""
    page = tmp_path / "index.html"
    page.write_text(build().replace("second.png", "second.svg"), encoding="utf-8")
    for name in ("first", "second"):
        drawing = tmp_path / f"figures/{name}.svg"
        drawing.parent.mkdir(exist_ok=True)
        drawing.write_text(DRAWING)
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_bars_a_reader_with_a_screen_reader_or_a_keyboard(
    browser: Chromium, report: Path, scheme: str
) -> None:
    with browser.open(report, color_scheme=scheme) as page:
        assert serious_findings(page) == []


def test_a_phone_scrolls_down_and_never_sideways(browser: Chromium, report: Path) -> None:
    with browser.open(report, **PHONE) as page:
        assert page.evaluate("document.documentElement.scrollWidth") == 390


def column(page: "Page", number: int) -> list[str]:
    """Text of a column of the table of verdicts, top to bottom, rows that are shown only."""
    cells = f"table.verdicts tbody tr:not([hidden]) > :nth-child({number})"
    return [" ".join(text.split()) for text in page.locator(cells).all_inner_texts()]


def said(page: "Page") -> str:
    return page.locator("#verdicts-said").inner_text()


def test_the_table_sorts_up_then_down_then_back_to_the_order_of_the_paper(browser: Chromium, report: Path) -> None:
    with browser.open(report) as page:
        paper, margins = column(page, 1), column(page, 7)
        button = page.get_by_role("button", name="Margin")
        head = page.get_by_role("columnheader", name="Margin")
        button.focus()
        page.keyboard.press("Enter")
        assert head.get_attribute("aria-sort") == "ascending"
        assert column(page, 7) == sorted(margins, key=float) != margins
        assert said(page) == f"{len(paper)} of {len(paper)} claims, by margin, ascending."
        button.click()
        assert head.get_attribute("aria-sort") == "descending"
        assert column(page, 7) == sorted(margins, key=float, reverse=True)
        button.click()
        assert head.get_attribute("aria-sort") is None
        assert column(page, 1) == paper


def test_numbers_sort_by_size_and_what_has_none_comes_last(
    browser: Chromium, build: Build, verdicts: list[Verdict], tmp_path: Path
) -> None:
    sizes = [3.0e-5, 0.9, 12.0, None]
    found = [
        replace(one, finding=replace(one.finding, statistic=size)) for one, size in zip(verdicts, sizes, strict=False)
    ]
    file = tmp_path / "few.html"
    file.write_text(build(verdicts=found, pictures=[]), encoding="utf-8")
    with browser.open(file) as page:
        for expected in (["3.00", "0.900", "12.0", "none"], ["12.0", "0.900", "3.00", "none"]):
            page.get_by_role("button", name="Statistic").click()
            assert [text.split(" ")[0].replace("\u00a0×", "") for text in column(page, 5)] == expected


def test_the_table_filters_by_words_and_by_verdict(
    browser: Chromium, build: Build, verdicts: list[Verdict], tmp_path: Path, blinded: Callable[[Verdict], Verdict]
) -> None:
    bad = replace(verdicts[2], finding=replace(verdicts[2].finding, statistic=2.0))
    missed = blinded(verdicts[4])
    file = tmp_path / "mixed.html"
    every = [*verdicts[:2], bad, verdicts[3], missed, *verdicts[5:]]
    file.write_text(build(verdicts=every, pictures=[]), encoding="utf-8")
    with browser.open(file) as page:
        choice = page.get_by_role("combobox")
        for option, sources in (("violated", [bad.source]), ("missed", [missed.source]), ("inconclusive", [])):
            choice.select_option(option)
            assert column(page, 2) == sources
            assert said(page).startswith(f"{len(sources)} of {len(every)} claims")
        choice.select_option("")
        page.get_by_label("Words").fill("quasi-norm SCHATTEN")
        assert column(page, 1) == [one.title for one in every if "Schatten quasi-norm" in one.title] != []
        page.get_by_label("Words").fill("")
        assert len(column(page, 2)) == len(every)


def test_without_scripts_the_table_is_whole_and_shows_no_dead_controls(browser: Chromium, report: Path) -> None:
    with browser.open(report, java_script_enabled=False) as page:
        assert len(column(page, 1)) == len(load_claims())
        assert page.get_by_role("button").count() == 0
        assert not page.locator("form.tools").is_visible()


def test_the_first_screen_has_every_claims_word_and_margin(browser: Chromium, report: Path) -> None:
    with browser.open(report, viewport={"width": 1280, "height": 800}) as page:
        entries = page.locator("nav.glance li")
        assert entries.count() == len(load_claims())
        for entry in entries.all():
            box = entry.bounding_box()
            assert box is not None
            assert box["y"] + box["height"] <= 800
            assert "confirmed" in entry.inner_text()
