# Priorities put the long chain first: train, assemble, certify; the rest fills the gaps.
# Many cells a job; a tile's name is the fingerprint of its content, so a file that exists is never trained again.


rule train:
    # Not targets.nc: it is written again with every new target, and its age must not retrain the old ones. A job draws
    # its targets again and holds them against the fingerprints in its tile. (Marking the file ancient() instead hides
    # every other reason to run from Snakemake whenever the file itself is to be made.)
    output:
        f"{DATA}/tiles/{{tile}}.nc",
    log:
        f"{LOGS}/train-{{tile}}.log",
    priority: 30
    conda:
        "../envs/dmf.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: memory(
            train_memory(TILES[wildcards.tile], grid.keep.layers, grid.device), attempt
        ),
        runtime=lambda wildcards, attempt: minutes(
            train_seconds(TILES[wildcards.tile]), attempt
        ),
    params:
        code=lambda wildcards: code_fingerprint("train"),
        tile=lambda wildcards: canonical(TILES[wildcards.tile].as_json()),
    script:
        "../../scripts/train.py"


rule assemble:
    input:
        tiles=lambda wildcards: [
            f"{DATA}/tiles/{tile.name}.nc" for tile in CHUNKS[wildcards.chunk].tiles
        ],
    output:
        f"{DATA}/runs/{{chunk}}.nc",
    log:
        f"{LOGS}/assemble-{{chunk}}.log",
    priority: 30
    conda:
        "../envs/dmf.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: memory(
            chunk_memory([CHUNKS[wildcards.chunk]], grid.keep.layers), attempt
        ),
    params:
        code=lambda wildcards: code_fingerprint("assemble"),
        training=lambda wildcards: code_fingerprint("train"),  # a damaged tile is trained here
        block=lambda wildcards: canonical(CHUNKS[wildcards.chunk].block.as_json()),
    script:
        "../../scripts/assemble.py"
