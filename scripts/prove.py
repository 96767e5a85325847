"""Proves a minimizer near two runs of every cell and the worst run of every claim."""

import time

from dmf.claims import load_claims
from dmf.dataset.project import require_device
from dmf.dataset.provenance import file_attributes
from dmf.dataset.store import read, write
from dmf.evidence.proofs import proofs_dataset
from dmf.evidence.prove import prove_grid
from dmf.grid.config import validate
from dmf.step import step
from dmf.studies.contract import check_study

with step(snakemake.log[0], "prove", snakemake.input, snakemake.params.identities) as log:
    began = time.perf_counter()
    grid = validate(snakemake.config, "configuration")
    require_device(grid.device, "configuration")
    claims = {name: claim for name, claim in load_claims().items() if claim.study == "runs"}
    proved, choice = prove_grid(grid, (read(file) for file in snakemake.input.evidence), claims)
    dataset = proofs_dataset(proved, choice)
    dataset = dataset.assign_attrs(
        **file_attributes("Proofs", "Minimizers proved near chosen runs, with the layers that they follow from"),
        settings=snakemake.params.settings,
        prove_seconds=time.perf_counter() - began,
    )
    check_study(dataset, snakemake.output[0])
    write(dataset, snakemake.output[0])
    runs = [run for cell in proved if not cell.control for run in cell.runs]
    log.info(
        "%d of %d runs proved, in %d of %d cells, in %.1f s",
        sum(run.proof.proved for run in runs),
        len(runs),
        len(choice.chosen),
        choice.cells,
        time.perf_counter() - began,
    )
