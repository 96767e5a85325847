# The goals people name, all but `all`.


rule targets:
    input:
        f"{DATA}/targets.nc",
    """Draw or read every target."""
    localrule: True


rule runs:
    input:
        expand(f"{RUNS}/{{chunk}}.nc", chunk=plan.chunks),
    """Train every run of the grid."""
    localrule: True


rule verdicts:
    input:
        expand(f"{REPORTS}/verdicts/{{claim}}.json", claim=plan.claims),
    """Check every claim, without figures or a page."""
    localrule: True


rule figures:
    input:
        expand(f"{REPORTS}/figures/{{figure}}.svg", figure=plan.figures),
    """Draw every figure, without verdicts or a page."""
    localrule: True


rule report:
    input:
        f"{REPORTS}/index.html",
    """Write the report, whatever the verdicts are."""
    localrule: True


rule paper:
    input:
        f"{REPORTS}/paper/methods.tex",
    """Write what a paper takes: figures in print size, tables, references and methods."""
    localrule: True


rule verify:
    input:
        page=f"{REPORTS}/index.html",
        verdicts=expand(f"{REPORTS}/verdicts/{{claim}}.json", claim=plan.claims),
        found=plan.found,
        searched=plan.searched,
        provenance=f"{REPORTS}/provenance.json",
    output:
        f"{REPORTS}/verified.txt",
    log:
        f"{LOGS}/verify.log",
    """Fail where a claim is violated, a control was missed or something is missing."""
    localrule: True
    conda:
        "../envs/dmf.yaml"
    params:
        code=lambda wildcards: plan.code("verify"),
        absent=canonical(plan.absent),
    script:
        "../../scripts/verify.py"


rule preflight:
    log:
        f".snakemake/log/preflight-{plan.grid.grid}.log",
    """Print what the grid will take, and refuse one that cannot fit; train nothing."""
    localrule: True
    conda:
        "../envs/dmf.yaml"
    params:
        runs_here=not workflow.non_local_exec,
    script:
        "../../scripts/preflight.py"


rule clean:
    log:
        f".snakemake/log/clean-{plan.grid.grid}.log",
    """Remove all that was made of the grid; an archive stays as it is."""
    localrule: True
    conda:
        "../envs/dmf.yaml"
    params:
        folders=[MADE, REPORTS],
    script:
        "../../scripts/clean.py"
