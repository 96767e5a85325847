"""The limits that docs/limits.md states are those of the code, and its measurements those of the results it names."""

import re
from pathlib import Path

from dmf.grid.config import MOST_RUNS, MOST_SERIES, Grid
from dmf.grid.fields import LONGEST_LIST
from dmf.grid.limits import LARGEST_DIMENSION
from dmf.grid.readers import MAX_BYTES, _isolated, npz, table
from dmf.grid.tiles import MOST_JOBS
from dmf.grid.user_files import DEEPEST, MOST_BYTES, MOST_ENTRIES
from dmf.grid.user_files import MOST_VALUES as MOST_YAML
from dmf.report.explorer.page import MOST_VALUES
from dmf.studies.hessian import MOST_DENSE
from dmf.theory.prediction import MOST_EIGENVALUES

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "limits.md").read_text(encoding="utf-8")
RESULTS = ROOT / "benchmarks" / "results" / "2026-11-26-limits.txt"


def measured(kind: str) -> list[dict[str, str]]:
    """The rows of one part of the results."""
    _, _, rest = RESULTS.read_text(encoding="utf-8").partition(f"\n{kind}\n")
    head, *rows = [line.split("\t") for line in rest.partition("\n\n")[0].splitlines()]
    return [dict(zip(head, row, strict=True)) for row in rows]


def test_files_that_are_named_are_there() -> None:
    named = re.findall(r"`([\w/]*/[\w.]*)`", TEXT)
    assert len(named) > 10
    for name in named:
        assert any((folder / name).exists() for folder in (ROOT, ROOT / "scripts" / "dmf")), name
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", TEXT) if "://" not in link]
    assert all((ROOT / "docs" / link).exists() for link in links)


def test_sizes_are_those_of_the_code() -> None:
    (deepest,) = [item["maximum"] for item in [Grid.model_json_schema()["properties"]["depths"]["items"]]]
    for row in (
        f"| rows or columns of a target | {LARGEST_DIMENSION:,} |",
        f"| a target's file | {MAX_BYTES >> 20} MiB |",
        f"characters; {npz.MOST_MEMBERS:,} | `grid/readers/table.py`",
        f"| {table.LONGEST_ROW:,} characters;",
        f"| {_isolated.MAX_MEMORY >> 20} MiB and {_isolated.MEMORY_PER_BYTE} times the file,",
        f"| {_isolated.CPU_SECONDS} s and {_isolated.CPU_SECONDS_PER_MIB} s for each MiB of the file |",
        f"| {MOST_BYTES >> 20} MiB, {MOST_YAML:,} values with those of every alias, "
        f"{MOST_ENTRIES:,} entries of a list, {DEEPEST} levels |",
        f"| targets; lambdas or scales | {LONGEST_LIST:,} each |",
        f"| targets × depths × lambdas × schemes × scales | {MOST_SERIES:,} |",
        f"| runs of a grid | 10^{len(str(MOST_RUNS)) - 1} accepted |",
        f"| jobs that train, and that assemble | {MOST_JOBS:,} each |",
        f"| depth | {deepest} accepted |",
        f"| parameters of a spectrum in `dmf predict` | {MOST_EIGENVALUES:,} |",
        f"| parameters of a dense Hessian in the study `hessian` | {MOST_DENSE:,};",
        f"| values in the explorer | {MOST_VALUES},",
    ):
        assert row in TEXT


def test_counts_are_those_that_were_measured() -> None:
    at_minimum = {int(row["L"]): int(row["minimal"]) for row in measured("depth")}
    assert [at_minimum[depth] for depth in (2, 3, 4, 6, 10, 15)] == [24, 22, 14, 11, 3, 1]
    assert "24, 22, 14, 11, 3, 1 of 24 starts for L = 2, 3, 4, 6, 10, 15, and none for 20" in TEXT
    assert not any(count for depth, count in at_minimum.items() if depth >= 20)
    silent_from = {2: 1e-6, 3: 1e-5, 4: 1e-5, 6: 1e-4}
    whole_to = {2: 1e-4, 3: 1e-4, 4: 1e-3, 6: 1e-3}
    for row in measured("lambda"):
        depth, lam = int(row["L"]), float(row["lambda/lambda_c"])
        assert lam < whole_to[depth] or row["speak"] == row["minimal"]
        assert lam > silent_from[depth] or row["speak"] == "0"
    sizes = {row["d"]: row for row in measured("size")}
    assert all(row["certified"] == row["runs"] for row in sizes.values())
    assert [sizes[size]["minimal"] for size in ("20", "40", "80")] == ["15", "1", "10"]
