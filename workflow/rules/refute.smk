# The search for cells that refute a claim: evidence of its own. It is judged in check.smk.


rule falsify:
    output:
        f"{DATA}/falsifier.nc",
    log:
        f"{LOGS}/falsify.log",
    priority: 20
    conda:
        "../envs/dmf.yaml"
    threads: 1
    params:
        code=lambda wildcards: code_fingerprint("falsify", *ON_RUNS),
        settings=SETTINGS.get("falsifier.nc"),
    script:
        "../../scripts/falsify.py"
