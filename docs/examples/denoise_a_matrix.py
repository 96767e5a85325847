"""
Denoise a matrix
================

A matrix of low rank was measured with noise. Which depth and which weight decay remove most of the
noise, and how good is that beside other ways?
"""

# %%
# Sixty images of scikit-learn's digits, cut to rank 6, with noise of standard deviation 0.15.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

import dmf

images = load_digits().data[:60] / 16
u, sigma, v_t = np.linalg.svd(images, full_matrices=False)
signal = (u[:, :6] * sigma[:6]) @ v_t[:6]
noisy = signal + 0.15 * np.random.default_rng(0).standard_normal(signal.shape)

# %%
# Nothing but the matrix is given. Its noise is estimated from the median singular value, and depth
# and λ are chosen so that noise alone is not kept.

found = dmf.denoise(noisy)
found

# %%
# The risk is estimated without the signal, by Stein's formula with the term that belongs to the
# jump at the threshold. Here the signal is known, so the estimates can be held against the truth.

for one in found.compare():
    print(f"{one.name:28} estimated {one.stein:8.2f}")
true = np.sum((found.minimizer - signal) ** 2)
noise = np.sum((noisy - signal) ** 2)
print(f"true error of depth {found.depth}: {true:.2f}; of the noisy matrix: {noise:.2f}")

# %%
# Stein's estimate rests on the noise level, which came out a little too high. With the true one:

given = dmf.denoise(noisy, noise=0.15, depth=found.depth)
true = np.sum((given.minimizer - signal) ** 2)
print(f"estimated {given.own.stein:.2f}, true {true:.2f}")

# %%

figure, panels = plt.subplots(3, 8, figsize=(9, 3.6), layout="constrained")
for row, shown in enumerate([signal, noisy, found.minimizer]):
    for panel, image in zip(panels[row], shown, strict=False):
        panel.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
        panel.set(xticks=[], yticks=[])
    panels[row, 0].set_ylabel(["signal", "noisy", "denoised"][row])
plt.show()

assert true < 0.3 * noise

# %%
# Missing entries
# ---------------
# With NaN in the matrix, held-out entries choose depth and λ.

holes = noisy.copy()
holes[np.random.default_rng(1).random(noisy.shape) < 0.15] = np.nan
filled = dmf.denoise(holes, missing=True)
print(filled)
missing = np.isnan(holes)
error = (filled.minimizer - signal)[missing]
print(f"root mean square error of filled entries: {np.sqrt(np.mean(error**2)):.3f}")
