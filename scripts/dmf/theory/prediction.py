"""All that the theory says of one setting, as plain numbers: what `dmf.predict` and `dmf predict` show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dmf import theory
from dmf.theory.certificate import TIED

Floats = NDArray[np.float64]
MOST_EIGENVALUES = 30_000_000  # that are written down at once: a gigabyte at the peak
NEAR = 1e-9  # of m* or m_loc: closer, rounding may decide which side a singular value is on


def predict(target: Floats, widths: Sequence[int], lam: float) -> dict[str, Any]:
    """`values` (one for each singular value), `levels` (one for each k), `numbers` and `notes` on a target (d_L, d_0).

    Dimensionless; names are those of the explorer and of `dmf predict --json`. Curvatures of levels are None
    where all levels together have more than MOST_EIGENVALUES eigenvalues. Raises ValueError where one level has, and
    for bad input.
    """
    depth, sigma = len(widths) - 1, np.asarray(np.linalg.svd(target, compute_uv=False), dtype=np.float64)
    parameters, rank = theory.parameter_count(widths), theory.kept_at_minimum(target, depth, lam)
    if parameters > MOST_EIGENVALUES:
        raise ValueError(f"got {parameters:,} parameters, expected at most {MOST_EIGENVALUES:,}; use a smaller target")
    spectrum = theory.critical_hessian_spectrum(sigma, widths, lam, _prefix(rank, sigma))
    numbers = _numbers(target, widths, lam, sigma, spectrum)
    return {
        "values": _values(sigma, depth, lam),
        "levels": _levels(theory.critical_levels(target, depth, lam), rank, sigma, widths, lam),
        "numbers": numbers,
        "notes": _notes(numbers, sigma, spectrum, depth),
    }


def _numbers(
    target: Floats, widths: Sequence[int], lam: float, sigma: Floats, spectrum: Floats
) -> dict[str, float | int]:
    depth, critical = len(widths) - 1, float(theory.critical_lambda(sigma[0], len(widths) - 1))
    rank = theory.kept_at_minimum(target, depth, lam)
    trace, bound = (f(target, widths, lam) for f in (theory.minimizer_hessian_trace, theory.trace_lower_bound))
    return {
        "minimum": theory.minimum_value(target, depth, lam),
        "rank": rank,
        "norm": float(np.linalg.norm(theory.scalar_minimizer(sigma, depth, lam))),
        "layerNormSq": theory.layer_norm_sq(target, depth, lam),
        "exceptionalDistance": theory.exceptional_distance(target, depth, lam),
        "parameters": theory.parameter_count(widths),
        "collapseThreshold": float(theory.collapse_threshold(depth, lam)),
        "branchThreshold": float(theory.branch_threshold(depth, lam)),
        "jump": float(theory.jump(depth, lam)),
        "criticalLambda": critical,
        "branchLambda": float(theory.branch_lambda(sigma[0], depth)),
        "lambdaRatio": lam / critical,
        "lambdaMax": float(spectrum[-1]),
        "mu": theory.smallest_positive_eigenvalue(spectrum),
        "largestStep": 2 / float(spectrum[-1]),
        "zeroModes": theory.zero_modes(widths, rank),
        "trace": trace,
        "bound": bound,
        "slack": trace - bound,
    }


def _prefix(kept: int, sigma: Floats) -> list[str]:
    return ["large"] * kept + ["zero"] * (sigma.size - kept)


def _values(sigma: Floats, depth: int, lam: float) -> list[dict[str, float]]:
    columns = {
        "sigma": sigma,
        "minimizer": theory.scalar_minimizer(sigma, depth, lam),
        "largeRoot": theory.large_root(sigma, depth, lam),
        "smallRoot": theory.small_root(sigma, depth, lam),
        "criticalLambda": theory.critical_lambda(sigma, depth),
        "branchLambda": theory.branch_lambda(sigma, depth),
    }
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _levels(objectives: Floats, rank: int, sigma: Floats, widths: Sequence[int], lam: float) -> list[dict[str, Any]]:
    written = objectives.size * theory.parameter_count(widths) <= MOST_EIGENVALUES
    levels = []
    for kept, objective in enumerate(objectives.tolist()):
        setting = sigma, widths, lam, _prefix(kept, sigma)
        levels.append(
            {
                "kept": kept,
                "kind": _kind(kept, sigma, len(widths) - 1, lam),
                "objective": objective,
                "excess": objective - float(objectives[rank]),
                "morseIndex": theory.morse_index(*setting) if written else None,
                "lambdaMax": float(theory.critical_hessian_spectrum(*setting)[-1]) if written else None,
            }
        )
    return levels


def _kind(kept: int, sigma: Floats, depth: int, lam: float) -> str:
    """What the critical points of a level are; values at m* may be kept or not at a minimum."""
    threshold = float(theory.collapse_threshold(depth, lam))
    surely, perhaps = (np.count_nonzero(sigma > threshold * (1 + aside)) for aside in (NEAR, -NEAR))
    if surely <= kept <= perhaps:
        return "global minimum"
    if depth == 2:
        return "strict saddle"
    tied = 0 < kept < sigma.size and sigma[kept - 1] - sigma[kept] <= TIED * sigma[0]
    return "undecided: equal values" if tied else "spurious minimum"


def _notes(numbers: dict[str, Any], sigma: Floats, spectrum: Floats, depth: int) -> list[str]:
    """Where the numbers need care, in words."""
    notes = []
    collapse, branch = numbers["collapseThreshold"], numbers["branchThreshold"]
    at_collapse, at_branch = (
        [f"σ_{i + 1}" for i in np.flatnonzero(abs(sigma - at) < NEAR * at)] for at in (collapse, branch)
    )
    if depth > 2 and at_collapse:
        x_jump = numbers["jump"]
        notes.append(
            f"Exceptional set: {', '.join(at_collapse)} at m*, to {NEAR:g}. In a minimizer each may be 0 or x_J = "
            f"{x_jump:.6g} at the same minimum; rank, norms, trace and Hessian are those of one of them, and α² of "
            f"another differs by {x_jump ** (2 / depth):.6g} for each."
        )
    if at_branch:
        notes.append(
            f"Degenerate: {', '.join(at_branch)} at m_loc, to {NEAR:g}. An eigenvalue of the Hessian vanishes at a "
            "critical point there, and rounding decides which levels exist."
        )
    lost = np.count_nonzero((spectrum > 0) & (spectrum < numbers["mu"]))
    if lost:
        notes.append(
            f"μ is not the smallest positive eigenvalue: {lost} are smaller, but float64 cannot distinguish them from "
            "zero next to λ_max."
        )
    return notes
