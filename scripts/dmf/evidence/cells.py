"""What theory says of one cell, a (target, depth, lambda), before any run of it is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from dmf import theory
from dmf.grid.cells import Group
from dmf.theory.certificate import TIED, gradient_error, relative

Floats = NDArray[np.float64]


def cell_facts(matrix: Floats, group: Group, lam: float) -> dict[str, float]:
    """A value for every name in CELL_FIELDS but those that depend on how far its runs were trained."""
    depth, widths = group.depth, group.widths
    sigma = np.asarray(np.linalg.svd(matrix, compute_uv=False), dtype=np.float64)
    sigma_1 = float(sigma[0])
    kept = theory.kept_at_minimum(matrix, depth, lam)
    return {
        "lam": lam,
        "relative": lam / float(theory.critical_lambda(sigma_1, depth)),
        "branch": lam / float(theory.branch_lambda(sigma_1, depth)),
        "sigma_1": sigma_1,
        "parameters": theory.parameter_count(widths),
        "exceptional_distance": float(theory.exceptional_distance(matrix, depth, lam)),
        "degenerate_distance": float(np.min(np.abs(sigma / theory.branch_threshold(depth, lam) - 1))),
        "gradient_separation": gradient_separation(sigma, depth, lam),
        "level_separation": _level_separation(matrix, depth, lam),
        "minimum": float(theory.minimum_value(matrix, depth, lam)),
        "kept_at_minimum": kept,
        "predicted_norm": float(np.linalg.norm(theory.end_to_end_minimizer(matrix, depth, lam))),
        "predicted_layer_norm_sq": float(theory.layer_norm_sq(matrix, depth, lam)),
        "predicted_trace": float(theory.minimizer_hessian_trace(matrix, widths, lam)),
        "trace_bound": float(theory.trace_lower_bound(matrix, widths, lam)),
        "attains": int(kept == 0 or widths[0] == widths[-1] == 1),
        "mu": minimizer_curvature(matrix, widths, lam),
        **_factorization(matrix, group, lam),
    }


def gradient_separation(sigma: Floats, depth: int, lam: float) -> float:
    r"""The least of the gradient norms that tell critical points of F apart which nearly coincide.

    A run whose gradient is well below it is at one of them and not between. With the singular values `sigma` of M,
    descending, it is the least over i of
    - L >= 3: 2 \sqrt{L} x_c^{1-1/L} |sigma_i - m_loc|, the gradient at the inflection x_c of the scalar problem, where
      two roots are about to merge or have just parted (x_c = m_loc (L-2) / (2 (L-1)));
    - L = 2: (4 \sqrt{2} / (3 \sqrt{3})) |sigma_i - lambda|^{3/2}, the steepest point between zero and the nonzero root;
    - L >= 3: \sqrt{2} x^{1-1/L} (sigma_i - sigma_{i+1}) where both may be kept and are not equal: halfway between
      keeping one and keeping the other. Equal ones form one critical set and need no telling apart;
    - L >= 3: 2 \sqrt{L} \lambda w (L-2) / (L-1) with w^{L-2} = \lambda / ((L-1) sigma_1), where a root exists: the
      gradient at layers w lies between zero and the small root, a strict saddle, and is at least that. For small lambda
      the two are so close that a run stopped beside the saddle passes for one at zero.
    """
    m_loc = float(theory.branch_threshold(depth, lam))
    if depth == 2:
        return float(4 * np.sqrt(2 / 27) * np.min(np.abs(sigma - m_loc)) ** 1.5)
    inflection = m_loc * (depth - 2) / (2 * (depth - 1))
    merging = 2 * np.sqrt(depth) * inflection ** (1 - 1 / depth) * np.min(np.abs(sigma - m_loc))
    lower = sigma[1:][sigma[1:] > m_loc]
    gaps = sigma[: lower.size] - lower
    between = np.sqrt(2) * theory.large_root(lower, depth, lam) ** (1 - 1 / depth) * gaps
    saddle = _zero_to_saddle(float(sigma[0]), depth, lam) if sigma[0] > m_loc else np.inf
    return float(min([merging, saddle, *between[gaps > TIED * sigma[0]]]))


def _zero_to_saddle(sigma: float, depth: int, lam: float) -> float:
    r"""A lower bound on the steepest gradient between zero and the small root of sigma (see gradient_separation).

    With all layers w the gradient has L entries 2 w (\lambda - (sigma - w^L) w^{L-2}), at least what they are without
    w^L; that is largest at the w above. It falls as sigma grows, so that sigma_1 decides.
    """
    w = (lam / ((depth - 1) * sigma)) ** (1 / (depth - 2))
    return float(2 * np.sqrt(depth) * lam * w * (depth - 2) / (depth - 1))


def _level_separation(matrix: Floats, depth: int, lam: float) -> float:
    """How far the nearest other value F_k is from the minimum of F; infinite where there is no other."""
    values = theory.critical_levels(matrix, depth, lam)
    others = np.delete(values, theory.kept_at_minimum(matrix, depth, lam))
    return float(np.min(np.abs(others - theory.minimum_value(matrix, depth, lam)), initial=np.inf))


def minimizer_curvature(matrix: Floats, widths: Sequence[int], lam: float) -> float:
    """The smallest Hessian eigenvalue across the orbit of minimizers, or 0 with more zero modes than the orbit has.

    Then (L = 2 with some sigma_i = lambda) no gradient norm bounds a distance, and no run of the cell eligible.
    """
    spectrum = theory.hessian_spectrum(matrix, widths, lam)
    orbit = theory.zero_modes(widths, theory.kept_at_minimum(matrix, len(widths) - 1, lam))
    mu = theory.smallest_positive_eigenvalue(spectrum)
    return float(mu) if np.count_nonzero(spectrum < mu) == orbit else 0.0


def _factorization(matrix: Floats, group: Group, lam: float) -> dict[str, float]:
    r"""From X* to layers: F and its gradient at one random minimizer that the closed form gives.

    The layers are those of an exact minimizer but for \rho of their size each, which moves the gradient by at most
    ||\nabla^2 F|| \sqrt{L} \rho m, and the singular bases of M are those of a matrix within \rho \sigma_1 of it.
    """
    depth, widths, rho = group.depth, group.widths, relative(group.widths)
    layers = theory.sample_minimizer(matrix, widths, lam, np.random.default_rng(0))
    size = np.float64(max(np.linalg.norm(layer) for layer in layers))
    top = np.float64(max(np.linalg.norm(layer, 2) for layer in layers))
    value = np.float64(theory.objective(layers, matrix, lam))
    hessian = 2 * depth * (top ** (2 * depth - 2) + np.sqrt(value) * top ** (depth - 2)) + 2 * lam
    moved = np.sqrt(depth) * rho * (hessian * size + 2 * top ** (depth - 1) * np.linalg.norm(matrix, 2))
    error = moved + gradient_error(widths, lam, size, top, value)
    return {
        "factorized": float(value),
        "factorized_gradient": gradient_norm(layers, matrix, lam),
        "factorized_tolerance": float(error) + float(np.finfo(np.float64).tiny),
    }


def gradient_norm(layers: list[Floats], target: Floats, lam: float) -> float:
    """Euclidean norm of the gradient of F at [W_1, ..., W_L], from the chain rule and not from the training engine."""
    below = list(accumulate(layers, lambda product, layer: layer @ product, initial=np.eye(target.shape[1])))
    above = list(accumulate(layers[::-1], lambda product, layer: product @ layer, initial=np.eye(target.shape[0])))
    residual = below[-1] - target
    parts = [
        2 * above[-2 - i].T @ residual @ below[i].T + 2 * lam * layer  # above[-2 - i] is W_L ... W_{i+2}
        for i, layer in enumerate(layers)
    ]
    return float(np.sqrt(sum(np.sum(part**2) for part in parts)))
