# Evidence for statements that the grid's own runs cannot reach: one job a study.


rule study:
    input:
        code=lambda wildcards: sources(
            f"studies/{wildcards.study}.py",
            "studies/_*.py",
            *CERTIFYING,
            "recovery/*.py",
            "theory/*.py",
            "training/**/*.py",
        ),
    output:
        f"{DATA}/studies/{{study}}.nc",
    log:
        f"{LOGS}/study-{{study}}.log",
    priority: 20
    conda:
        "../envs/dmf.yaml"
    threads: 1
    params:
        settings=lambda wildcards: SETTINGS[f"studies/{wildcards.study}.nc"],
    script:
        "../../scripts/study.py"
