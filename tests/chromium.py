"""A headless Chromium with the rules of axe-core, for tests of pages as their readers see them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
OFFLINE = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
SERIOUS = ("serious", "critical")


class Chromium:
    """The browser, opening local files in pages that note whatever a console would show."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser

    @contextmanager
    def open(self, file: Path, **context: Any) -> Iterator[Page]:
        """A page on `file`; `context` as in playwright's new_context. Fails the test for anything in its console."""
        complaints: list[str] = []
        opened = self._browser.new_context(**context)
        page = opened.new_page()
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", lambda request: complaints.append(f"not loaded: {request.url}"))
        try:
            page.goto(file.resolve().as_uri())
            yield page
        finally:
            opened.close()
        assert complaints == []


def serious_findings(page: Page) -> list[str]:
    """What axe-core finds serious or critical on a page, one line a rule and element."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [
        f"{rule['id']}: {node['html'][:120]}" for rule in found if rule["impact"] in SERIOUS for node in rule["nodes"]
    ]


@contextmanager
def chromium() -> Iterator[Chromium]:
    """The browser; skips the test, with the reason, where Chromium or playwright is missing."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip(f"no browser: none of {', '.join(PROGRAMS)} is installed (Debian: apt-get install chromium)")
    playwright = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install -e '.[dev]'")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=OFFLINE)
        try:
            yield Chromium(browser)
        finally:
            browser.close()
