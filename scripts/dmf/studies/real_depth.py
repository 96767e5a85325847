"""Beyond the paper: the proximal map of |x|^p for real depth 2/p, against a search at 50 digits (section 15).

The search knows no root and no threshold: the lowest point of a grid, sharpened by the sign of the derivative in
decimal arithmetic, against zero. The scalar from which on zero is not the minimizer is bracketed in the same way.
"""

from __future__ import annotations

from decimal import Decimal, localcontext

import numpy as np
import xarray as xr

from dmf import theory
from dmf.grid.seeds import generator
from dmf.studies import Settings, Study
from dmf.studies._assemble import Row, assembled
from dmf.studies._derivatives import Floats
from dmf.theory.certificate import power_rounding

DIGITS = 50
EXPONENTS = (0.11, 0.27, 0.42, 0.55, 0.7, 0.85, 0.97)  # 2/p is no whole number
WEIGHTS = (0.02, 1.0, 30.0)  # in turn
CONTROLS = (0.3, 0.6)
CASES = 6
MU = 2.0  # (m - x)^2 is mu/2 (m - x)^2
GRID = 4000
HALVINGS = 70  # of a step of the grid: to 25 digits, and a value, which is flat there, to 50
TIE_HALVINGS = 54

FIELDS = {
    "control": ("cell", "1 for cells of the control"),
    "certified": ("cell start", "1 where the lowest point of the grid is inside of it"),
    "m": ("cell start", "the scalar"),
    "found": ("cell start", "the minimizer of the search at 50 digits"),
    "predicted": ("cell start", "the proximal map at real depth 2/p"),
    "whole": ("cell start", "the same at the nearest whole depth"),
    "minimizer_tolerance": ("cell start", "rounding of powers over the curvature at the minimizer, times m"),
    "found_tie": ("cell", "the scalar from which on zero is not the minimizer, bracketed"),
    "predicted_tie": ("cell", "m* of Theorem 5 at real depth"),
    "whole_tie": ("cell", "m* at the nearest whole depth"),
    "tie_tolerance": ("cell", "rounding of powers, times m*"),
}


def make(settings: Settings) -> xr.Dataset:
    """Cells (exponent, weight), starts by draw of the scalar, on both sides of the threshold."""
    cells = [(p, WEIGHTS[place % len(WEIGHTS)], False) for place, p in enumerate(EXPONENTS)]
    cells += [(p, 1.0, True) for p in CONTROLS]
    return assembled(FIELDS, [_cell(settings, *cell) for cell in cells], {"draw": ("start", np.arange(CASES))})


def _cell(settings: Settings, p: float, weight: float, control: bool) -> Row:
    rng = generator(["study", "real_depth", settings.seed, p, weight, control])
    exact, near = theory.Power(weight, p), theory.Power(weight, 2 / max(round(2 / p), 2))
    tie = exact.tie(MU)
    m = tie.at * np.exp(np.append(rng.uniform(-0.5, -0.1), rng.uniform(0.1, 1.5, CASES - 1)))
    with localcontext() as context:
        context.prec = DIGITS
        found = [minimizer(value, p, weight) for value in m]
        threshold = bracketed_tie(p, weight)
    predicted = exact.prox(m, MU)
    curvature = 1 + weight * p * (p - 1) * np.where(predicted > 0, predicted, 1.0) ** (p - 2) / 2
    rounding = power_rounding(np.full(CASES, weight), m)  # of one power; scale, root, and back are four
    return {
        "strength": p,
        "lam": weight,
        "control": control,
        "certified": np.array([inside for _, inside in found]),
        "m": m,
        "found": np.array([x for x, _ in found]),
        "predicted": predicted,
        "whole": near.prox(m, MU),
        "minimizer_tolerance": 4 * rounding * m / np.where(predicted > 0, curvature, 1.0),
        "found_tie": threshold,
        "predicted_tie": tie.at,
        "whole_tie": near.tie(MU).at,
        "tie_tolerance": float(4 * power_rounding(np.array([weight]), np.array([tie.at]))[0] * tie.at),
    }


def minimizer(m: float, p: float, weight: float) -> tuple[float, bool]:
    """Argmin over x >= 0 of (m - x)^2 + weight x^p, and whether the lowest point of the grid is inside of it."""
    exact, place, inside = _sharpened(Decimal(m), p, weight)
    return (float(place) if exact < Decimal(m) ** 2 else 0.0), inside


def bracketed_tie(p: float, weight: float) -> float:
    """The least m at which some x > 0 is as low as zero, by halving an interval that holds it."""
    low, high = Decimal(0), Decimal(1)
    while _sharpened(high, p, weight)[0] >= high**2:
        low, high = high, 2 * high
    for _ in range(TIE_HALVINGS):
        middle = (low + high) / 2
        below = _sharpened(middle, p, weight)[0] < middle**2
        low, high = (low, middle) if below else (middle, high)
    return float((low + high) / 2)


def _sharpened(m: Decimal, p: float, weight: float) -> tuple[Decimal, Decimal, bool]:
    """Value and place of the lowest local minimum at x > 0, m^2 where the grid shows none, and whether it is inside."""
    x: Floats = float(m) * np.linspace(0, 1, GRID + 1)[1:]
    values = (float(m) - x) ** 2 + weight * x**p
    local = np.flatnonzero((values[1:-1] <= values[:-2]) & (values[1:-1] <= values[2:])) + 1
    if not local.size:
        return m**2, Decimal(0), True
    best = int(local[values[local].argmin()])
    power, factor = Decimal(p), Decimal(weight)
    low, high = Decimal(float(x[best - 1])), Decimal(float(x[best + 1]))
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        rises = 2 * (middle - m) + factor * power * middle ** (power - 1) > 0
        low, high = (low, middle) if rises else (middle, high)
    return (m - low) ** 2 + factor * low**power, low, True


STUDY = Study(
    title="Proximal maps at real depth",
    summary=(
        r"Minimizers of $(m - x)^2 + w x^p$ for seven exponents between 0.1 and 1, by a search at 50 digits, and the "
        "scalars from which on they are not zero."
    ),
    make=make,
)
