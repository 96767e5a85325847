# Evidence for statements that the grid's own runs cannot reach: one job a study.


rule study:
    """Make the evidence of one study."""
    output:
        f"{DATA}/studies/{{study}}.nc",
    log:
        f"{LOGS}/study-{{study}}.log",
    benchmark:
        f"{BENCHMARKS}/study/{{study}}.tsv"
    priority: 20
    conda:
        "../envs/dmf.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: plan.study_mb(wildcards.study, attempt),
    params:
        code=lambda wildcards: plan.code("study", wildcards.study),
        identities=lambda wildcards, output: plan.identities(output[0]),
        settings=lambda wildcards: plan.settings[f"studies/{wildcards.study}.nc"],
    script:
        "../../scripts/study.py"
