"""What a paper on a grid takes from its report: LaTeX, BibTeX and the sizes of figures in print."""
