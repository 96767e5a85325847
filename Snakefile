# As workflow/Snakefile, for a call at the top of a checkout.
include: "workflow/rules/dag.smk"


rule all:
    """Write the report and verify it."""
    input:
        f"{REPORTS}/index.html",
        f"{REPORTS}/verified.txt",
    localrule: True
