# Proofs of runs in ball arithmetic: separate evidence, made from evidence and from training chosen runs again.


rule prove:
    """Prove a minimizer near two runs of every cell and the worst run of every claim."""
    input:
        evidence=plan.evidence_of("runs"),
    output:
        f"{DATA}/proofs.nc",
    log:
        f"{LOGS}/prove.log",
    benchmark:
        f"{BENCHMARKS}/prove.tsv"
    priority: 20
    conda:
        "../envs/dmf.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: plan.prove_mb(attempt),
    params:
        code=lambda wildcards: plan.code("prove"),
        identities=lambda wildcards, output: plan.identities(output[0]),
        settings=plan.settings.get("proofs.nc"),
    script:
        "../../scripts/prove.py"
