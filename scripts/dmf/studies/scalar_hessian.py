"""Theorem 6 and Remark 7: the whole Hessian spectrum at trained minimizers of the scalar problem, one by one."""

from __future__ import annotations

import numpy as np
import xarray as xr

from dmf import theory
from dmf.grid.seeds import generator
from dmf.studies import Settings, Study
from dmf.studies._assemble import Row, assembled, rows_of
from dmf.studies._scalars import Floats, sign_patterns, train_scalars
from dmf.theory.certificate import EPS, ROUNDING_SCALAR, gradient_distance, gradient_gap
from dmf.training.settings import Status

DEPTHS = (2, 3, 4, 5, 6, 8)
RATIOS = (1e-5, 1e-4, 1e-3, 1e-2, 0.1, 0.9, 3.0)  # lambda / lambda_c; the last is above lambda_s at all these depths
SCALARS = (2.0, -0.5)
STARTS = 2 ** (max(DEPTHS) - 1)  # every sign pattern of the deepest problem
SPREAD = (0.6, 1.6)  # of factors, in units of |m|^(1/L)
SPURIOUS_RATIO = 1e-2
SPURIOUS_SPREAD = (0.0, 0.02)
# At small lambda the bound ||grad|| / (4 lambda) asks for more than a grid's usual certificate.
SHARP = 1e-13

ORDINARY, PAIR, SPURIOUS = "ordinary", "pair", "spurious"

FIELDS = {
    "control": ("cell", "1 for m = m*, which has two kinds of minimizers, and for starts at the spurious minimum 0"),
    "exceptional_distance": ("cell", "| |m| - m* | / m*; infinite at depth 2, where no m is exceptional"),
    "lam": ("cell", "lambda"),
    "reduced": ("cell", "lambda / |m|^(2 - 2/L)"),
    "limit": ("cell", "2 L |m|^(2 - 2/L), the limit of lambda_max as lambda -> 0 (Remark 7)"),
    "predicted_nonzero": ("cell", "1 where the minimizer is not zero"),
    "gradient_norm": ("cell start", "gradient norm at the trained factors"),
    "objective_gap": ("cell start", "F at the trained factors minus the closed-form minimum"),
    "end_to_end": ("cell start", "product of the trained factors"),
    "largest": ("cell start", "largest Hessian eigenvalue at the trained factors"),
    "tolerance": ("cell start", "what the gradient norm and rounding allow for an eigenvalue"),
    "certified": ("cell start", "1 where the gradient norm is within tolerance"),
    "minimal": ("cell start", "1 where the run is certified and F is no more than the minimum plus its tolerance"),
    "spectrum": ("cell start eigen", "Hessian eigenvalues, ascending"),
    "predicted": ("cell eigen", "closed-form spectrum, ascending (eq. 29-30)"),
}


def make(settings: Settings) -> xr.Dataset:
    """Cells (depth, m, lambda), 128 starts each: every sign pattern of the factors, with unequal sizes."""
    blocks = [_trained(depth, ORDINARY, settings) for depth in DEPTHS]
    blocks += [_trained(depth, kind, settings) for depth in DEPTHS if depth > 2 for kind in (PAIR, SPURIOUS)]
    return assembled(FIELDS, [row for block in blocks for row in block], {"pattern": ("start", np.arange(STARTS))})


def _trained(depth: int, kind: str, settings: Settings) -> list[Row]:
    m, lam, low, high = _problems(depth, kind)
    size, count = np.abs(m), STARTS
    rng = generator(["study", "scalar_hessian", settings.seed, depth, kind])
    factors = rng.uniform(low[:, None], high[:, None], (len(m), count))[..., None] * rng.uniform(
        *SPREAD, (len(m), count, depth)
    )
    factors *= (size ** (1 / depth))[:, None, None] * sign_patterns(depth, count)
    factors[..., 0] *= np.sign(m)[:, None]
    tolerance = min(SHARP, settings.gradient_norm) * size ** (2 - 1 / depth)
    each_m, each_lam, each_tolerance = (np.repeat(values, count) for values in (m, lam, tolerance))
    found, runs = train_scalars(each_m, each_lam, factors.reshape(-1, depth), each_tolerance)
    spectra: Floats = np.linalg.eigvalsh(scalar_hessian(found, each_m, each_lam)).astype(np.float64, copy=False)
    predicted = np.stack([theory.scalar_hessian_spectrum(m_i, depth, lam_i) for m_i, lam_i in zip(m, lam, strict=True)])
    x = np.abs(theory.scalar_minimizer(m, depth, lam))
    mu = np.repeat(np.abs(predicted).min(axis=1), count)
    certified = (runs.status == Status.CONVERGED) & (runs.gradient_norm <= each_tolerance)
    minimum = np.repeat(theory.scalar_objective(x, size, depth, lam), count)
    gap = runs.objective - minimum
    gap_tolerance = gradient_gap(runs.gradient_norm, mu) + depth * ROUNDING_SCALAR * each_m**2
    # At m* both kinds of minimizers are in view: the larger is what bounds the tolerance.
    reach = np.repeat(theory.jump(depth, lam) if kind == PAIR else x, count) ** (1 / depth)
    radius = gradient_distance(runs.gradient_norm, mu)
    runs_fields = {
        "gradient_norm": runs.gradient_norm,
        "objective_gap": gap,
        "end_to_end": runs.end_to_end[:, 0, 0],
        "largest": spectra[:, -1],
        "tolerance": spectrum_tolerance(reach, radius, np.abs(each_m), each_lam, depth),
        "certified": certified,
        "minimal": certified & (gap <= gap_tolerance),
    }
    columns = {
        "m": m,
        "relative": lam / theory.critical_lambda(size, depth),
        "exceptional_distance": _exceptional_distance(size, depth, lam, kind),
        "lam": lam,
        "reduced": lam / size ** (2 - 2 / depth),
        "limit": 2 * depth * size ** (2 - 2 / depth),
        "predicted_nonzero": x > 0,
        "predicted": predicted,
        "spectrum": spectra.reshape(len(m), count, depth),
        **{name: values.reshape(len(m), count) for name, values in runs_fields.items()},
    }
    return rows_of(columns, kind=kind, depth=depth, control=kind != ORDINARY)


def _problems(depth: int, kind: str) -> tuple[Floats, Floats, Floats, Floats]:
    """m and lambda (cell,), and the range of sizes their starts are multiplied by."""
    ratios = {ORDINARY: RATIOS, PAIR: (1.0,), SPURIOUS: (SPURIOUS_RATIO,)}[kind]
    m, ratio = (axis.ravel() for axis in np.meshgrid(np.array(SCALARS), np.array(ratios), indexing="ij"))
    lam = ratio * theory.critical_lambda(m, depth)
    if kind == PAIR:
        m = np.sign(m) * theory.collapse_threshold(depth, lam)
    low, high = {ORDINARY: (1.0, 1.0), PAIR: (0.2, 1.2), SPURIOUS: SPURIOUS_SPREAD}[kind]
    return m, lam, np.full(len(m), low), np.full(len(m), high)


def scalar_hessian(factors: Floats, m: Floats, lam: Floats) -> Floats:
    """Hessians (B, L, L) of (m - w_L ... w_1)^2 + lambda sum w_l^2 at factors (B, L), differentiated by hand.

    With P_l the product without w_l and P_lk that without both: 2 P_l^2 + 2 lambda on the diagonal, and
    2 P_l P_k + 2 (w_L ... w_1 - m) P_lk off it.
    """
    depth = factors.shape[1]
    without = np.stack([np.delete(factors, i, axis=1).prod(axis=1) for i in range(depth)], axis=1)
    residual = factors.prod(axis=1) - m
    hessian = 2 * without[:, :, None] * without[:, None, :]
    for i in range(depth):
        hessian[:, i, i] += 2 * lam
        for k in range(i):
            mixed = 2 * residual * np.delete(factors, (i, k), axis=1).prod(axis=1)
            hessian[:, i, k] += mixed
            hessian[:, k, i] += mixed
    return np.asarray(hessian)


def spectrum_tolerance(w: Floats, radius: Floats, m: Floats, lam: Floats, depth: int) -> Floats:
    """How far an eigenvalue moves when every factor, of size w, moves by at most `radius`, plus rounding.

    Weyl: no more than the largest row sum of the change of the Hessian, whose entries are at most 4 times a product of
    2L - 2 factors and 2 |m| times one of L - 2. Rounding: each entry is a sum of products of at most 2L factors, and
    eigenvalues are computed to a few L units of rounding of the norm.
    """
    far = w + radius
    move = 4 * (far ** (2 * depth - 2) - w ** (2 * depth - 2)) + 2 * m * (far ** (depth - 2) - w ** (depth - 2))
    entry = 4 * far ** (2 * depth - 2) + 2 * m * far ** (depth - 2) + 2 * lam
    tolerance: Floats = depth * (move + 4 * depth * EPS * entry)
    return tolerance


def _exceptional_distance(size: Floats, depth: int, lam: Floats, kind: str) -> Floats:
    if depth == 2:
        return np.full(len(size), np.inf)
    return np.zeros(len(size)) if kind == PAIR else np.abs(size / theory.collapse_threshold(depth, lam) - 1)


STUDY = Study(
    title="Hessian spectra at trained minimizers of the scalar problem",
    summary=(
        r"Scalar problems of depths 2 to 8 trained from every sign pattern and unequal sizes of factors, and all $L$ "
        "Hessian eigenvalues at each trained point."
    ),
    make=make,
)
