"""Searches for the worst case of every claim on runs, and judges what was tried."""

import json

from _step import step
from dmf.claims import load_claims
from dmf.dataset.provenance import file_attributes
from dmf.dataset.store import write, write_text
from dmf.falsify.decoy import DECOY
from dmf.falsify.record import judge_all
from dmf.falsify.search import search
from dmf.grid.config import validate

with step(snakemake.log[0], "falsify", snakemake.input) as log:
    grid = validate(snakemake.config, "configuration")
    claims = {name: claim for name, claim in load_claims().items() if claim.study == "runs"}
    evidence = search(grid, {**claims, "decoy": DECOY})
    evidence = evidence.assign_attrs(**file_attributes("Search", "Cells chosen to refute the claims on runs"))
    write(evidence, snakemake.output.evidence)
    record = judge_all(claims, evidence, grid.certificate)
    write_text(json.dumps(record.as_json(), indent=2) + "\n", snakemake.output.record)
    refuted = [attack.claim for attack in record.attacks if attack.refuted]
    log.info("%d runs; refuted: %s", record.runs, ", ".join(refuted) or "none")
