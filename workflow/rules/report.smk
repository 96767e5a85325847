# Figures and the page, from evidence and verdicts only: nothing here can cause training.


rule thin:
    """Keep of the evidence on very many runs what figures draw."""
    input:
        plan.evidence_of("runs"),
    output:
        f"{MADE}/thinned.nc",
    log:
        f"{LOGS}/thin.log",
    benchmark:
        f"{BENCHMARKS}/thin.tsv"
    priority: 20
    conda:
        "../envs/dmf.yaml"
    params:
        code=lambda wildcards: plan.code("thin"),
        identities=lambda wildcards, output: plan.identities(output[0]),
        every=canonical(plan.every),
    script:
        "../../scripts/thin.py"


rule draw:
    """Draw one figure, as PNG and SVG."""
    input:
        evidence=lambda wildcards: plan.drawn_of(plan.figures[wildcards.figure]),
        controls=lambda wildcards: plan.controls_of(plan.figures[wildcards.figure]),
    output:
        png=report(
            f"{REPORTS}/figures/{{figure}}.png",
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
        svg=f"{REPORTS}/figures/{{figure}}.svg",
    log:
        f"{LOGS}/draw-{{figure}}.log",
    benchmark:
        f"{BENCHMARKS}/draw/{{figure}}.tsv"
    priority: 10
    group:
        "report"
    conda:
        "../envs/dmf.yaml"
    resources:
        runtime=2,  # as of rule check
    params:
        code=lambda wildcards: plan.code("draw", wildcards.figure),
        identities=lambda wildcards, output: plan.identities(output[0]),
        labels=lambda wildcards: canonical(plan.labels_of(wildcards.figure)),
        made_with=lambda wildcards: plan.made_with(plan.figures[wildcards.figure]),
    script:
        "../../scripts/draw.py"


rule join_cells:
    """Join the tables of the claims on each study."""
    input:
        expand(f"{MADE}/cells/{{claim}}.nc", claim=plan.claims),
    output:
        plan.cell_tables,
    log:
        f"{LOGS}/join-cells.log",
    benchmark:
        f"{BENCHMARKS}/join_cells.tsv"
    group:
        "report"
    conda:
        "../envs/dmf.yaml"
    resources:
        runtime=2,  # as of rule check
    params:
        code=lambda wildcards: plan.code("join_cells"),
        identities=lambda wildcards, output: plan.identities(output[0]),
        studies=lambda wildcards: canonical(plan.claims),
    script:
        "../../scripts/join_cells.py"


rule write_report:
    """Write the page, the explorer, the tables and the provenance."""
    input:
        evidence=plan.evidence_of("runs"),
        targets=f"{DATA}/targets.nc",
        runs=expand(f"{RUNS}/{{chunk}}.nc", chunk=plan.chunks),
        verdicts=expand(f"{REPORTS}/verdicts/{{claim}}.json", claim=plan.claims),
        found=plan.found,
        searched=plan.searched,
        measured=plan.measured,
        proofs=plan.proofs,
        svg=expand(f"{REPORTS}/figures/{{figure}}.svg", figure=plan.figures),
        png=expand(f"{REPORTS}/figures/{{figure}}.png", figure=plan.figures),
    output:
        page=f"{REPORTS}/index.html",
        explorer=f"{REPORTS}/explorer.html",
        table=report(
            f"{REPORTS}/verdicts.csv",
            caption="../report/verdicts.rst",
            category="Verdicts",
            labels={"table": "all claims"},
        ),
        proved=plan.proved,
        census=f"{REPORTS}/census.csv",
        provenance=f"{REPORTS}/provenance.json",
        grid=f"{REPORTS}/grid.yaml",
    log:
        f"{LOGS}/report.log",
    benchmark:
        f"{BENCHMARKS}/write_report.tsv"
    group:
        "report"
    conda:
        "../envs/dmf.yaml"
    params:
        code=lambda wildcards: plan.code("report"),
        identities=lambda wildcards, output: plan.identities(output[0]),
        configuration=lambda wildcards: canonical(plan.grid.model_dump(mode="json")),
        every=canonical(plan.every),
        absent=canonical(plan.absent),
    script:
        "../../scripts/report.py"


rule write_paper:
    """Write figures in print size, the table of verdicts, references and methods."""
    input:
        evidence=plan.drawn_of("runs"),
        controls=f"{DATA}/controls.nc",
        targets=f"{DATA}/targets.nc",
        studies=plan.drawn_studies(),
        page=f"{REPORTS}/index.html",
    output:
        figures=expand(f"{REPORTS}/paper/figures/{{figure}}.pdf", figure=plan.figures),
        captions=f"{REPORTS}/paper/figures.tex",
        table=f"{REPORTS}/paper/verdicts.tex",
        methods=f"{REPORTS}/paper/methods.tex",
        references=f"{REPORTS}/paper/references.bib",
    log:
        f"{LOGS}/paper.log",
    benchmark:
        f"{BENCHMARKS}/write_paper.tsv"
    group:
        "report"
    conda:
        "../envs/dmf.yaml"
    params:
        code=lambda wildcards: plan.code("paper"),
        identities=lambda wildcards, output: plan.identities(output[0]),
        citation=lambda wildcards: (TOP / "CITATION.cff").read_text(encoding="utf-8"),
        labels=lambda wildcards: canonical(plan.labels),
        made_with=lambda wildcards: canonical(
            {study: plan.made_with(study) for study in plan.figures.values()}
        ),
    script:
        "../../scripts/paper.py"
