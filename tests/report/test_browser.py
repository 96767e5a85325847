"""The page in a real browser: what it shows, what its table does, and who can use it."""

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from matplotlib.scale import SymmetricalLogTransform

from attempts import record
from chromium import Chromium, serious_findings
from dmf.claims import load_claims
from dmf.evidence.claim import Verdict
from dmf.report.pictures import Picture
from dmf.studies import FRONTIER

if TYPE_CHECKING:
    from playwright.sync_api import Page

Build = Callable[..., str]
DRAWING = '<svg xmlns="http://www.w3.org/2000/svg" width="504pt" height="200pt" viewBox="0 0 504 200"/>'
# Two panels of a drawing 504 wide and 200 high; a run at x = 0.5, y = 1e-3 of the first lies at (150, 100).
NUMBERS = {
    "size": [504, 200],
    "panels": [
        {
            "at": [50, 20, 200, 160],
            "title": "(a) runs",
            "x": {"from": 0, "to": 1, "scale": "linear", "label": "λ / λ_c"},
            "y": {"from": 1e-6, "to": 1, "scale": "log", "label": "distance"},
            "series": [
                ["best of all </script> starts", [0.5, 0.9], [1e-3, 1e-5]],
                ["", [0.1], [0.5]],
                ["theory", [0.51], [1e-3], 1],
            ],
        },
        {
            "at": [300, 20, 200, 160],
            "x": {"from": 0, "to": 2, "scale": "linear", "label": "", "names": [[0.5, "gaussian"], [1.5, "identity"]]},
            "y": {"from": 1, "to": 0, "scale": "linear", "label": "depth"},
            "cells": [[[0, 1, 2], [0, 1], [0.25, None]]],
            "value": "share",
        },
    ],
}
DEFAULT = [name for name, claim in load_claims().items() if claim.study not in FRONTIER]  # claims of the default grid
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
    return page.locator("#verdicts [role=status]").inner_text()


def test_the_table_sorts_up_then_down_then_back_to_the_order_of_the_paper(browser: Chromium, report: Path) -> None:
    with browser.open(report) as page:
        paper, margins = column(page, 1), column(page, 7)
        button = page.locator("#verdicts").get_by_role("button", name="Margin")
        head = page.get_by_role("columnheader", name="Margin")
        button.focus()
        page.keyboard.press("Enter")
        assert head.get_attribute("aria-sort") == "ascending"
        assert column(page, 7) == sorted(margins, key=float) != margins
        assert said(page) == f"{len(paper)} of {len(paper)} rows, by margin, ascending."
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
            page.locator("#verdicts").get_by_role("button", name="Statistic").click()
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
        choice = page.locator("#verdicts").get_by_role("combobox")
        for option, sources in (("violated", [bad.source]), ("missed", [missed.source]), ("inconclusive", [])):
            choice.select_option(option)
            assert column(page, 2) == sources
            assert said(page).startswith(f"{len(sources)} of {len(every)} rows")
        choice.select_option("")
        page.locator("#verdicts").get_by_label("Words").fill("quasi-norm SCHATTEN")
        assert column(page, 1) == [one.title for one in every if "Schatten quasi-norm" in one.title] != []
        page.locator("#verdicts").get_by_label("Words").fill("")
        assert len(column(page, 2)) == len(every)


def test_without_scripts_the_table_is_whole_and_shows_no_dead_controls(browser: Chromium, report: Path) -> None:
    with browser.open(report, java_script_enabled=False) as page:
        assert len(column(page, 1)) == len(load_claims())
        assert page.get_by_role("button").count() == 0
        assert not page.locator("form.tools").is_visible()


def test_the_first_screen_has_every_claims_word_and_margin(browser: Chromium, whole: Path) -> None:
    with browser.open(whole, viewport={"width": 1280, "height": 800}) as page:
        entries = page.locator("nav.glance li")
        assert entries.count() == len(DEFAULT)
        for entry in entries.all():
            box = entry.bounding_box()
            assert box is not None
            assert box["y"] + box["height"] <= 800
            assert "confirmed" in entry.inner_text()


WIDE = [{"width": 1440, "height": 900}, {"width": 1920, "height": 1080}]
CUT = """() => [...document.querySelectorAll("main table, header table")].filter(
  (table) => table.getBoundingClientRect().right > table.closest(".scroll").getBoundingClientRect().right + 1
).map((table) => table.className)"""


@pytest.fixture
def whole(build: Build, verdicts: list[Verdict], tmp_path: Path) -> Path:
    """A page as of the default grid: a statistic of many digits, all that is closed, the figure that stands first."""
    usual = [one for one in verdicts if one.claim in DEFAULT]
    near = replace(usual[0].finding, statistic=1 - 5.55e-15)
    collapse = Picture("collapse", "Collapse", "Caption.", "a point", "collapse", "figures/collapse.svg")
    found = record(0.999997, 1.73e121)
    page = build(verdicts=[replace(usual[0], finding=near), *usual[1:]], pictures=[collapse], found=found)
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures/collapse.svg").write_text(DRAWING)
    file = tmp_path / "whole.html"
    file.write_text(page, encoding="utf-8")
    return file


@pytest.mark.parametrize("viewport", WIDE)
def test_no_column_is_off_screen_on_a_wide_one(browser: Chromium, whole: Path, viewport: dict[str, int]) -> None:
    with browser.open(whole, viewport=viewport) as page:
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
        assert page.locator("table").count() > len(DEFAULT)
        assert page.evaluate(CUT) == []


def test_on_a_phone_no_number_is_cut(browser: Chromium, whole: Path) -> None:
    with browser.open(whole, **PHONE) as page:
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
        cells = page.locator("table.verdicts tbody tr:first-child td").all()
        boxes = [box for cell in cells if (box := cell.bounding_box())]
        assert len(boxes) == 10
        assert all(box["x"] >= 0 and box["x"] + box["width"] <= 390 for box in boxes)
        assert page.evaluate(CUT) == []


def test_the_first_screen_asks_answers_and_shows(browser: Chromium, whole: Path) -> None:
    with browser.open(whole, viewport={"width": 1440, "height": 900}) as page:
        for place in (".asked", ".lead", "#figure-collapse", "nav.glance li:last-child"):
            box = page.locator(f"header {place}").first.bounding_box()
            assert box is not None
            assert box["y"] + box["height"] <= 900, place
        assert page.locator("#claim-collapse figure").count() == 0
        assert page.locator("#claim-collapse a", has_text="at the top").get_attribute("href") == "#figure-collapse"


def test_every_table_sorts_filters_and_is_downloaded_as_shown(
    browser: Chromium, whole: Path, verdicts: list[Verdict]
) -> None:
    with browser.open(whole, accept_downloads=True) as page:
        tables = page.locator("main table").count()
        assert page.locator("main form.tools").count() == tables
        assert page.locator("main thead:has(button)").count() == tables
        page.locator("#verdicts").get_by_label("Words").fill(verdicts[3].title.replace("$", "")[:12])
        with page.expect_download() as download:
            page.get_by_role("button", name="Download Table of verdicts as CSV").click()
        assert download.value.suggested_filename == "table-of-verdicts.csv"
        rows = list(csv.DictReader(download.value.path().read_text(encoding="utf-8").splitlines()))
        assert 0 < len(rows) < len(verdicts)
        own = next(row for row in rows if row["Claim"].startswith(verdicts[3].title[:12]))
        assert float(own["Statistic"]) == verdicts[3].finding.statistic
        assert float(own["Counted"]) == verdicts[3].finding.runs_counted


def test_a_link_to_a_claim_or_a_section_opens_what_is_closed(browser: Chromium, whole: Path) -> None:
    with browser.open(whole) as page:
        assert not page.locator("table.census").first.is_visible()
        page.locator("nav.sections a", has_text="Where runs ended").click()
        page.locator("table.census").first.wait_for()  # until it is visible
        statement = page.locator("#claim-collapse .statement")
        assert not statement.is_visible()
        page.locator("nav.glance a", has_text="collapse").first.click()
        statement.wait_for()


def test_a_command_is_copied(browser: Chromium, whole: Path) -> None:
    with browser.open(whole, permissions=["clipboard-read", "clipboard-write"]) as page:
        page.locator("nav.glance a", has_text="collapse").first.click()
        box = page.locator("#claim-collapse .again")
        box.get_by_role("button").click()
        box.get_by_text("Copied").wait_for()
        assert page.evaluate("navigator.clipboard.readText()") == box.locator("code").inner_text()


def test_a_claim_on_runs_leads_to_its_worst_run_in_the_explorer(browser: Chromium, whole: Path) -> None:
    with browser.open(whole) as page:
        address = page.locator("#claim-collapse a", has_text="explorer").get_attribute("href")
    assert address is not None
    name, _, setting = address.partition("#")
    asked = dict(part.split("=") for part in setting.split("&"))
    assert name == "explorer.html"
    assert (asked["depth"], asked["sigma"], asked["shape"], asked["hidden"]) == ("3", "4.0,1.5", "2x2", "2")
    assert float(asked["lam"]) > 0


def test_paper_has_all_that_is_closed(browser: Chromium, whole: Path) -> None:
    with browser.open(whole) as page:
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert page.locator("details:not([open])").count() == 0
        page.emulate_media(media="print")
        buttons = page.locator("thead button")  # as boxes they would be missing where a page repeats a table's heads
        assert buttons.count() > 0
        assert set(buttons.evaluate_all("all => all.map((one) => getComputedStyle(one).display)")) == {"contents"}
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert page.locator("details[open]").count() == 0


@pytest.fixture
def drawn(build: Build, tmp_path: Path) -> Path:
    """The page with one figure whose numbers are known, and one without numbers."""
    texts = {"title": "A figure", "caption": "Caption.", "refuted_by": "a point"}
    known = Picture("known", claim=None, source="figures/known.svg", numbers=NUMBERS, **texts)
    bare = Picture("bare", claim=None, source="figures/known.svg", **texts)
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures/known.svg").write_text(DRAWING)
    file = tmp_path / "drawn.html"
    file.write_text(build(pictures=[known, bare]), encoding="utf-8")
    return file


def place(page: "Page", image: str, x: float, y: float) -> tuple[float, float]:
    """Where a point of the drawing is in the window."""
    page.locator(image).scroll_into_view_if_needed()
    box = page.locator(image).bounding_box()
    assert box is not None
    return box["x"] + x * box["width"] / 504, box["y"] + y * box["height"] / 200


def reading(page: "Page", within: str = "#figure-known") -> list[str]:
    return page.locator(f"{within} .reading > *").all_inner_texts()


def test_the_pointer_reads_the_nearest_mark_or_else_its_place(browser: Chromium, drawn: Path) -> None:
    with browser.open(drawn) as page:
        note = page.locator("#figure-known .reading")
        image = "#figure-known img"
        page.mouse.move(*place(page, image, 153, 97))
        assert reading(page) == [
            "best of all </script> starts",
            "λ / λ_c: 0.5",
            "distance: 0.001",
        ]  # the mark, not the nearer theory
        ring = page.locator("#figure-known .ring").bounding_box()
        assert ring is not None
        x, y = place(page, image, 150, 100)
        assert abs(ring["x"] + ring["width"] / 2 - x) < 1.5
        assert abs(ring["y"] + ring["height"] / 2 - y) < 1.5
        page.mouse.move(*place(page, image, 70, 28))  # a mark without a name, half a pixel off
        assert reading(page) == ["λ / λ_c: 0.1", "distance: 0.5"]
        page.mouse.move(*place(page, image, 200, 20 + 160 * 5 / 6))  # nothing near
        assert reading(page) == ["λ / λ_c: 0.75", "distance: 0.00001"]
        assert not page.locator("#figure-known .ring").is_visible()
        page.mouse.move(*place(page, image, 275, 100))  # between the panels
        assert not note.is_visible()
        page.mouse.move(*place(page, image, 330, 100))
        assert reading(page) == ["gaussian", "depth: 0 to 1", "share: 0.25"]
        page.mouse.move(*place(page, image, 460, 100))
        assert reading(page) == ["identity", "depth: 0 to 1", "share: none"]
        page.mouse.move(2, 2)
        assert not note.is_visible()


def test_a_figure_opens_as_large_as_the_window_zooms_moves_and_closes(browser: Chromium, drawn: Path) -> None:
    with browser.open(drawn, viewport={"width": 1280, "height": 800}) as page:
        link = page.locator("#figure-known a.whole")
        link.focus()
        page.keyboard.press("Enter")
        image = page.locator("dialog .frame img")
        whole = image.bounding_box()
        assert whole is not None
        assert whole["width"] == 1280
        x, y = place(page, "dialog .frame img", 150, 100)
        page.mouse.move(x, y)
        assert reading(page, "dialog")[1:] == ["λ / λ_c: 0.5", "distance: 0.001"]
        page.mouse.wheel(0, -800)
        page.wait_for_function("document.querySelector('dialog img').offsetWidth > 2000")
        after = place(page, "dialog .frame img", 150, 100)
        assert abs(after[0] - x) + abs(after[1] - y) < 6  # what is under the pointer stays there, but for whole pixels
        page.mouse.down()
        page.mouse.move(x - 100, y - 50, steps=4)
        page.mouse.up()
        moved = place(page, "dialog .frame img", 150, 100)
        assert abs(moved[0] - x + 100) < 12
        assert serious_findings(page) == []
        page.keyboard.press("0")
        assert image.bounding_box() == whole
        page.get_by_role("button", name="Larger").click()
        larger = image.bounding_box()
        assert larger is not None
        assert larger["width"] > 1700
        page.keyboard.press("Escape")
        assert page.locator("dialog").count() == 0
        assert page.evaluate("document.activeElement.matches('#figure-known a.whole')")


def test_the_keyboard_goes_from_value_to_value_and_says_each(browser: Chromium, drawn: Path) -> None:
    with browser.open(drawn) as page:
        page.locator("#figure-known a.whole").press("Enter")
        said = []
        for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "ArrowLeft"):
            page.keyboard.press(key)
            said.append(page.locator("dialog [role=status]").inner_text())
        first = "(a) runs: best of all </script> starts, λ / λ_c 0.5, distance 0.001"
        assert said[0] == said[2] == first
        assert said[1] == "(a) runs: best of all </script> starts, λ / λ_c 0.9, distance 0.00001"
        assert said[3] == "(a) runs: theory, λ / λ_c 0.51, distance 0.001"  # the last one


def test_on_a_phone_a_tap_opens_a_figure_and_the_next_reads_it(browser: Chromium, drawn: Path) -> None:
    with browser.open(drawn, **PHONE, has_touch=True, is_mobile=True) as page:
        page.locator("#figure-known a.whole").tap()
        page.touchscreen.tap(*place(page, "dialog .frame img", 155, 104))
        assert reading(page, "dialog")[1:] == ["λ / λ_c: 0.5", "distance: 0.001"]
        box = page.locator("dialog .reading").bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        page.get_by_role("button", name="Close").tap()
        assert page.locator("dialog").count() == 0


def test_two_fingers_zoom_and_one_moves(browser: Chromium, drawn: Path) -> None:
    with browser.open(drawn, **PHONE, has_touch=True, is_mobile=True) as page:
        page.locator("#figure-known a.whole").tap()
        image = page.locator("dialog .frame img")
        before = image.bounding_box()
        assert before is not None
        touch = page.context.new_cdp_session(page)

        def fingers(kind: str, *xs: float) -> None:
            points = [{"x": x, "y": 400, "id": i} for i, x in enumerate(xs)]
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        fingers("touchStart", 150, 250)
        for apart in (70, 100, 150):
            fingers("touchMove", 200 - apart, 200 + apart)
        fingers("touchEnd")
        larger = image.bounding_box()
        assert larger is not None
        assert 2.5 < larger["width"] / before["width"] < 3.5
        fingers("touchStart", 200)
        for x in (150, 100, 50):
            fingers("touchMove", x)
        fingers("touchEnd")
        moved = image.bounding_box()
        assert moved is not None
        assert moved["x"] < larger["x"] - 80
        assert reading(page, "dialog") == []  # neither was a tap


def test_a_figure_without_numbers_opens_too(browser: Chromium, drawn: Path) -> None:
    with browser.open(drawn) as page:
        page.mouse.move(*place(page, "#figure-bare img", 150, 100))
        assert page.locator("#figure-bare .pointer").count() == 0
        page.locator("#figure-bare a.whole").click()
        page.keyboard.press("+")
        page.keyboard.press("ArrowRight")
        page.get_by_role("button", name="Close").click()
        assert page.locator("dialog").count() == 0


def test_without_scripts_a_figure_leads_to_its_file(browser: Chromium, drawn: Path) -> None:
    with browser.open(drawn, java_script_enabled=False) as page:
        assert page.locator("#figure-known a.whole").get_attribute("href") == "figures/known.svg"


def test_a_symmetric_logarithm_is_read_as_matplotlib_draws_it(
    browser: Chromium, build: Build, drawn: Path, tmp_path: Path
) -> None:
    axis = {"from": -5.0, "to": 20.0, "scale": "symlog", "base": 10.0, "linthresh": 0.1, "linscale": 0.7, "label": "x"}
    transform = SymmetricalLogTransform(10.0, 0.1, 0.7)
    start, end, marks, bare = transform.transform(np.array([-5.0, 20.0, -3.0, 0.4])).tolist()[:4]
    other = {"from": 0, "to": 1, "scale": "linear", "label": "y"}
    panel = {"at": [50, 20, 400, 160], "x": axis, "y": other, "series": [["run", [-3.0], [0.5]]]}
    numbers = {"size": [504, 200], "panels": [panel]}
    picture = Picture("known", "T", "C", "R", None, "figures/known.svg", numbers=numbers)
    file = tmp_path / "symlog.html"
    file.write_text(build(pictures=[picture]), encoding="utf-8")
    with browser.open(file) as page:
        left, right = (50 + 400 * (value - start) / (end - start) for value in (marks, bare))
        page.mouse.move(*place(page, "#figure-known img", left, 100))
        assert reading(page) == ["run", "x: −3", "y: 0.5"]
        page.mouse.move(*place(page, "#figure-known img", right, 100))
        assert abs(float(reading(page)[0].removeprefix("x: ")) - 0.4) < 0.01
        page.mouse.move(*place(page, "#figure-known img", 50 + 400 * -start / (end - start), 60))
        assert abs(float(reading(page)[0].removeprefix("x: ").replace("−", "-"))) < 0.002  # no rounding of the last bit
