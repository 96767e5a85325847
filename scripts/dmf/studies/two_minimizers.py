"""Remark 12 in the scalar case: both minimizers of targets at +-m*, reached by training."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dmf import theory
from dmf.grid.seeds import generator
from dmf.studies import Settings, Study
from dmf.studies._assemble import Row, assembled, rows_of
from dmf.studies._scalars import Floats, sign_patterns, train_scalars
from dmf.theory.certificate import gradient_distance, gradient_gap, power_rounding, product_tolerance
from dmf.training.result import Runs
from dmf.training.settings import Status

DEPTHS = (3, 4, 5, 6, 8, 10)
LAMBDAS = (1e-8, 1e-4, 1.0, 1e4)
SCALES = (0.4, 1.3)  # of factors, in units of |m|^(1/L): below and above what separates the basins of 0 and x_J
DRAWS = 8
CONTROL_STRENGTH = 1.1  # m / m*: here 0 is no minimizer and the other one is not x_J

FIELDS = {
    "control": ("cell", "1 where m is not +-m*, so that there are not two minimizers"),
    "exceptional_distance": ("cell", "| |m| - m* | / m*"),
    "m": ("cell", "the scalar to factorize"),
    "jump": ("cell", "x_J with the sign of m, the closed form of the other minimizer at m*"),
    "end_to_end": ("cell start", "product of the trained factors"),
    "objective": ("cell start", "F at the trained factors"),
    "gradient_norm": ("cell start", "gradient norm at the trained factors"),
    "tolerance": ("cell start", "what the gradient norm and rounding allow for the product"),
    "value_tolerance": ("cell start", "what the gradient norm and rounding allow for F"),
    "certified": ("cell start", "1 where the gradient norm is within tolerance"),
}


def make(settings: Settings) -> xr.Dataset:
    """Cells (depth, lambda, sign of m, m / m*), starts by scale: small ones fall to 0, large ones to x_J."""
    cells = [(lam, sign, strength) for strength in (1.0, CONTROL_STRENGTH) for lam in LAMBDAS for sign in (1, -1)]
    rows = [row for depth in DEPTHS for row in _trained(depth, np.array(cells), settings)]
    scales, draws = np.repeat(SCALES, DRAWS), np.tile(np.arange(DRAWS), len(SCALES))
    return assembled(FIELDS, rows, {"scale": ("start", scales), "draw": ("start", draws)})


def _trained(depth: int, cells: Floats, settings: Settings) -> list[Row]:
    lam, sign, strength = cells.T
    m = sign * strength * theory.collapse_threshold(depth, lam)
    size = np.abs(m)
    noise = power_rounding(lam, size)
    starts = np.repeat(SCALES, DRAWS)
    rng = generator(["study", "two_minimizers", settings.seed, depth])
    factors = size[:, None, None] ** (1 / depth) * starts[:, None] * rng.uniform(0.9, 1.1, (len(m), len(starts), depth))
    factors *= sign_patterns(depth, len(starts))
    factors[..., 0] *= sign[:, None]
    count = len(starts)
    tolerance = settings.gradient_norm * size ** (2 - 1 / depth)
    _, runs = train_scalars(
        np.repeat(m, count), np.repeat(lam, count), factors.reshape(-1, depth), np.repeat(tolerance, count)
    )
    fields = _facts(runs, depth, *(np.repeat(values, count) for values in (size, lam, noise, tolerance)))
    columns = {
        "lam": lam,
        "sign": sign.astype(np.int64),
        "strength": strength,
        "control": strength != 1,
        "exceptional_distance": np.abs(strength - 1),
        "m": m,
        "jump": sign * theory.jump(depth, lam),
        **{name: values.reshape(len(m), count) for name, values in fields.items()},
    }
    return rows_of(columns, depth=depth)


def _facts(
    runs: Runs, depth: int, size: Floats, lam: Floats, noise: Floats, tolerance: Floats
) -> dict[str, NDArray[np.generic]]:
    """Fields over runs (B,). At m*, eq. 29-30: curvature is 2 lambda or more at 0, and 4 lambda or more at x_J."""
    curvature = 2 * lam
    radius = gradient_distance(runs.gradient_norm, curvature) + noise * size ** (1 / depth)
    certified = (runs.status == Status.CONVERGED) & (runs.gradient_norm <= tolerance)
    return {
        "end_to_end": runs.end_to_end[:, 0, 0],
        "objective": runs.objective,
        "gradient_norm": runs.gradient_norm,
        "tolerance": product_tolerance(theory.jump(depth, lam) ** (1 / depth), radius, depth) + noise * size,
        "value_tolerance": gradient_gap(runs.gradient_norm, curvature) + 2 * noise * size**2,
        "certified": certified,
    }


STUDY = Study(
    title="The two scalars with two minimizers",
    summary=r"Scalar problems with $m = \pm m^*(L, \lambda)$, trained from small and from large factors.",
    make=make,
)
