"""Lemma 11 and Remark 12: how often a random target lies near the exceptional set, by the thousand million.

A Gaussian target is a radius times a direction, independent of each other, so every radius may be paired with every
direction: the singular values of a direction are found once, and all its pairs are counted by bisection in the sorted
radii. Pairs share directions and radii, so intervals come from resampling batches that share nothing.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dmf import theory
from dmf.grid.seeds import generator
from dmf.studies import Settings, Study
from dmf.studies._assemble import Row, assembled

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SHAPES = ((2, 2), (2, 3), (3, 3), (4, 4), (5, 3), (8, 8))
# (L, lambda) and a quantile of the singular values where m* is put: lambda follows from it.
DEPTHS = (3, 4, 8)
QUANTILES = (0.4, 0.6, 0.75)
EXPONENTS = (-6.0, -5.0, -4.0, -3.0, -2.0)
WINDOWS = ((0, 4), (0, 1), (1, 2), (2, 3), (3, 4))  # the whole range first, then decade by decade
BATCHES = 32
VALUES = 4000  # singular values of directions in a batch
RADII = 50_000
CONTROL_SHAPES = ((2, 2), (3, 3), (5, 3))
CONTROL_TARGETS = 100  # in a batch
RESAMPLES = 4000
LEVEL = 0.99

FIELDS = {
    "control": ("cell", "1 where targets are sampled on the exceptional set"),
    "slope": ("cell start", "slope of log P against log eps in a window"),
    "slope_low": ("cell start", "lower end of the slope's 99 % interval"),
    "slope_high": ("cell start", "upper end of the slope's 99 % interval"),
    "certified": ("cell start", "1 where every batch counted some target within the window's smaller eps"),
    "targets": ("cell", "targets counted"),
    "eps": ("radius", "distance to the exceptional set, in units of m*"),
    "probability": ("cell radius", "share of targets within eps of the exceptional set"),
    "probability_low": ("cell radius", "lower end of its 99 % interval"),
    "probability_high": ("cell radius", "upper end of its 99 % interval"),
}


def make(settings: Settings) -> xr.Dataset:
    """Cells (shape, depth and lambda), starts the windows of eps over which a slope is measured."""
    rows = []
    for shape in SHAPES:
        batches = [_draw(shape, settings.seed, batch) for batch in range(BATCHES)]
        values = _some_values(*_draw(shape, settings.seed, BATCHES))  # a batch that is not counted
        for depth, quantile in zip(DEPTHS, QUANTILES, strict=True):
            m_star = float(np.quantile(values, quantile))
            counts = np.stack([near_pairs(*batch, m_star) for batch in batches])
            rows.append(_cell(shape, depth, m_star, counts, len(batches[0][0]) * RADII, 0, settings.seed))
    for shape in CONTROL_SHAPES:
        on_set = np.stack([_near_on_set(shape, settings.seed, batch) for batch in range(BATCHES)])
        rows.append(_cell(shape, DEPTHS[0], 1.0, on_set, CONTROL_TARGETS, 1, settings.seed))
    eps = 10.0 ** np.array(EXPONENTS)
    small, large = np.transpose(WINDOWS)
    return assembled(
        FIELDS, rows, {"eps": ("radius", eps), "from_eps": ("start", eps[small]), "to_eps": ("start", eps[large])}
    )


def _draw(shape: tuple[int, int], seed: int, batch: int) -> tuple[Floats, Floats]:
    """Singular values (directions, min(shape)) of random matrices of norm 1, and sorted radii: norms of Gaussians."""
    rng = generator(["study", "measure_zero", seed, list(shape)], batch)
    directions = rng.standard_normal((VALUES // min(shape), *shape))
    singular: Floats = np.linalg.svd(directions, compute_uv=False).astype(np.float64, copy=False)
    singular /= np.linalg.norm(singular, axis=1, keepdims=True)
    return singular, np.sort(np.sqrt(rng.chisquare(shape[0] * shape[1], RADII)))


def _some_values(singular: Floats, radii: Floats) -> Floats:
    """Singular values of one target a direction, (directions * min(shape),)."""
    return (singular * radii[:: len(radii) // len(singular)][: len(singular), None]).ravel()


def near_pairs(singular: Floats, radii: Floats, m_star: float) -> Ints:
    """How many targets radius * direction have a singular value within eps m* of m*, for every eps, (eps,).

    A radius r counts for direction i if m* (1 - eps) <= r s <= m* (1 + eps) for one of its singular values s; the
    intervals of r rise as s falls, so what the interval before has counted is left out by its upper end.
    """
    eps = 10.0 ** np.array(EXPONENTS)[:, None, None]
    with np.errstate(divide="ignore"):
        centre = m_star / singular
    low = np.searchsorted(radii, centre * (1 - eps), side="left")
    high = np.searchsorted(radii, centre * (1 + eps), side="right")
    low[..., 1:] = np.maximum(low[..., 1:], high[..., :-1])
    counted: Ints = np.maximum(high - low, 0).sum(axis=(1, 2))
    return counted


def _near_on_set(shape: tuple[int, int], seed: int, batch: int) -> Ints:
    """The counts of `near_pairs` for Gaussian targets with their last singular value put to m* = 1."""
    rng = generator(["study", "measure_zero", "control", seed, list(shape)], batch)
    left, values, right = np.linalg.svd(rng.standard_normal((CONTROL_TARGETS, *shape)), full_matrices=False)
    values[:, -1] = 1.0
    distance = np.abs(np.linalg.svd((left * values[:, None, :]) @ right, compute_uv=False) - 1).min(axis=1)
    counted: Ints = (distance <= 10.0 ** np.array(EXPONENTS)[:, None]).sum(axis=1)
    return counted


def _cell(
    shape: tuple[int, int], depth: int, m_star: float, counts: Ints, targets: int, control: int, seed: int
) -> Row:
    """One cell from counts (batch, eps): slopes over windows and probabilities, with bootstrap intervals."""
    rng = generator(["study", "measure_zero", "bootstrap", seed, list(shape), depth])
    weights = rng.multinomial(len(counts), np.full(len(counts), 1 / len(counts)), RESAMPLES)
    resampled = weights @ counts
    tails = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    slope = slopes(counts.sum(axis=0))
    slope_low, slope_high = np.quantile(slopes(resampled), tails, axis=0)
    every = len(counts) * targets
    low, high = np.quantile(resampled / every, tails, axis=0)
    return {
        "shape": f"{shape[0]} x {shape[1]}",
        "depth": depth,
        "lam": _lambda_of(m_star, depth),
        "m_star": m_star,
        "control": bool(control),
        "targets": every,
        "certified": [bool((counts[:, small] > 0).all()) for small, _ in WINDOWS],
        "slope": slope,
        "slope_low": slope_low,
        "slope_high": slope_high,
        "probability": counts.sum(axis=0) / every,
        "probability_low": low,
        "probability_high": high,
    }


def slopes(counts: NDArray[np.generic]) -> Floats:
    """Slopes of log counts (..., eps) against log eps over the windows, (..., window); not finite for a count 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log10(np.asarray(counts, dtype=np.float64))
        steps = [
            (logs[..., large] - logs[..., small]) / (EXPONENTS[large] - EXPONENTS[small]) for small, large in WINDOWS
        ]
    return np.stack(steps, axis=-1)


def _lambda_of(m_star: float, depth: int) -> float:
    """The lambda that puts m*(L, lambda) there: lambda_c as a function of sigma is the inverse of m*."""
    return float(theory.critical_lambda(m_star, depth))


STUDY = Study(
    title="Random targets near the exceptional set",
    summary=(
        r"Gaussian targets as pairs of a random direction and a random radius, counted by their distance "
        r"$\min_i |\sigma_i - m^*|$ to the exceptional set, for several shapes, depths and $\lambda$."
    ),
    make=make,
)
