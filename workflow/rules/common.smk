# Shared by all of the workflow: the checked configuration, its plan, and the paths.
import json
import sys
from dataclasses import asdict
from pathlib import Path

ROOT = Path(str(workflow.current_basedir)).parents[1]
PACKAGE = ROOT / "scripts" / "dmf"
sys.path.insert(0, str(PACKAGE.parent))

from rich.console import Console

from dmf.claims import load_claims
from dmf.console.preflight import preflight
from dmf.console.progress import TrainingWatch
from dmf.errors import UserError
from dmf.figures import figure_studies
from dmf.dataset.archive import (
    ASKED,
    asked,
    check_archive,
    configuration_of,
    open_archive,
)
from dmf.dataset.locks import check_writable, hold
from dmf.dataset.project import open_project
from dmf.grid.choice import chosen
from dmf.grid.config import load
from dmf.grid.parts import thinning
from dmf.grid.resources import (
    memory,
    minutes,
    part_memory,
    train_memory,
    train_seconds,
)
from dmf.studies import Settings, study_names
from dmf.studies.contract import OF_THE_GRID

# Asked of one run on the command line, beside the grid: to take a data folder copied from elsewhere, and to report
# what there is of an unfinished grid. With either of them nothing of the grid is trained.
try:
    ARCHIVE, INCOMPLETE = asked(config)
except UserError as error:
    sys.exit(str(error))
TRAINS = not (ARCHIVE or INCOMPLETE)

if "grid" not in config:
    CONFIGURATION = configuration_of(ARCHIVE) if ARCHIVE else "config/config.yaml"
    # Snakemake would run templates in it, and hang where a few lines stand for a billion values.
    if workflow.is_main_process and Path(CONFIGURATION).exists():
        try:
            load(CONFIGURATION)
        except UserError as error:
            sys.exit(str(error))

    configfile: CONFIGURATION


for key in ASKED:
    config.pop(key, None)

source = str(workflow.configfiles[-1] if workflow.configfiles else "--config")
# The machine that plans for a cluster needs no graphics card, and neither does a job that trains nothing.
trains_here = workflow.is_main_process and workflow.nodes is None
try:
    if ARCHIVE:
        project = open_archive(config, source, Path(ARCHIVE))
    else:
        project = open_project(config, source, trains_here=trains_here and TRAINS)
    STUDIES = chosen("studies", project.grid.studies, study_names(), source)
    DRAWN = chosen("figures", project.grid.figures, list(figure_studies()), source)
except UserError as error:
    sys.exit(str(error))

grid = project.grid


def canonical(value):
    """Text that is equal where values are: parameters are compared as text to decide what to rerun."""
    return json.dumps(value, sort_keys=True)


# What the files that are not runs are made with; they carry it, so that an archive can be held against it.
SETTINGS = {
    "controls.nc": project.training,
    **{
        f"studies/{study}.nc": canonical([study, asdict(Settings.of(grid))])
        for study in STUDIES
    },
}
if grid.falsifier.runs:
    SETTINGS["falsifier.nc"] = canonical([project.training, grid.falsifier.runs])
if grid.search.runs:
    cells = [
        [[target.name, target.fingerprint] for target in project.targets],
        grid.depths,
        grid.hidden_widths,
        grid.lambdas.model_dump(),
    ]
    SETTINGS["search.nc"] = canonical([project.training, grid.search.runs, cells])

# Files that an unfinished archive has not; what reads them is left out.
ABSENT = []
if ARCHIVE:
    try:
        ABSENT = check_archive(project, Path(ARCHIVE), SETTINGS, INCOMPLETE)
    except UserError as error:
        sys.exit(str(error))
SETTINGS = {name: text for name, text in SETTINGS.items() if name not in ABSENT}
STUDIES = [study for study in STUDIES if f"studies/{study}.nc" in SETTINGS]

# Where the data are, and what is made of them: never in an archive, nor of unfinished runs beside the finished.
DATA = ARCHIVE or f"data/{grid.grid}"
MADE, REPORTS = f"data/{grid.grid}", f"reports/{grid.grid}"
if INCOMPLETE:
    MADE, REPORTS = f"{MADE}/incomplete", f"{REPORTS}/incomplete"
elif ARCHIVE:
    MADE = f"{MADE}/archived"
RUNS = f"{MADE}/runs" if INCOMPLETE else f"{DATA}/runs"
LOGS = f"{MADE}/logs"
# What each claim and figure reads: the grid's own runs, a study the grid wants, or the search for global minimizers.
SEARCHED = [f"{DATA}/search.nc"] if "search.nc" in SETTINGS else []
READABLE = [*OF_THE_GRID, *STUDIES, *(["search"] if SEARCHED else [])]
CLAIMS = {
    name: claim.study
    for name, claim in load_claims().items()
    if claim.study in READABLE
}
FIGURES = {
    name: study
    for name, study in figure_studies().items()
    if study in READABLE and name in DRAWN
}
# Studies whose measurements have a section of their own on the page.
MEASURED = [
    f"{DATA}/studies/{study}.nc"
    for study in ("networks", "practice")
    if study in STUDIES
]
# What the search for refutations found: nothing where it may not train.
FOUND = [f"{REPORTS}/falsifier.json"] if "falsifier.nc" in SETTINGS else []
# What aggregation holds at once, by file: parts of groups, and the parts whose runs are certified together.
EVIDENCE = project.bundles()
PARTS = {part.name: part for bundle in EVIDENCE.values() for part in bundle}
TILES = {tile.name: tile for tile in project.plan.wanted}
# Figures draw every which draw of every which cell.
EVERY = thinning(project.cells, project.series, grid.starts.count)
LABELS = {target.name: target.label for target in project.targets}

# The modules that train runs: not those that only look at them along their way.
TRAINING = ["training/*.py", "training/lanes/*.py", "training/batch/*.py"]

# What a tile's numbers depend on: a whole tile that the same code made is not trained again.
TILE_CODE = [*TRAINING, "grid/seeds.py", "dataset/train.py"]
TRAINING_CODE = f"{DATA}/training-code.txt"

# The modules that turn runs into evidence.
CERTIFYING = [
    f"evidence/{name}.py" for name in ("certify", "cells", "runs", "rounding")
]

# Those that turn evidence into a verdict, and what a grid asks of it.
JUDGING = [
    f"evidence/{name}.py"
    for name in ("cases", "claim", "judge", "parts", "speak", "rounding")
]
ENOUGH = canonical([grid.certificate.runs_per_cell, grid.certificate.cells])

watch = TrainingWatch(project.plan.wanted, DATA)


wildcard_constraints:
    tile="L[0-9]+-[0-9x]+-[0-9a-f]+",
    part="L[0-9]+-[0-9x]+(-[0-9]+)?",
    bundle="evidence(/[0-9]+)?",
    claim="[a-z_]+",
    figure="[a-z_]+",
    study="[a-z_]+",


def sources(*modules):
    """Library files whose edits cause a step to run again. Kept short: an edited figure must not retrain.

    A pod has them, but not on the volume where results are, and not where the machine that planned has its checkout.
    """
    paths = [path for module in modules for path in sorted(PACKAGE.glob(module))]
    here = Path.cwd()
    return [
        local(str(path.relative_to(here) if path.is_relative_to(here) else path))
        for path in paths
    ]


def evidence_of(study):
    """The files that a claim or a figure on a study reads."""
    if study in OF_THE_GRID:
        return expand(f"{MADE}/{{bundle}}.nc", bundle=EVIDENCE)
    return SEARCHED if study == "search" else [f"{DATA}/studies/{study}.nc"]


def controls_of(study):
    """The file with the cells in which the statements on a study are false; of the targets, they themselves."""
    if study in OF_THE_GRID:
        return f"{DATA}/controls.nc" if study == "runs" else f"{DATA}/targets.nc"
    return evidence_of(study)[0]


def made_with(path):
    """The settings that a file of DATA must carry; "" of those that carry none."""
    return SETTINGS.get(path.removeprefix(f"{DATA}/"), "")


def begin():
    """Before the first job: hold the folders that it writes for this run alone, or say in one line why not."""
    global held  # until the process ends
    try:
        check_writable(Path(REPORTS))
        held = hold(Path(MADE))
        if TRAINS:
            if workflow.non_local_exec:
                preflight(project, Console(stderr=True, width=100), runs_here=False)
            project.record()
    except UserError as error:
        sys.exit(str(error))


def summarize():
    """Where the report is, once there is one."""
    page = Path(REPORTS, "index.html")
    if page.exists():
        print(f"report: {page}", file=sys.stderr)
