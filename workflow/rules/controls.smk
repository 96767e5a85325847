# The negative controls of the claims on runs: cells in which the statements are false.


rule train_controls:
    input:
        code=sources("evidence/*controls.py", *CERTIFYING, *TRAINING),
    output:
        f"{DATA}/controls.nc",
    log:
        f"{LOGS}/controls.log",
    priority: 20
    conda:
        "../envs/dmf.yaml"
    threads: 1
    params:
        settings=SETTINGS["controls.nc"],
    script:
        "../../scripts/controls.py"
