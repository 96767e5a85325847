"""Holds every run against the closed forms."""

from dmf.dataset.provenance import file_attributes
from dmf.dataset.schema import check_runs
from dmf.dataset.store import read, write
from dmf.evidence.certify import certify
from dmf.step import step

with step(snakemake.log[0], "certify", snakemake.input, snakemake.params.identities) as log:
    evidence = certify(read(file, check_runs) for file in snakemake.input.runs)
    evidence = evidence.assign_attrs(
        **file_attributes("Evidence", "What each trained run counts for, and to what accuracy")
    )
    write(evidence, snakemake.output[0])
    log.info("%d certified of %d runs", int(evidence["certified"].sum()), evidence["certified"].size)
