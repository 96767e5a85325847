"""The documentation as a site: a wrong link, an example that fails and a page that needs a network end its making."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OPTIONS = ("--quiet", "--fail-on-warning", "--nitpicky", "-c", str(ROOT / "docs"))  # as in the Makefile
INDEX = """# Start

{text}

```{{toctree}}
gallery/index
```
"""
EXAMPLE = '"""\nOne\n===\n\nA sum.\n"""\n\n# %%\n# Of two.\n\nassert 1 + 1 == {value}\n'


def made(folder: Path, text: str = "See {doc}`gallery/one`.", value: int = 2) -> subprocess.CompletedProcess[str]:
    """A site of one page and one example, made with the project's settings."""
    examples = folder / "docs" / "examples"
    examples.mkdir(parents=True)
    (folder / "docs" / "index.md").write_text(INDEX.format(text=text), encoding="utf-8")
    (examples / "GALLERY_HEADER.rst").write_text("Examples\n========\n", encoding="utf-8")
    (examples / "one.py").write_text(EXAMPLE.format(value=value), encoding="utf-8")
    command = [sys.executable, "-m", "sphinx", *OPTIONS, str(folder), str(folder / "site")]
    return subprocess.run(command, capture_output=True, text=True)


def test_the_makefile_makes_it_with_these_options() -> None:
    recipe = re.search(r"-m sphinx (.*) -c docs ", (ROOT / "Makefile").read_text(encoding="utf-8"))
    assert recipe
    assert tuple(recipe[1].split()) == OPTIONS[:3]


def test_a_page_with_an_example_and_a_formula_is_made(tmp_path: Path) -> None:
    done = made(tmp_path, "$$\\lVert M\\rVert_F^2 > \\tfrac12$$\n\nSee {doc}`gallery/one`.")
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "site" / "docs" / "index.html").read_text(encoding="utf-8")
    assert re.search(r'<math [^>]*display="block">.*<mfrac>', page)
    assert "docs/index.html" in (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert list((tmp_path / "site" / "_downloads").rglob("one.ipynb"))


def test_links_that_lead_nowhere_are_each_named(tmp_path: Path) -> None:
    wrong = "[elsewhere](nowhere.md), [below](#nothing), {doc}`gallery/two`"
    done = made(tmp_path, wrong)
    assert done.returncode != 0
    assert [word for word in ("nowhere.md", "nothing", "gallery/two") if word not in done.stderr] == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("$\\unheard_1$", "index.md:3: '\\\\unheard_1'"),
        ("![](https://example.org/picture.png)", "needs a network"),
        ('<script src="//example.org/code.js"></script>', "needs a network"),
    ],
)
def test_what_cannot_be_shown_offline_ends_it(tmp_path: Path, text: str, says: str) -> None:
    done = made(tmp_path, text)
    assert done.returncode != 0
    assert says in done.stderr


def test_an_example_that_fails_ends_it(tmp_path: Path) -> None:
    done = made(tmp_path, value=3)
    assert done.returncode != 0
    assert "AssertionError" in done.stderr + done.stdout
