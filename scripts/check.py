"""Gives the verdict on one claim."""

import json

from dmf.claims import load_claim
from dmf.dataset.provenance import file_attributes
from dmf.dataset.store import write, write_text
from dmf.evidence.cases import cell_table, table_csv
from dmf.evidence.judge import judge
from dmf.grid.config import validate
from dmf.step import step
from dmf.studies.contract import read_evidence

with step(snakemake.log[0], "check", snakemake.input, snakemake.params.identities) as log:
    name = snakemake.wildcards.claim
    claim = load_claim(name)
    parts, controls = read_evidence(
        claim.study, snakemake.input.evidence, snakemake.input.controls, snakemake.params.made_with
    )
    certificate = validate(snakemake.config, "configuration").certificate
    cells = cell_table(claim, parts, certificate)
    verdict = judge(name, claim, cells, controls, certificate)
    write(cells.assign_attrs(**file_attributes(f"Cells of the claim {name}", claim.source)), snakemake.output.cells)
    write_text(table_csv(cells), snakemake.output.table)
    write_text(json.dumps(verdict.as_json(), indent=2) + "\n", snakemake.output.verdict)
    log.info("%s: %s; control detected: %s", name, verdict.finding.word, verdict.control_detected)
