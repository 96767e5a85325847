"""Judges what the search for refutations tried."""

import json

from dmf.claims import load_claims
from dmf.dataset.store import read, write_text
from dmf.grid.config import validate
from dmf.refute.record import judge_all
from dmf.step import step

with step(snakemake.log[0], "judge_attempts", snakemake.input, snakemake.params.identities) as log:
    claims = {name: claim for name, claim in load_claims().items() if claim.study == "runs"}
    record = judge_all(claims, read(snakemake.input.evidence), validate(snakemake.config, "configuration").certificate)
    write_text(json.dumps(record.as_json(), indent=2) + "\n", snakemake.output[0])
    refuted = [attempt.claim for attempt in record.attempts if attempt.refuted]
    log.info("%d runs; refuted: %s", record.runs, ", ".join(refuted) or "none")
