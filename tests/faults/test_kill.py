"""SIGKILL at 30 random moments, of everything, of Snakemake alone and of workers: nothing changes, nothing is lost."""

import os
import signal
import time
from collections import Counter
from pathlib import Path

import numpy as np

from faults.conftest import MANY, Values, journal, values
from faults.processes import PATIENCE, Process, Start, jobs, wait
from harness import Workflow

MOMENTS = 30
KINDS = ("all", "worker", "main")


def test_thirty_kills_change_no_value_and_train_nothing_twice(
    tmp_path: Path, undisturbed: Values, start: Start
) -> None:
    rng = np.random.default_rng(20260324)
    kills: Counter[str] = Counter()
    rounds = 0
    while kills.total() < MOMENTS:
        rounds += 1
        workflow = Workflow(tmp_path / str(rounds))
        workflow.folder.mkdir()
        workflow.write(MANY)
        whole = Whole(workflow)
        code = -1
        while code != 0:
            process = start(workflow)
            while kills.total() < MOMENTS and moment(workflow, process, rng):
                kind = KINDS[kills.total() % 3]
                if kill(process, kind):
                    kills[kind] += 1
                whole.look()
                if kind != "worker":
                    break
            code = process.wait(PATIENCE)
            assert code in (0, 1, -signal.SIGKILL), (workflow.folder / "output.txt").read_text()
        whole.check()
        assert values(workflow) == undisturbed
        assert set(journal(workflow, "wrote")) <= {path.stem for path in whole.kept.glob("L*.nc")}
    assert kills == {"all": 10, "worker": 10, "main": 10}


class Whole:
    """The tiles seen whole on disk: each must stay the same file, and never be begun again."""

    def __init__(self, workflow: Workflow) -> None:
        self._workflow, self._seen = workflow, dict[str, tuple[int, int]]()
        self.kept = workflow.folder / "data/tiny/tile_cache"

    def look(self) -> None:
        """Note the whole tiles."""
        for name, fact in self._facts().items():
            self._seen.setdefault(name, fact)

    def check(self) -> None:
        """Hold every tile seen whole against what it is now."""
        facts = self._facts()
        assert {name: facts.get(name) for name in self._seen} == self._seen

    def _facts(self) -> dict[str, tuple[int, int]]:
        """By tile: which file it is, and how often it was begun. The files are listed before the beginnings."""
        files = {path.stem: path.stat().st_ino for path in self.kept.glob("L*.nc")}
        begun = Counter(journal(self._workflow, "began"))
        return {name: (file, begun[name]) for name, file in files.items()}


def moment(workflow: Workflow, process: Process, rng: np.random.Generator) -> bool:
    """Wait for a random moment while tiles are trained; False where the run ended before."""
    events = int(rng.integers(1, 4))
    delay = float(rng.choice([0.0, rng.uniform(0, 0.3)]))
    lines = len(journal(workflow, r"\w+"))
    if not wait(lambda: len(journal(workflow, r"\w+")) >= lines + events, process):
        return False
    time.sleep(delay)  # the moment is random between events, too; the promises hold at any
    return process.poll() is None


def kill(process: Process, kind: str) -> bool:
    """SIGKILL; False where there was no such process."""
    if kind == "all":
        os.killpg(process.pid, signal.SIGKILL)
    elif kind == "main":
        process.kill()
    else:
        workers = jobs(process.pid)
        for pid in workers[:1]:
            os.kill(pid, signal.SIGKILL)
        return bool(workers)
    return True
