# From runs to verdicts: what each run may speak for, then one job a claim.


rule certify:
    input:
        runs=lambda wildcards: [
            f"{RUNS}/{chunk.name}.nc" for chunk in EVIDENCE[wildcards.evidence_chunk]
        ],
    output:
        f"{MADE}/{{evidence_chunk}}.nc",
    log:
        f"{LOGS}/certify/{{evidence_chunk}}.log",
    priority: 30
    conda:
        "../envs/dmf.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: memory(
            chunk_memory(EVIDENCE[wildcards.evidence_chunk], grid.keep.layers), attempt
        ),
    params:
        code=lambda wildcards: code_fingerprint("certify"),
    script:
        "../../scripts/certify.py"


rule check:
    input:
        evidence=lambda wildcards: evidence_of(CLAIMS[wildcards.claim]),
        controls=lambda wildcards: controls_of(CLAIMS[wildcards.claim]),
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
    conda:
        "../envs/dmf.yaml"
    params:
        code=lambda wildcards: code_fingerprint("check", claim_module(wildcards.claim)),
        enough=ENOUGH,
        made_with=lambda wildcards: made_with(controls_of(CLAIMS[wildcards.claim])),
    script:
        "../../scripts/check.py"


rule judge_attempts:
    input:
        evidence=f"{DATA}/refute.nc",
    output:
        f"{REPORTS}/refute.json",
    log:
        f"{LOGS}/judge-attempts.log",
    priority: 10
    conda:
        "../envs/dmf.yaml"
    params:
        code=lambda wildcards: code_fingerprint("judge_attempts", *ON_RUNS),
        enough=ENOUGH,
    script:
        "../../scripts/judge_attempts.py"
