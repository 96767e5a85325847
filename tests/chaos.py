"""make chaos: ten minutes of kills, orphans and full disks at random moments in every step, and what came of them.

    python tests/chaos.py [--minutes 10] [--seed N] [--only SCENARIO]

Each trial disturbs a run of a small grid. What must hold: an undisturbed run afterwards gives the values and verdicts
of one that nothing ever disturbed; a failure says on the screen what failed; no process is left; no half file is under
a final name; and no report of an earlier state is left where a run of a changed grid failed. The seed that is printed
repeats the choices; moments also depend on the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from dmf.dataset.store import read, values_fingerprint
from faults.processes import descendants, is_gone, jobs
from harness import ENVIRONMENT, LOCAL, TINY, Workflow

GRID: dict[str, Any] = {
    **TINY,
    "grid": "chaos",
    "targets": TINY["targets"][:1],
    "depths": [2],
    "studies": ["scalar"],
    "figures": ["collapse"],
    "refute": {"runs": 200},
    "minimum_search": {"runs": 8},
    "prove": {"runs": 8},
    "tiles": {"seconds": 0.001},
}
GROWN = {**GRID, "starts": {**GRID["starts"], "count": 6}}
OTHER = {**GRID, "seed": 8}
# Names of what a step makes, folders included.
MADE = {
    "targets": "targets.nc", "controls": "controls.nc", "study": "studies", "refute": "refute.nc", "train": "tile*",
    "assemble": "runs", "certify": "evidence*", "judge_attempts": "refute.json", "check": "verdicts", "draw": "figures",
    "prove": "proofs.nc", "join_cells": "cells", "report": "index.html", "verify": "verified.txt",
}  # fmt: skip
LAST = ("join_cells", "report", "verify")
JUDGED = tuple(MADE[step] for step in ("check", "draw", "judge_attempts"))  # what the other steps are run for
STEPS = tuple(step for step in MADE if step not in LAST)
OF_ARCHIVES = ("certify", "check", "draw")
# Some of each kind of file: a verdict on each claim would take most of the time and show nothing more.
REPORTED = [f"reports/chaos/{name}" for name in ("verdicts/collapse.json", "verdicts/scalar_formula.json")]
GOALS = [*REPORTED, "reports/chaos/figures/collapse.svg"]
IN_ARCHIVES = [name.replace("reports/chaos", "reports/chaos/incomplete") for name in GOALS]
FRESH = [*GOALS, *(f"data/chaos/{name}.nc" for name in ("targets", "proofs")), "reports/chaos/refute.json"]
KINDS = ("main", "worker", "all", "interrupt", "full disk", "small files")  # and orphans, which have a scenario
PATIENCE = 600.0  # seconds for one run
MISSED = "no job of the step ran: not tried"
DISK = "64m"  # of the file system that is filled


@dataclass
class Chaos:
    """Trials in one folder, until the time is over."""

    folder: Path
    end: float
    rng: random.Random
    kinds: list[str]
    tried: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    now: str = ""

    def over(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() > self.end

    def holds(self, fact: bool, what: str) -> None:
        """Note a promise that was broken."""
        if not fact:
            self.wrong.append(f"{self.now}: {what}")
            print(f"MISHANDLED {self.wrong[-1]}", flush=True)

    def undisturbed(self, name: str, config: dict[str, Any], *arguments: str) -> dict[str, Any]:
        """Facts of a grid that nothing disturbed."""
        workflow = self.make(name, config)
        done = call(workflow, *arguments)
        assert done.returncode == 0, done.stderr
        return facts(workflow.folder)

    def make(self, name: str, config: dict[str, Any]) -> Workflow:
        """A folder with a configuration."""
        workflow = Workflow(self.folder / name)
        workflow.folder.mkdir(exist_ok=True)
        workflow.write(config)
        return workflow

    def disturb(self, workflow: Workflow, step: str, kind: str, *arguments: str) -> int | None:
        """Start a run, disturb it when a job of the step is there; the job that is stopped, if that is the kind."""
        screen = workflow.folder / "screen.txt"
        limit = (lambda: small_files(self.rng.choice((512, 4096, 16384)))) if kind == "small files" else None
        with screen.open("wb") as output:
            process = subprocess.Popen(
                workflow.command(*LOCAL, *arguments), cwd=workflow.folder, env=ENVIRONMENT, stdout=output,
                stderr=output, start_new_session=True, preexec_fn=limit,
            )  # fmt: skip
        filler, stopped, below = workflow.folder / "data/filler", None, list[int]()
        try:
            job = None if limit else self.wait_for(process, step)
            self.tried[f"{kind} in {step}" if job or limit else MISSED] += 1
            if job is not None:
                time.sleep(self.rng.choice((0.0, self.rng.uniform(0, 2.5))))
                below = descendants(process.pid)
                stopped = strike(process, job, kind, filler)
            code = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.holds(False, "the run does not end")
            code = -1
        finally:
            with suppress(ProcessLookupError):
                if stopped is None:
                    settle(below)
                self.holds(
                    stopped is not None or not [pid for pid in below if not is_gone(pid)], "a job outlives its run"
                )
                if stopped is None:
                    os.killpg(process.pid, signal.SIGKILL)
            filler.unlink(missing_ok=True)
        self.screen(screen.read_text(errors="replace"), code, kind)
        self.whole(workflow.folder)
        return stopped

    def wait_for(self, process: subprocess.Popen[bytes], step: str) -> int | None:
        """The process of a step; None where the run ended before."""
        while process.poll() is None:
            for pid in jobs(process.pid, step):
                return pid
            time.sleep(0.01)
        return None

    def screen(self, text: str, code: int, kind: str) -> None:
        """What a person sees: never a traceback, and a reason for every failure."""
        lines = [line for line in text.splitlines() if line and not line.startswith(("Using ", "progress:", "report:"))]
        self.holds("Traceback" not in text, f"a traceback on the screen: {text[-600:]}")
        if code > 0:
            self.holds(bool(lines), "a failure without a word")
            if kind == "interrupt" and "interrupted; " in text:
                self.holds(len(lines) == 1, f"an interrupt in {len(lines)} lines: {text[-600:]}")

    def whole(self, folder: Path) -> None:
        """Every dataset under a final name is whole."""
        for path in datasets(folder):
            try:
                read(path)
            except Exception as error:
                self.holds(False, f"not whole: {error}")

    def mend(self, workflow: Workflow, expected: dict[str, Any], *arguments: str) -> None:
        """An undisturbed run must give what one gives that nothing ever disturbed, intermediate files included."""
        done = call(workflow, *arguments, "--", *sorted(expected))
        self.holds(done.returncode == 0, f"the next run fails: {done.stderr[-600:]}")
        found = facts(workflow.folder)
        missing = sorted(expected.keys() - found.keys())
        self.holds(not missing, f"not made: {', '.join(missing)}")
        wrong = sorted(name for name in expected.keys() & found.keys() if found[name] != expected[name])
        self.holds(not wrong, f"other values or verdicts: {', '.join(wrong)}")


def call(workflow: Workflow, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a workflow that nothing disturbs."""
    command = workflow.command(*LOCAL, *arguments)
    return subprocess.run(
        command, cwd=workflow.folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=PATIENCE
    )


def strike(process: subprocess.Popen[bytes], job: int, kind: str, filler: Path) -> int | None:
    """Do it; the job that was stopped, of an orphan."""
    with suppress(ProcessLookupError):
        if kind == "main":
            process.kill()
        elif kind == "worker":
            os.kill(job, signal.SIGKILL)
        elif kind == "all":
            os.killpg(process.pid, signal.SIGKILL)
        elif kind == "interrupt":
            os.killpg(process.pid, signal.SIGINT)
        elif kind == "orphan":
            os.kill(job, signal.SIGSTOP)
            process.kill()
            return job
        elif kind == "full disk":
            fill(filler)
    return None


def fill(path: Path) -> None:
    """Take all that is left of the file system of a path."""
    path.parent.mkdir(exist_ok=True)
    with suppress(OSError), path.open("wb", buffering=0) as file:
        for size in (2**20, 2**12, 1):
            with suppress(OSError):
                while file.write(b"\1" * size):
                    pass


def small_files(size: int) -> None:
    """In a process that is about to run a workflow: no file may become larger."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def settle(pids: list[int]) -> None:
    """Give processes the time that is promised them to notice that their run has ended."""
    end = time.monotonic() + 20
    while any(not is_gone(pid) for pid in pids) and time.monotonic() < end:
        time.sleep(0.05)


def datasets(folder: Path) -> list[Path]:
    """All datasets under a final name."""
    return [
        path
        for path in folder.glob("[dr]*/**/*.nc")
        if "damaged" not in path.parts and not path.name.startswith(".") and path.is_file()
    ]


def facts(folder: Path) -> dict[str, Any]:
    """Values of datasets, words and numbers of verdicts, and what was verified. Tiles may be more than a grid needs."""
    made = {
        str(path.relative_to(folder)): values_fingerprint(read(path))
        for path in datasets(folder)
        if not {"tiles", "tile_cache", "copy"} & set(path.parts)
    }
    words = {
        str(path.relative_to(folder)): json.loads(path.read_text())["finding"]
        for path in folder.glob("reports/*/**/verdicts/*.json")
    }
    checked = {str(path.relative_to(folder)): path.read_text() for path in folder.glob("reports/**/verified.txt")}
    return made | words | checked


Scenario = Callable[[Chaos], None]


def trials(chaos: Chaos, workflow: Workflow, what: str, steps: Sequence[str], *arguments: str) -> None:
    """One disturbance in each of the steps, whose files are removed before, else an earlier trial's run made them."""
    for step in steps:
        if not chaos.over():
            undo(workflow.folder, step)
            kind = chaos.rng.choice(chaos.kinds)
            chaos.now = f"{what}, {kind} in {step}"
            chaos.disturb(workflow, step, kind, *arguments)


def undo(folder: Path, step: str) -> None:
    """Remove what a step made, if it did, and reports, for which it is made again; an archive stays."""
    for root, names in {"data": (MADE[step],), "reports": (MADE[step], *JUDGED)}.items():
        for path in sorted(found for name in names for found in (folder / root).rglob(name)):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def fresh(chaos: Chaos) -> None:
    """From an empty folder through all steps."""
    workflow = chaos.make(f"fresh-{chaos.tried.total()}", GRID)
    trials(chaos, workflow, "fresh", chaos.rng.sample(STEPS, len(STEPS)), "--", *FRESH)
    chaos.mend(workflow, REFERENCE["grid"])
    shutil.rmtree(workflow.folder)


def growing(chaos: Chaos) -> None:
    """A grid grows while it is disturbed; what was verified before is not shown as verified now."""
    workflow = chaos.make(f"growing-{chaos.tried.total()}", GRID)
    shutil.copytree(chaos.folder / "grid", workflow.folder, dirs_exist_ok=True)
    workflow.write(GROWN)
    verified = workflow.folder / "reports/chaos/verified.txt"
    verified.write_text("collapse: confirmed\n")
    trials(chaos, workflow, "growing", chaos.rng.sample(("train", "assemble", "certify", "check"), 2), "--", *GOALS)
    chaos.mend(workflow, REFERENCE["grown"])
    chaos.holds(not verified.exists(), "verified.txt of the earlier grid is left")
    shutil.rmtree(workflow.folder)


def orphans(chaos: Chaos) -> None:
    """A job that outlives its run goes on after a run with another seed has ended."""
    workflow = chaos.make(f"orphans-{chaos.tried.total()}", GRID)
    step = chaos.rng.choice(STEPS)
    chaos.now = f"orphans, {step}"
    orphan = chaos.disturb(workflow, step, "orphan", "--", *FRESH)
    workflow.write(OTHER)
    chaos.mend(workflow, REFERENCE["other"])
    if orphan is not None:
        with suppress(ProcessLookupError):
            os.kill(orphan, signal.SIGCONT)
        settle([orphan])
        chaos.holds(is_gone(orphan), "the orphan goes on")
        with suppress(ProcessLookupError):
            os.kill(orphan, signal.SIGKILL)
    found = facts(workflow.folder)
    chaos.holds({name: found.get(name) for name in REFERENCE["other"]} == REFERENCE["other"], "the orphan wrote")
    shutil.rmtree(workflow.folder)


def archive(chaos: Chaos) -> None:
    """Verdicts on a copied data folder are disturbed; the copy stays as it is."""
    asked = ("--config", "archive=copy", "incomplete=true")
    arguments = (*asked, "--", *IN_ARCHIVES)
    workflow = Workflow(chaos.folder / f"archive-{chaos.tried.total()}")
    workflow.folder.mkdir()
    shutil.copytree(chaos.folder / "grid/data/chaos", workflow.folder / "copy")
    if "archive" not in REFERENCE:
        done = call(workflow, *arguments)
        assert done.returncode == 0, done.stderr
        REFERENCE["archive"] = facts(workflow.folder)
        for name in ("data", "reports"):
            shutil.rmtree(workflow.folder / name)
    before = {path: path.stat().st_mtime_ns for path in (workflow.folder / "copy").rglob("*")}
    trials(chaos, workflow, "archive", OF_ARCHIVES, *arguments)
    chaos.mend(workflow, REFERENCE["archive"], *asked)
    after = {path: path.stat().st_mtime_ns for path in (workflow.folder / "copy").rglob("*")}
    chaos.holds(after == before, "the copy was changed")
    shutil.rmtree(workflow.folder)


def last(chaos: Chaos) -> None:
    """The page and the last look at all verdicts."""
    if "whole" not in REFERENCE:
        shutil.copytree(chaos.folder / "grid", chaos.folder / "whole")
        REFERENCE["whole"] = chaos.undisturbed("whole", GRID)
    workflow = Workflow(chaos.folder / f"last-{chaos.tried.total()}")
    shutil.copytree(chaos.folder / "whole", workflow.folder)
    for name in ("index.html", "verified.txt"):
        (workflow.folder / "reports/chaos" / name).unlink()
    trials(chaos, workflow, "last", LAST)
    chaos.mend(workflow, REFERENCE["whole"])
    shutil.rmtree(workflow.folder)


SCENARIOS: dict[str, Scenario] = {
    "fresh": fresh, "orphans": orphans, "growing": growing, "archive": archive, "last": last,
}  # fmt: skip
REFERENCE: dict[str, dict[str, Any]] = {}


def main() -> int:
    """Run trials until the time is over; the exit status says whether any was mishandled."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--only", choices=SCENARIOS)
    parser.add_argument("--kind", choices=KINDS, help="disturb in this way alone")
    parser.add_argument("--mounted", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    if not options.mounted and shutil.which("unshare") and os.getuid() == 0:  # a small disk, gone with this process
        inside = f'mount -t tmpfs -o size={DISK} none "$0" && exec "$@"'
        mounted = ["unshare", "--mount", "sh", "-c", inside, str(folder), sys.executable, __file__, *sys.argv[1:]]
        tried = subprocess.run(["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True)
        if tried.returncode == 0:
            os.environ["TMPDIR"] = str(folder)
            os.execvp(mounted[0], [*mounted, "--mounted", f"--seed={options.seed}"])
    kinds = [options.kind] if options.kind else [kind for kind in KINDS if options.mounted or kind != "full disk"]
    print(f"seed {options.seed}, {options.minutes:g} minutes, kinds: {', '.join(kinds)}", flush=True)
    chaos = Chaos(folder, time.monotonic() + 60 * options.minutes, random.Random(options.seed), kinds)
    REFERENCE["grid"] = chaos.undisturbed("grid", GRID, "--", *FRESH)
    REFERENCE["other"] = chaos.undisturbed("other", OTHER, "--", *FRESH)
    shutil.copytree(folder / "grid", folder / "grown")
    REFERENCE["grown"] = chaos.undisturbed("grown", GROWN, "--", *GOALS)
    print(f"{chaos.end - time.monotonic():.0f} s left after the references", flush=True)
    while not chaos.over():
        for name in [options.only] if options.only else chaos.rng.sample(list(SCENARIOS), len(SCENARIOS)):
            if not chaos.over():
                SCENARIOS[name](chaos)
    for what, count in sorted(chaos.tried.items()):
        print(f"  {what}: {count}")
    tried = chaos.tried.total() - chaos.tried[MISSED]
    print(f"{tried} tried, {len(chaos.wrong)} mishandled; seed {options.seed}")
    shutil.rmtree(folder, ignore_errors=True)
    return bool(chaos.wrong)


if __name__ == "__main__":
    sys.exit(main())
