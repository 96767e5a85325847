"""The explorer in a real browser: its numbers are those of `dmf.theory`, and what it refuses it refuses in one line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from chromium import Chromium, serious_findings
from dmf import report, theory
from dmf.dataset.schema import MISSING
from dmf.grid.config import Grid
from dmf.grid.readers import table
from dmf.grid.targets import TargetMatrix
from dmf.report.explorer.page import EXAMPLE, MOST_TARGETS, drawn_runs, explorer_html, link
from dmf.report.explorer.runs import MOST_CELLS, MOST_ENDS, trained_runs

if TYPE_CHECKING:
    from playwright.sync_api import Page

SETTINGS = 200
RELATIVE = 1e-9
READ = "() => Object.fromEntries([...document.querySelectorAll('data[data-of]')].map((d) => [d.dataset.of, d.value]))"
FOLLOW = f"""async (links) => {{
  const read = {READ};
  const seen = [];
  for (const link of links) {{
    const followed = new Promise((done) => addEventListener("hashchange", done, {{ once: true }}));
    location.hash = link;
    await followed;
    seen.push(read());
  }}
  return seen;
}}"""
DROP = """([name, text]) => {
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([text], name));
  const dropped = new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true });
  document.getElementById("matrix").dispatchEvent(dropped);
}"""
PASTE = """(text) => {
  document.getElementById("matrix").value = text;
  document.getElementById("use").click();
}"""


@dataclass(frozen=True)
class Setting:
    """What the page is asked for: `target` is diagonal, and `sigma` what numpy makes of it."""

    depth: int
    lam: float
    target: np.ndarray[tuple[int, int], np.dtype[np.float64]]
    hidden: int

    @property
    def sigma(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.linalg.svd(self.target, compute_uv=False)

    @property
    def widths(self) -> list[int]:
        rows, columns = self.target.shape
        return [columns, *[self.hidden] * (self.depth - 1), rows]

    @property
    def link(self) -> str:
        rows, columns = self.target.shape
        sigma = ",".join(map(repr, self.sigma.tolist()))
        return f"depth={self.depth}&lam={self.lam!r}&sigma={sigma}&shape={rows}x{columns}&hidden={self.hidden}"


def random_setting(case: int) -> Setting:
    """Every kind in turn: generic, a repeated value, zeros, lambda next to a lambda_c, lambda next to a lambda_s."""
    rng = np.random.default_rng([case, 20260327])
    depth = int(rng.integers(2, 9))
    rows, columns = (int(size) for size in rng.integers(1, 13, 2))
    if case % 10 == 9:
        rows = int(rng.integers(13, 60))
    count = min(rows, columns)
    sigma = np.sort(10 ** rng.uniform(-2, 2, count))[::-1].copy()
    kind = case % 5
    if kind == 1:
        sigma[: 1 + count // 2] = sigma[0]
    if kind == 2:
        sigma[1 + count // 2 :] = 0
    lam = float(10 ** rng.uniform(-4, 2))
    if kind in (3, 4):
        # Not closer than 1e-11: at a relative distance t from m_loc the roots move by rounding / sqrt(t).
        threshold = theory.critical_lambda if kind == 3 else theory.branch_lambda
        aside = 1 + rng.choice([-1, 1]) * 10 ** rng.uniform(-11, -2)
        lam = float(threshold(rng.choice(sigma), depth) * aside)
    target = np.zeros((rows, columns))
    np.fill_diagonal(target, sigma)
    return Setting(depth, lam, target, count + int(rng.integers(0, 4)))


def expected(setting: Setting) -> dict[str, float]:
    """Every number of the page by the name it has there."""
    depth, lam, target, widths, sigma = setting.depth, setting.lam, setting.target, setting.widths, setting.sigma
    spectrum = theory.hessian_spectrum(target, widths, lam)
    rank = theory.kept_at_minimum(target, depth, lam)
    critical = float(theory.critical_lambda(sigma[0], depth))
    trace, bound = (f(target, widths, lam) for f in (theory.minimizer_hessian_trace, theory.trace_lower_bound))
    numbers = {
        "minimum": theory.minimum_value(target, depth, lam),
        "rank": rank,
        "norm": float(np.linalg.norm(theory.end_to_end_minimizer(target, depth, lam))),
        "layerNormSq": theory.layer_norm_sq(target, depth, lam),
        "collapseThreshold": float(theory.collapse_threshold(depth, lam)),
        "branchThreshold": float(theory.branch_threshold(depth, lam)),
        "jump": float(theory.jump(depth, lam)),
        "criticalLambda": critical,
        "branchLambda": float(theory.branch_lambda(sigma[0], depth)),
        "lambdaRatio": lam / critical,
        "exceptionalDistance": theory.exceptional_distance(target, depth, lam),
        "lambdaMax": float(spectrum[-1]),
        "largestStep": 2 / float(spectrum[-1]),
        "mu": theory.smallest_positive_eigenvalue(spectrum),
        "trace": trace,
        "bound": bound,
        "slack": trace - bound,
        "zeroModes": theory.zero_modes(widths, rank),
        "parameters": theory.parameter_count(widths),
    }
    columns = {
        "sigma": sigma,
        "minimizer": theory.scalar_minimizer(sigma, depth, lam),
        "largeRoot": theory.large_root(sigma, depth, lam),
        "smallRoot": theory.small_root(sigma, depth, lam),
        "criticalLambda": theory.critical_lambda(sigma, depth),
        "branchLambda": theory.branch_lambda(sigma, depth),
    }
    for name, values in columns.items():
        numbers |= {f"value-{i}-{name}": float(value) for i, value in enumerate(values)}
    for kept, value in enumerate(theory.critical_levels(target, depth, lam)):
        roots = ["large"] * kept + ["zero"] * (sigma.size - kept)
        numbers[f"level-{kept}-objective"] = float(value)
        numbers[f"level-{kept}-excess"] = float(value) - numbers["minimum"]
        numbers[f"level-{kept}-morseIndex"] = theory.morse_index(sigma, widths, lam, roots)
        numbers[f"level-{kept}-lambdaMax"] = float(theory.hessian_spectrum(target, widths, lam, kept)[-1])
    return numbers


def scale(name: str, numbers: dict[str, float]) -> float:
    """What an error is relative to: the number itself; for a difference, what was subtracted from."""
    if name == "exceptionalDistance":
        return 1.0  # in units of m* already
    if name.endswith("-excess"):
        return abs(numbers[name.replace("excess", "objective")])
    return abs(numbers["trace" if name == "slack" else name])


@pytest.fixture
def targets() -> list[TargetMatrix]:
    return [TargetMatrix("square", "ignored", "gaussian", "f", np.diag([4.0, 1.5]))]


@pytest.fixture
def explorer(grid: Grid, targets: Sequence[TargetMatrix], tmp_path: Path) -> Path:
    """The page of a grid with one target as a file."""
    file = tmp_path / "explorer.html"
    file.write_text(explorer_html(grid, targets), encoding="utf-8")
    return file


def norm_at(depth: int, lam: float, kept: int) -> float:
    """||X||_F at the level that keeps `kept` values of the target of this module, those that can be."""
    return float(np.linalg.norm(np.nan_to_num([theory.large_root(sigma, depth, lam) for sigma in (4.0, 1.5)[:kept]])))


@pytest.fixture
def trained(evidence: xr.Dataset) -> xr.Dataset:
    """The evidence with lambdas and end points that are those of the theory, up to a digit that is not shown."""
    depths, labels = evidence["depth"].values, evidence["lam_label"].values
    lams = [
        float(label[:-1]) * float(theory.critical_lambda(4.0, int(depth)))
        for depth, label in zip(depths, labels, strict=True)
    ]
    kept = np.maximum(evidence["kept"].values, 0)
    norms = [
        [norm_at(int(depth), lam, k) * (1 + 1e-8 * i) + 1e-9 for i, k in enumerate(row)]
        for depth, lam, row in zip(depths, lams, kept, strict=True)
    ]
    return evidence.assign(lam=("cell", np.array(lams)), end_to_end_norm=(("cell", "start"), np.array(norms)))


@pytest.fixture
def with_runs(grid: Grid, targets: Sequence[TargetMatrix], trained: xr.Dataset, tmp_path: Path) -> Path:
    """The page of a grid with runs."""
    file = tmp_path / "explorer.html"
    file.write_text(explorer_html(grid, targets, drawn_runs(grid, targets, [trained])), encoding="utf-8")
    return file


def numbers_of(page: Page) -> dict[str, float]:
    return {name: float(value) for name, value in page.evaluate(READ).items()}


def complaint_of(page: Page) -> str:
    return page.locator("#complaint").inner_text()


def hidden(page: Page) -> bool:
    """Whether nothing that was computed can be seen or read: numbers, tables, drawings and code."""
    places = page.locator("data, #landscape, #branches, #trained, #runs-words, #sentence, #code")
    assert places.count() > 20
    return places.locator("visible=true").count() == 0


def test_every_number_is_that_of_the_theory(browser: Chromium, explorer: Path) -> None:
    settings = [random_setting(case) for case in range(SETTINGS)]
    with browser.open(explorer) as page:
        seen = page.evaluate(FOLLOW, [setting.link for setting in settings])
    for case, (setting, found) in enumerate(zip(settings, seen, strict=True)):
        truth = expected(setting)
        assert found.keys() == truth.keys(), case
        for name, value in truth.items():
            shown = float(found[name])
            allowed = RELATIVE * scale(name, truth)
            same = np.array_equal(shown, value, equal_nan=True)
            assert same or abs(shown - value) <= allowed, f"case {case}: {name} is {shown}, expected {value}"


def test_pasted_matrices_have_the_singular_values_of_lapack(browser: Chromium, explorer: Path) -> None:
    rng = np.random.default_rng(7)
    matrices = [rng.standard_normal(shape) for shape in [(1, 1), (3, 12), (12, 5), (12, 12)]]
    matrices += [np.ones((12, 12)), np.zeros((3, 4)), np.outer(rng.random(7), rng.random(5))]
    matrices += [np.vander(np.arange(1.0, 13.0)), np.diag([1e-12, 1.0, 1e12]), np.triu(np.ones((6, 6)))]
    with browser.open(explorer) as page:
        for matrix in matrices:
            page.evaluate(PASTE, "\n".join(" ".join(map(repr, row)) for row in matrix.tolist()))
            found = numbers_of(page)
            truth = np.linalg.svd(matrix, compute_uv=False)
            shown = [found[f"value-{i}-sigma"] for i in range(truth.size)]
            # What a backward stable algorithm promises, which LAPACK is too: each value to rounding of the largest.
            np.testing.assert_allclose(shown, truth, rtol=0, atol=1e-14 * max(truth[0], 1e-300))
            assert page.locator("[name=rows]").input_value() == str(matrix.shape[0])


@pytest.mark.parametrize("text", ["[[2, 0.5], [-1, 3e0]]", "2\t.5\r\n-1\t+3.\n\n", "2,0.5;-1,3"])
def test_brackets_tabs_commas_and_semicolons_are_understood(browser: Chromium, explorer: Path, text: str) -> None:
    with browser.open(explorer) as page:
        page.evaluate(PASTE, text)
        found = numbers_of(page)
    truth = np.linalg.svd([[2, 0.5], [-1, 3]], compute_uv=False)
    assert [found["value-0-sigma"], found["value-1-sigma"]] == pytest.approx(truth, rel=1e-14)


# What is pasted, and the matrix that it is: as spreadsheets of both conventions, MATLAB and Python write it.
READ_RIGHT = {
    "1;2\n3;4": [[1, 2], [3, 4]],
    "1,5;2,25\r\n-3,0;,5e1\r\n": [[1.5, 2.25], [-3, 5]],
    "1.5;2\n3;4": [[1.5, 2], [3, 4]],
    "1 2; 3 4": [[1, 2], [3, 4]],
    "[1 2;\n3 4]": [[1, 2], [3, 4]],
    "1, 2;\n3, 4;": [[1, 2], [3, 4]],
    "1, 2\n3, 4": [[1, 2], [3, 4]],
    "1,2\n3,4": [[1, 2], [3, 4]],
    "[[1, 2],\n [3, 4]]": [[1, 2], [3, 4]],
}


def test_semicolons_and_decimal_commas_are_read_as_they_are_meant(browser: Chromium, explorer: Path) -> None:
    with browser.open(explorer) as page:
        for text, matrix in READ_RIGHT.items():
            page.evaluate(PASTE, "9")
            page.evaluate(PASTE, text)
            assert complaint_of(page) == "", text
            found = numbers_of(page)
            shown = [found["value-0-sigma"], found["value-1-sigma"]]
            assert shown == pytest.approx(np.linalg.svd(matrix, compute_uv=False), rel=1e-14), text


# What is pasted, and the table that it is: its numbers, and the labels of its rows and of its columns.
LABELLED = {
    "a,b\n1,2\n3,4": ([[1, 2], [3, 4]], [], ["a", "b"]),
    "a;b\n1,5;2\n3;4": ([[1.5, 2], [3, 4]], [], ["a", "b"]),
    "r 1 2\ns 3 4": ([[1, 2], [3, 4]], ["r", "s"], []),
    "r,1,2": ([[1, 2]], ["r"], []),
    "a\n1\n2": ([[1], [2]], [], ["a"]),
    ",a,b\nr,1,2\ns,3,4": ([[1, 2], [3, 4]], ["r", "s"], ["a", "b"]),
    "\ta\tb\r\nr\t1\t2\r\ns\t3\t4\r\n": ([[1, 2], [3, 4]], ["r", "s"], ["a", "b"]),
    ";a;b\nr;1,5;2\ns;3;4": ([[1.5, 2], [3, 4]], ["r", "s"], ["a", "b"]),
    "\ufeffcity,a,b\nNew York,1,2\nParis,3,4": ([[1, 2], [3, 4]], ["New York", "Paris"], ["a", "b"]),
    '"","a","b"\n"York, New",1,2\n"a ""b"" c",3,4': ([[1, 2], [3, 4]], ["York, New", 'a "b" c'], ["a", "b"]),
    "2020-01,2020-02\n1,2\n3,4": ([[1, 2], [3, 4]], [], ["2020-01", "2020-02"]),
    "id,x [cm]\n1,2\n3,4": ([[1, 2], [3, 4]], [], ["id", "x [cm]"]),
    "x<b>,y\n1,2\n3,4": ([[1, 2], [3, 4]], [], ["x<b>", "y"]),
}


NUMBER = "expected a number from −1e12 to 1e12"
NAMES = f"{NUMBER}, or a first line or column of different names"
UNCLEAR = "has commas and spaces between digits: write decimals with a point, or separate entries by semicolons."
PANDAS = "which may be labels as pandas writes them: leave them out, to_csv"
BAD_PASTES = {
    "a,b\n1,c": f"Line 2, column 2 is “c”: {NAMES}.",
    "a,2\n3,4": f"Line 1, column 1 is “a”: {NAMES}.",
    "1,a\n2,3": f"Line 1, column 2 is “a”: {NAMES}.",
    "a,b,3\n4,5,6": f"Line 1, column 1 is “a”: {NAMES}.",
    "r,1\ns,2\n3,4": f"Line 1, column 1 is “r”: {NAMES}.",
    "a,b": f"Line 1, column 2 is “b”: {NAMES}.",
    "a\nb\n3": f"Line 2, column 1 is “b”: {NAMES}.",
    ",a,b\nr,1,2\ns,x,4": f"Line 3, column 2 is “x”: {NAMES}.",
    ",a,b\nr,1,2\n\ns,?,4": f"Line 4, column 2 is “?”: {NUMBER}.",
    "a,NA\n1,2": f"Line 1, column 1 is “a”: {NAMES}.",
    "NA,NaN\n1,2": f"Line 1, column 1 is “NA”: {NUMBER}.",
    "?,-\n1,2": f"Line 1, column 1 is “?”: {NUMBER}.",
    "TRUE,FALSE\n1,0": f"Line 1, column 1 is “TRUE”: {NUMBER}.",
    "inf,-inf\n1,2": f"Line 1, column 1 is “inf”: {NUMBER}.",
    "1.000,5;2.000,5\n3;4": f"Line 1, column 1 is “1.000,5”: {NUMBER}.",
    "3 mm,4 mm\n1,2": f"Line 1, column 1 is “3 mm”: {NUMBER}.",
    ',a,b\nr,1,"2\n': "Line 2 has a quote that is not closed: expected a matrix with one row a line.",
    "a,b\nr,1,2": "Line 2 has 3 entries: expected 2, as in line 1.",
    "a\tb\n1\t\t2": "Line 2 has 3 entries: expected 2, as in line 1.",
    "1\t\t3\n4\t\t6": f"Line 1, column 2 is empty: {NUMBER}.",
    ",a,b\n0,1.5,2\n1,3,4": f"Line 1, column 1 is empty and column 1 has numbers, {PANDAS}(index=False).",
    ",0,1\nr,1.5,2\ns,3,4": f"Line 1, column 1 is empty and line 1 has numbers, {PANDAS}(header=False).",
    ",0,1\n0,1.5,2\n1,3,4": (
        f"Line 1, column 1 is empty and line 1 and column 1 have numbers, {PANDAS}(index=False, header=False)."
    ),
    "\t0\t1\n0\t1.5\t2\n1\t3\t4": (
        f"Line 1, column 1 is empty and line 1 and column 1 have numbers, {PANDAS}(index=False, header=False)."
    ),
    "city,2019,2020\nParis,1,2\nRome,3,4": (
        "Line 1 is 2019, 2020, which could be labels: delete it if so, else column 1."
    ),
    "city,0,1,2,3\nParis,1,2,3,4\nRome,3,4,5,6": (
        "Line 1 is 0, 1, 2, …, which could be labels: delete it if so, else column 1."
    ),
    "id,a\n1,7\n2,8\n3,9": "Column 1 is 1, 2, 3, which could be labels: delete it if so, else line 1.",
    "Unnamed: 0,a,b\n0,1.5,2\n1,3,4": (
        f"Line 1, column 1 is “Unnamed: 0” and column 1 has numbers, {PANDAS}(index=False)."
    ),
    "a,a\n1,2": f"Line 1, column 1 is “a”: {NAMES}.",
    "n/a,b\n1,2": f"Line 1, column 1 is “n/a”: {NUMBER}.",
    "caf\ufffd,b\n1,2": "The text has characters that are no UTF-8: save it as UTF-8.",
    "1,,3\n4,,6": f"Line 1, column 2 is empty: {NUMBER}.",
    "1,5 2,5\n3,0 4,0": f"Line 1 {UNCLEAR}",
    "1,5\t2,5\n3,0\t4,0": f"Line 1 {UNCLEAR}",
    "1.000,5;2\n3;4": f"Line 1, column 1 is “1.000,5”: {NUMBER}.",
    "1,000,000;2\n3;4": f"Line 1, column 1 is “1,000,000”: {NUMBER}.",
    "": "The matrix is empty: expected rows of numbers, one row a line.",
    " \n[[]]": "The matrix is empty: expected rows of numbers, one row a line.",
    "1 2 3\n4 5": "Line 2 has 2 entries: expected 3, as in line 1.",
    "1 2 3; 4 5": "Row 2 has 2 entries: expected 3, as in row 1.",
    "1 two": f"Line 1, column 2 is “two”: {NAMES}.",
    "1 2\n3 nan": f"Line 2, column 2 is “nan”: {NUMBER}.",
    "1 inf": f"Line 1, column 2 is “inf”: {NUMBER}.",
    "0x10": f"Line 1, column 1 is “0x10”: {NUMBER}.",
    "1e13": f"Line 1, column 1 is “1e13”: {NUMBER}.",
    "\n".join(["1"] * 13): "13 rows: expected at most 12.",
    "1 " * 13: "13 columns: expected at most 12.",
}


def test_a_bad_paste_gets_one_line_and_changes_nothing(browser: Chromium, explorer: Path) -> None:
    with browser.open(explorer) as page:
        before = page.evaluate(READ)
        for text, line in BAD_PASTES.items():
            page.evaluate(PASTE, text)
            assert complaint_of(page) == line
            assert hidden(page)
            assert page.evaluate(READ) == before
        assert page.locator("details #complaint").is_visible()
        assert page.locator("#matrix").get_attribute("aria-describedby") == "complaint"
        assert page.locator("#target").input_value() == "0"
        page.evaluate(PASTE, "5")
        assert complaint_of(page) == ""
        assert not hidden(page)
        assert page.locator("[aria-invalid]").count() == 0
        assert page.locator("#target").input_value() == ""


def test_bad_links_and_fields_get_one_line_and_change_nothing(browser: Chromium, explorer: Path) -> None:
    good = "depth=3&lam=0.5&sigma=4,1&shape=2x2&hidden=2"
    bad = {
        "depth=3": "The link has no “lam”: expected depth, lam, sigma, shape and hidden.",
        good.replace("depth=3", "depth=1"): "Depth 1: expected an integer from 2 to 12.",
        good.replace("0.5", "0"): "λ = 0: expected a number from 1e-12 to 1e12.",
        good.replace("4,1", "4,-1"): "Singular value -1: expected a number from 0 to 1e12.",
        good.replace("4,1", "4"): "1 singular values: expected 2 for 2 × 2.",
        good.replace("2x2", "13x13"): "13 × 13: expected at most 12 rows or at most 12 columns.",
        good.replace("hidden=2", "hidden=1"): "Hidden width 1: expected an integer from min(d₀, d_L) = 2 to 10000.",
    }
    with browser.open(explorer) as page:
        before = page.evaluate(READ)
        for link, line in bad.items():
            page.evaluate(FOLLOW, [link])
            assert complaint_of(page) == line
            assert hidden(page)
            assert page.evaluate(READ) == before
        address = page.url
        page.locator("[name=lam]").fill("-1")
        assert page.locator("fieldset:has([name=lam]) #complaint").is_visible()
        page.locator("[name=lam]").blur()
        assert hidden(page)
        assert page.url == address
        assert complaint_of(page) == "λ = -1: expected a number from 1e-12 to 1e12."
        page.locator("[name=rows]").fill("20")
        assert complaint_of(page) == ""
        assert not hidden(page)
        page.locator("[name=columns]").fill("20")
        assert page.locator("fieldset:has([name=columns]) #complaint").is_visible()
        assert complaint_of(page) == "20 × 20: expected at most 12 rows or at most 12 columns."


def test_keys_move_every_slider_and_the_address_keeps_the_setting(browser: Chromium, explorer: Path) -> None:
    with browser.open(explorer) as page:
        for slider in page.locator("input[type=range]").all():
            before = page.evaluate(READ)
            slider.focus()
            slider.press("ArrowRight")
            assert page.evaluate(READ) != before
            assert slider.evaluate("(one) => document.activeElement === one")
        numbers, address = page.evaluate(READ), page.url
        page.goto("about:blank")
        page.goto(address)
        assert page.evaluate(READ) == numbers


def test_a_value_that_overtakes_another_takes_its_rank(browser: Chromium, explorer: Path) -> None:
    with browser.open(explorer) as page:
        page.get_by_label("Singular value 2, as a number").fill("7")
        found = numbers_of(page)
        assert (found["value-0-sigma"], found["value-1-sigma"]) == (7, 4)
        assert page.get_by_label("Singular value 1, as a number").input_value() == "7"


def test_at_the_exceptional_set_the_page_says_that_there_are_two_minimizers(browser: Chromium, explorer: Path) -> None:
    with browser.open(explorer) as page:
        assert page.locator("#near").is_hidden()
        lam = float(theory.critical_lambda(4.0, 3))
        page.evaluate(FOLLOW, [f"depth=3&lam={lam!r}&sigma=4,1&shape=2x2&hidden=2"])
        assert page.locator("#near").is_visible()


def test_the_drawing_sets_lambda_where_it_is_pressed(browser: Chromium, explorer: Path) -> None:
    with browser.open(explorer) as page:
        box = page.locator("#branches").bounding_box()
        assert box is not None
        # Between margins of 50 and 14 pixels, the axis reaches from 0 to 1.35 lambda_s.
        page.mouse.click(box["x"] + 50 + 0.5 * (box["width"] - 64), box["y"] + 100)
        lam = float(page.locator("[name=lam]").input_value())
        assert lam == pytest.approx(0.5 * 1.35 * float(theory.branch_lambda(4.0, 3)), rel=0.01)


def test_the_code_shown_gives_the_numbers_shown(
    browser: Chromium, explorer: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with browser.open(explorer) as page:
        code, found = page.locator("#code").inner_text(), numbers_of(page)
    exec(code, {})
    printed = [float(line) for line in capsys.readouterr().out.splitlines()[:4]]
    assert printed == pytest.approx([found[name] for name in ("minimum", "layerNormSq", "trace", "bound")])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_bars_a_reader_with_a_screen_reader_or_a_keyboard(
    browser: Chromium, with_runs: Path, scheme: str
) -> None:
    with browser.open(with_runs, color_scheme=scheme) as page:
        page.locator("summary").click()
        assert serious_findings(page) == []


def test_a_phone_scrolls_down_and_never_sideways(browser: Chromium, with_runs: Path) -> None:
    with browser.open(with_runs, viewport={"width": 390, "height": 844}) as page:
        assert page.locator("#trained").is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_the_menu_has_what_fits_as_text_and_counts_what_does_not(grid: Grid, targets: list[TargetMatrix]) -> None:
    page = explorer_html(grid, targets)
    assert "<script>alert" not in page
    assert "label &lt;script&gt;" in page
    large = TargetMatrix("large", "", "gaussian", "f", np.eye(13))
    page = explorer_html(grid, [large, *targets * MOST_TARGETS, *targets])
    assert "large</option>" not in page
    assert "2 more of the grid’s targets are not in this menu." in page
    assert page.count('<option value="') == 1 + MOST_TARGETS + 1


MARKS = """() => [...document.querySelectorAll("#trained circle.run")].map((mark) => [
  mark.classList.contains("minimal"), Number(mark.getAttribute("cx")), Number(mark.getAttribute("cy")),
  mark.querySelector("title").textContent,
])"""
CURVES = """() => [...document.querySelectorAll("#trained polyline")].map((curve) =>
  curve.getAttribute("points").split(" ").map((point) => point.split(",").map(Number)))"""


def words_of(page: Page) -> str:
    return page.locator("#runs-words").inner_text()


def test_a_cell_of_the_grid_shows_its_runs_with_counts_in_words(
    browser: Chromium, with_runs: Path, trained: xr.Dataset
) -> None:
    # Cell (3, 0.5c) of the evidence: levels 0, none, uncertified, and the minimum, which keeps one value.
    lam = float(trained["lam"][2])
    with browser.open(with_runs) as page:
        page.evaluate(FOLLOW, [f"depth=3&lam={lam!r}&sigma=4.0,1.5&shape=2x2&hidden=2"])
        words = words_of(page)
        assert words.startswith("This is a cell of the grid")
        assert "4 runs, 3 certified, 1 minimal." in words
        assert "(0.5 λc)" in words.replace("\n", "")
        marks = page.evaluate(MARKS)
    one = norm_at(3, lam, 1)
    # One ring for two runs at zero and one disc here, one ring and none (4 runs at 1.5c, none minimal but three) there.
    here = [(minimal, text) for minimal, _, _, text in marks if f"λ = {lam:.4g}" in text]
    assert here == [
        (True, f"λ = {lam:.4g}, ‖X‖ = {one:.4g}: 1 run, minimal"),
        (False, f"λ = {lam:.4g}, ‖X‖ = 0: 2 runs, not minimal"),
    ]


def test_end_points_of_the_theory_lie_on_its_curves(browser: Chromium, with_runs: Path) -> None:
    with browser.open(with_runs) as page:
        for depth in (2, 3):
            page.evaluate(FOLLOW, [f"depth={depth}&lam=0.5&sigma=4.0,1.5&shape=2x2&hidden=2"])
            curves = [np.array(curve) for curve in page.evaluate(CURVES)]
            marks = page.evaluate(MARKS)
            assert len(marks) >= 2
            for _, x, y, text in marks:
                misses = [abs(np.interp(x, *curve.T) - y) for curve in curves if curve[0, 0] <= x <= curve[-1, 0]]
                assert min(misses) < 0.5, text


def test_the_buttons_visit_every_lambda_of_the_grid_exactly(
    browser: Chromium, with_runs: Path, trained: xr.Dataset
) -> None:
    low, high = trained["lam"].values[2:]
    with browser.open(with_runs) as page:
        before, after = page.get_by_role("button", name="Previous λ"), page.get_by_role("button", name="Next λ")
        assert words_of(page).startswith("The grid’s nearest cell")
        after.click()
        assert float(page.locator("[name=lam]").input_value()) == high
        assert after.is_disabled()
        before.click()
        assert float(page.locator("[name=lam]").input_value()) == low
        assert before.is_disabled()
        assert words_of(page).startswith("This is a cell of the grid")


def test_the_link_of_a_claim_leads_to_a_cell(
    browser: Chromium, with_runs: Path, grid: Grid, targets: list[TargetMatrix], trained: xr.Dataset
) -> None:
    address = link(targets[0], 3, float(trained["lam"][3]), grid.hidden_widths)
    assert address
    with browser.open(with_runs) as page:
        page.evaluate(FOLLOW, [address.partition("#")[2]])
        assert words_of(page).startswith("This is a cell of the grid")


def test_where_the_grid_has_no_runs_the_page_says_so_and_draws_none(browser: Chromium, with_runs: Path) -> None:
    said = {
        "depth=4&lam=0.5&sigma=4,1.5&shape=2x2&hidden=2": (
            "The grid has no runs of this target at depth 4, only at 2, 3."
        ),
        "depth=3&lam=0.5&sigma=4,1.5&shape=2x2&hidden=3": (
            "The grid has no runs of this target with hidden width 3, only with 2."
        ),
        "depth=3&lam=0.5&sigma=4,1.6&shape=2x2&hidden=2": "Choose a target of the grid to see its trained runs.",
        "depth=3&lam=0.5&sigma=4,1.5&shape=3x2&hidden=2": "Choose a target of the grid to see its trained runs.",
    }
    with browser.open(with_runs) as page:
        for setting, words in said.items():
            page.evaluate(FOLLOW, [setting])
            assert words_of(page) == words
            assert not page.locator("#trained").is_visible()
        page.locator("#target").select_option(label=str(EXAMPLE["label"]))
        assert words_of(page) == "Choose a target of the grid to see its trained runs."
        page.locator("#target").select_option("0")
        assert page.locator("#trained").is_visible()


def test_runs_of_a_cell_in_chunks_add_up_and_those_not_trained_are_not_counted(trained: xr.Dataset) -> None:
    status = trained["status"].values.copy()
    status[1, 1] = MISSING
    trained = trained.assign(status=(("cell", "start"), status))
    whole = trained_runs([trained], {"square": 1.0}, [2, 3], 2)
    parts = [trained.isel(cell=[c], start=s) for c in range(4) for s in (slice(0, 1), slice(1, 4))]
    assert trained_runs(parts, {"square": 1.0}, [2, 3], 2) == whole
    assert [cell.runs for cell in whole.cells["square", 2]] == [4, 3]
    assert trained_runs([trained], {"square": 1.0}, [3], 2).cells.keys() == {("square", 3)}
    assert not trained_runs([trained], {}, [2, 3], 2).cells


def test_a_large_grid_is_thinned_to_a_megabyte_and_says_so(
    grid: Grid, targets: list[TargetMatrix], trained: xr.Dataset
) -> None:
    many = 2 * MOST_CELLS + 1
    lams = np.linspace(1, 2, many)
    norms = np.random.default_rng(0).uniform(1, 9, (many, 16))
    big = trained.isel(cell=[3] * many, start=[0, 1, 2, 3] * 4).assign(end_to_end_norm=(("cell", "start"), norms))
    big = big.assign(lam=("cell", lams)).assign_coords(lam_label=("cell", [repr(lam) for lam in lams]))
    grid = grid.model_copy(
        update={"depths": [3], "lambdas": grid.lambdas.model_copy(update={"absolute": lams.tolist()})}
    )
    runs = drawn_runs(grid, targets, [big])
    assert runs.step == 3
    assert [cell.lam for cell in runs.cells["square", 3]] == lams[::3].tolist()
    cell = runs.cells["square", 3][0].as_json()
    assert (len(cell[5]), cell[4]) == (MOST_ENDS, 16 - MOST_ENDS)
    page = explorer_html(grid, targets, runs)
    assert len(page.encode()) < 1.1e6
    assert "Of the grid’s λ, one of 3 is shown." in page


def test_the_page_and_the_reader_of_files_know_the_same_words_for_missing_values() -> None:
    script = (Path(report.__file__).parent / "explorer" / "paste.js").read_text(encoding="utf-8")
    lines = re.findall(r'^ +"([a-z ]+)"(?: \+)?$', script, re.MULTILINE)
    assert "".join(lines).split() == table.WORDS.split()


def test_labelled_tables_are_read_right(browser: Chromium, explorer: Path) -> None:
    with browser.open(explorer) as page:
        for text, (values, rows, columns) in LABELLED.items():
            page.evaluate(PASTE, "9")
            page.evaluate(PASTE, text)
            assert complaint_of(page) == "", text
            found = numbers_of(page)
            shown = [found[f"value-{i}-sigma"] for i in range(min(len(values), len(values[0])))]
            assert shown == pytest.approx(np.linalg.svd(values, compute_uv=False), rel=1e-14), text
            said = " ".join(str(page.locator("#read").text_content()).split())
            names = (", ".join(labels) or "without labels" for labels in (rows, columns))
            assert said == "Read {} × {} numbers; rows: {}; columns: {}.".format(len(values), len(values[0]), *names)


def test_what_pandas_writes_with_names_is_read_right(browser: Chromium, explorer: Path) -> None:
    rng = np.random.default_rng(0)
    with browser.open(explorer) as page:
        for case in range(40):
            index, header, separator = case % 4 in (0, 2), case % 4 in (0, 1), ",\t"[case // 4 % 2]
            values = rng.standard_normal(rng.integers(1, 13, 2))
            rows = [f"r {i}, x" for i in range(len(values))] if index else None
            columns = [f'c"{i};' for i in range(values.shape[1])] if header else None
            text = pd.DataFrame(values, rows, columns).to_csv(index=index, header=header, sep=separator)
            page.evaluate(PASTE, text)
            assert complaint_of(page) == "", text
            found = numbers_of(page)
            shown = [found[f"value-{i}-sigma"] for i in range(min(values.shape))]
            np.testing.assert_allclose(shown, np.linalg.svd(values, compute_uv=False), rtol=0, atol=1e-13)
            for labels, kind in ((rows, "rows"), (columns, "columns")):
                assert f"{kind}: {', '.join(labels or ['without labels'])}" in str(page.locator("#read").text_content())


def test_directions_of_equal_values_are_not_named(browser: Chromium, explorer: Path) -> None:
    with browser.open(explorer) as page:
        page.evaluate(PASTE, "a,b,c\n2,0,0\n0,2,0\n0,0,1")
        shown = page.locator("td.names").all_inner_texts()
    equal = "not determined: another value is equal"
    assert shown == [equal, equal, "rows: row 3 (1); columns: c (1)"]


def test_a_dropped_file_is_read_and_its_labels_name_the_directions(browser: Chromium, explorer: Path) -> None:
    rng = np.random.default_rng(3)
    matrix = rng.standard_normal((3, 5))
    rows, columns = ["New York", "Paris<b>", "r"], ["a", "b", "c", "d", "e"]
    text = "\n".join(
        [",".join(["", *columns]), *(",".join([r, *map(repr, v)]) for r, v in zip(rows, matrix.tolist(), strict=True))]
    )
    left, _, right = np.linalg.svd(matrix, full_matrices=False)
    with browser.open(explorer) as page:
        assert page.locator(".values .names").first.is_hidden()
        page.evaluate(DROP, ["my.csv", text])
        cells = page.locator("td.names")
        cells.first.wait_for()
        for i, shown in enumerate(cells.all_inner_texts()):
            heads = [rows[j] for j in np.argsort(-np.abs(left[:, i]))]
            most = [columns[j] for j in np.argsort(-np.abs(right[i]))[:4]]
            names = [part.rpartition(" (")[0] for side in shown.split("; ") for part in side.split(": ")[1].split(", ")]
            assert names == [*heads, *most]
        page.locator("[name=rows]").fill("4")
        assert cells.count() == 0
        page.evaluate(DROP, ["my.csv", text.replace("New York", "0")])
        page.locator("#complaint:not(:empty)").wait_for()
        assert hidden(page)
        page.evaluate(DROP, ["my.csv", "1" * (2**20 + 1)])
        page.get_by_text("The file has 1048577 bytes").wait_for()


def test_a_target_with_labels_has_its_directions_named(browser: Chromium, grid: Grid, tmp_path: Path) -> None:
    file = tmp_path / "explorer.html"
    target = TargetMatrix("square", "", "file", "f", np.diag([4.0, 1.5]), rows=("first", "second"), columns=("x", "y"))
    file.write_text(explorer_html(grid, [target]), encoding="utf-8")
    with browser.open(file) as page:
        assert page.locator("td.names").all_inner_texts() == [
            "rows: first (1); columns: x (1)", "rows: second (1); columns: y (1)",
        ]  # fmt: skip
