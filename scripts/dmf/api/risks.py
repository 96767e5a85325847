"""What shrinkages of singular values cost, estimated in two ways: weight decay's of each depth, and the best known.

Entries, singular values and the noise s are in one unit; risks are squared Frobenius norms in its square.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dmf import theory
from dmf.theory import denoising, sensitivity

Array = NDArray[np.float64]
DEPTHS = (2, 3, 4, 5, 6, 8)
THRESHOLDS = 32  # of a grid from the edge of the noise, or below it for depth 2, to above all singular values
LEAST = 0.3  # of the edge: where soft thresholds begin
ESTIMATED = 1.4
"""Standard deviation of the noise level by the median, in units of s (m n)^(-1/2): 1.07 to 1.47 in simulations."""


@dataclass(frozen=True)
class Noise:
    """The noise of a matrix, and where its singular values end."""

    shape: tuple[int, int]
    level: float
    """s, the standard deviation of an entry's noise"""
    estimated: bool = False

    @property
    def edge(self) -> float:
        """1 % of matrices of this noise alone, or fewer, have a singular value above it.

        Where the noise is estimated, further out by one standard deviation of that estimate.
        """
        edge = denoising.noise_edge(self.shape, self.level, denoising.ONE_PERCENT)
        spread = ESTIMATED / float(np.sqrt(self.shape[0] * self.shape[1]))
        return edge * (1 + spread) if self.estimated else edge

    @property
    def aspect(self) -> float:
        """beta, the smaller side over the larger."""
        small, large = denoising.sides(self.shape)
        return small / large

    @property
    def unit(self) -> float:
        """s n^(1/2), n the larger side: what singular values of theory are in units of."""
        return self.level * float(np.sqrt(max(self.shape)))

    @property
    def error(self) -> float:
        """Standard deviation of Stein's estimates, about; most of it is shared by all shrinkages of one matrix.

        That of ||Z||_F^2, and where the noise is estimated of its level, as if the two were independent.
        """
        own = 2 + (2 * ESTIMATED) ** 2 * self.estimated
        return self.level**2 * float(np.sqrt(own * self.shape[0] * self.shape[1]))


@dataclass(frozen=True)
class Shrinkage:
    """One way to shrink singular values, with its risks at one noisy matrix."""

    name: str
    depth: int
    """number of layers; 0 for shrinkages that no depth has"""
    lam: float
    """0 for these"""
    threshold: float
    """singular values up to it become zero"""
    kept: int
    degrees: float
    """degrees of freedom: the trace of the derivative"""
    stein: float
    """Stein's estimate of the risk, with the jump at the threshold"""
    asymptotic: float
    """the asymptotic risk of the singular values above the noise's edge, each taken for a spike; others are left out"""


def of_depth(sigma: Array, noise: Noise, depth: int, threshold: float) -> Shrinkage:
    """X* of a depth at the lambda whose m* is the threshold."""
    lam = float(theory.critical_lambda(threshold, depth))
    x = theory.scalar_minimizer(sigma, depth, lam)
    found = sensitivity.stein_risk(sigma, noise.shape, noise.level, depth, lam)
    return Shrinkage(
        name="soft threshold, depth 2" if depth == 2 else f"depth {depth}",
        depth=depth,
        lam=lam,
        threshold=threshold,
        kept=int(np.count_nonzero(x)),
        degrees=found.degrees,
        stein=found.risk,
        asymptotic=spike_risks(sigma, x, noise),
    )


def at_edge(sigma: Array, noise: Noise, depths: Sequence[int]) -> list[Shrinkage]:
    """Each depth at the edge of the noise."""
    return [of_depth(sigma, noise, depth, noise.edge) for depth in depths]


def by_stein(sigma: Array, noise: Noise, depths: Sequence[int]) -> list[Shrinkage]:
    """Each depth at the threshold with the least of Stein's estimates.

    Depths above 2 begin at the edge: below it they keep noise whole, and the estimate, noisy itself, is no guide. So
    does depth 2 where no singular value is above the edge.
    """
    if sigma[0] <= noise.edge:
        return at_edge(sigma, noise, depths)
    top = max(1.02 * float(sigma[0]), noise.edge)
    return [
        min(
            (
                of_depth(sigma, noise, depth, threshold)
                for threshold in np.geomspace(noise.edge * (LEAST if depth == 2 else 1), top, THRESHOLDS).tolist()
            ),
            key=lambda one: one.stein,
        )
        for depth in depths
    ]


def peers(sigma: Array, noise: Noise) -> list[Shrinkage]:
    """The best hard threshold, the truncated SVD that keeps what is above the edge, the best shrinkage, and none."""
    hard = denoising.optimal_threshold(noise.aspect) * noise.unit
    y = sigma / noise.unit
    best = noise.unit * denoising.optimal_shrinkage(y, noise.aspect)
    middle = y**2 - noise.aspect - 1
    root = np.sqrt(np.where(best > 0, middle**2 - 4 * noise.aspect, 1.0))
    slope = np.where(best > 0, 2 * middle / root - root / y**2, 0.0)
    top = (1 + float(np.sqrt(noise.aspect))) * noise.unit
    return [
        _hard("best hard threshold", sigma, noise, hard),
        _hard("truncated SVD at the edge", sigma, noise, noise.edge),
        _other("best shrinkage", sigma, noise, (best, slope), (top, 0.0)),
        _other("none", sigma, noise, (sigma, np.ones_like(sigma)), (0.0, 0.0)),
    ]


def spike_risks(sigma: Array, x: Array, noise: Noise) -> float:
    """The sum of asymptotic risks if each singular value above the edge is a spike's, and all others are noise."""
    theta = np.where(sigma > noise.edge, denoising.spike_of(sigma / noise.unit, noise.aspect), 0.0)
    return noise.unit**2 * float(denoising.spike_risk(theta, x / noise.unit, noise.aspect).sum())


def misfit(sigma: Array, noise: Noise) -> float:
    """The largest distance between the shares of singular values below the edge and the law of white noise.

    >>> misfit(np.array([2.9, 2.3, 2.2, 2.1]), Noise((4, 4), level=0.9)) > 0.3  # all alike: no white noise
    True
    """
    bulk = sigma[sigma <= noise.edge] / noise.unit
    if not len(bulk):
        return 1.0
    above = (np.arange(len(bulk)) + 0.5) / len(bulk)
    return float(np.abs(denoising.bulk_tail(bulk, noise.aspect) - above).max())


def _hard(name: str, sigma: Array, noise: Noise, threshold: float) -> Shrinkage:
    x = np.where(sigma > threshold, sigma, 0.0)
    return _other(name, sigma, noise, (x, (x > 0).astype(np.float64)), (threshold, threshold))


def _other(name: str, sigma: Array, noise: Noise, values: tuple[Array, Array], jump: tuple[float, float]) -> Shrinkage:
    """A shrinkage by its values and slopes, and where it jumps by how much."""
    (x, slope), (threshold, height) = values, jump
    degrees = sensitivity.divergence(sigma, x, slope, noise.shape)
    added = height * sensitivity.density_at(sigma, noise.shape, noise.level, threshold) if height else 0.0
    found = sensitivity.risk_of(float(np.sum((sigma - x) ** 2)), degrees, added, noise.shape, noise.level)
    kept = int(np.count_nonzero(x))
    return Shrinkage(name, 0, 0.0, threshold, kept, degrees, found.risk, spike_risks(sigma, x, noise))
