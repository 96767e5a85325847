"""Progress of training in the terminal: counts and time left over all jobs, wherever they run."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from dmf.grid.tiles import Tile

POLL_SECONDS = 0.5
PLAIN_SECONDS = 10.0  # between lines where the output is a file, not a terminal


class ProgressFile:
    """Where a job notes how many of its runs are finished; rewritten at most once a second."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        """`path` is made at the first note and removed by `close`."""
        self._path, self._clock, self._written = path, clock, -1.0

    def note(self, finished: int) -> None:
        """Record the number of finished runs."""
        now = self._clock()
        if now - self._written >= 1:
            with suppress(OSError):  # a full disk stops a job where it writes what counts
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._path.write_text(str(finished))
            self._written = now

    def close(self) -> None:
        """Remove the note: the tile's own file says that it is whole, or its job failed."""
        self._path.unlink(missing_ok=True)


def progress_path(data: str | Path, tile: str) -> Path:
    """The note of a tile's progress."""
    return Path(data) / "progress" / tile


def finished_runs(tiles: Sequence[Tile], data: str | Path) -> dict[str, int]:
    """Finished runs by tile: all of a tile whose file exists, what its job noted of any other."""
    whole = {path.stem for path in Path(data, "tiles").glob("L*.nc")}
    noted = {path.name for path in Path(data, "progress").glob("L*")}
    return {
        tile.name: tile.runs if tile.name in whole else _noted(progress_path(data, tile.name), noted) for tile in tiles
    }


def _noted(path: Path, noted: set[str]) -> int:
    if path.name not in noted:
        return 0
    try:
        return int(path.read_text() or 0)
    except (OSError, ValueError):  # gone, or being written at this moment
        return 0


class TrainingWatch:
    """Shows, from a thread of the main process, how far all training jobs are."""

    def __init__(self, tiles: Sequence[Tile], data: str | Path, console: Console | None = None) -> None:
        """`tiles` are all tiles of the grid; those whose file exists at `start` are not counted."""
        self._tiles, self._data = list(tiles), data
        self._console = console or Console(file=sys.stderr)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to watch the tiles that are not there yet. Does nothing where all are."""
        done = finished_runs(self._tiles, self._data)
        missing = [tile for tile in self._tiles if done[tile.name] < tile.runs]
        if missing:
            self._thread = threading.Thread(target=self._watch, args=(missing,), daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Show the last count and end the thread."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _watch(self, tiles: list[Tile]) -> None:
        show = self._bar if self._console.is_terminal else self._lines
        show(tiles, sum(tile.seconds for tile in tiles), sum(tile.runs for tile in tiles))

    def _state(self, tiles: list[Tile]) -> tuple[int, float]:
        """Finished runs, and the predicted seconds of work they were."""
        done = finished_runs(tiles, self._data)
        return sum(done.values()), sum(tile.seconds * done[tile.name] / tile.runs for tile in tiles)

    def _bar(self, tiles: list[Tile], work: float, runs: int) -> None:
        columns = (
            TextColumn("training"),
            BarColumn(),
            TextColumn("{task.fields[runs]} runs"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(compact=True),
        )
        with Progress(*columns, console=self._console, transient=False) as bar:
            task = bar.add_task("training", total=work, runs=f"0 / {runs:,}")
            ended = False
            while True:
                finished, done = self._state(tiles)
                bar.update(task, completed=done, runs=f"{finished:,} / {runs:,}")
                if finished >= runs or ended:
                    return
                ended = self._stop.wait(POLL_SECONDS)  # once more then: the last count is shown too

    def _lines(self, tiles: list[Tile], work: float, runs: int) -> None:
        began = last = time.monotonic()
        while True:
            ended = self._stop.wait(POLL_SECONDS)
            finished, done = self._state(tiles)
            now = time.monotonic()
            if finished >= runs or ended or now - last >= PLAIN_SECONDS:
                last = now
                left = (now - began) * (work - done) / done if done else None
                self._console.print(progress_line(finished, runs, now - began, left), highlight=False)
            if finished >= runs or ended:
                return


def progress_line(finished: int, runs: int, elapsed: float, left: float | None) -> str:
    """One line of progress; times in seconds, `left` None where nothing is known yet."""
    rest = "unknown" if left is None else _clock(left)
    return f"training: {finished:,} of {runs:,} runs ({finished / runs:.0%}), {_clock(elapsed)} elapsed, {rest} left"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"
