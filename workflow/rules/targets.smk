# Every target of the grid, drawn or read, in one file.


rule draw_targets:
    output:
        f"{DATA}/targets.nc",
    log:
        f"{LOGS}/targets.log",
    conda:
        "../envs/dmf.yaml"
    params:
        code=lambda wildcards: code_fingerprint("targets"),
        definitions=canonical(
            [
                [target.name, target.fingerprint, *target.words]
                for target in project.targets
            ]
        ),
    script:
        "../../scripts/targets.py"
