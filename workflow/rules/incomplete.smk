# What there is of an unfinished grid: --config incomplete=true. It lies in a separate folder and trains nothing.


rule assemble_what_there_is:
    """Put what there is of a chunk into one file, in which missing runs say so."""
    input:
        found=lambda wildcards: plan.trained_of(wildcards.chunk),
        targets=f"{DATA}/targets.nc",
    output:
        f"{RUNS}/{{chunk}}.nc",
    log:
        f"{LOGS}/assemble-{{chunk}}.log",
    benchmark:
        f"{BENCHMARKS}/assemble_what_there_is/{{chunk}}.tsv"
    priority: 30
    conda:
        "../envs/dmf.yaml"
    params:
        code=lambda wildcards: plan.code("assemble_incomplete"),
        identities=lambda wildcards, output: plan.identities(output[0]),
        block=lambda wildcards: canonical(plan.chunks[wildcards.chunk].block.as_json()),
    script:
        "../../scripts/assemble_incomplete.py"
