# The search for cells that refute a claim: its own evidence, judged by the claims themselves. Off where it may not train.


rule falsify:
    input:
        code=sources(
            "falsify/*.py",
            "claims/*.py",
            "evidence/*.py",
            "theory/*.py",
            *TRAINING,
        ),
    output:
        evidence=f"{DATA}/falsifier.nc",
        record=f"{REPORTS}/falsifier.json",
    log:
        f"{LOGS}/falsify.log",
    priority: 20
    conda:
        "../envs/dmf.yaml"
    threads: 1
    params:
        settings=canonical(
            [
                project.training,
                grid.falsifier.model_dump(),
                grid.certificate.model_dump(),
            ]
        ),
    script:
        "../../scripts/falsify.py"
