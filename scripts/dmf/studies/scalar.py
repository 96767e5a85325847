"""Theorem 5 by brute force: every minimum of one singular value's objective, found without its formula."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dmf import theory
from dmf.studies import Settings, Study
from dmf.studies._assemble import Row, assembled, rows_of
from dmf.studies._scalars import Floats
from dmf.theory.certificate import EPS, power_rounding

DEPTHS = range(2, 41)
LAMBDAS = np.logspace(-8, 4, 25)
STRENGTHS = (0.01, 0.5, 0.9, 0.999, 1 - 1e-6, 1 - 1e-9, 1 + 1e-9, 1 + 1e-6, 1.001, 1.1, 2.0, 10.0, 1000.0)
CONTROL_DEPTHS = range(3, 41)
CONTROL_LAMBDAS = LAMBDAS[::6]
SIGNS = np.array([1, -1])

# Positive x, in units of |m|: a global minimum lies as near to zero as 1e-9 (depth 2, m = m* (1 + 1e-9)). At depth >= 3
# g' < 0 on an interval below it whose ends differ by a factor of 2 or more, twenty steps of this axis.
AXIS = np.unique(np.concatenate([np.geomspace(1e-12, 2, 300), np.linspace(0.01, 2, 200)]))
HALVINGS = 64

FIELDS = {
    "control": ("cell", "1 where m = m*, where the minimizer is not unique"),
    "exceptional_distance": ("cell", "| |m| - m* | / m*; infinite at depth 2, where no m is exceptional"),
    "m": ("cell start", "the scalar to factorize"),
    "predicted": ("cell start", "closed-form minimizer x*"),
    "predicted_value": ("cell start", "closed-form minimum g(x*)"),
    "farthest": ("cell start", "the global minimizer found that lies farthest from x*"),
    "value": ("cell start", "lowest g found"),
    "gap": ("cell start", "g at the second lowest minimum found, minus the lowest; infinite where there is only one"),
    "minima": ("cell start", "number of local minima found"),
    "x_tolerance": ("cell start", "rounding of a minimizer"),
    "value_tolerance": ("cell start", "rounding of g, and of m* where m is made from it"),
    "certified": (
        "cell start",
        "1 where every bracket closed and no point of the axis lies below the lowest minimum found",
    ),
}


def make(settings: Settings) -> xr.Dataset:
    """Cells (depth, lambda, |m| / m*) and both signs of m, searched for every local minimum of g."""
    honest = [(depth, LAMBDAS, STRENGTHS, 0) for depth in DEPTHS]
    control = [(depth, CONTROL_LAMBDAS, (1.0,), 1) for depth in CONTROL_DEPTHS]
    rows = [row for block in honest + control for row in _searched(*block)]
    return assembled(FIELDS, rows, {"sign": ("start", SIGNS)})


def _searched(depth: int, lambdas: Floats, strengths: tuple[float, ...], control: int) -> list[Row]:
    lam, strength = (axis.ravel() for axis in np.meshgrid(lambdas, np.array(strengths), indexing="ij"))
    m_star = theory.collapse_threshold(depth, lam)
    m = m_star[:, None] * strength[:, None] * SIGNS
    strongest = np.broadcast_to(lam[:, None], m.shape)
    place, tied, found = search(m.ravel(), depth, strongest.ravel())
    predicted = theory.scalar_minimizer(m, depth, lam[:, None])
    found["farthest"] = _farthest(place, tied, predicted.ravel())
    columns = {
        "lam": lam,
        "strength": strength,
        "exceptional_distance": np.abs(strength - 1) if depth > 2 else np.full(len(lam), np.inf),
        "m": m,
        "predicted": predicted,
        "predicted_value": theory.scalar_objective(predicted, m, depth, lam[:, None]),
        **{name: values.reshape(m.shape) for name, values in found.items()},
    }
    return rows_of(columns, depth=depth, control=bool(control))


def search(m: Floats, depth: int, lam: Floats) -> tuple[Floats, NDArray[np.bool_], dict[str, NDArray[np.generic]]]:
    """Every local minimum of g for m, lam (B,), by the signs of g' on an axis through [-2|m|, 2|m|] and bisection.

    Gives their places (B, most), NaN where there are fewer; which of them differ in value from the lowest by no more
    than rounding (B, most); and the fields value, gap, minima, x_tolerance, value_tolerance, certified (B,).
    """
    case, low, high, lowest_on_axis = _brackets(m, depth, lam)
    root = _bisect(low, high, m[case], depth, lam[case])
    row, most = _row_in_case(case), int(np.bincount(case).max())
    place, width = np.full((len(m), most), np.nan), np.zeros((len(m), most))
    place[case, row], width[case, row] = root
    value = np.where(np.isnan(place), np.inf, _g(np.nan_to_num(place), m[:, None], depth, lam[:, None]))
    lowest = value.min(axis=1)
    size = np.abs(m)
    noise = power_rounding(lam, size)
    tolerance = 2 * noise * size**2
    ordered = np.sort(value, axis=1)
    fields: dict[str, NDArray[np.generic]] = {
        "value": lowest,
        "gap": ordered[:, 1] - lowest if most > 1 else np.full(len(m), np.inf),
        "minima": np.isfinite(value).sum(axis=1),
        "x_tolerance": noise * size / (1 - 1 / depth),
        "value_tolerance": tolerance,
        "certified": (width.max(axis=1) <= 2 * EPS * size) & (lowest <= lowest_on_axis + tolerance),
    }
    return place, value <= (lowest + tolerance)[:, None], fields


def _brackets(m: Floats, depth: int, lam: Floats) -> tuple[NDArray[np.int64], Floats, Floats, Floats]:
    """Cases and ends of the intervals over which g' turns from negative to positive; and the lowest g on the axis.

    The two points next to zero stand for the one-sided slopes there: between them lies zero itself.
    """
    axis = np.concatenate([-AXIS[::-1], AXIS])
    x = np.abs(m)[:, None] * axis
    power = lam[:, None] * np.abs(x) ** (2 / depth - 1)
    rising = x - m[:, None] + np.sign(x) * power > 0
    lowest = ((m[:, None] - x) ** 2 + depth * power * np.abs(x)).min(axis=1)
    case, point = np.nonzero(~rising[:, :-1] & rising[:, 1:])
    return case, x[case, point], x[case, point + 1], np.minimum(lowest, m**2)


def _bisect(low: Floats, high: Floats, m: Floats, depth: int, lam: Floats) -> tuple[Floats, Floats]:
    """The minima within brackets, (K,), and the width their brackets were brought to; zero for the one around it."""
    around_zero = (low < 0) & (high > 0)
    low, high = np.where(around_zero, 0.0, low), np.where(around_zero, 0.0, high)
    sign = np.where(around_zero, 1.0, np.sign(low + high))
    for _ in range(HALVINGS):
        middle = low + (high - low) / 2
        size = np.where(around_zero, 1.0, np.abs(middle))
        rising = middle - m + sign * lam * size ** (2 / depth - 1) > 0
        low, high = np.where(rising, low, middle), np.where(rising, middle, high)
    middle = np.where(around_zero, 0.0, low + (high - low) / 2)
    return middle, np.where(around_zero, 0.0, high - low)


def _g(x: Floats, m: Floats, depth: int, lam: Floats) -> Floats:
    value: Floats = (m - x) ** 2 + lam * depth * np.abs(x) ** (2 / depth)
    return value


def _row_in_case(case: NDArray[np.int64]) -> NDArray[np.int64]:
    """For sorted cases, the how-manieth of its case each entry is, from 0."""
    return np.arange(len(case)) - np.searchsorted(case, case)


def _farthest(place: Floats, tied: NDArray[np.bool_], predicted: Floats) -> Floats:
    away = np.where(tied, np.abs(place - predicted[:, None]), -1.0)
    return np.take_along_axis(place, away.argmax(axis=1)[:, None], axis=1)[:, 0]


STUDY = Study(
    title="One singular value by brute force",
    summary=(
        r"Every local minimum of $g(x) = (m - x)^2 + \lambda L |x|^{2/L}$ from the signs of $g'$ on an axis through "
        r"$[-2|m|, 2|m|]$ and bisection, for depths 2 to 40 and 12 decades of $\lambda$; no formula enters the search."
    ),
    make=make,
)
