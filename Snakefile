include: "workflow/Snakefile"


# The default target of an included file does not count, so it is named here.
workflow.default_target = "all"
