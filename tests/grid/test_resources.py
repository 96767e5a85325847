"""Predictions of memory and time hold against measured jobs: never under by more than a tenth, never over fourfold."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

from dmf.dataset.project import open_project
from dmf.grid.cells import Group, Series
from dmf.grid.resources import memory, minutes, train_memory, train_seconds
from dmf.grid.tiles import Tile
from harness import ROOT

RESULTS = ROOT / "benchmarks/results/2026-11-26-jobs.tsv"
MEASURED = [line.split("\t") for line in RESULTS.read_text(encoding="utf-8").splitlines() if line.startswith("train")]


def holds(predicted: float, measured: float) -> bool:
    return 0.9 * measured <= predicted <= 4 * measured


@pytest.mark.parametrize("row", MEASURED, ids=lambda row: f"{row[1]}, {row[2]} runs")
def test_the_shipped_measurements_are_predicted(row: list[str]) -> None:
    _, group, runs, layers, cpu, rss = row
    widths = tuple(int(d) for d in reversed(group.partition("-")[2].split("x")))
    tile = Tile(Group(widths), (("t", "f"),), ("1c",), (Series("gaussian", 1.0),), 0, int(runs), "t")
    assert holds(train_memory(tile, layers == "True", "cpu"), float(rss))
    assert holds(train_seconds(tile), float(cpu))


@pytest.fixture(scope="module")
def jobs() -> ModuleType:
    """The benchmark that made the measurements."""
    spec = importlib.util.spec_from_file_location("jobs", ROOT / "benchmarks/jobs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("rows", "columns", "depth", "count"), [(2, 3, 2, 1), (8, 8, 3, 300), (24, 24, 4, 8)])
def test_jobs_of_today_are_predicted(
    jobs: ModuleType, tmp_path: Path, rows: int, columns: int, depth: int, count: int
) -> None:
    config = jobs.tile_config(rows, columns, depth, "same", count, False)
    (tile,) = open_project(config, "jobs", tmp_path).plan.wanted
    output = {"tile": str(tmp_path / "data/tiles/x.nc")}
    given = {"input": {"code": str(jobs.CODE)}, "params": {"tile": json.dumps(tile.as_json())}}
    cpu = float("inf")
    for _ in range(3):  # beside other work a job takes more CPU time, never less
        again, rss = jobs.job("train.py", output=output, config=config, **given)
        assert holds(train_memory(tile, False, "cpu"), rss)
        cpu = min(cpu, again)
        if holds(train_seconds(tile), cpu):
            return
    assert holds(train_seconds(tile), cpu)


def test_every_attempt_asks_for_more() -> None:
    assert memory(1000, 1) >= 1000
    assert [memory(1000, n) / memory(1000, 1) for n in (2, 3)] == [2, 3]
    assert [minutes(600, n) / minutes(600, 1) for n in (2, 3)] == [2, 3]
    assert minutes(600, 1) * 60 >= 600
