"""Low-rank matrices from few linear measurements: by proximal gradient steps, by factorization with weight decay."""
