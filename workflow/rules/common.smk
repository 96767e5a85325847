# Shared by all rules: the plan of this call, and what happens before its first job and after its last.
import gc
import sys
from pathlib import Path

gc.disable()  # until jobs are chosen: before, Python would look for garbage again and again, and find none

VERSION = "0.1.0"  # of the package that these rules call; a test compares it
# A checkout brings the package. Rules from elsewhere, as those of a module from the web, use the installed one.
SCRIPTS = Path(str(workflow.current_basedir)).parents[1] / "scripts"
sys.path.insert(0, str(SCRIPTS))

try:
    import dmf
except ModuleNotFoundError:
    sys.exit(
        f"dmf: no such package in {sys.prefix}, expected dmf-landscape {VERSION}; "
        f"pip install dmf-landscape=={VERSION}"
    )
finally:
    sys.path.remove(str(SCRIPTS))  # a module's user has scripts of the same names

if dmf.__version__ != VERSION:
    sys.exit(
        f"{Path(dmf.__file__).parent}: found version {dmf.__version__}, expected {VERSION} as of the workflow "
        f"{workflow.current_basedir}; install that version, or use the workflow of version {dmf.__version__}"
    )

from dmf.cli.interrupt import INTERRUPT

if workflow.is_main_process:
    INTERRUPT.listen()  # before the imports below, which take a second

try:
    from dmf.cli.call import Call
    from dmf.cli.place import Place
    from dmf.dataset.owner import check_run
    from dmf.dataset.source import grid_keys, read_numbers
    from dmf.errors import or_exit
    from dmf.plan import canonical, default_configuration, plan_workflow
    from dmf.shared import TOP
except (
    ModuleNotFoundError
) as error:  # rules are read before Snakemake makes any environment of conda
    sys.exit(
        f"dmf: {error.name} is not installed in {sys.prefix}, where snakemake runs; "
        f"pip install dmf-landscape=={VERSION}, or in a checkout: make setup"
    )

# A job of a run that has ended stops here: Snakemake would remove the file of a later run before it is made again.
if not workflow.is_main_process:
    or_exit(check_run)

place = Place(workflow)

# Jobs are children of this process, with no shell in between that would outlive it, and leave Ctrl-C to it. The rules of
# a module's user may have several commands.
if place.main:
    shell.prefix("trap '' INT; exec ")

if "grid" not in config and place.needs_file:

    configfile: or_exit(default_configuration, config, workflow.is_main_process)


read_numbers(config, place.given)
# The machine that plans for a cluster needs no graphics card.
trains_here = workflow.is_main_process and workflow.nodes is None
plan = or_exit(plan_workflow, config, place.source, trains_here, or_exit(place.root))
DATA, MADE, REPORTS, RUNS, LOGS, BENCHMARKS = plan.folders
call = Call(workflow, plan, place)

# Scripts get the grid's configuration alone, without what is asked of this one call.
config = grid_keys(config)


wildcard_constraints:
    tile="L[0-9]+-[0-9x]+-[0-9a-f]+",
    chunk="L[0-9]+-[0-9x]+(-[0-9]+)?",
    evidence_chunk="evidence(/[0-9]+)?",
    claim="[a-z_]+",
    figure="[a-z_]+",
    study="[a-z_]+",
