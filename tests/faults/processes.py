"""Runs as processes that a test can kill, and what is below them."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from harness import ENVIRONMENT, LOCAL, ROOT, Workflow

PATIENCE = 240.0  # seconds until a test that waits for an event gives up

Process = subprocess.Popen[bytes]
Start = Callable[..., Process]


@contextmanager
def starting() -> Iterator[Start]:
    """Starts runs in separate process groups; what is left of the groups is killed at the end."""
    groups = []

    def started(workflow: Workflow, goal: str = "runs") -> Process:
        with (workflow.folder / "output.txt").open("ab") as output:
            process = subprocess.Popen(
                workflow.command(*LOCAL, "--", goal),
                cwd=workflow.folder, env=ENVIRONMENT, stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip
        groups.append(process.pid)
        return process

    try:
        yield started
    finally:
        for group in groups:
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)


def wait(event: Callable[[], bool], process: Process) -> bool:
    """Wait for an event; False where the process ended before."""
    until(lambda: event() or process.poll() is not None)
    return process.poll() is None


def until(event: Callable[[], bool]) -> None:
    """Wait for an event."""
    end = time.monotonic() + PATIENCE
    while not event():
        assert time.monotonic() < end, "the event did not come"
        time.sleep(0.005)


def descendants(pid: int) -> list[int]:
    """All processes below a process, the deepest first."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:  # it ended
        return []
    return [found for child in children for found in (*descendants(child), child)]


def step_of(pid: int) -> str:
    """The step that a process is a job of; other processes have other names. Empty where it ended."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().rstrip("\n")
    except OSError:
        return ""


def jobs(pid: int, *steps: str) -> list[int]:
    """The processes of some steps below a run; of any step where none is named."""
    wanted = steps or tuple(path.stem[:15] for path in (ROOT / "scripts").glob("*.py"))
    return [below for below in descendants(pid) if step_of(below) in wanted]


def is_gone(pid: int) -> bool:
    """Whether a process has ended; whoever inherits orphans may be slow to bury them."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True
