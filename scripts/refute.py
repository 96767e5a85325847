"""Searches for the worst case of every claim on runs."""

from dmf.claims import load_claims
from dmf.dataset.provenance import file_attributes
from dmf.dataset.store import write
from dmf.grid.config import validate
from dmf.refute.false_claim import FALSE_CLAIM
from dmf.refute.search import search
from dmf.step import step

with step(snakemake.log[0], "refute", snakemake.input, snakemake.params.identities) as log:
    grid = validate(snakemake.config, "configuration")
    claims = {name: claim for name, claim in load_claims().items() if claim.study == "runs"}
    evidence = search(grid, {**claims, "false_claim": FALSE_CLAIM})
    evidence = evidence.assign_attrs(
        **file_attributes("Search", "Cells chosen to refute the claims on runs"), settings=snakemake.params.settings
    )
    write(evidence, snakemake.output[0])
    log.info("%d runs", evidence["certified"].size)
