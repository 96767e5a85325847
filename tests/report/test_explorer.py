"""The explorer in a real browser: its numbers are those of `dmf.theory`, and what it refuses it refuses in one line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from chromium import Chromium, serious_findings
from dmf import theory
from dmf.grid.config import Grid
from dmf.grid.targets import TargetMatrix
from dmf.report.explorer.page import MOST_TARGETS, explorer_html

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


def numbers_of(page: Page) -> dict[str, float]:
    return {name: float(value) for name, value in page.evaluate(READ).items()}


def complaint_of(page: Page) -> str:
    return page.locator("#complaint").inner_text()


def hidden(page: Page) -> bool:
    """Whether nothing that was computed can be seen or read: numbers, tables, drawings and code."""
    places = page.locator("data, #landscape, #branches, #sentence, #code").all()
    assert len(places) > 20
    return not any(place.is_visible() for place in places)


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


BAD_PASTES = {
    "a,b\n1,2": "Row 1, entry 1 is “a”: expected numbers only, without names of rows and columns.",
    "a;b\n1;2": "Row 1, entry 1 is “a”: expected numbers only, without names of rows and columns.",
    "r 1 2\ns 3 4": "Row 1, entry 1 is “r”: expected a number from −1e12 to 1e12.",
    ",0,1\n0,1.5,2\n1,3,4": "Row 1, entry 1 is empty: expected a number from −1e12 to 1e12.",
    "1,,3\n4,,6": "Row 1, entry 2 is empty: expected a number from −1e12 to 1e12.",
    "1,5 2,5\n3,0 4,0": (
        "Row 1 has commas and spaces between digits: write decimals with a point, or separate entries by semicolons."
    ),
    "1,5\t2,5\n3,0\t4,0": (
        "Row 1 has commas and spaces between digits: write decimals with a point, or separate entries by semicolons."
    ),
    "1.000,5;2\n3;4": "Row 1, entry 1 is “1.000,5”: expected a number from −1e12 to 1e12.",
    "1,000,000;2\n3;4": "Row 1, entry 1 is “1,000,000”: expected a number from −1e12 to 1e12.",
    "": "The matrix is empty: expected rows of numbers, one row a line.",
    " \n[[]]": "The matrix is empty: expected rows of numbers, one row a line.",
    "1 2 3\n4 5": "Row 2 has 2 entries: expected 3, as in row 1.",
    "1 two": "Row 1, entry 2 is “two”: expected a number from −1e12 to 1e12.",
    "1 2\n3 nan": "Row 2, entry 2 is “nan”: expected a number from −1e12 to 1e12.",
    "1 inf": "Row 1, entry 2 is “inf”: expected a number from −1e12 to 1e12.",
    "0x10": "Row 1, entry 1 is “0x10”: expected a number from −1e12 to 1e12.",
    "1e13": "Row 1, entry 1 is “1e13”: expected a number from −1e12 to 1e12.",
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
    browser: Chromium, explorer: Path, scheme: str
) -> None:
    with browser.open(explorer, color_scheme=scheme) as page:
        page.locator("summary").click()
        assert serious_findings(page) == []


def test_a_phone_scrolls_down_and_never_sideways(browser: Chromium, explorer: Path) -> None:
    with browser.open(explorer, viewport={"width": 390, "height": 844}) as page:
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
