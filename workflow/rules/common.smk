# Shared by all of the workflow: the checked configuration, its plan, and the paths.
import json
import sys
from pathlib import Path

ROOT = Path(str(workflow.current_basedir)).parents[1]
PACKAGE = ROOT / "scripts" / "dmf"
sys.path.insert(0, str(PACKAGE.parent))

from dmf.claims import claim_names
from dmf.console.progress import TrainingWatch
from dmf.errors import UserError
from dmf.figures import figure_names
from dmf.dataset.project import open_project

try:
    project = open_project(
        config, str(workflow.configfiles[-1] if workflow.configfiles else "--config")
    )
except UserError as error:
    sys.exit(str(error))

grid = project.grid
DATA = f"data/{grid.grid}"
REPORTS = f"reports/{grid.grid}"
LOGS = f"{DATA}/logs"
CLAIMS = claim_names()
FIGURES = figure_names()
GROUPS = {group.name: group for group in project.plan.groups}
TILES = {tile.name: tile for tile in project.plan.wanted}
LABELS = {target.name: target.label for target in project.targets}

watch = TrainingWatch(project.plan.wanted, DATA)


wildcard_constraints:
    tile="L[0-9]+-[0-9x]+-[0-9a-f]+",
    group="L[0-9]+-[0-9x]+",
    claim="[a-z_]+",
    figure="[a-z_]+",


def sources(*modules):
    """Library files whose edits cause a step to run again. Kept short: an edited figure must not retrain."""
    return [str(path) for module in modules for path in sorted(PACKAGE.glob(module))]


def canonical(value):
    """Text that is equal where values are: parameters are compared as text to decide what to rerun."""
    return json.dumps(value, sort_keys=True)


def summarize():
    """Where the report is, once there is one."""
    page = Path(REPORTS, "index.html")
    if page.exists():
        print(f"report: {page}", file=sys.stderr)
