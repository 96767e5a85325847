"""Gives the verdict on one claim."""

import json

from _step import step
from dmf.claims import load_claim
from dmf.dataset.store import write_text
from dmf.evidence.judge import judge
from dmf.grid.config import validate
from dmf.studies.contract import read_evidence

with step(snakemake.log[0], "check", snakemake.input) as log:
    name = snakemake.wildcards.claim
    claim = load_claim(name)
    parts, controls = read_evidence(claim.study, snakemake.input.evidence, snakemake.input.controls)
    certificate = validate(snakemake.config, "configuration").certificate
    verdict = judge(name, claim, parts, controls, certificate)
    write_text(json.dumps(verdict.as_json(), indent=2) + "\n", snakemake.output[0])
    log.info("%s: %s; control detected: %s", name, verdict.finding.word, verdict.control_detected)
