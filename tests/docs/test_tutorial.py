"""The tutorial is true: its commands run as they stand, in a copy of the checkout, and print what it shows.

One thing is not run: the installation. `.venv` of the copy is this interpreter's own, with a stamp that is younger than
what it is made from, so `make setup` finds its work done.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "docs" / "tutorial.md"
LINKED = ("Snakefile", "workflow", "scripts")  # read only; all else that a command may write to is copied
COPIED = ("config", "Makefile", "pyproject.toml", "constraints.txt")
END = "=== end of a block ==="
ANYTHING = "…"


@dataclass(frozen=True)
class Step:
    """A block of commands, and what the tutorial says they print; None where it says nothing."""

    language: str
    commands: str
    shown: str | None


def steps() -> list[Step]:
    """Every block of the tutorial that is run, with the output shown after it."""
    blocks = re.findall(r"^```(\w+)\n(.*?)^```$", TUTORIAL.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    assert {language for language, _ in blocks} == {"sh", "python", "text"}
    found: list[Step] = []
    for language, text in blocks:
        if language == "text":
            found[-1] = Step(found[-1].language, found[-1].commands, text)
        else:
            found.append(Step(language, text, None))
    return found


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout in which setup is done."""
    folder = tmp_path_factory.mktemp("tutorial")
    for name in LINKED:
        (folder / name).symlink_to(ROOT / name)
    for name in COPIED:
        source = ROOT / name
        shutil.copytree(source, folder / name) if source.is_dir() else shutil.copy(source, folder / name)
    (folder / "data").mkdir()
    environment = folder / ".venv"
    environment.mkdir()
    for entry in Path(sys.prefix).iterdir():
        if entry.name != "installed":
            (environment / entry.name).symlink_to(entry)
    (environment / "installed").touch()
    return folder


@pytest.fixture(scope="module")
def outputs(checkout: Path) -> list[str]:
    """What each block printed, all run one after another in one shell, as a reader would."""
    script = "set -eu\nexec 2>&1\n"  # Snakemake tells its progress there
    for step in steps():
        commands = step.commands if step.language == "sh" else f"python - <<'PYTHON'\n{step.commands}PYTHON\n"
        script += f"{commands}echo '{END}'\n"
    # A make that runs these tests would hand its options down to theirs, and they would talk of folders entered.
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    environment = {**outside, "PYTHONPATH": str(ROOT / "scripts"), "TERM": "dumb", "COLUMNS": "140"}
    ran = subprocess.run(
        ["bash", "-c", script], cwd=checkout, env=environment, capture_output=True, text=True, timeout=300
    )
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-4000:]
    return ran.stdout.split(f"{END}\n")[:-1]


def pattern(shown: str) -> re.Pattern[str]:
    """What the output has to look like: any number of lines for a line of …, anything within a line for one inside."""
    lines = []
    for line in shown.splitlines():
        parts = (re.escape(part) for part in line.rstrip().split(ANYTHING))
        lines.append("(?:.*\n)*?" if line == ANYTHING else "[^\n]*".join(parts) + "[ ]*\n")
    return re.compile("".join(lines))


def test_every_command_runs_and_prints_what_is_shown(outputs: list[str]) -> None:
    told = steps()
    assert len(outputs) == len(told)
    for step, output in zip(told, outputs, strict=True):
        if step.shown is not None:
            assert pattern(step.shown).fullmatch(output), f"{step.commands}printed\n{output}"


def test_what_the_text_says_of_the_numbers_holds(outputs: list[str], checkout: Path) -> None:
    (verdicts,) = [
        output for step, output in zip(steps(), outputs, strict=True) if step.commands.startswith("make GRID")
    ]
    assert " 0 violated; " in verdicts
    assert "│ violated" not in verdicts
    assert "MISSED" not in verdicts
    (shares,) = [output for step, output in zip(steps(), outputs, strict=True) if step.language == "python"]
    small, _, large = (float(line.split()[1]) for line in shares.splitlines()[1:4])
    assert small < large
    assert (checkout / "reports" / "ratings" / "verified.txt").exists()
    assert (checkout / "reports" / "ratings" / "explorer.html").exists()


def test_an_output_that_is_not_true_would_be_found() -> None:
    assert pattern("a\n…\nb … c\n").fullmatch("a\nx\ny\nb and c  \n")
    assert pattern("a\n…\n").fullmatch("a\n")
    for printed in ("x\na\nb c\n", "a\nb d\n", "a\nb c\nmore\n"):
        assert not pattern("a\n…\nb … c\n").fullmatch(printed)


def test_the_tutorial_links_to_files_that_are_there() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", TUTORIAL.read_text(encoding="utf-8"))
    assert links
    assert all((TUTORIAL.parent / link).exists() for link in links if "://" not in link)
