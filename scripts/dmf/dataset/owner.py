"""Whose a grid's folder is: the run that began last. A job of an earlier run ends, and cannot put a file in place.

A run that is killed leaves jobs behind, which would write what it wanted over what a later run made. So a run marks the
folder with a token when it begins and gives the token to its jobs. A job compares the two before it renames a file, and
holds the folder's lock meanwhile, which a run needs to change the token: no job of an earlier run can come in between.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from multiprocessing import parent_process
from pathlib import Path
from typing import IO

from dmf.errors import UserError
from dmf.shared import PACKAGE, package_digest

VARIABLE = "DMF_RUN"  # of the environment: the runs that a process works for; one a grid of the Snakefile
MARK = ".run"  # file of the folder: the token of the run that began last, "" once it has ended; and the lock
LOOK_SECONDS = 0.5  # between two looks of a job at its run
PATIENCE = 60.0  # seconds that a run waits for a job of another one to finish a rename


class RunEnded(UserError):
    """The run that a job works for has ended, or another run of the same grid has begun."""


@dataclass(frozen=True)
class Run:
    """A run of the workflow: the grid's folder, its token, its process, 0 where jobs run on other machines, and the
    package that planned it, by place and by content."""

    folder: str
    token: str
    process: int
    package: str
    code: str

    def goes_on(self) -> bool:
        """Whether no other run has begun, nor this one ended."""
        return last_token(Path(self.folder)) == self.token


def environment(runs: Iterable[Run]) -> dict[str, str]:
    """What the environment of the jobs of these runs has to say; one process began all of them."""
    return {VARIABLE: json.dumps([asdict(run) for run in runs])}


def last_token(folder: Path) -> str:
    """The token of the run of this grid that began last, "" where it has ended or there was none."""
    try:
        return (folder / MARK).read_text(encoding="utf-8")
    except OSError:
        return ""


def begin_run(folder: Path) -> None:
    """Begin a run: from now on no job of an earlier one puts a file in place. To be called while holding the grid.

    Raises UserError where a job of an earlier run does not finish, and OSError.
    """
    _mark(folder, secrets.token_hex(8))


def run_of(folder: Path, here: bool) -> Run:
    """The run that this process has begun, for its jobs; `here` says that they run on this machine."""
    return Run(str(folder), last_token(folder), os.getpid() if here else 0, str(PACKAGE), package_digest())


def end_run(run: Run) -> None:
    """End a run: jobs of it that still run end, and none of them puts a file in place any more."""
    if run.goes_on():
        with suppress(OSError, UserError):  # a later run marks the folder all the same
            _mark(Path(run.folder), "")


@contextmanager
def owned() -> Iterator[None]:
    """While inside, no run of this grid can begin. Raises RunEnded where one has begun since that of this process, or
    this one has ended. A process that works for no run may enter at any time.
    """
    with ExitStack() as held:
        for run in _runs_of_this_process():
            mark = Path(run.folder, MARK)
            if not mark.exists():
                raise _ended(run)
            file = held.enter_context(mark.open(encoding="utf-8"))
            _lock(file, fcntl.LOCK_SH)
            if file.read() != run.token:
                raise _ended(run)
        yield


def check_run() -> None:
    """Raise RunEnded where the run that this process works for has ended."""
    for run in _runs_of_this_process():
        if not run.goes_on():
            raise _ended(run)


def check_package() -> None:
    """Raise UserError where this process has other code than the one that planned its run, and says what it made with.

    A Python that has one checkout installed takes its package in the jobs of another.
    """
    for run in _runs_of_this_process():
        if run.package != str(PACKAGE) and run.code != package_digest():
            raise UserError(
                f"{PACKAGE}: this job would run the code here, but its run was planned by {run.package}, which "
                "differs; install that one where jobs run (pip install --editable), or use its environment"
            )


def end_with_run() -> None:
    """End this process as soon as its run has ended, be it by SIGKILL. To be called first thing in a job."""
    runs = _runs_of_this_process()
    if not runs or not runs[0].process:
        return
    process = runs[0].process
    main = parent_process()  # of a fork (see `dmf.cli.forks`)
    parent = os.getppid()
    child = main is not None or parent == process  # else a container or another shell is in between

    def ended() -> bool:
        gone = os.getppid() != parent if child else not _exists(process)
        return gone or (main is not None and not main.is_alive()) or not all(run.goes_on() for run in runs)

    def watch() -> None:
        while not ended():
            time.sleep(LOOK_SECONDS)
        os._exit(1)  # from a thread nothing else ends a process that computes

    if ended():
        os._exit(1)
    threading.Thread(target=watch, name="end_with_run", daemon=True).start()


def _runs_of_this_process() -> list[Run]:
    return [Run(**run) for run in json.loads(os.environ.get(VARIABLE) or "[]")]


def _ended(run: Run) -> RunEnded:
    return RunEnded(
        f"{run.folder}: the run that started this job has ended, or another one of this grid has begun; nothing was "
        "written; run the workflow again where anything is missing"
    )


def _mark(folder: Path, token: str) -> None:
    with (folder / MARK).open("a+", encoding="utf-8") as file:
        _lock(file, fcntl.LOCK_EX)
        file.truncate(0)  # it appends, so this is also where it writes
        file.write(token)


def _lock(file: IO[str], kind: int) -> None:
    """Lock an open file until it is closed. On a file system without locks the token alone protects."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                raise UserError(
                    f"{file.name}: held for {PATIENCE:.0f} s by a process that renames a file; expected an instant; "
                    "find out what hangs there (fuser names it), stop it and run again"
                ) from None
            time.sleep(0.01)
        except OSError:
            return
        else:
            return


def _exists(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
