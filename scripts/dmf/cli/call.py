"""What surrounds the jobs of one call of the workflow: files compared before, the run marked, a last line after.

All that jobs need happens when they are chosen, in a module and with --no-hooks too: Snakemake runs the hooks of the
main Snakefile alone, so these only print.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from dmf.cli.forks import fork_jobs
from dmf.cli.interrupt import INTERRUPT
from dmf.cli.main import main
from dmf.cli.place import Place
from dmf.cli.progress import RunWatch, State
from dmf.dataset.owner import Run, end_run, environment, run_of
from dmf.errors import or_exit
from dmf.plan import WorkflowPlan

SELDOM = {"preflight", "clean"}  # goals that make no file, and need none compared
UNASKED_RATE = (100, 1)  # jobs, seconds: Snakemake's --max-jobs-per-timespan where nobody gives one
RUNS: list[Run] = []  # that this process has begun: one a grid of the Snakefile


class Call:
    """One call, from the choice of its jobs to its end. `workflow` is Snakemake's object of that name."""

    def __init__(self, workflow: Any, plan: WorkflowPlan, place: Place) -> None:
        """Take the place of what chooses jobs, once Snakemake has read all rules.

        Snakemake has no hook there: while it reads rules it does not know yet whether it will run, look or touch.
        """
        self._workflow, self._plan, self._place = workflow, plan, place
        self._watch = RunWatch([], list, plan.folders.data)  # of no jobs, until they are chosen
        self._build = workflow._build_dag
        self._held: object = None  # the folders of this grid, until the process ends
        workflow._build_dag = self._choose_jobs
        atexit.register(gc.freeze)  # an end of Python looks for garbage among all there is, which takes a second

    def _choose_jobs(self) -> None:
        """Before jobs are chosen, and after: files are compared with what they must be, and what is outdated goes.

        Rules turned off the search for garbage: to look at ten thousand jobs, which stay, took a quarter of a plan.
        """
        try:
            self._choose()
        finally:
            gc.freeze()
            gc.enable()

    def _choose(self) -> None:
        workflow = self._workflow
        runs = workflow.executor_plugin is not None and workflow.is_main_process
        if not runs or workflow.dryrun or workflow.touch:
            self._build_dag()
            return
        self._held = or_exit(self._plan.hold)
        if not self._asked(SELDOM):
            or_exit(self._plan.sweep, say)
        self._build_dag()
        or_exit(self._plan.outdate, [str(file) for job in workflow.dag.needrun_jobs() for file in job.output])
        workflow.iocache.clear()  # it remembers files that are gone now, which Snakemake would take for write-protected
        self._begin()

    def _build_dag(self) -> None:
        """Let Snakemake choose jobs, without a look at measurements.

        It would run a job again for a measurement that is missing, or older than an input of that job.
        """
        measured = {rule: rule.benchmark for rule in self._workflow.rules if self._place.owns(rule)}
        try:
            for rule in measured:
                rule._benchmark = None
            self._build()
        finally:
            for rule, file in measured.items():
                rule._benchmark = file

    def _asked(self, goals: Iterable[str]) -> bool:
        """Whether some of the goals are asked for."""
        return any(self._place.goal(goal) in self._workflow.dag_settings.targets for goal in goals)

    def _jobs(self) -> list[Any]:
        """The jobs of this grid that are to run."""
        return [job for job in self._workflow.dag.needrun_jobs() if self._place.owns(job.rule)]

    def _begin(self) -> None:
        """Before the first job, where there is one."""
        jobs = self._jobs()
        if not jobs:
            if self._place.main and not any(self._workflow.dag.needrun_jobs()):
                self.succeed()  # where nothing is to be done Snakemake runs no hook
            return
        here = not self._workflow.non_local_exec
        or_exit(self._plan.begin, here, say)
        look_when_jobs_end(self._workflow.scheduling_settings)
        run = run_of(Path(self._plan.placed.folders.made), here=here)
        RUNS.append(run)
        os.environ.update(environment(RUNS))  # jobs inherit it
        INTERRUPT.before(lambda: end_run(run))
        if here:
            fork_jobs(((job.rule.name, Path(str(job.rule.script)).stem) for job in jobs), self._plan.grid.device)

    def watch(self) -> None:
        """Show progress, until the last job; of the main Snakefile."""
        if self._asked(SELDOM):
            return
        dag = self._workflow.dag
        jobs = [job for job in self._jobs() if not job.is_norun]

        def states() -> list[State]:
            return ["done" if dag.finished(job) else "running" if dag.is_running(job) else "waiting" for job in jobs]

        works = [self._plan.work(job.rule.name, dict(job.wildcards_dict)) for job in jobs]
        self._watch = RunWatch(works, states, self._plan.folders.data)
        INTERRUPT.before(self._watch.stop)
        self._watch.start()

    def succeed(self) -> None:
        """After the last job: the table of verdicts if they are verified, else where the report is, if there is one.

        Exits with a status where the table cannot be printed.
        """
        self._watch.stop()
        reports = Path(self._plan.folders.reports)
        asked = any(job.rule.name == "verify" for job in self._workflow.dag.jobs)
        if asked and (reports / "verified.txt").exists():
            if status := main(["verdicts", str(reports)]):
                sys.exit(status)
        elif (reports / "index.html").exists() and not self._asked(SELDOM):
            say(f"report: {reports / 'index.html'}")
        if self._asked(["paper"]):
            say(f"paper: {reports / 'paper/methods.tex'}")

    def fail(self, log: Iterable[object]) -> None:
        """The last line of a run in which a job failed."""
        self._watch.stop()
        if not INTERRUPT.came:
            files = ", ".join(map(str, log))
            more = f"; Snakemake's log: {files}" if files else ""
            say(f"failed for the reasons above; what is done is kept{more}")


def look_when_jobs_end(settings: Any) -> None:
    """Let Snakemake look for jobs to start when one has ended, by its `SchedulingSettings`.

    Where it limits how many jobs it starts in a second, as it does unless somebody asks for something else, every look
    starts a timer for another, and so does every job that ends: the more jobs have ended, the more it looks.
    """
    limit = settings.max_jobs_per_timespan
    if limit and (limit.max_jobs, limit.timespan) == UNASKED_RATE:
        settings.max_jobs_per_timespan = None


def say(line: str) -> None:
    """Something a user should know; nothing where standard error is closed or takes nothing."""
    if sys.stderr is not None:  # else print would take standard output
        with suppress(OSError):
            print(line, file=sys.stderr)
