# The goals people name. `all` is the report and its verification.


localrules:
    all,
    targets,
    runs,
    verdicts,
    figures,
    report,
    paper,
    verify,
    preflight,
    clean,


rule all:
    input:
        f"{REPORTS}/index.html",
        f"{REPORTS}/verified.txt",


rule targets:
    input:
        f"{DATA}/targets.nc",


rule runs:
    input:
        expand(f"{RUNS}/{{chunk}}.nc", chunk=CHUNKS),


rule verdicts:
    input:
        expand(f"{REPORTS}/verdicts/{{claim}}.json", claim=CLAIMS),


rule figures:
    input:
        expand(f"{REPORTS}/figures/{{figure}}.svg", figure=FIGURES),


rule report:
    input:
        f"{REPORTS}/index.html",


rule paper:
    input:
        f"{REPORTS}/paper/methods.tex",


rule verify:
    input:
        page=f"{REPORTS}/index.html",
        verdicts=expand(f"{REPORTS}/verdicts/{{claim}}.json", claim=CLAIMS),
        found=FOUND,
        searched=SEARCHED,
        provenance=f"{REPORTS}/provenance.json",
    output:
        f"{REPORTS}/verified.txt",
    log:
        f"{LOGS}/verify.log",
    conda:
        "../envs/dmf.yaml"
    params:
        code=lambda wildcards: code_fingerprint("verify", *CLAIMED),
        absent=canonical(ABSENT),
    script:
        "../../scripts/verify.py"


rule preflight:
    log:
        f".snakemake/log/preflight-{grid.grid}.log",
    conda:
        "../envs/dmf.yaml"
    params:
        runs_here=not workflow.non_local_exec,
    script:
        "../../scripts/preflight.py"


rule clean:
    log:
        f".snakemake/log/clean-{grid.grid}.log",
    conda:
        "../envs/dmf.yaml"
    params:
        folders=[MADE, REPORTS],
    script:
        "../../scripts/clean.py"
