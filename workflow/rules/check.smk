# From runs to verdicts: what each run may speak for, then one job a claim.


rule certify:
    input:
        runs=lambda wildcards: [
            f"{DATA}/runs/{part.name}.nc" for part in EVIDENCE[wildcards.bundle]
        ],
        code=sources(*CERTIFYING, "theory/*.py"),
    output:
        f"{DATA}/{{bundle}}.nc",
    log:
        f"{LOGS}/certify/{{bundle}}.log",
    priority: 30
    conda:
        "../envs/dmf.yaml"
    script:
        "../../scripts/certify.py"


rule check:
    input:
        evidence=lambda wildcards: evidence_of(CLAIMS[wildcards.claim]),
        controls=lambda wildcards: controls_of(CLAIMS[wildcards.claim]),
        code=lambda wildcards: sources(
            f"claims/{wildcards.claim}.py",
            "claims/_*.py",
            "evidence/claim.py",
            "evidence/judge.py",
            "evidence/parts.py",
            "evidence/speak.py",
            "evidence/rounding.py",
        ),
    output:
        f"{REPORTS}/verdicts/{{claim}}.json",
    log:
        f"{LOGS}/check-{{claim}}.log",
    conda:
        "../envs/dmf.yaml"
    params:
        enough=canonical([grid.certificate.runs_per_cell, grid.certificate.cells]),
    script:
        "../../scripts/check.py"
