# Shared by all rules: the plan of this call, and what happens before its first job and after its last.
import sys
from pathlib import Path

ROOT = Path(str(workflow.current_basedir)).parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

from dmf.cli.progress import TrainingWatch
from dmf.dataset.archive import ASKED
from dmf.errors import or_exit
from dmf.plan import canonical, default_configuration, plan_workflow

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


def begin():
    """Before the first job."""
    global held  # the folders of this grid, until the process ends
    held = or_exit(plan.begin, not workflow.non_local_exec)
    if plan.source.trains:
        watch.start()


def summarize():
    """Where the report is, once there is one."""
    page = Path(REPORTS, "index.html")
    if page.exists():
        print(f"report: {page}", file=sys.stderr)
