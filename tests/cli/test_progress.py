"""Progress is the share of all predicted work, over all steps; the watch ends when every job is done."""

import io
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from rich.console import Console

from dmf.cli import progress
from dmf.cli.progress import Progressed, ProgressFile, RunWatch, State, Work, finished_runs, progress_path, words
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


def note(data: Path, tile: Tile, text: str) -> None:
    path = progress_path(data, tile.name)
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(text)


@pytest.mark.parametrize(
    ("seconds", "clock"),
    [(0, "0:00"), (59.4, "0:59"), (59.6, "1:00"), (3599.7, "1:00:00"), (3661, "1:01:01"), (360000, "100:00:00")],
)
def test_times_are_hours_minutes_seconds(seconds: float, clock: str) -> None:
    line = words(Progressed(0.5, 3, 12, ("studies 1/4",)), seconds)
    assert line == f"50%, 3/12 jobs, studies 1/4, {clock} elapsed, {clock} left"


def test_nothing_is_promised_before_anything_is_done() -> None:
    assert words(Progressed(0.0, 0, 10, ()), 3) == "0%, 0/10 jobs, 0:03 elapsed, unknown left"


def test_a_narrow_terminal_gets_fewer_words_and_not_cut_ones() -> None:
    state = Progressed(0.25, 30, 120, ("runs 12,000/32,256", "chunks 3/16"))
    whole = "25%, 30/120 jobs, runs 12,000/32,256, chunks 3/16, 1:00 elapsed, 3:00 left"
    assert words(state, 60, len(whole)) == whole
    assert words(state, 60, 70) == "25%, 30/120 jobs, runs 12,000/32,256, 1:00 elapsed, 3:00 left"
    assert words(state, 60, 50) == "25%, 30/120 jobs, runs 12,000/32,256, 3:00 left"
    assert words(state, 60, 40) == "25%, 30/120 jobs, 3:00 left"
    assert words(state, 60, 20) == "25%, 3:00 left"


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


def watch_thread(watch: RunWatch) -> threading.Thread:
    assert watch._thread is not None
    return watch._thread


@dataclass
class Run:
    """A run of two tiles, a study and a figure; states are set by hand."""

    tiles: list[Tile]
    states: list[State] = field(default_factory=lambda: ["waiting"] * 4)

    @property
    def works(self) -> list[Work]:
        training = [Work("train", 10.0, tile) for tile in self.tiles[:2]]
        return [*training, Work("study", 70.0), Work("draw", 10.0)]

    def watch(self, data: Path, console: Console | None = None) -> RunWatch:
        return RunWatch(self.works, lambda: self.states, data, console)


@pytest.fixture
def run(tiles: list[Tile]) -> Run:
    return Run(tiles)


def test_the_share_is_that_of_all_work_and_not_of_training(run: Run, tmp_path: Path) -> None:
    watch = run.watch(tmp_path)
    assert watch.now() == Progressed(0.0, 0, 4, ())
    run.states[:] = ["done", "running", "waiting", "waiting"]
    note(tmp_path, run.tiles[1], "8")
    assert watch.now() == Progressed(pytest.approx(0.15), 1, 4, ("runs 24/32",))
    run.states[:] = ["done", "done", "waiting", "waiting"]
    assert watch.now() == Progressed(pytest.approx(0.2), 2, 4, ())
    run.states[:] = ["done", "done", "done", "running"]
    assert watch.now().phases == ("figures 0/1",)
    run.states[:] = ["done"] * 4
    assert watch.now() == Progressed(1.0, 4, 4, ())


def test_a_running_job_counts_by_its_time_and_never_whole(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    watch = run.watch(tmp_path)
    run.states[2] = "running"
    assert watch.now().share == 0
    now = 135.0
    assert watch.now().share == pytest.approx(0.35)
    now = 10_000.0
    assert 0.6 < watch.now().share < 0.7


def test_the_watch_ends_by_itself_when_every_job_is_done(run: Run, tmp_path: Path, console: Console) -> None:
    watch = run.watch(tmp_path, console)
    watch.start()
    thread = watch_thread(watch)
    assert thread.is_alive()
    assert thread.daemon  # it must not keep the workflow alive
    run.states[:] = ["done"] * 4
    thread.join(timeout=10)
    assert not thread.is_alive()
    assert "100%, 4/4 jobs" in output(console)
    watch.stop()


def test_stopping_ends_the_watch_with_the_last_count(run: Run, tmp_path: Path, console: Console) -> None:
    watch = run.watch(tmp_path, console)
    watch.start()
    thread = watch_thread(watch)
    run.states[0] = "done"
    watch.stop()
    assert not thread.is_alive()
    assert "10%, 1/4 jobs" in output(console)


def test_nothing_is_shown_where_there_is_no_job(tmp_path: Path, console: Console) -> None:
    watch = RunWatch([], list, tmp_path, console)
    watch.start()
    watch.stop()
    assert output(console) == ""


def test_a_plain_console_gets_a_line_now_and_then_with_the_time_left(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(progress, "PLAIN_SECONDS", 0.02)
    stream = io.StringIO()
    run.states[0] = "done"
    watch = run.watch(tmp_path, Console(file=stream, width=40))
    watch.start()
    waiting = threading.Event()
    for _ in range(500):
        if stream.getvalue().count("\n") >= 3:
            break
        waiting.wait(0.01)
    watch.stop()
    lines = stream.getvalue().splitlines()
    assert len(lines) >= 3
    assert all(line.startswith("progress: 10%, 1/4 jobs, 0:00 elapsed, 0:0") for line in lines)


class Full(io.StringIO):
    """A stream to a full disk, or to a reader that is gone."""

    def write(self, _: str) -> int:
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("terminal", [True, False])
def test_a_screen_that_takes_nothing_ends_the_watch_and_not_the_run(
    run: Run, tmp_path: Path, terminal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = []
    monkeypatch.setattr(threading, "excepthook", failed.append)
    watch = run.watch(tmp_path, Console(file=Full(), force_terminal=terminal, width=80))
    watch.start()
    watch.stop()
    assert not watch_thread(watch).is_alive()
    assert failed == []


def test_the_watch_writes_to_stderr_if_nothing_else_is_given(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    watch = run.watch(tmp_path)
    watch.start()
    watch.stop()
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "0/4 jobs" in captured.err


def test_a_closed_stream_takes_nothing_and_nothing_goes_elsewhere(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr", None)  # what Python has where it is closed
    watch = run.watch(tmp_path)
    watch.start()
    watch.stop()
    assert not watch_thread(watch).is_alive()
    assert capsys.readouterr().out == ""


def test_a_terminal_that_cannot_redraw_gets_lines(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    stream = io.StringIO()
    watch = run.watch(tmp_path, Console(file=stream, force_terminal=True, width=80, color_system=None))
    watch.start()
    watch.stop()
    assert stream.getvalue().startswith("progress: 0%, 0/4 jobs, ")
