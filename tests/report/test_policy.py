"""Each page says what may run on it: its own scripts and style sheets, by their hashes, and nothing else."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from chromium import Chromium
from dmf.grid.config import validate
from dmf.grid.targets import build_targets
from dmf.report.explorer.page import explorer_html
from dmf.report.template import environment, with_policy
from small import SMALL

PAGE = '<!DOCTYPE html>\n<html lang="en"><head>\n<meta charset="utf-8">\n<title>x</title>\n</head><body></body></html>'


class Parts(HTMLParser):
    """The policy of a page, its inline scripts and style sheets, and event handlers in attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.policy: dict[str, list[str]] = {}
        self.inline: list[tuple[str, str]] = []
        self.handlers: list[str] = []
        self.before_policy: list[str] = []
        self._inside = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if given.get("http-equiv") == "Content-Security-Policy":
            for part in str(given["content"]).split("; "):
                name, *values = part.split(" ")
                self.policy[name] = values
        elif not self.policy:
            self.before_policy.append(tag)
        self.handlers += [f"{tag} {name}" for name, _ in attributes if name.startswith("on")]
        self._inside = tag if tag == "style" or (tag == "script" and given.get("type") is None) else ""

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.inline.append((self._inside, data))

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""


@pytest.fixture
def pages(build: Callable[..., str]) -> dict[str, str]:
    grid = validate(SMALL, "small")
    return {"index": build(), "explorer": explorer_html(grid, build_targets(grid, "small"))}


def test_the_policy_is_first_and_names_exactly_what_is_on_the_page(pages: dict[str, str]) -> None:
    for html in pages.values():
        parts = Parts(html)
        assert set(parts.before_policy) == {"html", "head", "meta"}
        assert parts.policy["default-src"] == ["'none'"]
        assert parts.handlers == []
        for kind in ("style", "script"):
            texts = [text for tag, text in parts.inline if tag == kind]
            assert texts
            hashes = [b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts]
            assert parts.policy[f"{kind}-src"] == [f"'sha256-{one}'" for one in hashes]
        assert not re.search(r"unsafe-eval|https?:|\*", str(parts.policy))


def test_every_template_of_a_page_has_a_place_for_the_policy() -> None:
    loader: Any = environment().loader
    names = [name for name in loader.list_templates() if name.endswith(".j2")]
    whole = [name for name in names if "<!DOCTYPE" in loader.get_source(environment(), name)[0]]
    assert sorted(whole) == ["compare.html.j2", "explorer/explorer.html.j2", "page.html.j2", "tools/tool.html.j2"]
    for name in whole:
        text = loader.get_source(environment(), name)[0]
        assert text.count('<meta charset="utf-8">\n') == 1
        assert text.count("<style>") == 1


def test_a_script_that_came_with_a_text_does_not_run(browser: Chromium, tmp_path: Path) -> None:
    """As if nothing were escaped: once with the policy, once without it."""
    evil = "<script>document.title = 'ran'</script><img src=x onerror=\"document.title = 'ran'\">"
    (tmp_path / "x").write_bytes(b"")
    ran = {}
    for guarded in (True, False):
        html = (with_policy(PAGE) if guarded else PAGE).replace("</body>", f"{evil}</body>")
        (tmp_path / "page.html").write_text(html, encoding="utf-8")
        opened = browser._browser.new_page()
        opened.goto((tmp_path / "page.html").as_uri())
        ran[guarded] = opened.title()
        opened.close()
    assert ran == {True: "x", False: "ran"}
