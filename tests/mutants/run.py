"""Apply the mutants one at a time and say what caught each: a verdict of a small grid, or else a test of its room.

    python tests/mutants/run.py                      all of them; `make mutants`
    python tests/mutants/run.py --sample 10          ten that change with the date
    python tests/mutants/run.py --only "safety"      those with that text in their name

Works on a copy of the project. The exit status is 1 where a mutant survives.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path

from mutants import MUTANTS, Mutant

ROOT = Path(__file__).parents[2]
COPIED = ("scripts", "tests", "config", "workflow", "docs", "Snakefile", "pyproject.toml", "README.md", "CITATION.cff")
GRID = {
    "grid": "mutants",
    "seed": 1,
    "targets": [
        {"name": "scalar", "kind": "spectrum", "shape": [1, 1], "singular_values": [1.7]},
        {"name": "square", "kind": "gaussian", "shape": [3, 3]},
        {"name": "wide", "kind": "spectrum", "shape": [2, 3], "singular_values": [2, 1]},
    ],
    "depths": [2, 3, 4],
    "lambdas": {"relative": [0.3, 0.9, 1.2]},
    "starts": {"scales": [0.3, 1, 2], "count": 4},
}
JUDGE = """
import json, sys
from dmf.cli.campaign import judge_in_process

for verdict in judge_in_process(json.loads(sys.argv[1]))[2]:
    finding = verdict.finding
    if verdict.fails:
        why = f"violated, {finding.statistic:.3g}" if finding.word == "violated" else "control missed"
        print(json.dumps(f"{verdict.claim}: {why}"))
        break
else:
    print(json.dumps(""))
"""


def main() -> int:
    """Try the mutants that are asked for; 1 where one survives."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, help="try so many, chosen by --date")
    parser.add_argument("--date", type=date.fromisoformat, default=datetime.now(UTC).date(), help="default: today")
    parser.add_argument("--only", default="", help="try those with this text in their name")
    parser.add_argument("--markdown", type=Path, help="write the table to this file")
    options = parser.parse_args()
    chosen = [mutant for mutant in MUTANTS if options.only in mutant.name]
    if options.sample is not None:
        chosen = random.Random(options.date.isoformat()).sample(chosen, min(options.sample, len(chosen)))
    rows, survived, begun = [], 0, time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        copy_project(copy)
        if found := by_verdict(copy):
            print(f"without any mutant: {found}")
            return 1
        for done, mutant in enumerate(chosen, start=1):
            caught = try_mutant(mutant, copy)
            survived += caught == "SURVIVED"
            rows.append(f"| {mutant.name} | `{mutant.file.removeprefix('scripts/dmf/')}` | {caught} |")
            left = (time.monotonic() - begun) / done * (len(chosen) - done)
            print(f"{done} of {len(chosen)}: {mutant.name}: {caught}; {left:,.0f} s left", flush=True)
    if options.markdown:
        options.markdown.write_text("\n".join(["| mutant | file | caught by |", "|---|---|---|", *rows, ""]))
    print(f"{len(chosen)} mutants, {survived} survived")
    return 1 if survived else 0


def copy_project(to: Path) -> None:
    """What the grid and the tests need, without caches."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, to / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        else:
            shutil.copy(source, to / name)


def try_mutant(mutant: Mutant, copy: Path) -> str:
    """What caught a mutant, or SURVIVED; the copy is as it was afterwards."""
    file = copy / mutant.file
    text = file.read_text(encoding="utf-8")
    if text.count(mutant.old) != 1:
        raise SystemExit(f"{mutant.file}: holds {mutant.old!r} {text.count(mutant.old)} times, expected once")
    file.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")
    try:
        if found := by_verdict(copy):
            return f"verdict: {found}"
        return by_test(mutant.tests, copy) or "SURVIVED"
    finally:
        file.write_text(text, encoding="utf-8")


def by_verdict(copy: Path) -> str:
    """The first claim that fails, or the error that the grid ends with; "" for none."""
    ended = _python(copy, "-c", JUDGE, json.dumps(GRID))
    if ended.returncode:
        return f"error: {ended.stderr.strip().splitlines()[-1][:80]}"
    return str(json.loads(ended.stdout.strip().splitlines()[-1]))


def by_test(tests: str, copy: Path) -> str:
    """The first test that fails; "" for none."""
    ended = _python(copy, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:randomly", tests)
    failed = [line for line in ended.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    if ended.returncode and not failed:
        raise SystemExit(f"{tests}: {ended.stdout[-500:]} {ended.stderr[-500:]}")
    return f"test: {failed[0].split(' - ')[0].partition('::')[2]}" if failed else ""


def _python(copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(copy / "scripts"), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run([sys.executable, *arguments], cwd=copy, env=environment, capture_output=True, text=True)


if __name__ == "__main__":
    sys.exit(main())
