"""The pages of the project: the README fits one screen, links lead somewhere, and examples run."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FOLDERS = (".", "benchmarks", "config", "data", "docs", "reports")
PAGES = sorted(page for folder in FOLDERS for page in (ROOT / folder).glob("*.md"))
WITH_EXAMPLES = ("docs/audit.md", "docs/denoise.md", "docs/engine.md", "docs/hessian.md", "docs/python.md")


def prose(page: Path) -> str:
    """The text of a page without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The places in a page that a link can name, as GitHub makes them from its headings."""
    headings = re.findall(r"^#+ (.+)$", prose(page), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_readme_fits_one_screen() -> None:
    assert len(README.split()) <= 700


def test_the_readme_has_the_commands_of_a_clean_checkout() -> None:
    assert re.findall(r"^    make *#", README, flags=re.MULTILINE)
    assert re.findall(r"^    make test *#", README, flags=re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_to_files_and_headings_that_are_there(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        path, _, anchor = link.partition("#")
        if "://" not in link:
            target = page.parent / path if path else page
            assert target.exists(), link
            assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_the_examples_of_a_page_run(name: str) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```$", (ROOT / name).read_text(encoding="utf-8"), flags=re.M | re.S)
    assert blocks
    for block in blocks:
        subprocess.run([sys.executable, "-c", block], cwd=ROOT, check=True, timeout=600)
