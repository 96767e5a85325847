"""What docs/extending.md tells people to add is added to a copy of the checkout, and the checks it names pass there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n# (\S+)\n(.*?)^```$", TEXT, flags=re.MULTILINE | re.DOTALL)
LATER = ("training/",)  # the optimizer, which is tried alone
# Compiled kernels belong to the place where they lie, so a copy would compile them again: it uses the other engine.
BY_TORCH = {
    "grid.yaml": ("grid: own\n", "grid: own\ndevice: torch\n"),
    "tests/small.py": ('"seed": 3,', '"seed": 3, "device": "torch",'),
}
Run = Callable[..., str]


def add(checkout: Path, wanted: Callable[[str], bool]) -> None:
    """Write the files and make the changes whose path is wanted."""
    for language, path, text in BLOCKS:
        file = checkout / path
        if wanted(path) and language == "diff":
            file.write_text(changed(file.read_text(encoding="utf-8"), text), encoding="utf-8")
        elif wanted(path):
            assert not file.exists(), path
            file.write_text(text, encoding="utf-8")


def changed(source: str, changes: str) -> str:
    """The source with every line of - replaced by the lines of + that follow it; … is the rest of a line, kept."""
    hunks = re.findall(r"^-(.*)\n((?:\+.*\n)+)", changes, flags=re.MULTILINE)
    assert hunks
    for old, new in hunks:
        old, new = (
            re.sub(r" ?…$", "", text) for text in (old, re.sub(r"^\+", "", new.rstrip("\n"), flags=re.MULTILINE))
        )
        assert source.count(old) == 1, f"{old!r} occurs {source.count(old)} times"
        source = source.replace(old, new)
    return source


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout with the claim, the figure and the kind of target."""
    folder = tmp_path_factory.mktemp("extended")
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("scripts", "tests", "workflow", "config", "docs"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in ("Snakefile", "pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, folder / name)
    add(folder, lambda path: not any(room in path for room in LATER))
    for path, (before, after) in BY_TORCH.items():
        text = (folder / path).read_text(encoding="utf-8")
        assert before in text
        (folder / path).write_text(text.replace(before, after), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def run(checkout: Path) -> Run:
    """Runs a command line of the text, or a part of one, in the copy."""
    environment = {**os.environ, "PYTHONPATH": str(checkout / "scripts"), "OMP_NUM_THREADS": "1", "TERM": "dumb"}

    def ran(line: str, fails: bool = False) -> str:
        assert f"    {line}\n" in TEXT or f"`{line}`" in TEXT
        words = re.findall(r'"[^"]*"|\S+', line)
        words = [sys.executable, *words[1:]] if words[0] == "python" else [sys.executable, "-m", *words]
        command = [word.strip('"') for word in words]
        done = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, timeout=300)
        assert (done.returncode != 0) == fails, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout

    return ran


def test_the_claim_is_confirmed_its_control_detected_and_a_false_run_found(run: Run) -> None:
    out = run('python -m pytest tests/claims/test_claims.py tests/report/test_statements.py -k "energy or statement"')
    assert int(re.findall(r"(\d+) passed", out)[0]) >= 5


def test_the_extended_package_keeps_the_floors_and_its_table_of_claims(run: Run, checkout: Path) -> None:
    run("python -m pytest tests/test_floors.py")
    table = checkout / "docs" / "claims.md"
    assert "energy" not in table.read_text(encoding="utf-8")
    run("python -m dmf.cli.claims")
    assert "energy" in table.read_text(encoding="utf-8")


def test_the_figure_draws(run: Run) -> None:
    assert "passed" in run("python -m pytest tests/figures/test_figures.py -k energy")


def test_the_kind_of_target_is_known_to_grids_and_to_the_schema(run: Run, checkout: Path) -> None:
    schema = checkout / "workflow" / "schemas" / "config.schema.json"
    before = schema.read_text()
    run("python -m dmf.grid.config")
    assert "ar1" in set(re.findall(r"\w+", schema.read_text())) - set(re.findall(r"\w+", before))
    assert "2 passed" in run("python -m pytest tests/grid/test_ar1.py")


def test_the_workflow_finds_all_three(run: Run, checkout: Path) -> None:
    goals = "reports/own/verdicts/energy.json reports/own/figures/energy.svg"
    run(f"snakemake --cores all --configfile grid.yaml -- {goals}")
    verdict = json.loads((checkout / "reports/own/verdicts/energy.json").read_text())
    assert verdict["finding"]["word"] == "confirmed"
    assert verdict["finding"]["cells_counted"] == 6
    assert verdict["control_detected"]
    assert "<svg" in (checkout / "reports/own/figures/energy.svg").read_text()


def test_the_optimizer_trains(run: Run, checkout: Path) -> None:
    add(checkout, lambda path: any(room in path for room in LATER))
    assert "1 passed" in run("python -m pytest tests/training/test_polished.py")


def test_a_change_that_no_longer_fits_is_noticed() -> None:
    assert changed("a = 1\nb = 2\n", "-a = …\n+c = 3\n+a = …\n") == "c = 3\na = 1\nb = 2\n"
    with pytest.raises(AssertionError, match="occurs 0 times"):
        changed("b = 2\n", "-a = …\n+c = …\n")
