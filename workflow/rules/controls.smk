# The negative controls of the claims on runs: cells in which the statements are false.


rule train_controls:
    """Train the negative controls of the claims on runs."""
    output:
        f"{DATA}/controls.nc",
    log:
        f"{LOGS}/controls.log",
    benchmark:
        f"{BENCHMARKS}/train_controls.tsv"
    priority: 20
    conda:
        "../envs/dmf.yaml"
    threads: 1
    params:
        code=lambda wildcards: plan.code("controls"),
        identities=lambda wildcards, output: plan.identities(output[0]),
        settings=plan.settings["controls.nc"],
    script:
        "../../scripts/controls.py"
