"""The exhaustive search for a certified global minimizer in every cell of a grid, and what it costs."""
