"""
Your matrix in five minutes
===========================

A matrix of yours, at some depth and weight decay: where is the minimum, what is left of the matrix
there, and does training find it?
"""

# %%
# Anything like a matrix will do: lists, NumPy, a data frame, a sparse matrix, a tensor. Here are
# rough mean temperatures of five cities in °C, a quarter of a year each.

import matplotlib.pyplot as plt
import pandas as pd

import dmf

quarters = ["Dec–Feb", "Mar–May", "Jun–Aug", "Sep–Nov"]
cities = {
    "Cairo": [15, 22, 28, 23],
    "Lima": [22, 20, 17, 18],
    "Oslo": [-3, 5, 16, 6],
    "Perth": [24, 19, 13, 17],
    "Quito": [14, 14, 14, 14],
}
M = pd.DataFrame.from_dict(cities, orient="index", columns=quarters)
M -= M.to_numpy().mean()

# %%
# What the theory says
# --------------------
# A product of three layers with weight decay λ, in units of the λ at which everything collapses to
# zero. Nothing is trained; these are closed forms.

found = dmf.predict(M, depth=3, lam="0.4c")
found

# %%
# Singular values of the target above the threshold m* are kept and shrunk, the others are zero.
# That is all that regularization does to the product.

found.plot()
plt.show()

# %%
# The labels come back with pandas. Which part of a year is left?

pd.DataFrame(found.minimizer, found.rows, found.columns).round(1)

# %%
# What training finds
# -------------------
# 48 runs from random starts. Each is held against the closed forms, and is certified where its
# gradient is small enough for that.

trained = dmf.train(M, depth=3, lam="0.4c", starts=48)
trained

# %%
# Some runs ended on a higher level than the minimum. Those are spurious minima or saddles, and the
# theory has their values too.

trained.plot()
plt.show()

# %%
# A small gradient is no proof. Ball arithmetic is: it encloses a minimizer near the best run.

print(trained.prove())

# %%
# The whole workflow, with every claim of the paper, runs on this matrix with ``dmf new-grid`` (see
# :doc:`/README`).

assert trained.prove().is_global
assert abs(trained.best.product - found.minimizer).max() < 1e-7
