"""What surrounds the jobs of one call of the workflow: files compared before, the run marked, a last line after."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from dmf.cli.forks import fork_jobs
from dmf.cli.interrupt import INTERRUPT
from dmf.cli.progress import RunWatch, State
from dmf.dataset.owner import end_run, run_of
from dmf.errors import or_exit
from dmf.plan import WorkflowPlan

SELDOM = {"preflight", "clean"}  # goals that make no file, and need none compared


class Call:
    """One call, from the choice of its jobs to its end. `workflow` is Snakemake's object of that name."""

    def __init__(self, workflow: Any, plan: WorkflowPlan) -> None:
        """Take the place of what chooses jobs, once Snakemake has read all rules.

        Snakemake has no hook there: while it reads rules it does not know yet whether it will run, look or touch.
        """
        self._workflow, self._plan = workflow, plan
        self._watch = RunWatch([], list, plan.folders.data)  # of no jobs, until they are chosen
        self._build_dag = workflow._build_dag
        self._held: object = None  # the folders of this grid, until the process ends
        workflow._build_dag = self._choose_jobs

    def _choose_jobs(self) -> None:
        """Before jobs are chosen, and after: files are compared with what they must be, and what is outdated goes."""
        workflow = self._workflow
        runs = workflow.executor_plugin is not None and workflow.is_main_process
        if not runs or workflow.dryrun or workflow.touch:
            self._build_dag()
            return
        self._held = or_exit(self._plan.hold)
        if not SELDOM.intersection(workflow.dag_settings.targets):
            or_exit(self._plan.sweep, say)
        self._build_dag()
        or_exit(self._plan.outdate, [str(file) for job in workflow.dag.needrun_jobs() for file in job.output])
        workflow.iocache.clear()  # it remembers files that are gone now, which Snakemake would take for write-protected

    def begin(self) -> None:
        """Before the first job."""
        here = not self._workflow.non_local_exec
        or_exit(self._plan.begin, here, say)
        run = run_of(Path(self._plan.folders.made), here=here)
        os.environ.update(run.environment())  # jobs inherit it
        INTERRUPT.before(lambda: self._watch.stop())
        INTERRUPT.before(lambda: end_run(run))
        if here and self._workflow.is_main_process:
            fork_jobs([job.rule.name for job in self._workflow.dag.needrun_jobs()], self._plan.grid.device)
        if not SELDOM.intersection(self._workflow.dag_settings.targets):
            self._watch_jobs()

    def _watch_jobs(self) -> None:
        dag = self._workflow.dag
        jobs = [job for job in dag.needrun_jobs() if not job.is_norun]

        def states() -> list[State]:
            return ["done" if dag.finished(job) else "running" if dag.is_running(job) else "waiting" for job in jobs]

        works = [self._plan.work(job.rule.name, dict(job.wildcards_dict)) for job in jobs]
        self._watch = RunWatch(works, states, self._plan.folders.data)
        self._watch.start()

    def succeed(self) -> None:
        """After the last job: where the report is, once there is one."""
        self._watch.stop()
        page = Path(self._plan.folders.reports, "index.html")
        if page.exists() and not SELDOM.intersection(self._workflow.dag_settings.targets):
            say(f"report: {page}")
        paper = Path(self._plan.folders.reports, "paper", "methods.tex")
        if "paper" in self._workflow.dag_settings.targets:
            say(f"paper: {paper}")

    def fail(self, log: Iterable[object]) -> None:
        """The last line of a run in which a job failed."""
        self._watch.stop()
        if not INTERRUPT.came:
            files = ", ".join(map(str, log))
            more = f"; Snakemake's log: {files}" if files else ""
            say(f"failed for the reasons above; what is done is kept{more}")


def say(line: str) -> None:
    """Something a user should know; nothing where standard error is closed or takes nothing."""
    if sys.stderr is not None:  # else print would take standard output
        with suppress(OSError):
            print(line, file=sys.stderr)
