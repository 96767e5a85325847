# Shared by all of the workflow: the checked configuration, its plan, and the paths.
import json
import sys
from dataclasses import asdict
from pathlib import Path

ROOT = Path(str(workflow.current_basedir)).parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

from rich.console import Console

from dmf.claims import load_claims
from dmf.code import code_fingerprint
from dmf.cli.preflight import preflight
from dmf.cli.progress import TrainingWatch
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
from dmf.grid.chunks import thinning
from dmf.grid.resources import (
    memory,
    minutes,
    chunk_memory,
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

    configfile: configuration_of(ARCHIVE) if ARCHIVE else "config/config.yaml"


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
    # The search for global minimizers is a study with a key of its own.
    STUDIES = [name for name in study_names() if name != "minimum_search"]
    STUDIES = chosen("studies", project.grid.studies, STUDIES, source)
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
if grid.refute.runs:
    SETTINGS["refute.nc"] = canonical([project.training, grid.refute.runs])
if grid.minimum_search.runs:
    cells = [
        [[target.name, target.fingerprint] for target in project.targets],
        grid.depths,
        grid.hidden_widths,
        grid.lambdas.model_dump(),
    ]
    STUDIES.append("minimum_search")
    SETTINGS["studies/minimum_search.nc"] = canonical(
        [project.training, grid.minimum_search.runs, cells]
    )

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
SEARCHED = [
    f"{DATA}/studies/{study}.nc" for study in STUDIES if study == "minimum_search"
]
READABLE = [*OF_THE_GRID, *STUDIES]
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
FOUND = [f"{REPORTS}/refute.json"] if "refute.nc" in SETTINGS else []
# What aggregation holds at once, by file: chunks of groups, and the chunks whose runs are certified together.
EVIDENCE = project.evidence_chunks()
CHUNKS = {
    chunk.name: chunk
    for evidence_chunk in EVIDENCE.values()
    for chunk in evidence_chunk
}
TILES = {tile.name: tile for tile in project.plan.wanted}
# Figures draw every which draw of every which cell.
EVERY = thinning(project.cells, project.series, grid.starts.count)
LABELS = {target.name: target.label for target in project.targets}

# The modules of all claims and figures, and of the claims on runs, for the steps that load many.
CLAIMED = [f"dmf.claims.{name}" for name in load_claims()]
PICTURED = [f"dmf.figures.{name}" for name in figure_studies()]
ON_RUNS = [
    f"dmf.claims.{name}"
    for name, claim in load_claims().items()
    if claim.study == "runs"
]

# What a grid asks of a verdict.
ENOUGH = canonical([grid.certificate.runs_per_cell, grid.certificate.cells])

watch = TrainingWatch(project.plan.wanted, DATA)


wildcard_constraints:
    tile="L[0-9]+-[0-9x]+-[0-9a-f]+",
    chunk="L[0-9]+-[0-9x]+(-[0-9]+)?",
    evidence_chunk="evidence(/[0-9]+)?",
    claim="[a-z_]+",
    figure="[a-z_]+",
    study="[a-z_]+",


def evidence_of(study):
    """The files that a claim or a figure on a study reads."""
    if study in OF_THE_GRID:
        return expand(f"{MADE}/{{evidence_chunk}}.nc", evidence_chunk=EVIDENCE)
    return [f"{DATA}/studies/{study}.nc"]


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
