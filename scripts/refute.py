"""Searches for the worst case of every claim on runs."""

from _step import step
from dmf.claims import load_claims
from dmf.dataset.provenance import file_attributes
from dmf.dataset.store import write
from dmf.refute.false_claim import DECOY
from dmf.refute.search import search
from dmf.grid.config import validate

with step(snakemake.log[0], "falsify", snakemake.input) as log:
    grid = validate(snakemake.config, "configuration")
    claims = {name: claim for name, claim in load_claims().items() if claim.study == "runs"}
    evidence = search(grid, {**claims, "decoy": DECOY})
    evidence = evidence.assign_attrs(
        **file_attributes("Search", "Cells chosen to refute the claims on runs"), settings=snakemake.params.settings
    )
    write(evidence, snakemake.output[0])
    log.info("%d runs", evidence["certified"].size)
