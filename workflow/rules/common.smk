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
from dmf.dataset.source import DataSource
from dmf.errors import UserError
from dmf.grid.config import load
from dmf.plan import canonical, plan_workflow


def or_exit(function, *arguments):
    """What a function returns; a user's error ends the call with its one line."""
    try:
        return function(*arguments)
    except UserError as error:
        sys.exit(str(error))


# A job of a run that has ended stops here: Snakemake would remove the file of a later run before it is made again.
if not workflow.is_main_process:
    or_exit(check_run)

# Jobs are children of this process, with no shell in between that would outlive it, and leave Ctrl-C to it.
shell.prefix("trap '' INT; exec ")

if "grid" not in config:
    CONFIGURATION = or_exit(DataSource.asked, config).configuration
    # Snakemake would run templates in it, and hang where a few lines stand for a billion values.
    if workflow.is_main_process and Path(CONFIGURATION).exists():
        or_exit(load, CONFIGURATION)

    configfile: CONFIGURATION


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


def begin():
    """Before the first job."""
    global held  # the folders of this grid, until the process ends
    held = or_exit(plan.begin, not workflow.non_local_exec)
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
        print(
            f"failed for the reasons above; what is done is kept{more}", file=sys.stderr
        )


def summarize():
    """Where the report is, once there is one."""
    page = Path(REPORTS, "index.html")
    if page.exists():
        print(f"report: {page}", file=sys.stderr)
