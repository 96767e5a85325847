"""Layers with other norms than Frobenius' make a chain of any real depth (docs/theory.md, section 15).

||M - W_n ... W_1||^2 + 2 lambda sum_l ||W_l||_{p_l}^{p_l} / p_l has the minimizer of eq. 2 at depth L = sum_l 2 / p_l.
Here Schatten norms p_l are 2 or 4, which are polynomials; runs are trained by Newton's method from random starts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import xarray as xr

from dmf import theory
from dmf.grid.seeds import generator
from dmf.studies import Settings, Study
from dmf.studies._assemble import Row, assembled
from dmf.studies._derivatives import Floats, Numbers, chained, flat
from dmf.studies._layers import layers_of, product_of
from dmf.studies._newton import minimize, smallest_curvature
from dmf.theory import certificate, haar
from dmf.theory.certificate import ROUNDING

DRAWS = 24
SPECTRUM = (2.0, 1.4)  # both kept: where a layer of order 4 vanishes, it has no curvature
MU = 2.0  # (m - x)^2 is mu/2 (m - x)^2
# Norms of the layers from the input on, lambda.
CELLS: tuple[tuple[tuple[int, ...], float], ...] = (
    ((2, 2, 4), 0.3),
    ((4, 2, 2), 0.2),
    ((4, 4, 4, 4, 4), 0.1),
    ((2, 4, 2, 2), 0.1),
    ((2, 4, 4, 2, 2), 0.05),
)
CONTROLS: tuple[tuple[tuple[int, ...], float], ...] = (((2, 2, 4), 0.35),)

FIELDS = {
    "control": ("cell", "1 for cells of the control"),
    "real_depth": ("cell", "the sum of 2 / p_l over layers"),
    "certified": (
        "cell start",
        "1 where the gradient norm is within tolerance and no direction has negative curvature",
    ),
    "minimal": ("cell start", "1 for certified runs at the minimum of the closed form, as far as can be seen"),
    "gradient_norm": ("cell start", "gradient norm at the end point"),
    "radius": ("cell start", "distance from a minimizer that the gradient norm allows"),
    "value_gap": ("cell start", "the objective minus the closed form of its minimum at real depth"),
    "value_gap_counted": ("cell start", "the same for the number of layers"),
    "value_tolerance": ("cell start", "what the gradient norm and rounding allow for it"),
    "distance": ("cell start", "Frobenius distance of X from the closed form at real depth"),
    "distance_counted": ("cell start", "the same from the closed form for the number of layers"),
    "distance_tolerance": ("cell start", "what the radius allows for it"),
    "energy_gap": ("cell start", "largest departure of ||W_l||_p^p from the sum of x_i^(2/L)"),
    "frobenius_gap": ("cell start", "the same of ||W_l||_F^2"),
    "energy_tolerance": ("cell start", "what the radius allows for it"),
    "imbalance": ("cell start", "largest norm of |W_{l+1}|^p - |W_l^T|^p, each with its layer's p"),
    "plain_imbalance": ("cell start", "largest norm of W_{l+1}^T W_{l+1} - W_l W_l^T"),
    "imbalance_tolerance": ("cell start", "what the gradient norm and rounding allow for it, at any point"),
}


@dataclass(frozen=True)
class Mixed:
    """The objective for a square target (d, d) and layers (d, d) with Schatten norms 2 or 4: a function of points."""

    target: Floats
    norms: Sequence[int]
    lam: float

    @property
    def parameters(self) -> int:
        """N."""
        return len(self.norms) * self.target.size

    @property
    def real_depth(self) -> float:
        """L: a layer with Frobenius' norm counts once, one with Schatten's of order 4 half."""
        return sum(2 / p for p in self.norms)

    def layers(self, points: Numbers) -> list[Numbers]:
        """W_1, ..., W_n (..., d, d) of points (..., N)."""
        return layers_of(points, (len(self.target),) * (len(self.norms) + 1))

    def product(self, points: Numbers) -> Numbers:
        """X (..., d, d)."""
        return product_of(self.layers(points))

    def energies(self, points: Floats) -> Floats:
        """||W_l||_p^p (..., layer)."""
        found = []
        for layer, p in zip(self.layers(points), self.norms, strict=True):
            power = layer if p == 2 else layer @ layer.mT
            found.append(np.sum(power**2, axis=(-2, -1)))
        return np.stack(found, axis=-1)

    def values(self, points: Floats) -> Floats:
        """The objective (...)."""
        missed = np.sum((self.product(points) - self.target) ** 2, axis=(-2, -1))
        return np.asarray(missed + 2 * self.lam * np.sum(self.energies(points) / np.array(self.norms), axis=-1))

    def gradients(self, points: Numbers) -> Numbers:
        """Gradients (..., N)."""
        layers = self.layers(points)
        pulls = [layer if p == 2 else layer @ layer.mT @ layer for layer, p in zip(layers, self.norms, strict=True)]
        return flat(chained(layers, 2 * (self.product(points) - self.target))) + 2 * self.lam * flat(pulls)


def make(settings: Settings) -> xr.Dataset:
    """Cells (norms), starts by draw."""
    rows = [_cell(settings, *cell, control=False) for cell in CELLS]
    rows += [_cell(settings, *cell, control=True) for cell in CONTROLS]
    return assembled(FIELDS, rows, {"draw": ("start", np.arange(DRAWS))})


def _cell(settings: Settings, norms: tuple[int, ...], lam: float, control: bool) -> Row:
    sigma, size = np.array(SPECTRUM), len(SPECTRUM)
    rng = generator(["study", "mixed_norms", settings.seed, list(norms), lam])
    left, right = haar.orthogonal(size, rng), haar.orthogonal(size, rng)
    function = Mixed((left * sigma) @ right.T, norms, lam)
    depth = function.real_depth
    starts = rng.standard_normal((DRAWS, function.parameters)) * 0.7
    tolerance = settings.gradient_norm * sigma[0] ** (2 - 1 / depth)
    ends = minimize(function, starts, tolerance)
    _, mu = smallest_curvature(ends.spectrum)
    certified = (ends.gradient_norm <= tolerance) & np.isfinite(mu)
    curvature = np.nan_to_num(mu, nan=np.inf)
    radius = np.asarray(certificate.radius(ends.gradient_norm, curvature, np.linalg.norm(ends.points, axis=1)))
    penalty = theory.Power(lam * depth, 2 / depth)
    x = penalty.prox(sigma, MU)
    lowest = float(np.sum((sigma - x) ** 2 + penalty(x)))
    level = np.asarray(certificate.gap_tolerance(ends.gradient_norm, curvature, np.sum(sigma**2)))
    product = function.product(ends.points)
    counted = theory.scalar_minimizer(sigma, len(norms), lam)
    layers = [np.asarray(layer) for layer in function.layers(ends.points)]
    top = np.max([np.linalg.norm(layer, 2, axis=(1, 2)) for layer in layers], axis=0)
    frobenius = np.stack([np.sum(layer**2, axis=(1, 2)) for layer in layers], axis=1)
    energy, largest = float(np.sum(x ** (2 / depth))), np.sqrt(frobenius.max(axis=1))
    return {
        "problem": ", ".join(map(str, norms)),
        "lam": lam,
        "control": control,
        "real_depth": depth,
        "certified": certified,
        "minimal": certified & (abs(ends.values - lowest) <= level),
        "gradient_norm": ends.gradient_norm,
        "radius": radius,
        "value_gap": ends.values - lowest,
        "value_gap_counted": ends.values - float(np.sum(theory.scalar_objective(counted, sigma, len(norms), lam))),
        "value_tolerance": level,
        "distance": np.linalg.norm(product - (left * x) @ right.T, axis=(1, 2)),
        "distance_counted": np.linalg.norm(product - (left * counted) @ right.T, axis=(1, 2)),
        "distance_tolerance": np.asarray(certificate.distance_tolerance(radius, len(norms), top, sigma[0])),
        "energy_gap": np.abs(function.energies(ends.points) - energy).max(axis=1),
        "frobenius_gap": np.abs(frobenius - energy).max(axis=1),
        # The derivative of ||W||_p^p is at most p ||W||_{2p-2}^{p-1}, which is p t^{p-2} ||W||_F or less.
        "energy_tolerance": 4 * np.maximum(top, 1) ** 2 * (2 * largest * radius + radius**2 + ROUNDING * largest**2),
        **_balance(function, layers, ends.gradient_norm, largest, top),
    }


def _balance(
    function: Mixed, layers: Sequence[Floats], gradient_norm: Floats, largest: Floats, top: Floats
) -> dict[str, Floats]:
    """|W_{l+1}|^p - |W_l^T|^p, which the gradient bounds at any point as in section 1."""
    powers, plain = [], []
    for (below, p), (above, q) in pairwise(zip(layers, function.norms, strict=True)):
        outer, inner = below @ below.mT, above.mT @ above
        plain.append(inner - outer)
        powers.append((inner if q == 2 else inner @ inner) - (outer if p == 2 else outer @ outer))
    found = np.max([np.linalg.norm(power, axis=(1, 2)) for power in powers], axis=0)
    rounding = ROUNDING * np.maximum(top, 1) ** 2 * largest**2 / function.lam
    return {
        "imbalance": found,
        "plain_imbalance": np.max([np.linalg.norm(one, axis=(1, 2)) for one in plain], axis=0),
        "imbalance_tolerance": np.sqrt(2) * largest * gradient_norm / (2 * function.lam) + rounding,
    }


STUDY = Study(
    title="Layers with other norms",
    summary=(
        r"A $2 \times 2$ target, factorized into three to five layers with Frobenius' norm or Schatten's of order 4, "
        "so that the depth of the closed form is 2.5, 3.5 or 4, from random starts."
    ),
    make=make,
)
