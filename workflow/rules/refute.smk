# The search for cells that refute a claim: evidence of its own. It is judged in check.smk.


rule refute:
    output:
        f"{DATA}/refute.nc",
    log:
        f"{LOGS}/refute.log",
    priority: 20
    conda:
        "../envs/dmf.yaml"
    threads: 1
    params:
        code=lambda wildcards: code_fingerprint("refute", *ON_RUNS),
        settings=SETTINGS.get("refute.nc"),
    script:
        "../../scripts/refute.py"
