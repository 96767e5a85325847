# Shared by all rules: the plan of this call, and what happens before its first job and after its last.
import os
import sys
from pathlib import Path

ROOT = Path(str(workflow.current_basedir)).parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

from dmf.cli.interrupt import INTERRUPT

if workflow.is_main_process:
    INTERRUPT.listen()  # before the imports below, which take a second

from dmf.cli.progress import TrainingWatch
from dmf.dataset.archive import ASKED
from dmf.dataset.owner import check_run, end_run, run_of
from dmf.errors import or_exit
from dmf.plan import canonical, default_configuration, plan_workflow

# A job of a run that has ended stops here: Snakemake would remove the file of a later run before it is made again.
if not workflow.is_main_process:
    or_exit(check_run)

# Jobs are children of this process, with no shell in between that would outlive it, and leave Ctrl-C to it.
shell.prefix("trap '' INT; exec ")

if "grid" not in config:

    configfile: or_exit(default_configuration, config, workflow.is_main_process)


source = str(workflow.configfiles[-1] if workflow.configfiles else "--config")
# The machine that plans for a cluster needs no graphics card.
trains_here = workflow.is_main_process and workflow.nodes is None
plan = or_exit(plan_workflow, config, source, trains_here)
DATA, MADE, REPORTS, RUNS, LOGS = plan.folders
watch = TrainingWatch(plan.tiles.values(), DATA)

# Asked of this one call: scripts get the grid's configuration alone.
for key in ASKED:
    config.pop(key, None)


wildcard_constraints:
    tile="L[0-9]+-[0-9x]+-[0-9a-f]+",
    chunk="L[0-9]+-[0-9x]+(-[0-9]+)?",
    evidence_chunk="evidence(/[0-9]+)?",
    claim="[a-z_]+",
    figure="[a-z_]+",
    study="[a-z_]+",


def say(line):
    """Something a user should know."""
    print(line, file=sys.stderr)


def choose_jobs(build_dag=workflow._build_dag):
    """Before jobs are chosen, and after: files are compared with what they must be, and what is outdated goes.

    Snakemake has no place for this: while it reads rules it does not know yet whether it will run, look or touch.
    """
    global held  # the folders of this grid, until the process ends
    makes = workflow.executor_plugin is not None and not workflow.dryrun
    makes = makes and not workflow.touch and workflow.is_main_process
    if makes:
        held = or_exit(plan.hold)
    if makes and not set(workflow.dag_settings.targets) & {"preflight", "clean"}:
        or_exit(plan.sweep, say)
    build_dag()
    if makes:
        jobs = workflow.dag.needrun_jobs()
        or_exit(plan.outdate, [str(file) for job in jobs for file in job.output])


workflow._build_dag = choose_jobs


def begin():
    """Before the first job."""
    or_exit(plan.begin, not workflow.non_local_exec, say)
    run = run_of(Path(MADE), here=not workflow.non_local_exec)
    os.environ.update(run.environment())  # jobs inherit it
    INTERRUPT.before(watch.stop)
    INTERRUPT.before(lambda: end_run(run))
    if plan.source.trains:
        watch.start()


def explain_failure(log):
    """The last line of a run in which a job failed."""
    if not INTERRUPT.came:
        more = f"; Snakemake's log: {', '.join(map(str, log))}" if log else ""
        say(f"failed for the reasons above; what is done is kept{more}")


def summarize():
    """Where the report is, once there is one."""
    page = Path(REPORTS, "index.html")
    if page.exists():
        say(f"report: {page}")
