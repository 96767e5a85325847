# From runs to verdicts: what each run counts for, then one job a claim.


rule certify:
    """Certify runs: what each of them may count for, and to what accuracy."""
    input:
        runs=lambda wildcards: plan.runs_of(wildcards.evidence_chunk),
    output:
        f"{MADE}/{{evidence_chunk}}.nc",
    log:
        f"{LOGS}/certify/{{evidence_chunk}}.log",
    benchmark:
        f"{BENCHMARKS}/certify/{{evidence_chunk}}.tsv"
    priority: 30
    conda:
        "../envs/dmf.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: plan.certify_mb(
            wildcards.evidence_chunk, attempt
        ),
    params:
        code=lambda wildcards: plan.code("certify"),
        identities=lambda wildcards, output: plan.identities(output[0]),
    script:
        "../../scripts/certify.py"


rule check:
    """Give the verdict on one claim, and what every cell contributes to it."""
    input:
        evidence=lambda wildcards: plan.evidence_of(plan.claims[wildcards.claim]),
        controls=lambda wildcards: plan.controls_of(plan.claims[wildcards.claim]),
    output:
        verdict=f"{REPORTS}/verdicts/{{claim}}.json",
        cells=f"{MADE}/cells/{{claim}}.nc",
        table=report(
            f"{REPORTS}/verdicts/{{claim}}.csv",
            caption="../report/cells.rst",
            category="Verdicts",
            labels={"table": "{claim}"},
        ),
    log:
        f"{LOGS}/check-{{claim}}.log",
    benchmark:
        f"{BENCHMARKS}/check/{{claim}}.tsv"
    group:
        "report"
    conda:
        "../envs/dmf.yaml"
    resources:
        runtime=2,  # minutes of a few seconds' work: they add up over a group, and the sum is what a queue sees
    params:
        code=lambda wildcards: plan.code("check", wildcards.claim),
        identities=lambda wildcards, output: plan.identities(output[0]),
        enough=canonical(plan.enough),
        made_with=lambda wildcards: plan.made_with(plan.claims[wildcards.claim]),
    script:
        "../../scripts/check.py"


rule judge_attempts:
    """Judge what the search for refutations tried."""
    input:
        evidence=f"{DATA}/refute.nc",
    output:
        f"{REPORTS}/refute.json",
    log:
        f"{LOGS}/judge-attempts.log",
    benchmark:
        f"{BENCHMARKS}/judge_attempts.tsv"
    priority: 10
    group:
        "report"
    conda:
        "../envs/dmf.yaml"
    params:
        code=lambda wildcards: plan.code("judge_attempts"),
        identities=lambda wildcards, output: plan.identities(output[0]),
        enough=canonical(plan.enough),
    script:
        "../../scripts/judge_attempts.py"
