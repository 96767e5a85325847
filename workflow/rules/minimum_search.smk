# The search for a global minimizer in every cell, and its cost: runs of its own, which no claim sees. One job.


rule search:
    output:
        f"{DATA}/search.nc",
    log:
        f"{LOGS}/search.log",
    priority: 20
    conda:
        "../envs/dmf.yaml"
    threads: 1
    params:
        code=lambda wildcards: code_fingerprint("search"),
        settings=SETTINGS.get("search.nc"),
    script:
        "../../scripts/search.py"
