# Priorities put the long chain first: train, assemble, certify; the rest fills the gaps.
# Many cells a job; a tile's name is the fingerprint of its content, so a file that exists is never trained again.


rule train:
    """Train one tile, unless a whole file of it is kept."""

    # Not targets.nc: it is written again with every new target, and its age must not retrain the old ones. A job draws
    # its targets again and holds them against the fingerprints in its tile. (Marking the file ancient() instead hides
    # every other reason to run from Snakemake whenever the file itself is to be made.)
    output:
        f"{DATA}/tiles/{{tile}}.nc",
    log:
        f"{LOGS}/train-{{tile}}.log",
    benchmark:
        f"{BENCHMARKS}/train/{{tile}}.tsv"
    priority: 30
    conda:
        "../envs/dmf.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: plan.train_mb(wildcards.tile, attempt),
        runtime=lambda wildcards, attempt: plan.train_minutes(wildcards.tile, attempt),
    params:
        code=lambda wildcards: plan.code("train"),
        tile=lambda wildcards: canonical(plan.tiles[wildcards.tile].as_json()),
    script:
        "../../scripts/train.py"


rule assemble:
    """Put the runs of a chunk, out of all its tiles, into one file."""
    input:
        tiles=lambda wildcards: plan.tiles_of(wildcards.chunk),
    output:
        f"{DATA}/runs/{{chunk}}.nc",
    log:
        f"{LOGS}/assemble-{{chunk}}.log",
    benchmark:
        f"{BENCHMARKS}/assemble/{{chunk}}.tsv"
    priority: 30
    conda:
        "../envs/dmf.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: plan.assemble_mb(wildcards.chunk, attempt),
    params:
        code=lambda wildcards: plan.code("assemble"),
        identities=lambda wildcards, output: plan.identities(output[0]),
        training=lambda wildcards: plan.code("train"),  # a damaged tile is trained here
        block=lambda wildcards: canonical(plan.chunks[wildcards.chunk].block.as_json()),
    script:
        "../../scripts/assemble.py"
