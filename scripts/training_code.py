"""Writes the fingerprint of the code that trains: one small input of every tile in place of every file."""

from _step import step
from dmf.dataset.provenance import code_fingerprint
from dmf.dataset.store import write_text

with step(snakemake.log[0], "training_code", snakemake.input):
    write_text(code_fingerprint(snakemake.input) + "\n", snakemake.output[0])
