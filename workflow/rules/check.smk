# From runs to verdicts: what each run may speak for, then one job a claim.


rule certify:
    input:
        runs=lambda wildcards: [
            f"{RUNS}/{part.name}.nc" for part in EVIDENCE[wildcards.bundle]
        ],
    output:
        f"{MADE}/{{bundle}}.nc",
    log:
        f"{LOGS}/certify/{{bundle}}.log",
    priority: 30
    conda:
        "../envs/dmf.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: memory(
            part_memory(EVIDENCE[wildcards.bundle], grid.keep.layers), attempt
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
        code=lambda wildcards: code_fingerprint(
            "check", f"dmf.claims.{wildcards.claim}"
        ),
        enough=ENOUGH,
        made_with=lambda wildcards: made_with(controls_of(CLAIMS[wildcards.claim])),
    script:
        "../../scripts/check.py"


rule judge_attacks:
    input:
        evidence=f"{DATA}/falsifier.nc",
    output:
        f"{REPORTS}/falsifier.json",
    log:
        f"{LOGS}/judge-attacks.log",
    priority: 10
    conda:
        "../envs/dmf.yaml"
    params:
        code=lambda wildcards: code_fingerprint("judge_attacks", *ON_RUNS),
        enough=ENOUGH,
    script:
        "../../scripts/judge_attacks.py"
