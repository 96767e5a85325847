"""The page in a real browser: what it shows, what its table does, and who can use it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from chromium import Chromium, serious_findings

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
