"""What Snakemake says on the screen, for the profile `local`: nothing while all goes well, one line for each failure.

Snakemake finds this package by its name. `quiet: all` would hide failures too, of Snakemake and of jobs that were
killed; anything less quiet prints some lines a job. A failed job that said why, in its log and on the screen, gets no
second line. It imports nothing of dmf: Snakemake loads plug-ins first, and the checkout that it runs must win.
"""

from __future__ import annotations

import logging
import re
import sys
import time
from collections import deque
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from types import TracebackType
from typing import Any

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

AGAIN = "run the same command again: it goes on from here"
LONGEST = 500  # characters of a line
TAIL = 2**16  # bytes at the end of a log in which a job says why it failed
SAID_ANYWAY = ("Exiting because a job execution failed", "WorkflowError: At least one job did not complete")
CALL = "CalledProcessError"
DIED = re.compile(r"died with <Signals\.(\w+)")
RAISED = re.compile(r"^[\w.]*(Error|Exception|Interrupt|Warning)\b.*", re.MULTILINE)
GOALS = ("all", "targets", "runs", "verdicts", "figures", "report", "paper", "verify", "preflight", "clean")
NO_RULE = re.compile(r"No rule to produce (\S+)")
HINTS = {  # by what is in the message, traceback included
    "MissingRuleException": "snakemake --list-target-rules lists the goals",
    "sourcecache.py": "Snakemake keeps a cache in your home folder: make it writable, or set XDG_CACHE_HOME to a "
    "folder that is",
    "persistence": "Snakemake keeps its books in .snakemake: make the working directory writable",
    "load_configfile": "give --configfile a grid's YAML file",
    "Config file": "dmf check-grid FILE says what is wrong with a grid's file",
}
HINT = "--verbose shows all that Snakemake says"


class LogHandler(LogHandlerBase):
    """Prints failures, a line each. Options that ask for details (--dry-run, --verbose, -p) get Snakemake's output."""

    def __post_init__(self) -> None:
        """Start the clock: logs of earlier runs say nothing about this one."""
        self._began = time.time()
        logging.raiseExceptions = False  # else a log that cannot be written is a traceback on the screen
        self._reasons: deque[str] = deque()
        self._details = self._of_snakemake() if self._wants_details() else None
        sys.excepthook = _interrupted  # until the workflow itself listens

    def _wants_details(self) -> bool:
        settings = self.common_settings
        return bool(settings.dryrun or settings.verbose or settings.printshellcmds or settings.debug_dag)

    def _of_snakemake(self) -> logging.Handler:
        from snakemake.logging import ColorizingTextHandler, DefaultFilter, DefaultFormatter

        settings = self.common_settings
        flags = (settings.debug_dag, settings.verbose, settings.dryrun, settings.printshellcmds)
        handler: logging.Handler = ColorizingTextHandler(
            nocolor=settings.nocolor,
            stream=sys.stdout if settings.stdout else sys.stderr,
            formatter=DefaultFormatter(settings.quiet, settings.show_failed_logs),
            filter=DefaultFilter(settings.quiet, *flags),
        )
        return handler

    def emit(self, record: logging.LogRecord) -> None:
        """Print a record if a person should know it."""
        if self._details is not None:
            self._details.handle(record)
            return
        interrupt = sys.modules.get("dmf.cli.interrupt")  # that line is printed already, and all else follows from it
        if interrupt is not None and interrupt.INTERRUPT.came:
            return
        line = self._line(record)
        if line:
            with suppress(OSError):  # nobody reads
                print(line, file=sys.stderr, flush=True)

    def _line(self, record: logging.LogRecord) -> str | None:
        event = getattr(record, "event", None)
        if event == LogEvent.JOB_ERROR:
            return self._of_job(record.__dict__)
        text = str(record.msg or "")
        if record.levelno < logging.WARNING or event == LogEvent.GROUP_ERROR or one_line(text).startswith(SAID_ANYWAY):
            return None
        if event == LogEvent.ERROR and record.threadName != "MainThread":  # of a job, whose name follows
            self._reasons.append(text)
            return None
        return complaint(text) if record.levelno >= logging.ERROR else f"snakemake: {one_line(text)}"

    def _of_job(self, job: dict[str, Any]) -> str | None:
        told = any(self._told(Path(log)) for log in job["log"])
        plain = [reason for reason in self._reasons if CALL in reason and not DIED.search(reason)]
        if told:  # its own reason is an exit status
            if plain:
                self._reasons.remove(plain[0])
            return None
        striking = [reason for reason in self._reasons if reason not in plain]
        reason = (striking or plain or [""])[0]
        if reason:
            self._reasons.remove(reason)
        what = f"{job['rule_name']} ({', '.join(job['output'][:1]) or 'no output'})"
        return f"{what}: {cause(reason)}; log: {', '.join(job['log']) or 'none'}; {AGAIN}"

    def _told(self, log: Path) -> bool:
        """Whether a job of this run said in its log why it failed."""
        try:
            with log.open("rb") as file:
                file.seek(max(log.stat().st_size - TAIL, 0))
                return log.stat().st_mtime >= self._began - 1 and b" ERROR " in file.read()
        except OSError:
            return False

    @property
    def writes_to_stream(self) -> bool:
        """It takes the place of Snakemake's output."""
        return True

    @property
    def writes_to_file(self) -> bool:
        """The log in .snakemake/log is Snakemake's own and has everything."""
        return False

    @property
    def has_filter(self) -> bool:
        """It decides itself what to print."""
        return True

    @property
    def has_formatter(self) -> bool:
        """It writes its own lines."""
        return True

    @property
    def needs_rulegraph(self) -> bool:
        """It draws nothing."""
        return False


def _interrupted(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """One line for Ctrl-C, in place of Python's many."""
    if issubclass(kind, KeyboardInterrupt):
        print(f"interrupted; {AGAIN}", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)


def one_line(text: str) -> str:
    """A text on one line, of bounded length, with what steers a terminal escaped."""
    words = " ".join(text.split())
    words = "".join(character if character.isprintable() else repr(character)[1:-1] for character in words)
    return words if len(words) <= LONGEST else f"{words[: LONGEST - 3]}..."


def complaint(text: str) -> str:
    """One line for an error that ends Snakemake: of a traceback the error alone, and what to do."""
    raised = list(RAISED.finditer(text)) if "Traceback (most recent call last)" in text else []
    error = one_line(text[raised[-1].start() :] if raised else text)
    goal = NO_RULE.search(text)
    near = get_close_matches(goal[1], GOALS, n=1) if goal else []
    hint = f"did you mean {near[0]}?" if near else next((HINTS[word] for word in HINTS if word in text), HINT)
    return f"snakemake: {error.rstrip('.')}; {hint}"


def cause(reason: str) -> str:
    """Why a job ended without a word in its log; `reason` is what Snakemake says of it, "" for nothing."""
    died = DIED.search(reason)
    if died:
        memory = ", as systems do where memory runs out" if died[1] == "SIGKILL" else ""
        return f"ended by {died[1]}{memory}"
    if not reason or CALL in reason:
        return "failed before its log began; what it printed is above"
    return one_line(reason)
