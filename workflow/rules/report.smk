# Figures and the page, from evidence and verdicts only: nothing here can cause training.


rule draw:
    input:
        evidence=lambda wildcards: evidence_of(FIGURES[wildcards.figure]),
        controls=lambda wildcards: controls_of(FIGURES[wildcards.figure]),
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
    priority: 10
    conda:
        "../envs/dmf.yaml"
    params:
        code=lambda wildcards: code_fingerprint(
            "draw", f"dmf.figures.{wildcards.figure}"
        ),
        labels=canonical(LABELS),
        every=canonical(EVERY),
        made_with=lambda wildcards: made_with(controls_of(FIGURES[wildcards.figure])),
    script:
        "../../scripts/draw.py"


rule write_report:
    input:
        evidence=evidence_of("runs"),
        targets=f"{DATA}/targets.nc",
        runs=expand(f"{RUNS}/{{chunk}}.nc", chunk=CHUNKS),
        verdicts=expand(f"{REPORTS}/verdicts/{{claim}}.json", claim=CLAIMS),
        cells=expand(f"{MADE}/cells/{{claim}}.nc", claim=CLAIMS),
        found=FOUND,
        searched=SEARCHED,
        measured=MEASURED,
        svg=expand(f"{REPORTS}/figures/{{figure}}.svg", figure=FIGURES),
        png=expand(f"{REPORTS}/figures/{{figure}}.png", figure=FIGURES),
    output:
        page=f"{REPORTS}/index.html",
        explorer=f"{REPORTS}/explorer.html",
        table=report(
            f"{REPORTS}/verdicts.csv",
            caption="../report/verdicts.rst",
            category="Verdicts",
            labels={"table": "all claims"},
        ),
        cells=expand(
            f"{REPORTS}/cells/{{study}}.nc", study=sorted(set(CLAIMS.values()))
        ),
        census=f"{REPORTS}/census.csv",
        provenance=f"{REPORTS}/provenance.json",
        grid=f"{REPORTS}/grid.yaml",
    log:
        f"{LOGS}/report.log",
    conda:
        "../envs/dmf.yaml"
    params:
        code=lambda wildcards: code_fingerprint("report", *CLAIMED, *PICTURED),
        configuration=canonical(grid.model_dump(mode="json")),
        every=canonical(EVERY),
        absent=canonical(ABSENT),
    script:
        "../../scripts/report.py"


rule write_paper:
    input:
        evidence=evidence_of("runs"),
        controls=[] if ABSENT else f"{DATA}/controls.nc",
        targets=f"{DATA}/targets.nc",
        studies=sorted(
            {
                evidence_of(study)[0]
                for study in FIGURES.values()
                if study not in OF_THE_GRID
            }
        ),
        page=f"{REPORTS}/index.html",
    output:
        figures=expand(f"{REPORTS}/paper/figures/{{figure}}.pdf", figure=FIGURES),
        captions=f"{REPORTS}/paper/figures.tex",
        table=f"{REPORTS}/paper/verdicts.tex",
        methods=f"{REPORTS}/paper/methods.tex",
        references=f"{REPORTS}/paper/references.bib",
    log:
        f"{LOGS}/paper.log",
    conda:
        "../envs/dmf.yaml"
    params:
        code=lambda wildcards: code_fingerprint("paper", *CLAIMED, *PICTURED),
        citation=(ROOT / "CITATION.cff").read_text(encoding="utf-8"),
        labels=canonical(LABELS),
        every=canonical(EVERY),
        made_with=canonical(
            {study: made_with(controls_of(study)) for study in FIGURES.values()}
        ),
    script:
        "../../scripts/paper.py"
