"""What the files of a grid are of: for each job what it makes, from which files, and all that decides the content.

The identity of a file follows from this table, before anything is made and without a look at any content: it is a
fingerprint of the step, its code, what decides the content, and the identities of what the file is made from (a Merkle
tree, whose leaves are the definitions of targets and the settings of the grid). So it differs wherever a file could
differ: another seed, grid or version. A rule gives its jobs the identities that concern them with one parameter,

    identities=lambda wildcards, output: plan.identities(output[0]),

and writers stamp them, and readers compare them, without a word in the script (see `dmf.dataset.stamps`).
Tiles are not in the table: a tile's name is the fingerprint of its content (see `dmf.dataset.tile_cache`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from dmf.dataset.manifest import MANIFEST
from dmf.grid.seeds import digest

if TYPE_CHECKING:
    from dmf.plan import WorkflowPlan

REPORT_FILES = ("index.html", "explorer.html", "verdicts.csv", "census.csv", "provenance.json", "grid.yaml")
PAPER_FILES = ("figures.tex", "verdicts.tex", "methods.tex", "references.bib")
STAMPED = ".nc"  # files that carry their identity; of others the manifest tells it


@dataclass(frozen=True)
class Product:
    """What one job makes: the step, what it is about ("" where there is one such job), and the files that it writes.

    `inputs` are the files that it reads, tiles aside; `decided` holds, as JSON values, all else that decides the
    content but the code, whose fingerprint is `code`.
    """

    step: str
    about: str
    outputs: tuple[str, ...]
    inputs: tuple[str, ...]
    code: str
    decided: Any = None

    @property
    def job(self) -> str:
        """A name for the job that is one file's name."""
        return "-".join([self.step, *self.about.split("/")]).removesuffix("-")


class Products:
    """The table of all jobs of a plan, in an order in which each comes after those that it reads from."""

    def __init__(self, products: Iterable[Product], roots: Iterable[str], given: Callable[[str], str]) -> None:
        """`roots` are the folders that have a manifest; `given` tells the identity of a file that no job makes."""
        self.all = tuple(products)
        self.roots = sorted(set(roots), key=len, reverse=True)  # the innermost folder first
        self._of = {output: product for product in self.all for output in product.outputs}
        self._given = cache(given)
        self._identity = cache(self._computed)

    @property
    def paths(self) -> list[str]:
        """Every file in the table."""
        return list(self._of)

    def product_of(self, path: str) -> Product:
        """The job that makes a file. Raises KeyError for a file that is not in the table."""
        return self._of[path]

    def identity(self, path: str) -> str:
        """The identity of a file."""
        return self._identity(path) if path in self._of else self._given(path)

    def record_of(self, path: str) -> str:
        """Where the job that makes a file records it."""
        return f"{self._root(path)}/{MANIFEST}/{self._of[path].job}.json"

    def identities(self, path: str) -> str:
        """All that the job which makes a file must know, as text: of each input and output the identity and the record.

        The record is "" of inputs that carry their identity themselves.
        """
        product = self._of[str(path)]
        inputs = {
            one: [self.identity(one), "" if one.endswith(STAMPED) else self.record_of(one)] for one in product.inputs
        }
        outputs = {one: [self.identity(one), self.record_of(one)] for one in product.outputs}
        return json.dumps({"inputs": inputs, "outputs": outputs}, sort_keys=True)

    def outdated(self, paths: Iterable[str]) -> list[str]:
        """The files of all jobs that make some of `paths` or read from them: these run where `paths` are made again."""
        reached, found = set(paths), list[str]()
        for product in self.all:
            if not reached.isdisjoint((*product.inputs, *product.outputs)):
                reached.update(product.outputs)
                found += product.outputs
        return found

    def _computed(self, path: str) -> str:
        product = self._of[path]
        inputs = [self.identity(one) for one in product.inputs]
        name = PurePath(path).relative_to(self._root(path)).as_posix()
        return digest([product.step, product.about, product.decided, product.code, inputs, name])

    def _root(self, path: str) -> str:
        return next(root for root in self.roots if PurePath(path).is_relative_to(root))


def products_of(plan: WorkflowPlan) -> Iterator[Product]:
    """Every job of a plan but training, inputs first."""
    if plan.source.makes_inputs:
        yield from _inputs(plan)
    if plan.source.trains or plan.source.incomplete:
        yield from _runs(plan)
    for name in plan.evidence_chunks:
        made = f"{plan.folders.made}/{name}.nc"
        yield Product("certify", name, (made,), tuple(plan.runs_of(name)), plan.code("certify"))
    if plan.source.trains:
        for made in plan.proofs:
            settings = plan.settings[PurePath(made).name]
            yield Product("prove", "", (made,), tuple(plan.evidence_of("runs")), plan.code("prove"), settings)
    yield from _report(plan)


def _inputs(plan: WorkflowPlan) -> Iterator[Product]:
    data = plan.folders.data
    decided: Any = [plan.grid.seed, plan.definitions]
    yield Product("targets", "", (f"{data}/targets.nc",), (), plan.code("targets"), decided)
    for name, settings in plan.settings.items():
        if f"{data}/{name}" in plan.proofs:
            continue  # made from evidence, below
        folder, _, study = name.removesuffix(".nc").rpartition("/")
        step, about = ("study", study) if folder else (study, "")
        yield Product(step, about, (f"{data}/{name}",), (), plan.code(step, about), settings)


def _runs(plan: WorkflowPlan) -> Iterator[Product]:
    for name, chunk in plan.chunks.items():
        made, block = f"{plan.folders.runs}/{name}.nc", chunk.block.as_json()
        if plan.source.trains:
            yield Product("assemble", name, (made,), (), plan.code("assemble"), [block, plan.code("train")])
            continue
        found = plan.trained_of(name)
        assembled = [file for file in found if PurePath(file).parent.name == "runs"]
        tiles = [PurePath(file).name for file in found if file not in assembled]
        inputs = (f"{plan.folders.data}/targets.nc", *assembled)
        code = plan.code("assemble_incomplete")
        yield Product("assemble_incomplete", name, (made,), inputs, code, [block, tiles])


def _report(plan: WorkflowPlan) -> Iterator[Product]:
    data, made, reports, runs, *_ = plan.folders
    evidence = plan.evidence_of("runs")
    for name, study in plan.claims.items():
        checked = (f"{reports}/verdicts/{name}.json", f"{made}/cells/{name}.nc", f"{reports}/verdicts/{name}.csv")
        inputs = tuple(dict.fromkeys([*plan.evidence_of(study), plan.controls_of(study)]))
        yield Product("check", name, checked, inputs, plan.code("check", name), plan.enough)
    for found in plan.found:
        code = plan.code("judge_attempts")
        yield Product("judge_attempts", "", (found,), (f"{data}/refute.nc",), code, plan.enough)
    for kept in plan.thinned:
        yield Product("thin", "", (kept,), tuple(evidence), plan.code("thin"), plan.every)
    for name, study in plan.figures.items():
        drawing = (f"{reports}/figures/{name}.png", f"{reports}/figures/{name}.svg")
        inputs = tuple(dict.fromkeys([*plan.drawn_of(study), plan.controls_of(study)]))
        yield Product("draw", name, drawing, inputs, plan.code("draw", name), plan.labels_of(name))
    verdicts = [f"{reports}/verdicts/{name}.json" for name in plan.claims]
    cells = tuple(f"{made}/cells/{name}.nc" for name in plan.claims)
    yield Product("join_cells", "", tuple(plan.cell_tables), cells, plan.code("join_cells"), dict(plan.claims))
    drawn = [f"{reports}/figures/{name}.{kind}" for kind in ("svg", "png") for name in plan.figures]
    read = [*evidence, f"{data}/targets.nc", *(f"{runs}/{chunk}.nc" for chunk in plan.chunks)]
    read += [*verdicts, *plan.found, *plan.searched, *plan.measured, *plan.proofs, *drawn]
    outputs = (*(f"{reports}/{name}" for name in REPORT_FILES), *plan.proved)
    decided: Any = [plan.grid.model_dump(mode="json"), plan.every, list(plan.absent)]
    yield Product("report", "", outputs, tuple(read), plan.code("report"), decided)
    page, provenance = f"{reports}/index.html", f"{reports}/provenance.json"
    if "runs" in plan.claims.values():
        yield _paper(plan, (*verdicts, page, provenance, f"{reports}/census.csv"))
    read = [page, *verdicts, *plan.cell_tables, *plan.found, *plan.searched, provenance]
    yield Product("verify", "", (f"{reports}/verified.txt",), tuple(read), plan.code("verify"), list(plan.absent))


def _paper(plan: WorkflowPlan, report: tuple[str, ...]) -> Product:
    folder = f"{plan.folders.reports}/paper"
    figures = [f"{folder}/figures/{name}.pdf" for name in plan.figures]
    read = [*plan.drawn_of("runs"), plan.controls_of("runs"), plan.controls_of("targets"), *plan.drawn_studies()]
    outputs = (*figures, *(f"{folder}/{name}" for name in PAPER_FILES))
    return Product("paper", "", outputs, (*read, *report), plan.code("paper"), plan.labels)
