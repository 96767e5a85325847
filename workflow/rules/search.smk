# The search for a global minimizer in every cell, and its cost: runs of its own, which no claim sees. One job.


rule search:
    input:
        code=sources(
            "search/*.py",
            "grid/seeds.py",
            *CERTIFYING,
            "theory/*.py",
            *TRAINING,
        ),
    output:
        f"{DATA}/search.nc",
    log:
        f"{LOGS}/search.log",
    priority: 20
    conda:
        "../envs/dmf.yaml"
    threads: 1
    params:
        cells=canonical(
            [
                [[t.name, t.fingerprint] for t in project.targets],
                grid.depths,
                grid.hidden_widths,
                grid.lambdas.model_dump(),
            ]
        ),
        settings=canonical([project.training, grid.search.model_dump()]),
    script:
        "../../scripts/search.py"
