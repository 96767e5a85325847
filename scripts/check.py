"""Gives the verdict on one claim."""

import json

from _step import step
from dmf.claims import load_claim
from dmf.dataset.store import read, write_text
from dmf.evidence.judge import judge
from dmf.grid.config import validate

with step(snakemake.log[0], "check") as log:
    name = snakemake.wildcards.claim
    verdict = judge(
        name,
        load_claim(name),
        read(snakemake.input.evidence),
        read(snakemake.input.controls),
        validate(snakemake.config, "configuration").certificate,
    )
    write_text(json.dumps(verdict.as_json(), indent=2) + "\n", snakemake.output[0])
    log.info("%s: %s; control detected: %s", name, verdict.finding.word, verdict.control_detected)
