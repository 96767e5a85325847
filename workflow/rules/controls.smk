# The negative controls of the claims on runs: cells in which the statements are false.


rule train_controls:
    output:
        f"{DATA}/controls.nc",
    log:
        f"{LOGS}/controls.log",
    priority: 20
    conda:
        "../envs/dmf.yaml"
    threads: 1
    params:
        code=lambda wildcards: code_fingerprint("controls"),
        settings=SETTINGS["controls.nc"],
    script:
        "../../scripts/controls.py"
