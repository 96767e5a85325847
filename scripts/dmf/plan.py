"""What one call of the workflow makes of a grid, decided before its first job: a configuration in, a plan out.

Rules read attributes and methods of the plan and decide nothing themselves. Planning reads files and writes none, and
imports no library that trains or draws: every look at the workflow would wait for it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from dmf.claims import claim_module, load_claims
from dmf.cli.output import console
from dmf.cli.preflight import preflight
from dmf.cli.progress import Work
from dmf.code import code_fingerprint
from dmf.dataset.archive import identity_of
from dmf.dataset.locks import check_writable, hold
from dmf.dataset.project import Project
from dmf.dataset.source import DataSource, Folders, grid_keys, tile_files
from dmf.dataset.sweep import remove, sweep
from dmf.figures import FIGURES, figure_studies
from dmf.grid.chunks import Chunk, thinning
from dmf.grid.config import Grid, chosen, load
from dmf.grid.cost import (
    STUDY_MIB,
    chunk_memory,
    memory,
    minutes,
    search_memory,
    step_seconds,
    train_memory,
    train_seconds,
)
from dmf.grid.factors import FILE, Factors, of, read_factors
from dmf.grid.reach import out_of_reach
from dmf.grid.tiles import Tile
from dmf.products import Products, products_of
from dmf.studies import FRONTIER, Settings, study_names
from dmf.studies.contract import OF_THE_GRID

MEASURED = ("networks", "practice")  # studies whose measurements have a section on the page
STORAGE = ".snakemake/storage/"  # where a storage plug-in puts files of a job
REFUTE = "refute.nc"
PROOFS = "proofs.nc"  # of runs of the grid, which are trained again for it
MINIMUM_SEARCH = "studies/minimum_search.nc"  # a study of the whole grid, with a separate key


@dataclass(frozen=True)
class WorkflowPlan:
    """All that the rules need to know; made by `plan_workflow`.

    `settings` maps files of the data folder that are no runs to the text of what they are made with, which they carry;
    `absent` are those that an incomplete archive lacks. `claims` and `figures` map the names to be made to the study
    that each reads; "runs" and "targets" are the grid's, not studies. `root` is the prefix of a Snakemake module, which
    Snakemake puts before every path of a rule: `folders` are without it, and `placed` is the plan with it. `factors`
    are what this machine takes of what is predicted.
    """

    project: Project
    source: DataSource
    folders: Folders
    settings: Mapping[str, str]
    absent: Sequence[str]
    claims: Mapping[str, str]
    figures: Mapping[str, str]
    root: str = ""
    factors: Factors = field(default_factory=dict)

    @cached_property
    def placed(self) -> WorkflowPlan:
        """The same plan with the paths at which files lie, which jobs are given."""
        if not self.root:
            return self
        folders = [one if Path(one).is_absolute() else f"{self.root}{one}" for one in self.folders]
        return replace(self, folders=Folders(*folders), root="")

    @property
    def grid(self) -> Grid:
        """The checked configuration."""
        return self.project.grid

    # Chunks and tiles by name.

    @cached_property
    def evidence_chunks(self) -> dict[str, list[Chunk]]:
        """The chunks whose runs are certified together, by the stem of the file of evidence."""
        return self.project.evidence_chunks()

    @cached_property
    def chunks(self) -> dict[str, Chunk]:
        """What is assembled into one file each."""
        return {chunk.name: chunk for some in self.evidence_chunks.values() for chunk in some}

    @cached_property
    def tiles(self) -> dict[str, Tile]:
        """What is trained in one job each."""
        return {tile.name: tile for tile in self.project.plan.wanted}

    # Files that rules read.

    def tiles_of(self, chunk: str) -> list[str]:
        """The files that a chunk is assembled from."""
        return tile_files(self.chunks[chunk], self.folders.data)

    def trained_of(self, chunk: str) -> list[str]:
        """The files that a chunk of an unfinished grid is assembled from: those that exist."""
        return self.source.trained(self.chunks[chunk], self.folders.data, self.root)

    def runs_of(self, evidence_chunk: str) -> list[str]:
        """The assembled files that are certified together."""
        return [f"{self.folders.runs}/{chunk.name}.nc" for chunk in self.evidence_chunks[evidence_chunk]]

    def evidence_of(self, study: str) -> list[str]:
        """The files that a claim or a figure on a study reads."""
        if study in OF_THE_GRID:
            return [f"{self.folders.made}/{name}.nc" for name in self.evidence_chunks]
        return [f"{self.folders.data}/{_file_of(study)}"]

    def drawn_of(self, study: str) -> list[str]:
        """The files that a figure on a study reads; of a grid of very many runs, one with those that are drawn."""
        return self.thinned if self.thinned and study in OF_THE_GRID else self.evidence_of(study)

    @property
    def thinned(self) -> list[str]:
        """The file of the runs that figures draw; none where they draw all."""
        return [f"{self.folders.made}/thinned.nc"] if self.every != (1, 1) else []

    def controls_of(self, study: str) -> str:
        """The file with the cells in which statements on a study are false; of the targets, they themselves."""
        if study in OF_THE_GRID:
            return f"{self.folders.data}/{'controls.nc' if study == 'runs' else 'targets.nc'}"
        return self.evidence_of(study)[0]

    def made_with(self, study: str) -> str:
        """The settings that the file of a study's controls must carry; "" of targets, which carry none."""
        return self.settings.get(self.controls_of(study).removeprefix(f"{self.folders.data}/"), "")

    def drawn_studies(self) -> list[str]:
        """The files of all studies that a figure draws."""
        own = {study for study in self.figures.values() if study not in OF_THE_GRID}
        return sorted(self.controls_of(study) for study in own)

    @property
    def cell_tables(self) -> list[str]:
        """The files of a report with the cells of all claims, one for each study that claims read."""
        return [f"{self.folders.reports}/cells/{study}.nc" for study in sorted(set(self.claims.values()))]

    @property
    def measured(self) -> list[str]:
        """The files of studies whose measurements have a section on the page."""
        return [f"{self.folders.data}/{_file_of(study)}" for study in MEASURED if _file_of(study) in self.settings]

    @property
    def searched(self) -> list[str]:
        """The file of the search for global minimizers; none where there is no search."""
        return [f"{self.folders.data}/{MINIMUM_SEARCH}"] if MINIMUM_SEARCH in self.settings else []

    @property
    def proofs(self) -> list[str]:
        """The file of proofs of runs; none where nothing is proved."""
        return [f"{self.folders.data}/{PROOFS}"] if PROOFS in self.settings else []

    @property
    def proved(self) -> list[str]:
        """The file of a report with the sums of proofs; none where nothing is proved."""
        return [f"{self.folders.reports}/proofs.json"] if self.proofs else []

    @property
    def found(self) -> list[str]:
        """The file of what the search for refutations found; none where there is no search."""
        return [f"{self.folders.reports}/refute.json"] if REFUTE in self.settings else []

    # What each file is of.

    @cached_property
    def products(self) -> Products:
        """What every job makes and of what it is."""
        data, made, reports, *_ = self.placed.folders
        roots = [made, reports] if self.source.archive else [data, made, reports]
        return Products(products_of(self.placed), roots, identity_of)

    def identities(self, path: str) -> str:
        """What the job that makes a file must know of its inputs and outputs: the parameter that every rule passes.

        "" of files in Snakemake's storage, which brings a job's files to it and away, but no records beside them.
        """
        return "" if str(path).startswith(STORAGE) else self.products.identities(path)

    def sweep(self, say: Callable[[str], None]) -> None:
        """Compare all files of the grid with what they must be; to be called while the grid is held, before jobs are
        chosen. See `dmf.dataset.sweep`; `say` is given a line for each file that is moved aside.

        A report that lacks a file is none: Snakemake would take its last file for all of it. Data may be removed.
        """
        table, own = self.products, [Path(self.placed.folders.made), Path(self.placed.folders.reports)]
        others = [Path(root) for root in table.roots if Path(root) not in own]
        wanted = {path: table.identity(path) for path in table.paths}
        gone = sweep(wanted, own, others, say)
        reports = Path(self.placed.folders.reports)
        lost = [path for path in wanted if Path(path).is_relative_to(reports) and not os.path.lexists(path)]
        self.outdate([*gone, *(path for path in lost if table.product_of(path).step != "paper")])  # made where asked

    def outdate(self, made_again: Iterable[str]) -> None:
        """Remove what the report holds of files that are to be made again and of all that is made from them."""
        again = self.products.outdated(made_again)
        remove(path for path in again if Path(path).is_relative_to(self.placed.folders.reports))

    # Parameters: what a job reruns for where it changes.

    def code(self, step: str, plugin: str = "") -> str:
        """The fingerprint of the code of a step; `plugin` names the claim, figure or study that it is about."""
        return code_fingerprint(step, *plugins(step, plugin))

    @property
    def labels(self) -> dict[str, str]:
        """The display label of every target."""
        return {target.name: target.label for target in self.project.targets}

    def labels_of(self, figure: str) -> dict[str, str]:
        """The display labels that a figure is given; none where it shows none."""
        return self.labels if FIGURES[figure].labelled else {}

    @property
    def definitions(self) -> list[list[Any]]:
        """What the file of targets is made from."""
        return [[target.name, target.fingerprint, *target.words] for target in self.project.targets]

    @property
    def every(self) -> tuple[int, int]:
        """Figures draw every which draw of every which cell; (1, 1) for all."""
        return thinning(self.project.cells, self.project.series, self.grid.starts.count)

    @property
    def enough(self) -> list[float]:
        """What a grid asks of a verdict: runs of a cell, and the share of cells, that must count."""
        return [self.grid.certificate.runs_per_cell, self.grid.certificate.cells]

    # What jobs take by the model, from the name of a rule and its wildcards.

    def predicted_seconds(self, step: str, wildcards: Mapping[str, str]) -> float:
        """Seconds of one core. Raises KeyError for a job that this grid does not have."""
        if step == "train":
            return step_seconds(step) + self.tiles[wildcards["tile"]].seconds
        grid, cells = self.grid, self.project.cells
        study, runs = wildcards.get("study", ""), 0
        if study == "minimum_search":
            runs = cells
        elif step == "assemble":
            runs = self.chunks[wildcards["chunk"]].block.runs
        elif step == "certify":
            runs = sum(chunk.block.runs for chunk in self.evidence_chunks[wildcards["evidence_chunk"]])
        elif step == "thin":
            runs = sum(chunk.block.runs for chunk in self.chunks.values())
        elif step == "prove":
            runs = min(grid.prove.runs, 2 * cells + len(self.claims))
        elif step == "refute":
            runs = grid.refute.runs
        return step_seconds(step, study, runs)

    def predicted_mib(self, step: str, wildcards: Mapping[str, str]) -> float | None:
        """Peak memory, None where the model says nothing. Raises KeyError for a job that this grid does not have."""
        keep, device, optimizer = self.grid.keep.layers, self.grid.device, self.grid.optimizer
        if step == "train":
            return train_memory(self.tiles[wildcards["tile"]], keep, device, optimizer)
        if step == "assemble":
            return chunk_memory([self.chunks[wildcards["chunk"]]], keep)
        if step == "certify":
            return chunk_memory(self.evidence_chunks[wildcards["evidence_chunk"]], keep)
        if step == "prove":  # it holds one evidence chunk at a time
            return max(chunk_memory(chunks, keep) for chunks in self.evidence_chunks.values())
        if step == "study":
            if f"studies/{wildcards['study']}.nc" != MINIMUM_SEARCH:
                return STUDY_MIB
            return max(STUDY_MIB, search_memory(self.project.plan.groups, device, optimizer))  # the grid's own targets
        return None

    # Resources: MB and minutes to ask for.

    def train_mb(self, tile: str, attempt: int) -> int:
        """Memory of the job that trains a tile."""
        return self._mb("train", {"tile": tile}, attempt)

    def train_minutes(self, tile: str, attempt: int) -> int:
        """Time of the job that trains a tile."""
        return minutes(of(self.factors, "train").seconds * train_seconds(self.tiles[tile]), attempt)

    def study_mb(self, study: str, attempt: int) -> int:
        """Memory of the job that makes a study."""
        return self._mb("study", {"study": study}, attempt)

    def assemble_mb(self, chunk: str, attempt: int) -> int:
        """Memory of the job that assembles a chunk."""
        return self._mb("assemble", {"chunk": chunk}, attempt)

    def certify_mb(self, evidence_chunk: str, attempt: int) -> int:
        """Memory of the job that certifies an evidence chunk."""
        return self._mb("certify", {"evidence_chunk": evidence_chunk}, attempt)

    def prove_mb(self, attempt: int) -> int:
        """Memory of the job that proves runs."""
        return self._mb("prove", {}, attempt)

    def _mb(self, step: str, wildcards: Mapping[str, str], attempt: int) -> int:
        predicted = self.predicted_mib(step, wildcards)
        assert predicted is not None
        return memory(of(self.factors, step).memory * predicted, attempt)

    def work(self, step: str, wildcards: Mapping[str, str]) -> Work:
        """A job as progress counts it."""
        seconds = of(self.factors, step).seconds * self.predicted_seconds(step, wildcards)
        return Work(step, seconds, self.tiles[wildcards["tile"]] if step == "train" else None)

    def hold(self) -> AbstractContextManager[object]:
        """Hold the folders that jobs write, until the lock that is returned is left or garbage.

        Raises UserError where another run holds them, or where they cannot be written.
        """
        check_writable(Path(self.placed.folders.reports))
        return hold(Path(self.placed.folders.made))

    def begin(self, runs_here: bool, say: Callable[[str], None]) -> None:
        """Record the grid beside its data; to be called before the first job, while the grid is held.

        Where jobs do not run here, print first what the grid takes. `say` is given a line where the ledger is damaged.
        Raises UserError where the grid cannot fit.
        """
        if self.source.trains:
            for line in out_of_reach(self.grid, self.project.targets):
                print(f"warning: {line}", file=sys.stderr)
            if not runs_here:
                preflight(self.project, console(sys.stderr), runs_here=False)
            self.project.record(say)


def default_configuration(config: Mapping[str, Any], checked: bool) -> str:
    """The configuration file of a call that names none, `checked` before Snakemake reads it.

    Snakemake would run templates in it, and hang where a few lines stand for a billion values. Raises UserError.
    """
    file = DataSource.asked(config).configuration
    if checked and Path(file).exists():
        load(file)
    return file


def plan_workflow(config: Mapping[str, Any], source: str, trains_here: bool = True, root: str = "") -> WorkflowPlan:
    """The plan of a configuration as Snakemake holds it.

    `source` is the file to name in a complaint; `trains_here` says that this machine trains, so that it needs the
    grid's device and memory; `root` is a module's prefix. Raises UserError with one line for a wrong configuration, or
    an archive that is of another grid. Writes nothing.
    """
    data = DataSource.asked(config)
    if root and data.archive:  # like a target's file relative to the working directory
        data = replace(data, archive=str(Path(data.archive).absolute()))
    project = data.open(grid_keys(config), source, trains_here, root)
    known = [study for study in study_names() if _file_of(study) != MINIMUM_SEARCH]
    studies = chosen("studies", project.grid.studies, known, source, FRONTIER)
    figures = chosen("figures", project.grid.figures, list(figure_studies()), source)
    wanted = settings_of(project, studies)
    if data.incomplete:
        wanted.pop(PROOFS, None)  # they would be of some runs of each cell, and stay when there are more
    absent = data.absent(project, wanted)
    settings = {name: text for name, text in wanted.items() if name not in absent}
    readable = {
        *OF_THE_GRID,
        *(study for study in (*studies, "minimum_search", "proofs") if _file_of(study) in settings),
    }
    return WorkflowPlan(
        project,
        data,
        data.folders(project.grid.grid),
        settings,
        absent,
        {name: claim.study for name, claim in load_claims().items() if claim.study in readable},
        {name: study for name, study in figure_studies().items() if study in readable and name in figures},
        root,
        read_factors(Path(root, FILE)),
    )


def settings_of(project: Project, studies: Sequence[str]) -> dict[str, str]:
    """What each file of the data folder that is no runs is made with, as text that is equal where the files are."""
    grid = project.grid
    settings = {"controls.nc": project.training}
    settings |= {_file_of(study): canonical([study, asdict(Settings.of(grid))]) for study in studies}
    if grid.refute.runs:
        settings[REFUTE] = canonical([project.training, grid.refute.runs])
    if grid.prove.runs:
        targets = [[target.name, target.fingerprint] for target in project.targets]
        cells = [targets, grid.depths, grid.hidden_widths, grid.lambdas.model_dump(), grid.starts.model_dump()]
        settings[PROOFS] = canonical([project.training, grid.prove.runs, cells])
    if grid.minimum_search.runs:
        targets = [[target.name, target.fingerprint] for target in project.targets]
        cells = [targets, grid.depths, grid.hidden_widths, grid.lambdas.model_dump()]
        settings[MINIMUM_SEARCH] = canonical([project.training, grid.minimum_search.runs, cells])
    return settings


@cache
def plugins(step: str, plugin: str = "") -> tuple[str, ...]:
    """The modules that a step loads by name: that of a claim, figure or study `plugin`, or all that it may load."""
    if step == "check":
        return (claim_module(plugin),)
    if step in ("draw", "study"):
        return (f"dmf.{'figures' if step == 'draw' else 'studies'}.{plugin}",)
    claims = load_claims()
    if step in ("prove", "refute", "judge_attempts"):
        return tuple(claim_module(name) for name, claim in claims.items() if claim.study == "runs")
    loaded = [claim_module(name) for name in claims] if step in ("report", "paper", "verify") else []
    drawn = [f"dmf.figures.{name}" for name in figure_studies()] if step in ("report", "paper") else []
    return (*loaded, *drawn)


def canonical(value: Any) -> str:
    """JSON that is equal where values are: parameters are compared as text to decide what to rerun."""
    return json.dumps(value, sort_keys=True)


def _file_of(study: str) -> str:
    """The file of a study's evidence, in the data folder."""
    return PROOFS if study == "proofs" else f"studies/{study}.nc"
