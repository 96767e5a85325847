"""Fails when a claim is violated or a control was missed."""

import json
import sys
from pathlib import Path

from dmf.cli.verdicts import print_verdicts
from dmf.dataset.store import read, write_text
from dmf.errors import UserError
from dmf.refute.record import problems as refutations
from dmf.refute.record import read_record
from dmf.report.provenance import gaps
from dmf.report.search import problems as false_finds
from dmf.report.verdicts import failures, read_verdicts
from dmf.step import step
from dmf.studies.contract import check_study

with step(snakemake.log[0], "verify", snakemake.input, snakemake.params.identities) as log:
    verdicts = read_verdicts([Path(file) for file in snakemake.input.verdicts])
    report = Path(snakemake.input.page).parent
    problems = failures(verdicts, report, Path(snakemake.log[0]).parent)
    if problems:
        print_verdicts(verdicts, report, sys.stderr)
    problems += [line for file in snakemake.input.found for line in refutations(read_record(file), file)]
    problems += [line for file in snakemake.input.searched for line in false_finds(read(file, check_study), file)]
    problems += gaps(snakemake.input.provenance, json.loads(snakemake.params.absent))
    for problem in problems:
        log.error("%s", problem)
    if problems:
        raise UserError("; ".join(problems))
    words = [f"{verdict.claim}: {verdict.finding.word}" for verdict in verdicts]
    write_text("\n".join(words) + "\n", snakemake.output[0])
