"""
Audit an adapter
================

An adapter adds B A of low rank to a layer. Weight decay on B and A is a penalty on that product,
and the gradient says whether its rank was enough. It also says where weight decay was not what it
seems: AdamW minimizes no such loss.
"""

# %%
# Softmax regression on scikit-learn's digits, whose only weights are B A.

import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import minimize
from sklearn.datasets import load_digits

import dmf

pixels, classes = load_digits(return_X_y=True)
pixels, wanted, lam = pixels / 16, np.eye(10)[classes], 0.02


def loss(x):
    """Mean cross-entropy of logits X p, and its gradient with regard to X."""
    logits = pixels @ x.T
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    value = -np.mean(np.log((shares * wanted).sum(axis=1)))
    return value, (shares - wanted).T @ pixels / len(pixels)


def pair(theta, rank):
    """B (10, rank) and A (rank, 64) of one vector."""
    return theta[: 10 * rank].reshape(10, rank), theta[10 * rank :].reshape(rank, 64)


def gradients(theta, rank):
    """The loss and its gradient with regard to B and A, without decay."""
    b, a = pair(theta, rank)
    value, gradient = loss(b @ a)
    return value, np.concatenate([(gradient @ a.T).ravel(), (b.T @ gradient).ravel()])


# %%
# Decay in the loss
# -----------------
# L-BFGS on cross-entropy + λ(‖A‖² + ‖B‖²), for four ranks.


def with_decay(theta, rank):
    """The loss with decay, and its gradient."""
    value, slope = gradients(theta, rank)
    return value + lam * theta @ theta, slope + 2 * lam * theta


audits, random = {}, np.random.default_rng(0)
settings = {"method": "L-BFGS-B", "jac": True, "options": {"maxiter": 3000, "ftol": 0, "gtol": 1e-8}}
for rank in (1, 2, 4, 8):
    start = 0.3 * random.standard_normal(74 * rank)
    end = minimize(with_decay, start, (rank,), **settings)
    b, a = pair(end.x, rank)
    value, gradient = loss(b @ a)
    audits[f"rank {rank}"] = audit = dmf.audit(b, a, lam=lam, gradient=gradient, loss=value)
    print(audit)
    print(f"  F = {end.fun:.5f}, of which at most {audit.most_to_gain:.1e} is to gain")

# %%
# The gradient's norm against τ = 2λ is the answer. Up to rank 4 a further direction lowers the
# loss. Rank 8 suffices, and since the loss is convex in the product, no rank does better.
#
# Decay beside the loss
# ---------------------
# The same with AdamW, whose decay is decoupled from the gradient.

rank, step = 8, 1e-3
theta = 0.3 * np.random.default_rng(1).standard_normal(74 * rank)
mean, square = np.zeros_like(theta), np.zeros_like(theta)
for count in range(1, 6001):
    _, slope = gradients(theta, rank)
    mean, square = 0.9 * mean + 0.1 * slope, 0.999 * square + 0.001 * slope**2
    update = mean / (1 - 0.9**count) / (np.sqrt(square / (1 - 0.999**count)) + 1e-8)
    theta -= step * (update + 2 * lam * theta)
b, a = pair(theta, rank)
audits["rank 8, AdamW"] = dmf.audit(b, a, lam=lam, gradient=loss(b @ a)[1])
print(audits["rank 8, AdamW"])

# %%
# It keeps every direction, its layers are not balanced, and it is far from critical: no verdict
# about its rank is possible.

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
for name, one in audits.items():
    values = np.array(one.singular_values)
    left.plot(np.arange(1, 1 + len(values)), values, "o-", label=name)
left.set(xlabel="number", ylabel="singular value of B A", yscale="symlog")
left.legend()
right.barh(list(audits), [one.imbalance for one in audits.values()])
right.set(xlabel="imbalance of B and A", xlim=(0, 1))
right.invert_yaxis()
plt.show()

verdicts = [one.verdict for one in audits.values()]
assert verdicts == ["too low", "too low", "too low", "suffices", "not critical"]
