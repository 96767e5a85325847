# The search for a global minimizer in every cell, and its cost: runs of its own, which no claim sees. One job.


rule minimum_search:
    """Search every cell for a certified global minimizer, and count the runs that takes."""
    output:
        f"{DATA}/minimum_search.nc",
    log:
        f"{LOGS}/minimum-search.log",
    priority: 20
    conda:
        "../envs/dmf.yaml"
    threads: 1
    params:
        code=lambda wildcards: plan.code("minimum_search"),
        settings=plan.settings.get("minimum_search.nc"),
    script:
        "../../scripts/minimum_search.py"
