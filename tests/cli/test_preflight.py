"""The preflight counts what is missing, bounds what is written, and refuses what cannot fit."""

import math
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from dmf.cli.main import main
from dmf.cli.preflight import ROOM, estimate, preflight_rows, refuse
from dmf.dataset.project import open_project
from dmf.errors import UserError
from dmf.grid.cost import seconds_per_run
from small import SMALL, Trained


def test_a_new_grid_is_all_to_be_made_and_a_finished_one_not(small: dict[str, Any], tmp_path: Path) -> None:
    project = open_project(small, "x", tmp_path)
    new = estimate(project, [], [])
    runs = 2 * 2 * 2 * 2 * 4  # targets, depths, lambdas, scales, draws
    assert (new.runs, new.new_runs) == (runs, runs)
    assert (new.tiles, new.new_tiles, new.new_chunks, new.new_evidence_chunks, new.jobs) == (4, 4, 4, 1, 9)
    trained = sum(tile.runs * seconds_per_run(tile.group) for tile in project.plan.wanted)
    assert new.core_hours * 3600 > trained
    chunks = [chunk.name for group in project.chunks() for chunk in group]
    done = estimate(project, [tile.name for tile in project.plan.wanted], chunks)
    assert (done.runs, done.new_runs, done.jobs, done.core_hours) == (runs, 0, 0, 0)
    assert done.data_bytes == ROOM


def test_the_bytes_are_a_bound_on_the_values_stored(trained: Trained) -> None:
    found = estimate(trained.project, [], [])
    stored = [*trained.tiles.values(), *trained.groups.values(), trained.evidence]
    runs = [v.nbytes for one in stored for v in one.data_vars.values() if "start" in v.dims and v.ndim > 1]
    assert 0.8 * (found.data_bytes - ROOM) < sum(runs) <= found.data_bytes - ROOM
    assert sum(one.nbytes for one in stored) <= found.data_bytes


def test_what_cannot_fit_is_refused_in_one_line(tmp_path: Path) -> None:
    project = open_project(deepcopy(SMALL), "x", tmp_path)
    found = estimate(project, [], [])
    refuse(found, found.data_bytes, found.largest_mib, "data/small")
    with pytest.raises(UserError, match=r"^data/small: the grid writes up to .* GiB, but .* GiB are free; make room"):
        refuse(found, found.data_bytes - 1, None, "data/small")
    with pytest.raises(UserError, match=r"^.*takes about .* MiB of memory, but this machine has .* MiB; lower tiles"):
        refuse(found, found.data_bytes, math.nextafter(found.largest_mib, 0), "data/small")


def test_the_table_has_what_a_user_must_know_before(tmp_path: Path) -> None:
    found = estimate(open_project(deepcopy(SMALL), "x", tmp_path), [], [])
    text = " ".join(preflight_rows(found, 2**40, 1024.0, {"HDF5_USE_FILE_LOCKING": "FALSE"}).values())
    for words in (
        "64, 64 of them",
        "core-hours",
        "1,024.0 GiB free",
        "this machine has 1,024 MiB",
        "FALSE",
        "none is set",
    ):
        assert words in text, words


def test_the_command_prints_the_table_alone_and_writes_nothing(
    in_tmp: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("grid.yaml").write_text(yaml.safe_dump(SMALL))
    monkeypatch.setenv("COLUMNS", "60")
    assert main(["preflight", "grid.yaml"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    title, *lines = captured.out.splitlines()
    assert title.strip() == "Preflight of grid small"
    assert all(len(line) <= 60 and line[0] in "┌│└" for line in lines)
    assert any("64, 64 of them to be trained" in line for line in lines)
    assert [path.name for path in in_tmp.iterdir()] == ["grid.yaml"]
    monkeypatch.setattr("dmf.cli.preflight.machine_memory", lambda: 2.0**20)
    assert main(["preflight", "grid.yaml"]) == 1
    assert "but this machine has 1 MiB" in capsys.readouterr().err
