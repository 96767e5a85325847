# Every target of the grid, drawn or read, in one file.


rule draw_targets:
    """Draw or read every target."""
    output:
        f"{DATA}/targets.nc",
    log:
        f"{LOGS}/targets.log",
    benchmark:
        f"{BENCHMARKS}/draw_targets.tsv"
    group:
        "report"
    conda:
        "../envs/dmf.yaml"
    params:
        code=lambda wildcards: plan.code("targets"),
        identities=lambda wildcards, output: plan.identities(output[0]),
        definitions=lambda wildcards: canonical(plan.definitions),
    script:
        "../../scripts/targets.py"
