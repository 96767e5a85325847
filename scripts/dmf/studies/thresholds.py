"""Corollaries 13 and 14 and Fig. 3: where trained minimizers collapse, and where their last nonzero branch ends.

Two brackets a target and depth, refined from trained runs alone, until they are narrower than 1e-6 of lambda:
"global" asks whether the lowest trained run lies below zero's value ||M||_F^2; "branch" asks whether any run converges
away from zero. No closed form enters the search.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from dmf import theory
from dmf.grid.seeds import generator, generators
from dmf.studies import Settings, Study
from dmf.studies._assemble import Row, assembled, rows_of
from dmf.studies._brackets import Brackets, Floats, Layers, closed, ends, ladder, refine
from dmf.theory.certificate import gradient_distance, product_tolerance
from dmf.training.starts import draw_stacked

SHAPE = (3, 4)
SPECTRA = {"spread": [3.0, 1.5, 0.5], "tied": [2.0, 2.0, 1.0], "close": [1.0, 0.99, 0.5]}
GAUSSIANS = ("gaussian-1", "gaussian-2")
DEPTHS = (2, 3, 4, 6)
CONTROL_TARGETS, CONTROL_DEPTHS = ("spread", "gaussian-1"), (3, 4)
SMALL, LARGE = 0.3, 1.0  # scales of cold starts, in units of ||M||_2^(1/L)

# Near zero at depth 2 a gradient norm t leaves factors of size t / (2 |lambda - sigma_1|): a looser one could not tell
# zero from the branch this close to the threshold.
SHARP = 1e-12

FIELDS = {
    "control": ("cell", "1 where only small starts were trained, which do not reach the minimum"),
    "sigma_1": ("cell", "spectral norm of the target"),
    "lambda_c": ("cell", "closed-form lambda_c(sigma_1, L)"),
    "lambda_s": ("cell", "closed-form lambda_s(sigma_1, L)"),
    "predicted_jump": ("cell", "x_J at lambda_c: sigma_1 (L - 2) / (L - 1)"),
    "jump_tolerance": ("cell", "what the width of the bracket and the gradient norm allow for the jump"),
    "global": ("cell start", "end of the bracket where the global minimum turns zero"),
    "branch": ("cell start", "end of the bracket where the last nonzero local minimum ends"),
    "jump": ("cell start", "largest singular value of X at the lowest trained run at this end of the global bracket"),
    "branch_jump": ("cell start", "largest singular value of X on the branch at this end of its bracket"),
    "certified": ("cell start", "1 where both brackets closed and their runs at this end converged"),
}


def make(settings: Settings) -> xr.Dataset:
    """Cells (target, depth), starts the two ends of its brackets."""
    targets = _targets(settings.seed)
    names = list(targets)
    rows = [row for depth in DEPTHS for row in _cells(names, targets, depth, settings, exhaustive=True)]
    names = list(CONTROL_TARGETS)
    rows += [row for depth in CONTROL_DEPTHS for row in _cells(names, targets, depth, settings, exhaustive=False)]
    return assembled(FIELDS, rows, {"end": ("start", ["below", "above"])})


def _targets(seed: int) -> dict[str, Floats]:
    """Targets (3, 4) by name: prescribed singular values in random bases, and Gaussian ones."""
    found = {}
    for name in (*SPECTRA, *GAUSSIANS):
        gaussian = generator(["study", "thresholds", "target", seed, name]).standard_normal(SHAPE)
        left, _, right = np.linalg.svd(gaussian, full_matrices=False)
        found[name] = (left * np.array(SPECTRA[name])) @ right if name in SPECTRA else gaussian
    return found


def _cells(
    names: list[str], targets: dict[str, Floats], depth: int, settings: Settings, *, exhaustive: bool
) -> list[Row]:
    matrices = np.stack([targets[name] for name in names])
    cold = _cold_starts(names, depth, settings.seed, matrices, (LARGE, SMALL) if exhaustive else (SMALL, SMALL))
    tolerance = min(SHARP, settings.gradient_norm)
    first = ladder(matrices, cold, tolerance)
    below = refine(matrices, first, cold, tolerance, branch=False, exhaustive=exhaustive)
    # Small starts alone answer both questions alike: they know no minimum but those they reach.
    branch = refine(matrices, first, cold, tolerance, branch=True, exhaustive=True) if exhaustive else below
    sigma_1 = np.linalg.norm(matrices, ord=2, axis=(1, 2))
    narrow = closed(below) & closed(branch)
    lambda_c = theory.critical_lambda(sigma_1, depth)
    predicted_jump = theory.jump(depth, lambda_c)
    columns = {
        "target": names,
        "sigma_1": sigma_1,
        "lambda_c": lambda_c,
        "lambda_s": theory.branch_lambda(sigma_1, depth),
        "predicted_jump": predicted_jump,
        "jump_tolerance": _jump_tolerance(below, sigma_1, lambda_c, predicted_jump, depth),
        "global": ends(below),
        "branch": ends(branch),
        "jump": below.sizes,
        "branch_jump": branch.sizes,
        "certified": np.column_stack([narrow, narrow & below.high_sure & branch.high_sure]),
    }
    return rows_of(columns, depth=depth, control=not exhaustive)


def _cold_starts(names: list[str], depth: int, seed: int, matrices: Floats, scales: tuple[float, ...]) -> Layers:
    """Gaussian starts (R, scales, d_l, d_(l-1)), the same at every lambda."""
    widths = (SHAPE[1], *[min(SHAPE)] * (depth - 1), SHAPE[0])
    sizes = np.linalg.norm(matrices, ord=2, axis=(1, 2)) ** (1 / depth)
    keys = [["study", "thresholds", "start", seed, name, depth] for name in names]
    drawn = draw_stacked("gaussian", widths, (rng for key in keys for rng in generators(key, range(len(scales)))))
    lengths = np.multiply.outer(sizes, scales)[:, :, None, None]
    return [lengths * layer.reshape(*lengths.shape[:2], *layer.shape[1:]) for layer in drawn]


def _jump_tolerance(found: Brackets, sigma_1: Floats, lambda_c: Floats, predicted_jump: Floats, depth: int) -> Floats:
    """From h(x) = sigma: near lambda_c, x moves by at most sigma_1 L / (L - 1)^2 per relative change of lambda.

    At x_J curvature is 4 lambda or more (eq. 29-30), which turns the gradient norm into a distance. Depth 2 needs no
    such term: there x = sigma_1 - lambda moves by half of the first.
    """
    low, high = ends(found).T
    tolerance = sigma_1 * depth / (depth - 1) ** 2 * (high - low) / high
    radius = gradient_distance(found.gradient_norm, 4 * lambda_c)
    return np.asarray(tolerance + product_tolerance(predicted_jump ** (1 / depth), radius, depth) * (depth > 2))


STUDY = Study(
    title="Thresholds of lambda from trained runs",
    summary=(
        r"For several targets and depths, brackets of the $\lambda$ at which the lowest trained run becomes zero and "
        r"of the $\lambda$ at which the last nonzero local minimum ends, narrower than $10^{-6}$ of $\lambda$."
    ),
    make=make,
)
