# Priorities put the long chain first: train, assemble, certify; the rest fills the gaps.
# Many cells a job; a tile's name is the fingerprint of its content, so a file that exists is never trained again.


localrules:
    training_code,


rule training_code:
    input:
        sources(*TILE_CODE),
    output:
        TRAINING_CODE,
    log:
        f"{LOGS}/training-code.log",
    priority: 40
    conda:
        "../envs/dmf.yaml"
    script:
        "../../scripts/training_code.py"


rule train:
    input:
        # Not targets.nc: it is written anew with every new target, and age must not retrain the old ones. A job draws
        # its targets again and holds them against the fingerprints in its tile. (Marking the file ancient() instead
        # hides every other reason to run from Snakemake whenever the file itself is to be made.) And not the thirty
        # files of the library: that many inputs a tile make the plan of ten thousand tiles slow.
        code=TRAINING_CODE,
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
        tile=lambda wildcards: canonical(TILES[wildcards.tile].as_json()),
    script:
        "../../scripts/train.py"


rule assemble:
    input:
        tiles=lambda wildcards: [
            f"{DATA}/tiles/{tile.name}.nc" for tile in PARTS[wildcards.part].tiles
        ],
        code=sources("dataset/assemble.py"),
        training=TRAINING_CODE,  # a damaged tile is trained here
    output:
        f"{DATA}/runs/{{part}}.nc",
    log:
        f"{LOGS}/assemble-{{part}}.log",
    priority: 30
    conda:
        "../envs/dmf.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: memory(
            part_memory([PARTS[wildcards.part]], grid.keep.layers), attempt
        ),
    params:
        block=lambda wildcards: canonical(PARTS[wildcards.part].block.as_json()),
    script:
        "../../scripts/assemble.py"
