# What there is of an unfinished grid: --config incomplete=true. It lies in a folder of its own and trains nothing.


def found_of(chunk):
    """The files with trained runs of a chunk: its tiles, or of an archive the assembled file."""
    assembled = Path(DATA, "runs", f"{chunk}.nc")
    if ARCHIVE and assembled.exists():
        return [str(assembled)]
    tiles = [f"{DATA}/tiles/{tile.name}.nc" for tile in CHUNKS[chunk].tiles]
    return [tile for tile in tiles if Path(tile).exists()]


rule assemble_what_there_is:
    input:
        found=lambda wildcards: found_of(wildcards.chunk),
        targets=f"{DATA}/targets.nc",
    output:
        f"{RUNS}/{{chunk}}.nc",
    log:
        f"{LOGS}/assemble-{{chunk}}.log",
    priority: 30
    conda:
        "../envs/dmf.yaml"
    params:
        code=lambda wildcards: code_fingerprint("assemble_incomplete"),
        block=lambda wildcards: canonical(CHUNKS[wildcards.chunk].block.as_json()),
    script:
        "../../scripts/assemble_incomplete.py"
