"""What a step reruns for: an edit of every module of the package, and of what is not a module.

That what is found suffices is held against the code that really runs: tests/workflow/test_reruns.py.
"""

import os
import shutil
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from dmf import code
from dmf.claims import claim_module, claim_names
from dmf.code import EXEMPT
from dmf.figures import figure_names
from dmf.studies import study_names

SCRIPTS = code.SCRIPTS
ALL_CLAIMS = [claim_module(name) for name in claim_names()]
ALL_FIGURES = [f"dmf.figures.{name}" for name in figure_names()]
LOADED = {  # modules that a step's script loads by name
    "prove": ALL_CLAIMS,
    "refute": ALL_CLAIMS,
    "judge_attempts": ALL_CLAIMS,
    "verify": ALL_CLAIMS,
    "report": [*ALL_CLAIMS, *ALL_FIGURES],
    "paper": [*ALL_CLAIMS, *ALL_FIGURES],
}
STEPS: dict[str, tuple[str, ...]] = {
    **{
        path.stem: (path.stem, *LOADED.get(path.stem, ()))
        for path in sorted(SCRIPTS.glob("[a-z]*.py"))
        if path.stem not in ("check", "draw", "study", "clean", "preflight")  # these two write no file
    },
    **{f"check {name}": ("check", claim_module(name)) for name in claim_names()},
    **{f"draw {name}": ("draw", f"dmf.figures.{name}") for name in figure_names()},
    **{f"study {name}": ("study", f"dmf.studies.{name}") for name in study_names()},
}


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the scripts that may be edited, which the rule looks at."""
    scripts = tmp_path / "scripts"
    shutil.copytree(SCRIPTS, scripts, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    monkeypatch.setattr(code, "SCRIPTS", scripts)
    monkeypatch.setattr(code, "PACKAGE", scripts / "dmf")
    code.code_of.cache_clear()
    yield scripts
    code.code_of.cache_clear()
    code.code_fingerprint.cache_clear()


def fingerprints() -> dict[str, str]:
    """Of every step, as a new process finds them; a comment more leaves imports as they are."""
    code._digest.cache_clear()
    code.code_fingerprint.cache_clear()
    return {name: code.code_fingerprint(*step) for name, step in STEPS.items()}


def modules(scripts: Path) -> Iterator[str]:
    for path in sorted(scripts.rglob("*.py")):
        name = ".".join(path.relative_to(scripts).with_suffix("").parts)
        yield name.removesuffix(".__init__")


def test_an_edit_of_any_module_changes_the_steps_that_import_it_and_no_other(copy: Path) -> None:
    before = fingerprints()
    imported = {name: code.closure(*step) for name, step in STEPS.items()}
    for module in modules(copy):
        place = copy.joinpath(*module.split("."))
        file = place.with_suffix(".py") if place.with_suffix(".py").is_file() else place / "__init__.py"
        text = file.read_bytes()
        file.write_bytes(text + b"# edited\n")
        after = fingerprints()
        file.write_bytes(text)
        changed = {name for name in STEPS if after[name] != before[name]}
        assert changed == {name for name, found in imported.items() if module in found}, module
    assert fingerprints() == before


def test_an_edited_template_is_the_page_alone(copy: Path) -> None:
    for name in ("report/page.css", "report/section_head.html.j2", "report/explorer/theory.js"):
        before = fingerprints()
        with (copy / "dmf" / name).open("a", encoding="utf-8") as file:
            file.write("\n")
        after = fingerprints()
        assert {step for step in STEPS if after[step] != before[step]} <= {"report", "verify", "paper"}
        assert after["report"] != before["report"]


def test_age_and_place_of_a_checkout_change_nothing(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprints()
    for path in copy.rglob("*.py"):
        os.utime(path, (0, 0))
    assert fingerprints() == before
    elsewhere = copy.parent / "elsewhere" / "scripts"
    shutil.copytree(copy, elsewhere)
    monkeypatch.setattr(code, "SCRIPTS", elsewhere)
    code.code_of.cache_clear()
    assert fingerprints() == before


def test_every_exemption_has_a_reason_and_is_of_a_step_and_a_module_that_exist() -> None:
    assert EXEMPT.keys() - {"*"} <= {path.stem for path in SCRIPTS.glob("[a-z]*.py")}
    known = set(modules(SCRIPTS))
    for reasons in EXEMPT.values():
        for pattern, reason in reasons.items():
            assert reason
            assert any(fnmatchcase(name, pattern) for name in known), pattern


def test_types_alone_are_no_dependency(tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import dmf.errors\n"
        "def f():\n    from dmf.grid import seeds\n    import dmf.theory.scalar\n"
    )
    assert code._imports(file) == {"dmf.grid.seeds", "dmf.theory.scalar"}


def test_lines_read_without_a_parser_import_what_the_parser_finds() -> None:
    """In every file of the package; in a text, a line that looks like an import may come on top."""
    plain = 0
    for path in SCRIPTS.rglob("*.py"):
        content = path.read_bytes()
        found = code._imported_in_plain_lines(content)
        assert not found or set(found) >= set(code._imported(content)), path
        plain += bool(found)
    assert plain > 300


@pytest.mark.parametrize(
    "line",
    [
        "x = 1; import dmf.errors",
        "import dmf.code; import dmf.errors",
        "try: import dmf.errors\nexcept OSError: pass",
        "if x: from dmf import errors",
        "from dmf import \\\n    errors",
        "from dmf import (  # why\n    errors,\n)",
        "import dmf.code, \\\n    dmf.errors",
        "from\tdmf\timport\terrors",
        "import  dmf.errors",
        "import dmf.errors  # which is an import too",
        "import dmf.errors\r",
        "def f(): import dmf.errors",
        "match x:\n    case 1: import dmf.errors",
        "if TYPE_CHECKING: import dmf.shared\nimport dmf.errors",
        "if TYPE_CHECKING:\n    import dmf.shared\nelse:\n    import dmf.errors",
        "if TYPE_CHECKING:\n    import dmf.shared\nelse:\n    x = 1; import dmf.errors",
        "if TYPE_CHECKING:\n    import dmf.shared\n\n# nothing\nimport dmf.errors",
        "from dmf import errors as other",
        "from dmf import (\n    errors as other,\n)",
        "from dmf.errors import *",
        "class A:\n    import dmf.errors",
    ],
)
def test_no_way_to_write_an_import_hides_it(line: str, tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_bytes(f"import dmf.plan\n{line}\n".encode())
    assert code._imports(file) - {"dmf.code", "dmf"} == {"dmf.plan", "dmf.errors"}
