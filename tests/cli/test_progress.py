"""Progress counts what is finished wherever it was trained, and the watch ends when all is."""

import io
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from dmf.cli import progress
from dmf.cli.progress import ProgressFile, TrainingWatch, finished_runs, progress_line, progress_path
from dmf.grid.tiles import Tile
from small import Trained


@pytest.fixture
def tiles(trained: Trained) -> list[Tile]:
    """Four tiles of 16 runs."""
    wanted = trained.project.plan.wanted
    assert [tile.runs for tile in wanted] == [16] * 4
    return wanted


def finish(data: Path, tile: Tile) -> None:
    path = data / "tiles" / f"{tile.name}.nc"
    path.parent.mkdir(exist_ok=True, parents=True)
    path.touch()


@pytest.mark.parametrize(
    ("seconds", "clock"),
    [
        (0, "0:00:00"),
        (59.4, "0:00:59"),
        (59.6, "0:01:00"),
        (3599.7, "1:00:00"),
        (3661, "1:01:01"),
        (360000, "100:00:00"),
    ],
)
def test_times_are_hours_minutes_seconds(seconds: float, clock: str) -> None:
    line = progress_line(1500, 6000, seconds, seconds)
    assert line == f"training: 1,500 of 6,000 runs (25%), {clock} elapsed, {clock} left"


def test_nothing_is_promised_before_anything_is_finished() -> None:
    assert progress_line(0, 10, 3, None) == "training: 0 of 10 runs (0%), 0:00:03 elapsed, unknown left"


def test_a_note_is_written_at_most_once_a_second(tmp_path: Path) -> None:
    now = 100.0
    path = tmp_path / "progress" / "tile"
    note = ProgressFile(path, clock=lambda: now)
    read: Callable[[], int] = lambda: int(path.read_text())  # noqa: E731
    note.note(1)
    assert read() == 1
    now = 100.9
    note.note(2)
    assert read() == 1
    now = 101.0
    note.note(3)
    assert read() == 3
    now = 101.5
    note.note(4)
    assert read() == 3
    note.close()
    assert not path.exists()
    note.close()


def test_the_first_note_is_written_even_right_after_boot(tmp_path: Path) -> None:
    note = ProgressFile(tmp_path / "tile", clock=lambda: 0.0)
    note.note(7)
    assert (tmp_path / "tile").read_text() == "7"


def test_runs_are_counted_from_files_and_notes(tiles: list[Tile], tmp_path: Path) -> None:
    whole, noted, empty, absent = tiles
    finish(tmp_path, whole)
    for tile, text in ((noted, "5"), (empty, "")):
        ProgressFile(progress_path(tmp_path, tile.name)).note(0)
        progress_path(tmp_path, tile.name).write_text(text)
    expected = {whole.name: 16, noted.name: 5, empty.name: 0, absent.name: 0}
    assert finished_runs(tiles, tmp_path) == expected
    progress_path(tmp_path, noted.name).write_text("half a num")
    assert finished_runs(tiles, str(tmp_path))[noted.name] == 0


def test_nothing_is_finished_in_an_empty_folder(tiles: list[Tile], tmp_path: Path) -> None:
    assert set(finished_runs(tiles, tmp_path / "none").values()) == {0}


def test_a_note_that_disappears_while_it_is_read_counts_nothing(
    tiles: list[Tile], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ProgressFile(progress_path(tmp_path, tiles[0].name)).note(3)

    def gone(path: Path) -> str:
        raise FileNotFoundError(path)

    monkeypatch.setattr(Path, "read_text", gone)
    assert finished_runs(tiles, tmp_path)[tiles[0].name] == 0


@pytest.fixture(params=["plain", "terminal"])
def console(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Console:
    """A console that writes to a string, as into a file or as on a terminal; the watch looks often."""
    monkeypatch.setattr(progress, "POLL_SECONDS", 0.01)
    terminal = request.param == "terminal"
    return Console(file=io.StringIO(), force_terminal=terminal, width=100, color_system=None)


def output(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def watch_thread(watch: TrainingWatch) -> threading.Thread:
    assert watch._thread is not None
    return watch._thread


def test_the_watch_ends_by_itself_when_every_tile_is_there(tiles: list[Tile], tmp_path: Path, console: Console) -> None:
    finish(tmp_path, tiles[0])
    watch = TrainingWatch(tiles, tmp_path, console)
    watch.start()
    thread = watch_thread(watch)
    assert thread.is_alive()
    assert thread.daemon  # it must not keep the workflow alive
    for tile in tiles[1:]:
        finish(tmp_path, tile)
    thread.join(timeout=10)
    assert not thread.is_alive()
    assert "48 of 48 runs (100%)" in output(console) or "48 / 48 runs" in output(console)
    watch.stop()


def test_stopping_ends_the_watch_with_the_last_count(tiles: list[Tile], tmp_path: Path, console: Console) -> None:
    watch = TrainingWatch(tiles, tmp_path, console)
    watch.start()
    thread = watch_thread(watch)
    progress_path(tmp_path, tiles[0].name).parent.mkdir(parents=True)
    progress_path(tmp_path, tiles[0].name).write_text("4")
    watch.stop()
    assert not thread.is_alive()
    if not console.is_terminal:
        assert "training: 4 of 64 runs (6%)" in output(console)
        assert output(console).endswith("left\n")
    else:
        assert "training" in output(console)


def test_nothing_is_shown_where_nothing_is_missing(tiles: list[Tile], tmp_path: Path, console: Console) -> None:
    for tile in tiles:
        finish(tmp_path, tile)
    watch = TrainingWatch(tiles, tmp_path, console)
    watch.start()
    watch.stop()
    assert output(console) == ""


def test_a_plain_console_gets_a_line_now_and_then_with_the_time_left(
    tiles: list[Tile], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(progress, "PLAIN_SECONDS", 0.02)
    finish(tmp_path, tiles[0])
    stream = io.StringIO()
    watch = TrainingWatch(tiles[:1] + tiles[1:], tmp_path, Console(file=stream, width=100))
    progress_path(tmp_path, tiles[1].name).parent.mkdir()
    progress_path(tmp_path, tiles[1].name).write_text("8")
    watch.start()
    waiting = threading.Event()
    for _ in range(500):
        if stream.getvalue().count("\n") >= 3:
            break
        waiting.wait(0.01)
    watch.stop()
    lines = stream.getvalue().splitlines()
    assert len(lines) >= 3
    assert all(line.startswith("training: 8 of 48 runs (17%)") and "unknown" not in line for line in lines)


def test_the_watch_writes_to_stderr_unless_told_otherwise(
    tiles: list[Tile], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    watch = TrainingWatch(tiles, tmp_path)
    watch.start()
    watch.stop()
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "0 of 64 runs" in captured.err
