# The search for cells that refute a claim: separate evidence. It is judged in check.smk.


rule refute:
    """Search for cells that refute a claim on runs."""
    output:
        f"{DATA}/refute.nc",
    log:
        f"{LOGS}/refute.log",
    benchmark:
        f"{BENCHMARKS}/refute.tsv"
    priority: 20
    conda:
        "../envs/dmf.yaml"
    threads: 1
    params:
        code=lambda wildcards: plan.code("refute"),
        identities=lambda wildcards, output: plan.identities(output[0]),
        settings=plan.settings.get("refute.nc"),
    script:
        "../../scripts/refute.py"
