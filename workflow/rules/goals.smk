# The goals people name, all but `all`.


rule targets:
    """Draw or read every target."""
    input:
        f"{DATA}/targets.nc",
    localrule: True


rule runs:
    """Train every run of the grid."""
    input:
        expand(f"{RUNS}/{{chunk}}.nc", chunk=plan.chunks),
    localrule: True


rule verdicts:
    """Check every claim, without figures or a page."""
    input:
        expand(f"{REPORTS}/verdicts/{{claim}}.json", claim=plan.claims),
    localrule: True


rule figures:
    """Draw every figure, without verdicts or a page."""
    input:
        expand(f"{REPORTS}/figures/{{figure}}.svg", figure=plan.figures),
    localrule: True


rule report:
    """Write the report, even where a claim is violated."""
    input:
        f"{REPORTS}/index.html",
        plan.cell_tables,
    localrule: True


rule paper:
    """Write what a paper takes: figures in print size, tables, references and methods."""
    input:
        f"{REPORTS}/paper/methods.tex",
    localrule: True


rule verify:
    """Fail where a claim is violated, a control was missed or something is missing."""
    input:
        page=f"{REPORTS}/index.html",
        verdicts=expand(f"{REPORTS}/verdicts/{{claim}}.json", claim=plan.claims),
        cells=plan.cell_tables,
        found=plan.found,
        searched=plan.searched,
        provenance=f"{REPORTS}/provenance.json",
    output:
        f"{REPORTS}/verified.txt",
    log:
        f"{LOGS}/verify.log",
    benchmark:
        f"{BENCHMARKS}/verify.tsv"
    localrule: True
    conda:
        "../envs/dmf.yaml"
    params:
        code=lambda wildcards: plan.code("verify"),
        identities=lambda wildcards, output: plan.identities(output[0]),
        absent=canonical(plan.absent),
    script:
        "../../scripts/verify.py"


rule preflight:
    """Print what the grid will take, and refuse one that cannot fit; train nothing."""
    log:
        f".snakemake/log/preflight-{plan.grid.grid}.log",
    localrule: True
    conda:
        "../envs/dmf.yaml"
    params:
        runs_here=not workflow.non_local_exec,
        root=lambda wildcards: plan.root,
    script:
        "../../scripts/preflight.py"


rule clean:
    """Remove all that was made of the grid; an archive stays as it is."""
    log:
        f".snakemake/log/clean-{plan.grid.grid}.log",
    localrule: True
    conda:
        "../envs/dmf.yaml"
    params:
        folders=lambda wildcards: [
            plan.placed.folders.made,
            plan.placed.folders.reports,
        ],
    script:
        "../../scripts/clean.py"
