"""Every critical point of small problems, built from the scalar roots and measured by differentiation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dmf import theory
from dmf.grid.cells import gradient_scale
from dmf.grid.seeds import generator
from dmf.studies import Settings, Study
from dmf.studies._assemble import Row, assembled, rows_of
from dmf.studies._derivatives import Objective, flat
from dmf.theory import certificate, haar

Floats = NDArray[np.float64]
GAUGES = 2  # critical points of one orbit


@dataclass(frozen=True)
class Problem:
    """A target with singular values `sigma` between random bases, widths (d_0, ..., d_L), and lambda."""

    widths: tuple[int, ...]
    sigma: tuple[float, ...]
    lam: float
    control: bool = False

    @property
    def depth(self) -> int:
        """Number of layers L."""
        return len(self.widths) - 1


PROBLEMS = (
    Problem((3, 3, 3, 3), (2.0, 1.3, 0.9), 0.1),
    Problem((3, 3, 3, 3), (2.0, 1.3, 0.5), 0.4),  # the last one has no roots
    Problem((2, 3, 4, 3), (1.5, 1.0), 0.2),
    Problem((3, 4, 3, 3, 3), (2.0, 1.3, 0.9), 0.1),
    Problem((2, 2, 2, 2, 2), (1.2, 1.0), 0.15),
    Problem((2, 2, 2, 2, 2, 2), (1.4, 1.1), 0.1),
    Problem((3, 4, 3), (2.0, 1.3, 0.9), 0.1),
    Problem((4, 3, 3), (2.0, 1.3, 0.05), 0.1),
    # Equal singular values: their roots may trade places at no cost, so there are more zero modes than the orbit has.
    Problem((3, 3, 3, 3), (1.5, 1.5, 0.8), 0.1, control=True),
)


FIELDS = {
    "control": ("cell", "1 for cells of the control"),
    "certified": ("cell start", "1 where the gradient norm is within the certificate's tolerance"),
    "gradient_norm": ("cell start", "norm of the gradient by the chain rule"),
    "spectrum": ("cell start eigen", "Hessian eigenvalues by complex steps"),
    "predicted_spectrum": ("cell eigen", "Hessian eigenvalues in closed form"),
    "spectrum_tolerance": ("cell start", "what gradient and rounding allow for an eigenvalue"),
    "morse_index": ("cell", "predicted number of negative Hessian eigenvalues"),
    "orbit_dimension": ("cell", "dimension of the orbit of the critical point"),
    "prefix": ("cell", "1 for large roots on a prefix"),
    "singular_gap": ("cell", "smallest sigma_i - sigma_(i+1), over sigma_1"),
    "degenerate_distance": ("cell", "smallest |sigma_i - m_loc| / m_loc; at 0 lambda is degenerate"),
}


def make(settings: Settings) -> xr.Dataset:
    """Cells are critical points by their `roots`, starts are random gauges; eigenvalues ascend and end in NaN."""
    rows = [row for problem in PROBLEMS for row in _measured(problem, settings)]
    return assembled(FIELDS, rows, {"gauge": ("start", np.arange(GAUGES))})


def root_choices(problem: Problem) -> list[tuple[str, ...]]:
    """Every combination of the roots that each singular value has, (combination, singular)."""
    threshold = float(theory.branch_threshold(problem.depth, problem.lam))
    nonzero = ("large",) if problem.depth == 2 else ("small", "large")
    return list(product(*[("zero", *nonzero) if value > threshold else ("zero",) for value in problem.sigma]))


def is_prefix(problem: Problem, roots: Sequence[str]) -> bool:
    """Whether these are large roots first and zeros after them; at depth 2, on all sigma_i > lambda."""
    kept = sum(root == "large" for root in roots)
    large_first = list(roots) == ["large"] * kept + ["zero"] * (len(roots) - kept)
    return large_first and (problem.depth > 2 or kept == np.count_nonzero(np.array(problem.sigma) > problem.lam))


def _measured(problem: Problem, settings: Settings) -> list[Row]:
    widths, sigma, lam = problem.widths, np.array(problem.sigma), problem.lam
    choices = root_choices(problem)
    name = f"L{problem.depth}-{'x'.join(str(d) for d in reversed(widths))} at {lam:g}" + "*" * problem.control
    rng = generator(["critical points", settings.seed, name])
    left, right = (haar.orthogonal(size, rng, fixed_signs=False)[:, : sigma.size] for size in (widths[-1], widths[0]))
    value = Objective((left * sigma) @ right.T, widths, lam)
    x = np.stack([theory.critical_singular_values(sigma, problem.depth, lam, roots) for roots in choices])
    points = np.stack([flat(_gauged(one, widths, left, right, rng)) for one in x for _ in range(GAUGES)])
    count = points.shape[1]
    gradient_norm = np.linalg.norm(value.gradients(points), axis=1).reshape(-1, GAUGES)
    spectrum = np.linalg.eigvalsh(value.hessians(points)).reshape(-1, GAUGES, count)
    predicted = np.stack([theory.critical_hessian_spectrum(sigma, widths, lam, roots) for roots in choices])
    size = np.linalg.norm(points, axis=1).reshape(-1, GAUGES)
    tolerance = _tolerance(problem, x, predicted, gradient_norm, size)
    columns = {
        "roots": [" ".join(roots) for roots in choices],
        "certified": gradient_norm <= settings.gradient_norm * gradient_scale(sigma[0], problem.depth),
        "gradient_norm": gradient_norm,
        "spectrum": spectrum,
        "predicted_spectrum": predicted,
        "spectrum_tolerance": tolerance,
        "morse_index": [theory.morse_index(sigma, widths, lam, roots) for roots in choices],
        "orbit_dimension": [theory.zero_modes(widths, sum(root != "zero" for root in roots)) for roots in choices],
        "prefix": [is_prefix(problem, roots) for roots in choices],
    }
    return rows_of(
        columns,
        problem=name,
        depth=problem.depth,
        control=problem.control,
        singular_gap=np.min(-np.diff(sigma)) / sigma[0],
        degenerate_distance=np.min(np.abs(sigma / theory.branch_threshold(problem.depth, lam) - 1)),
    )


def _tolerance(problem: Problem, x: Floats, predicted: Floats, gradient_norm: Floats, size: Floats) -> Floats:
    """Weyl over the distance to the exact critical point that gradient and rounding allow, (cell, gauge)."""
    scale = np.abs(predicted).max(axis=1, keepdims=True)
    alive = np.abs(predicted) > certificate.ZERO_MODE * scale
    smallest = np.where(alive, np.abs(predicted), np.inf).min(axis=1, keepdims=True)
    distance = certificate.radius(gradient_norm, smallest, size)
    top, residual = x.max(axis=1) ** (1 / problem.depth), np.abs(x - np.array(problem.sigma)).max(axis=1)
    turned = [
        certificate.turning(row, problem.depth, t, rho)
        for t, rho, row in zip(top.tolist(), residual.tolist(), distance, strict=True)
    ]
    return certificate.eigenvalue_tolerance(np.array(turned), predicted.shape[1], scale)


def _gauged(x: Floats, widths: tuple[int, ...], left: Floats, right: Floats, rng: np.random.Generator) -> list[Floats]:
    """Balanced layers with product left diag(x) right^T, in random orthonormal frames of the hidden spaces."""
    frames = [right, *(haar.orthogonal(width, rng, fixed_signs=False)[:, : x.size] for width in widths[1:-1]), left]
    s = x ** (1 / (len(widths) - 1))
    return [(above * s) @ below.T for below, above in pairwise(frames)]


STUDY = Study(
    title="All critical points of small problems",
    summary=(
        "Every combination of zero, small and large root over the singular values, in random gauges: gradient by "
        "the chain rule and Hessian by complex steps, beside the predicted spectrum, Morse index and number of zero "
        "modes."
    ),
    make=make,
)
