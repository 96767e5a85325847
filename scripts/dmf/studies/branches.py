"""Beyond the paper: X is a sum of parallel chains, X = sum_k W_L^k ... W_1^k (docs/theory.md, section 15).

The minimum and X* are those of one chain; how its directions are allotted to branches, layer norms and flatness are not
determined. Runs are trained by Newton's method from gradients alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from dmf import theory
from dmf.grid.seeds import generator
from dmf.studies import Settings, Study
from dmf.studies._assemble import Row, assembled
from dmf.studies._derivatives import Floats, Numbers, chained, flat
from dmf.studies._layers import product_of
from dmf.studies._newton import hessians, minimize, smallest_curvature
from dmf.theory import certificate, haar
from dmf.theory.certificate import ROUNDING

DRAWS = 24
FULL = 6  # of them begin with one branch larger than the others, which then takes most directions
SMALL = 0.1  # size of those others
# Kind, branches and depth, singular values, lambda in units of lambda_c of the smallest one, scale of starts.
CELLS = (
    ("branches", (2, 3), (2.0, 1.4, 1.0), 0.2, 0.7),
    ("branches", (3, 3), (2.0, 1.4), 0.3, 0.7),
    ("branches", (2, 4), (2.0, 1.4), 0.2, 0.8),
    ("branches", (2, 5), (1.5, 1.0), 0.1, 0.8),
)
CONTROLS = (
    ("two layers", (2, 2), (2.0, 1.4, 1.0), 0.3, 0.7),
    ("levels", (2, 3), (2.0, 1.4, 1.0), 0.6, 0.3),  # starts so small that most end on a lower level
)

FIELDS = {
    "control": ("cell", "1 for cells of the control"),
    "middle": ("cell", "1 where branches have layers between their first and last one, as for depth 3"),
    "certified": (
        "cell start",
        "1 where the gradient norm is within tolerance and no direction has negative curvature",
    ),
    "minimal": ("cell start", "1 for certified runs whose F is the minimum of one chain, as far as can be seen"),
    "gradient_norm": ("cell start", "gradient norm at the end point"),
    "radius": ("cell start", "distance from a minimizer that the gradient norm allows; infinite where it bounds none"),
    "value_gap": ("cell start", "F minus the minimum of one chain"),
    "value_tolerance": ("cell start", "what the gradient norm and rounding allow for it"),
    "distance": ("cell start", "Frobenius distance of the sum of all branches from X* of one chain"),
    "distance_tolerance": ("cell start", "what the radius allows for it"),
    "split": ("cell start", "largest norm of a kept direction in the first layer of any branch but its own"),
    "split_tolerance": ("cell start", "what the radius allows for it"),
    "norm_gap": ("cell start", "departure of ||W_l^k||^2 from the sum of s_i^2 over the directions of branch k"),
    "norm_tolerance": ("cell start", "what the radius allows for it"),
    "trace": ("cell start", "trace of the Hessian, a sum of complex steps"),
    "trace_gap": ("cell start", "departure of the trace from the closed form for the run's allotment"),
    "trace_tolerance": ("cell start", "what the radius allows for it"),
    "trace_spread": ("cell start", "how far apart the traces of the cell's minimizers are"),
    "first_norm": ("cell start", "||W_1^1||^2: the sum of s_i^2 over the directions of the first branch"),
    "norm_spread": ("cell start", "how far apart ||W_1^1||^2 of the cell's minimizers are"),
    "largest_branch": ("cell start", "number of kept directions in the fullest branch"),
}


@dataclass(frozen=True)
class Branches:
    """F for a target (d, d) and `count` chains of `depth` layers (d, d): a function of points (..., N)."""

    target: Floats
    count: int
    depth: int
    lam: float

    @property
    def parameters(self) -> int:
        """N."""
        return self.count * self.depth * self.target.size

    def layers(self, points: Numbers) -> list[list[Numbers]]:
        """The layers (..., d, d) of every branch, from the input on."""
        shape = (*points.shape[:-1], self.count, self.depth, *self.target.shape)
        stacked = points.reshape(shape)
        return [[stacked[..., k, layer, :, :] for layer in range(self.depth)] for k in range(self.count)]

    def product(self, points: Numbers) -> Numbers:
        """X (..., d, d), the sum of the products of all branches."""
        return np.asarray(sum(product_of(branch) for branch in self.layers(points)))

    def values(self, points: Floats) -> Floats:
        """F (...)."""
        missed = self.product(points) - self.target
        return np.asarray(np.sum(missed**2, axis=(-2, -1)) + self.lam * np.sum(points**2, axis=-1))

    def gradients(self, points: Numbers) -> Numbers:
        """Gradients (..., N)."""
        slope = 2 * (self.product(points) - self.target)
        parts = [flat(chained(branch, slope)) for branch in self.layers(points)]
        return np.concatenate(parts, axis=-1) + 2 * self.lam * points


def make(settings: Settings) -> xr.Dataset:
    """Cells (kind, number of branches, depth), starts by draw."""
    rows = [_cell(settings, *cell) for cell in (*CELLS, *CONTROLS)]
    return assembled(FIELDS, rows, {"draw": ("start", np.arange(DRAWS))})


def _cell(
    settings: Settings, kind: str, shape: tuple[int, int], sigma: Sequence[float], part: float, scale: float
) -> Row:
    (count, depth), size = shape, len(sigma)
    rng = generator(["study", "branches", settings.seed, kind, count, depth])
    left, right = haar.orthogonal(size, rng), haar.orthogonal(size, rng)
    lam = part * float(theory.critical_lambda(sigma[-1], depth))
    function = Branches((left * np.array(sigma)) @ right.T, count, depth, lam)
    starts = scale * rng.standard_normal((DRAWS, function.parameters)) * (sigma[0] ** (1 / depth) / np.sqrt(size))
    starts.reshape(DRAWS, count, -1)[:FULL, 1:] *= SMALL
    tolerance = settings.gradient_norm * sigma[0] ** (2 - 1 / depth)
    ends = minimize(function, starts, tolerance)
    _, mu = smallest_curvature(ends.spectrum)
    certified = (ends.gradient_norm <= tolerance) & np.isfinite(mu)
    facts = [
        _facts(function, right, np.array(sigma), point, norm, curvature)
        for point, norm, curvature in zip(ends.points, ends.gradient_norm, np.nan_to_num(mu), strict=True)
    ]
    fields = {name: np.array([fact[name] for fact in facts]) for name in facts[0]}
    fields["value_gap"] = ends.values - theory.minimum_value(function.target, depth, lam)
    minimal = certified & (abs(fields["value_gap"]) <= fields["value_tolerance"])
    spreads = {
        name: np.full(DRAWS, np.ptp(fields[of][minimal]) if minimal.any() else 0.0)
        for name, of in (("trace_spread", "trace"), ("norm_spread", "first_norm"))
    }
    return {
        "kind": kind,
        "branches": count,
        "depth": depth,
        "lam": lam,
        "control": kind != "branches",
        "middle": depth > 2,
        "certified": certified,
        "minimal": minimal,
        "gradient_norm": ends.gradient_norm,
        **fields,
        **spreads,
    }


def _facts(
    function: Branches, right: Floats, sigma: Floats, point: Floats, gradient_norm: float, mu: float
) -> dict[str, float]:
    """Fields of one end point; `right` are the target's right singular vectors (d, d), for `sigma` (d,)."""
    depth, lam, size = function.depth, function.lam, len(sigma)
    x = np.asarray(theory.scalar_minimizer(sigma, depth, lam))
    s = x ** (1 / depth)
    branches = [[np.asarray(layer) for layer in branch] for branch in function.layers(point)]
    radius = float(certificate.radius(gradient_norm, mu, float(np.linalg.norm(point)))) if mu > 0 else np.inf
    # One wide chain: its first layer stacks those of the branches, its others are block diagonal or side by side.
    top = np.sqrt(function.count) * max(float(np.linalg.norm(layer, 2)) for branch in branches for layer in branch)
    residual = float(np.linalg.norm(function.product(point) - function.target, 2))
    if not certificate.is_near(np.array([radius]), mu, depth, top, residual)[0]:
        radius = np.inf
    within = np.array([np.linalg.norm(branch[0] @ right, axis=0) for branch in branches])  # (branch, direction)
    own = within.argmax(axis=0)
    others = np.where(np.arange(function.count)[:, None] == own, 0.0, within)
    alpha = np.array([np.sum(s[own == k] ** 2) for k in range(function.count)])
    norms = np.array([[np.sum(layer**2) for layer in branch] for branch in branches])
    trace = float(np.trace(hessians(function, point[None])[0]))
    reach, power = (s[0] + radius, 2 * depth - 2) if radius < np.inf else (np.inf, 1)
    return {
        "radius": radius,
        "value_tolerance": float(certificate.gap_tolerance(gradient_norm, mu, np.sum(sigma**2))) if mu > 0 else np.inf,
        "distance": float(
            np.linalg.norm(function.product(point) - theory.end_to_end_minimizer(function.target, depth, lam))
        ),
        "distance_tolerance": float(certificate.distance_tolerance(np.array(radius), depth, s[0], sigma[0])),
        "split": float(others[:, x > 0].max(initial=0.0)),
        "split_tolerance": radius + ROUNDING * s[0],
        "norm_gap": float(abs(norms - alpha[:, None]).max()),
        "norm_tolerance": float(
            certificate.layer_norm_tolerance(np.array(radius), depth, s[0] * np.sqrt(size), sigma[0])
        ),
        "first_norm": float(norms[0, 0]),
        "trace": trace,
        "trace_gap": trace - closed_trace(own, s, function),
        "trace_tolerance": 2 * function.count * depth * size**2 * (reach**power - s[0] ** power) + ROUNDING * trace,
        "largest_branch": int(np.bincount(own[x > 0], minlength=1).max(initial=0)),
    }


def closed_trace(own: Sequence[int], s: Floats, function: Branches) -> float:
    """tr H where direction i, of layers' singular value s_i, is in branch own_i (section 15)."""
    depth, size = function.depth, len(s)
    total = 2 * function.lam * function.parameters
    for k in range(function.count):
        a = np.array([np.sum(s[np.equal(own, k)] ** (2 * power)) for power in range(depth)])
        a[0] = size  # of an empty product: an identity
        total += 2 * float(np.sum(a[::-1] * a))
    return total


STUDY = Study(
    title="Parallel branches",
    summary=(
        r"$X$ a sum of two or three chains of depth 3 to 5, trained by Newton's method from random starts; chains of "
        "two layers, and runs on lower levels, as controls."
    ),
    make=make,
)
