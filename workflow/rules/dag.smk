# The DAG: targets -> train -> assemble -> certify -> check, draw, refute -> report -> verify.
from snakemake.utils import min_version

min_version("9.0")


report: "../report/workflow.rst"


include: "common.smk"


if plan.source.makes_inputs:

    include: "targets.smk"
    include: "controls.smk"
    include: "studies.smk"
    include: "refute.smk"


if plan.source.trains:

    include: "train.smk"
    include: "prove.smk"


if plan.source.incomplete:

    include: "incomplete.smk"


include: "check.smk"
include: "report.smk"
include: "goals.smk"


# They only print: those of a module do not run.
onstart:
    call.watch()


onsuccess:
    call.succeed()


onerror:
    call.fail(log)
