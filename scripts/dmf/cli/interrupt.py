"""Ctrl-C while a grid runs: one line, and the end of all jobs."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

LINE = "interrupted; run the same command again: it goes on from here"
STATUS = 130  # what shells report of a program that Ctrl-C ended


class Interrupt:
    """What Ctrl-C does in the process that runs a grid. Jobs leave it to this process, which ends their run."""

    def __init__(self) -> None:
        """Ctrl-C means what it meant until `listen`."""
        self.came = False
        self._ends: list[Callable[[], object]] = []

    def listen(self) -> None:
        """From now on Ctrl-C is one line; not where it is ignored already, as under nohup."""
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._interrupted)

    def before(self, end: Callable[[], object]) -> None:
        """Call `end` when Ctrl-C comes."""
        self._ends.append(end)

    def _interrupted(self, _signal: int, _frame: FrameType | None) -> None:
        if self.came:  # once more: wait for nothing
            os._exit(STATUS)
        self.came = True
        for end in self._ends:
            end()
        with suppress(OSError):
            print(LINE, file=sys.stderr, flush=True)
        sys.exit(STATUS)


INTERRUPT = Interrupt()
