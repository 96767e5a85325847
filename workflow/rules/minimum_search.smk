# The search for a global minimizer in every cell, and its cost: runs of its own, which no claim sees. One job.


rule minimum_search:
    output:
        f"{DATA}/minimum_search.nc",
    log:
        f"{LOGS}/minimum-search.log",
    priority: 20
    conda:
        "../envs/dmf.yaml"
    threads: 1
    params:
        code=lambda wildcards: code_fingerprint("minimum_search"),
        settings=SETTINGS.get("minimum_search.nc"),
    script:
        "../../scripts/minimum_search.py"
