# Shared by all rules: the plan of this call, and what happens before its first job and after its last.
import sys
from pathlib import Path

ROOT = Path(str(workflow.current_basedir)).parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

from dmf.cli.interrupt import INTERRUPT

if workflow.is_main_process:
    INTERRUPT.listen()  # before the imports below, which take a second

from dmf.cli.call import Call
from dmf.dataset.archive import ASKED
from dmf.dataset.owner import check_run
from dmf.dataset.source import read_numbers
from dmf.errors import or_exit
from dmf.plan import canonical, default_configuration, plan_workflow

# A job of a run that has ended stops here: Snakemake would remove the file of a later run before it is made again.
if not workflow.is_main_process:
    or_exit(check_run)

# Jobs are children of this process, with no shell in between that would outlive it, and leave Ctrl-C to it.
shell.prefix("trap '' INT; exec ")

if "grid" not in config:

    configfile: or_exit(default_configuration, config, workflow.is_main_process)


read_numbers(config, workflow.config_settings.config)
source = str(workflow.configfiles[-1] if workflow.configfiles else "--config")
# The machine that plans for a cluster needs no graphics card.
trains_here = workflow.is_main_process and workflow.nodes is None
plan = or_exit(plan_workflow, config, source, trains_here)
DATA, MADE, REPORTS, RUNS, LOGS = plan.folders
call = Call(workflow, plan)

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
