r"""
Figures 1 to 3 of the paper
===========================

The report of a grid has them with thousands of runs. Here is each one with a few lines and a few
runs.
"""

# %%
# Figure 1: one singular value
# ----------------------------
# For a scalar target m, F at the best layers of product x is :math:`g(x) = (m - x)^2 + \lambda L
# |x|^{2/L}`. Zero is always a local minimum for :math:`L \geq 3`. Another one appears below the
# threshold m*, and above m* it is the lower one.

import matplotlib.pyplot as plt
import numpy as np

import dmf
from dmf import theory

depth, lam = 3, 1.0
threshold = float(theory.collapse_threshold(depth, lam))
x = np.linspace(-0.3, 1.4, 1001) * threshold

figure, panels = plt.subplots(1, 3, figsize=(9, 3), sharey=True, layout="constrained")
for panel, share in zip(panels, (0.9, 1.0, 1.1), strict=True):
    m = share * threshold
    panel.plot(x, theory.scalar_objective(x, m, depth, lam) - m**2)
    at_root = float(theory.large_root(m, depth, lam))
    height = theory.scalar_objective(at_root, m, depth, lam) - m**2
    panel.plot([0, at_root], [0, height], "o")
    panel.set(title=f"m = {share} m*", xlabel="x")
panels[0].set_ylabel("g(x) − g(0)")
plt.show()

# %%
# Figure 2: two minimizers
# ------------------------
# Exactly at m = m*, both minima have one value, and the minimizer is not unique. Training finds
# both.

trained = dmf.train([[threshold]], depth=depth, lam=lam, starts=60)
ends = trained.table()
jump = float(theory.jump(depth, lam))
products = np.array([abs(run.product[0, 0]) for run in trained])

figure, panel = plt.subplots(layout="constrained")
panel.plot(x, theory.scalar_objective(x, threshold, depth, lam))
panel.plot(products, ends["objective"], "o", alpha=0.3)
near, far = np.sum(products < jump / 2), np.sum(products > jump / 2)
panel.set(xlabel="x", ylabel="g(x)", title=f"{near} runs at 0, {far} at $x_J$")
plt.show()

assert np.ptp(ends.loc[ends["certified"], "objective"]) < 1e-12 * threshold**2
assert {0, 1} == set(np.round(products / jump))

# %%
# Figure 3: the collapse
# ----------------------
# As λ grows past :math:`\lambda_c`, the product falls to zero. For three layers or more it jumps.

M = np.random.default_rng(0).standard_normal((4, 4))
fine, coarse = np.linspace(0.05, 1.25, 601), np.linspace(0.05, 1.25, 13)

figure, panel = plt.subplots(layout="constrained")
for depth in (2, 3, 4):
    predicted = [dmf.predict(M, depth, f"{share}c").singular_values[0] for share in fine]
    (line,) = panel.plot(fine, predicted, label=f"closed form, L = {depth}")
    lowest = [dmf.train(M, depth, f"{share}c", starts=24).best for share in coarse]
    norms = [np.linalg.norm(run.product, 2) for run in lowest]
    panel.plot(coarse, norms, "o", color=line.get_color())
    assert all(run.minimal for run in lowest)
panel.set(xlabel=r"$\lambda / \lambda_c$", ylabel=r"largest singular value of $X$")
panel.legend()
plt.show()
