r"""
Choose a weight decay
=====================

How much of the data does a weight decay keep, and how large may the steps be? Both follow from the
singular values of the target. An optimizer's ``weight_decay`` is 2λ where its loss is the squared
error without a factor 1/2, and where the decay is part of the gradient (SGD, Adam; not AdamW).
"""

# %%
# Digits of scikit-learn: 300 images of 64 pixels. Their leading direction is the mean image, so
# they are centred.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

import dmf

M = load_digits().data[:300] / 16
M = M - M.mean(axis=0)

# %%
# What each λ keeps
# -----------------
# With two layers, singular values disappear one after the other as λ grows. Deeper products keep
# nothing that is small: a kept singular value is at least :math:`x_J`.

shares = np.geomspace(1e-3, 1.2, 60)
figure, (above, below) = plt.subplots(2, sharex=True, figsize=(6.4, 6), layout="constrained")
for depth in (2, 3, 4, 6):
    found = [dmf.predict(M, depth, f"{share}c") for share in shares]
    above.plot(shares, [one.rank for one in found], label=f"L = {depth}")
    errors = [np.linalg.norm(one.minimizer - M) for one in found]
    below.plot(shares, errors / np.linalg.norm(M))
above.set(xscale="log", ylabel="rank of X*")
below.set(xlabel=r"$\lambda / \lambda_c$", ylabel=r"$\|M - X^*\| / \|M\|$")
above.legend()
plt.show()

# %%
# The other way round: a rank that you want, and the λ that keeps it. Singular value k is kept up to
# its own :math:`\lambda_c`.

wanted, depth = 10, 3
sigma = np.linalg.svd(M, compute_uv=False)
largest = float(dmf.theory.critical_lambda(sigma[wanted - 1], depth))
smallest = float(dmf.theory.critical_lambda(sigma[wanted], depth))
print(f"{smallest:.4g} < λ < {largest:.4g} keeps {wanted}")
print(f"weight_decay from {2 * smallest:.4g} to {2 * largest:.4g}")

found = dmf.predict(M, depth, np.sqrt(smallest * largest))
assert found.rank == wanted

# %%
# Every layer then has one norm, and the flattest minimum is known, so the largest step is known
# too: with more than :math:`2 / \lambda_{max}` gradient descent leaves every minimizer.

print(f"norm of each layer {np.sqrt(found.layer_norm_sq):.4g}")
print(f"largest step {found.largest_step:.4g}")

# %%
# Does training keep that rank?
# -----------------------------
# On a small part of the data, so that a page has time for it. Poor starts end on higher levels,
# which keep less.

part = M[:40, 16:32]
trained = dmf.train(part, depth=3, lam="0.1c", starts=24)
trained

# %%

trained.plot()
plt.show()
assert trained.best.minimal
