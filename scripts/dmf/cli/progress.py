"""Progress of a run in the terminal: share of the predicted work, counts, what runs, and time left over all jobs."""

from __future__ import annotations

import math
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from dmf.cli.output import console as console_of
from dmf.grid.tiles import Tile

POLL_SECONDS = 0.5
PLAIN_SECONDS = 10.0  # between lines where the output is a file, not a terminal
WITH_BAR = 100  # columns of a terminal that has room for a bar
MOST_STEPS = 2  # that are named at one moment
ALMOST = 0.95  # of a job that takes longer than predicted
NAMES = {  # of what a step makes; any other has its own name
    "train": "runs",
    "train_controls": "controls",
    "draw_targets": "targets",
    "assemble": "chunks",
    "assemble_what_there_is": "chunks",
    "certify": "certificates",
    "prove": "proofs",
    "refute": "refutations",
    "judge_attempts": "refutations",
    "study": "studies",
    "check": "claims",
    "thin": "thinned evidence",
    "draw": "figures",
    "join_cells": "tables",
    "write_report": "page",
    "write_paper": "paper",
}
State = Literal["waiting", "running", "done"]


@dataclass(frozen=True)
class Work:
    """A job as progress counts it: its step, its predicted seconds of one core, and the tile that it trains."""

    step: str
    seconds: float
    tile: Tile | None = None


@dataclass(frozen=True)
class Progressed:
    """How far a run is: `share` of the predicted work, `jobs` done of `of_jobs`, and what runs, in words."""

    share: float
    jobs: int
    of_jobs: int
    phases: tuple[str, ...]

    @property
    def ended(self) -> bool:
        """Whether every job is done."""
        return self.jobs >= self.of_jobs


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


class RunWatch:
    """Shows, from a thread of the main process, how far all jobs of a run are."""

    def __init__(
        self,
        works: Sequence[Work],
        states: Callable[[], Sequence[State]],
        data: str | Path,
        screen: Console | None = None,
    ) -> None:
        """`states` gives the state of each of `works`, in their order, at any moment."""
        self._works, self._states, self._data = list(works), states, data
        self._screen = screen or console_of(sys.stderr)
        self._since: dict[int, float] = {}  # when a job was first seen to run
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to watch. Does nothing where there is no job."""
        if self._works:
            self._thread = threading.Thread(target=self._watch, daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Show the last count and end the thread."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _watch(self) -> None:
        redraws = self._screen.is_terminal and not self._screen.is_dumb_terminal
        with suppress(OSError):  # nobody reads, or there is no room: the run goes on
            (self._bar if redraws else self._lines)()

    def now(self) -> Progressed:
        """How far the run is at this moment."""
        states, now = self._states(), time.monotonic()
        tiles = [work.tile for work, state in zip(self._works, states, strict=True) if work.tile and state == "running"]
        noted = finished_runs(tiles, self._data)
        done, steps, finished = 0.0, Counter[str](), Counter[str]()
        running: dict[str, None] = {}
        for number, (work, state) in enumerate(zip(self._works, states, strict=True)):
            name, runs = NAMES.get(work.step, work.step), work.tile.runs if work.tile else 1
            steps[name] += runs
            if state == "done":
                done, finished[name] = done + work.seconds, finished[name] + runs
            elif state == "running":
                running[name] = None
                if work.tile:
                    finished[name] += noted[work.tile.name]
                    part = noted[work.tile.name] / runs
                else:
                    since = self._since.setdefault(number, now)
                    part = min((now - since) / work.seconds, ALMOST) if work.seconds else 0.0
                done += part * work.seconds
        jobs = sum(state == "done" for state in states)
        whole = sum(work.seconds for work in self._works)
        share = 1.0 if jobs == len(self._works) else done / whole if whole else 0.0
        phases = tuple(f"{name} {finished[name]:,}/{steps[name]:,}" for name in [*running][:MOST_STEPS])
        return Progressed(share, jobs, len(self._works), phases)

    def _bar(self) -> None:
        bar_width = self._screen.width // 4 if self._screen.width >= WITH_BAR else 0
        columns = [BarColumn(bar_width)] if bar_width else []
        room = self._screen.width - bar_width - 2
        began = time.monotonic()
        with Progress(*columns, TextColumn("{task.fields[words]}"), console=self._screen, transient=False) as bar:
            task = bar.add_task("", total=1.0, words="")
            ended = False
            while True:
                state = self.now()
                bar.update(task, completed=state.share, words=words(state, time.monotonic() - began, room))
                if state.ended or ended:
                    return
                ended = self._stop.wait(POLL_SECONDS)  # once more then: the last count is shown too

    def _lines(self) -> None:
        began = last = time.monotonic()
        while True:
            ended = self._stop.wait(POLL_SECONDS)
            state, now = self.now(), time.monotonic()
            if state.ended or ended or now - last >= PLAIN_SECONDS:
                last = now
                self._screen.print(f"progress: {words(state, now - began)}", soft_wrap=True)
            if state.ended or ended:
                return


def words(state: Progressed, elapsed: float, room: float = math.inf) -> str:
    """Share, jobs, what runs, and times; `elapsed` in seconds. Where there is less `room`, some of it is left out."""
    left = _clock(elapsed * (1 - state.share) / state.share) if state.share else "unknown"
    first, *others = state.phases or [""]
    parts = [f"{state.share:.0%}", f"{state.jobs:,}/{state.of_jobs:,} jobs", first, *others]
    parts = [*parts, f"{_clock(elapsed)} elapsed", f"{left} left"]
    for spare in [*others, parts[-2], first, parts[1]]:
        if len(line := ", ".join(filter(None, parts))) <= room:
            break
        parts.remove(spare)
    return ", ".join(filter(None, parts)) if len(line) > room else line


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}" if minutes >= 60 else f"{minutes}:{rest:02d}"
