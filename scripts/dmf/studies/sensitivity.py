"""Beyond the paper: how trained minimizers move with their target, and Stein's identity for X* (docs/denoise.md).

Minimizers are trained again at targets moved by each entry, and differences of their products make up the derivative
dX*/dM, without any closed form. Stein's identity is held against means over draws of noise.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import xarray as xr

from dmf import theory
from dmf.grid.seeds import generator
from dmf.studies import Settings, Study
from dmf.studies._assemble import Row, assembled
from dmf.studies._derivatives import Floats
from dmf.studies._layers import product_of
from dmf.studies._models import Network
from dmf.studies._newton import minimize, smallest_curvature
from dmf.theory import certificate, haar, sensitivity

DRAWS, KEPT = 24, 3  # starts of each cell, and those at the minimum that are moved
STEP = 4e-3  # of entries of the target; halved twice
NEARBY = 1e-5  # gradient norm from which on runs are polished without damping
SINGULAR_VALUES = (2.0, 1.2, 0.3)

# Name, depth, rows, columns, lambda.
CELLS = (
    ("two layers", 2, 3, 3, 0.4),
    ("three layers", 3, 3, 3, 0.35),
    ("wide", 3, 2, 4, 0.3),
    ("tall", 4, 3, 2, 0.2),
)
CONTROLS = (("ordinary", 3, 3, 2, 0.3), ("correlated inputs", 3, 2, 2, 0.3))
# Of Stein's identity.
NOISY = (("noise", 2, 4, 4, 1.6), ("noise", 3, 4, 4, 1.2), ("noise", 4, 4, 6, 0.9))
NOISY_CONTROLS = (("noise, ordinary", 3, 4, 4, 1.2), ("noise of two sizes", 3, 4, 4, 1.2))
NOISE = 0.5
NOISE_DRAWS, BATCHES = 20_000, 2
SIGNAL = (2.6, 1.8)  # the singular values of its M
WINDOW = 0.2  # half the width of the window around m* in which singular values are counted; halved once
ERRORS = 5.0  # standard errors

FIELDS = {
    "control": ("cell", "1 for cells of the control"),
    "plain": ("cell", "1 where the target is that of eq. 2, or the noise is independent"),
    "certified": (
        "cell start",
        "1 where the run, one of the lowest value, and all that were trained again are at minima; of noise everywhere",
    ),
    "derivative_gap": ("cell start", "largest difference of an entry of the measured dX/dM from the closed form"),
    "asymmetry": ("cell start", "largest entry of the measured dX/dM less its transpose"),
    "spectrum_gap": ("cell start", "largest difference of its eigenvalues from the closed form"),
    "degrees": ("cell start", "its trace"),
    "predicted_degrees": ("cell start", "degrees of freedom in closed form"),
    "derivative_tolerance": ("cell start", "what steps of the target and radii of the runs allow for one entry"),
    "size": ("cell start", "number of entries of the target"),
    "covariance": ("cell start", "mean of <Z, X*(M + s Z)> / s over draws of Z"),
    "mean_degrees": ("cell start", "mean of the degrees of freedom in closed form over the same draws"),
    "jump": ("cell start", "x_J times the density of singular values at m*, from the same draws"),
    "stein_tolerance": ("cell start", "five standard errors, and what the window of the density allows"),
}
TRAINED = (
    "derivative_gap",
    "asymmetry",
    "spectrum_gap",
    "degrees",
    "predicted_degrees",
    "derivative_tolerance",
    "size",
)
AVERAGED = ("covariance", "mean_degrees", "jump", "stein_tolerance")


def make(settings: Settings) -> xr.Dataset:
    """Cells by target, depth and lambda, starts by draw; of Stein's identity starts are batches of draws of noise."""
    rows = [_cell(settings, *cell) | {"control": False} for cell in CELLS]
    rows += [_cell(settings, *cell) | {"control": True} for cell in CONTROLS]
    rows += [_stein(settings, *cell) | {"control": False} for cell in NOISY]
    rows += [_stein(settings, *cell) | {"control": True} for cell in NOISY_CONTROLS]
    return assembled(FIELDS, rows, {"draw": ("start", np.arange(KEPT))})


def _cell(settings: Settings, name: str, depth: int, rows: int, columns: int, lam: float) -> Row:
    rng = generator(["study", "sensitivity", settings.seed, name])
    small = min(rows, columns)
    left, right = haar.orthogonal(rows, rng)[:, :small], haar.orthogonal(columns, rng)[:, :small]
    target = left * SINGULAR_VALUES[:small] @ right.T
    inputs = np.eye(columns)
    if name == "correlated inputs":  # of which the target is the least-squares solution
        inputs = rng.standard_normal((columns, 5))
    widths = (columns, *[small] * (depth - 1), rows)
    network = Network(inputs, target @ inputs, widths, lam)
    ends = minimize(network, rng.standard_normal((DRAWS, network.parameters)), settings.gradient_norm)
    _, mu = smallest_curvature(ends.spectrum)
    certified = (ends.gradient_norm <= settings.gradient_norm) & np.isfinite(mu)
    lowest = np.where(certified, ends.values, np.inf).min()
    chosen = np.flatnonzero(certified & (ends.values <= lowest + 1e-9))[:KEPT]
    derivative, tolerance = derivatives(network, target, ends.points[chosen])
    entries = np.eye(target.size).reshape(-1, *target.shape)
    whole = [sensitivity.shrinkage_derivative(target, entry, depth, lam).ravel() for entry in entries]
    expected = sensitivity.sensitivity_spectrum(target, depth, lam)
    even = (derivative + derivative.mT) / 2
    return {
        "problem": name,
        "depth": depth,
        "lam": lam,
        "plain": name != "correlated inputs",
        "certified": np.isfinite(tolerance),
        "derivative_gap": np.abs(derivative - np.array(whole).T).max(axis=(1, 2)),
        "asymmetry": np.abs(derivative - derivative.mT).max(axis=(1, 2)),
        "spectrum_gap": np.abs(np.linalg.eigvalsh(even) - expected).max(axis=1),
        "degrees": np.trace(derivative, axis1=1, axis2=2),
        "predicted_degrees": np.full(len(chosen), expected.sum()),
        "derivative_tolerance": tolerance,
        "size": np.full(len(chosen), target.size),
    } | dict.fromkeys(AVERAGED, np.full(KEPT, np.nan))


def derivatives(network: Network, target: Floats, points: Floats) -> tuple[Floats, Floats]:
    """dX/dM (S, d, d) of minimizers (S, N) trained again at moved targets (d_L, d_0), d = d_L d_0; and its error (S,).

    Central differences at three steps, extrapolated twice; the change of the last extrapolation is the error of the
    one before, far above its own. Runs are polished until only rounding is left of their gradients; the error is NaN
    where one does not end at a minimum.
    """
    found = np.empty((3, len(points), target.size, target.size))
    radius = np.zeros(len(points))
    for place in range(target.size):
        entry = np.zeros(target.size)
        entry[place] = 1.0
        for level in range(3):
            step = STEP / 2**level
            sides = []
            for sign in (1, -1):
                moved = target + sign * step * entry.reshape(target.shape)
                ends = minimize(replace(network, labels=moved @ network.inputs), points, NEARBY)
                layers = network.layers(ends.points)
                sides.append(product_of(layers).reshape(len(points), -1))
                top = np.max([np.linalg.norm(layer, 2, axis=(1, 2)) for layer in layers], axis=0)
                _, mu = smallest_curvature(ends.spectrum)
                off = certificate.radius(ends.gradient_norm, mu, np.linalg.norm(ends.points, axis=1))
                radius = np.maximum(radius, certificate.product_tolerance(top, off, len(layers)))
            found[level, :, :, place] = (sides[0] - sides[1]) / (2 * step)
    once = (4 * found[1:] - found[:-1]) / 3
    twice = (16 * once[1] - once[0]) / 15
    # Extrapolation multiplies what is wrong with the last difference by at most 4/3 * 16/15 + ..., below 2.
    return twice, np.abs(twice - once[1]).max(axis=(1, 2)) + 2 * radius / (STEP / 4)


def _stein(settings: Settings, name: str, depth: int, rows: int, columns: int, lam: float) -> Row:
    """A control's noise is not independent: each matrix has one factor, small or large, of all of its entries."""
    rng = generator(["study", "sensitivity", settings.seed, name, depth])
    plain = name != "noise of two sizes"
    signal = np.zeros((rows, columns))
    np.fill_diagonal(signal, SIGNAL)
    at, height = float(theory.collapse_threshold(depth, lam)), float(theory.jump(depth, lam))
    means = np.full((4, KEPT), np.nan)
    for batch in range(BATCHES):
        z = rng.standard_normal((NOISE_DRAWS, rows, columns))
        if not plain:
            z *= rng.choice([0.5, 1.5], size=(NOISE_DRAWS, 1, 1)) / np.sqrt(1.25)  # of variance 1
        left, sigma, right_t = np.linalg.svd(signal + NOISE * z, full_matrices=False)
        x = theory.scalar_minimizer(sigma, depth, lam)
        along = np.einsum("sji,sjk,sik,si->s", left, z, right_t, x) / NOISE
        degrees = _degrees(sigma, x, (rows, columns), depth, lam)
        near = np.abs(sigma - at)
        counts = np.stack([np.sum(near < WINDOW / part, axis=1) for part in (1, 2)]) / (
            2 * WINDOW / np.array([[1], [2]])
        )
        added = height * (4 * counts[1] - counts[0]) / 3  # without what a window's width is wrong by at second order
        # Less what these two, whose means are 0, explain of it.
        noises = np.stack([np.einsum("ij,sij->s", signal, z), np.sum(z**2, axis=(1, 2)) - rows * columns])
        along -= np.linalg.lstsq(noises.T, along - degrees - added, rcond=None)[0] @ noises
        error = (along - degrees - added).std() / np.sqrt(NOISE_DRAWS)
        window = height * abs(counts[1].mean() - counts[0].mean()) / 3
        means[:, batch] = along.mean(), degrees.mean(), added.mean(), ERRORS * error + window
    return {
        "problem": name,
        "depth": depth,
        "lam": lam,
        "plain": plain,
        "certified": np.isfinite(means[0]),
        **dict.fromkeys(TRAINED, np.full(KEPT, np.nan)),
        **dict(zip(AVERAGED, means, strict=True)),
    }


def _degrees(sigma: Floats, x: Floats, shape: tuple[int, int], depth: int, lam: float) -> Floats:
    """Degrees of freedom (S,) at spectra (S, n) by the formula of any shrinkage (Candes, Sing-Long & Trzasko 2013)."""
    kept = x > 0
    power = 2 - 2 / depth
    slope = np.where(kept, 1 / (1 - lam * (1 - 2 / depth) * np.where(kept, x, 1.0) ** -power), 0.0)
    total = slope.sum(axis=1) + abs(shape[0] - shape[1]) * (x / sigma).sum(axis=1)
    for i, j in combinations(range(sigma.shape[1]), 2):
        total += 2 * (sigma[:, i] * x[:, i] - sigma[:, j] * x[:, j]) / (sigma[:, i] ** 2 - sigma[:, j] ** 2)
    return np.asarray(total)


STUDY = Study(
    title="How minimizers move with their target",
    summary=(
        r"Trained minimizers of depth 2 to 4, trained again at targets moved by each entry: the derivative "
        r"$dX^*/dM$. Means over Gaussian noise of $\langle Z, X^*\rangle$. Layers on correlated inputs, and noise "
        "that is not independent, as controls."
    ),
    make=make,
)
