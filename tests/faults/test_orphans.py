"""Jobs end with the run that started them, and one that does not cannot write over what a later run made."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from faults.conftest import FEW, journal
from faults.processes import Process, Start, is_gone, jobs, until, wait
from harness import LOCAL, TINY, Workflow

SLOW: dict[str, Any] = {  # a tile of some seconds
    **TINY,
    "targets": [{"name": "a", "kind": "gaussian", "shape": [16, 16]}],
    "depths": [4],
    "starts": {"count": 400},
}


def job(process: Process, step: str) -> int:
    """The process of a step, once it is there."""
    assert wait(lambda: bool(jobs(process.pid, step)), process)
    return jobs(process.pid, step)[0]


def content(folder: Path) -> dict[Path, tuple[int, bytes]]:
    """What is in data/, temporary files included: every file's number and bytes; logs aside, which are for people."""
    return {
        path: (path.stat().st_ino, path.read_bytes())
        for path in sorted((folder / "data").rglob("*"))
        if path.is_file() and path.suffix != ".log" and path.parent.name != "progress"
    }


def test_jobs_end_with_the_run_that_started_them_while_they_compute(workflow: Workflow, start: Start) -> None:
    workflow.write(SLOW)
    process = start(workflow)
    assert wait(lambda: bool(journal(workflow, "began")), process)
    worker = job(process, "train")
    assert not is_gone(worker)
    process.kill()
    process.wait()
    until(lambda: is_gone(worker))
    assert not journal(workflow, "wrote")


@pytest.mark.parametrize("step", ["controls", "targets"])
def test_an_orphan_writes_nothing_over_what_a_later_run_made(workflow: Workflow, start: Start, step: str) -> None:
    """The orphan is stopped, so that it outlives its run, and goes on after a run with another seed has ended."""
    goal = f"data/tiny/{step}.nc"
    workflow.write(FEW)
    process = start(workflow, goal)
    orphan = job(process, step)
    os.kill(orphan, signal.SIGSTOP)
    process.kill()
    process.wait()
    workflow.write({**FEW, "seed": 8})
    later = workflow(*LOCAL, "--", goal)
    assert later.returncode == 0, later.stderr
    made = content(workflow.folder)
    assert Path(workflow.folder, goal) in made
    os.kill(orphan, signal.SIGCONT)
    until(lambda: is_gone(orphan))
    assert content(workflow.folder) == made
