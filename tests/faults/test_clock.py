"""A clock that went back: files from the future cause no training and change no value."""

import os
import time
from pathlib import Path

import pytest
from rich.console import Console

from dmf.cli.progress import RunWatch, State, Work
from dmf.dataset.project import open_project
from faults.conftest import MANY, Values, journal, values
from harness import LOCAL, Workflow

DAY = 86_400


def test_files_from_the_future_are_not_trained_again(copy: Workflow, undisturbed: Values) -> None:
    """What is on disk after the clock went back by a day, halfway through: the tiles are younger than now."""
    data = copy.folder / "data/tiny"
    trained = journal(copy, "began")
    for file in (data / "runs").iterdir():
        file.unlink()
    for path in data.rglob("*"):
        os.utime(path, (time.time() + DAY,) * 2)
    for _ in range(2):
        result = copy(*LOCAL, "--", "runs")
        assert result.returncode == 0, result.stderr
        assert values(copy) == undisturbed
    assert journal(copy, "began") == trained
    assert "train" not in copy.planned("runs")


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_does_not_ask_what_time_of_day_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, terminal: bool
) -> None:
    def asked() -> float:
        raise AssertionError("the time of day was asked for")

    project = open_project(MANY, "grid.yaml", tmp_path)
    monkeypatch.setattr(time, "time", asked)
    with (tmp_path / "shown").open("w") as file:
        works = [Work("train", 1.0, tile) for tile in project.plan.wanted]
        states: list[State] = ["running"] * len(works)
        watch = RunWatch(works, lambda: states, tmp_path, Console(file=file, force_terminal=terminal))
        watch.start()
        states[:] = ["done"] * len(works)
        watch.stop()
    assert f"100%, {len(works)}/{len(works)} jobs" in (tmp_path / "shown").read_text()
