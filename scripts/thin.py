"""Keeps of the evidence on many runs what figures draw: every so many draws of every so many cells."""

import json

from dmf.dataset.provenance import file_attributes
from dmf.dataset.store import read, write
from dmf.evidence.chunks import thinned
from dmf.step import step

with step(snakemake.log[0], "thin", snakemake.input, snakemake.params.identities) as log:
    evidence = thinned((read(file) for file in snakemake.input), *json.loads(snakemake.params.every))
    told = file_attributes("Thinned evidence", "What the runs that figures draw count for, and to what accuracy")
    write(evidence.assign_attrs(told), snakemake.output[0])
    log.info("%d runs kept", evidence["certified"].size)
