"""Beyond the paper: gradient flow near the critical points where F is flatter than along an orbit (section 15).

At sigma_i = lambda with two layers, and at sigma_i = m_loc with more, F falls like a power of time. Powers and factors
are read off the values of F along flows of the whole problem.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.integrate import solve_ivp
from scipy.linalg import block_diag

from dmf import theory
from dmf.grid.seeds import generator
from dmf.studies import Settings, Study
from dmf.studies._assemble import Row, assembled
from dmf.studies._derivatives import Floats, Objective
from dmf.studies._layers import balanced_point, layers_of
from dmf.theory import haar
from dmf.theory.certificate import ROUNDING

DRAWS = 2
TIMES = np.append(0.0, 2.0 ** np.arange(10))  # the last four, in steps of a factor two, are what limits are taken from
WINDOWS = 3
LOOSE, FINE = 1e-7, 1e-8  # relative tolerances of the two integrations
PUSH, NOISE = 0.3, 0.1  # of starts: along the slow direction, on the side from which flows come, and in all others
SETTLED = 1e-3  # relative difference of both integrations from which a flow is not certified
LAM2, LAM3, LAM4 = 0.5, 0.3, 0.3
LOC3, LOC4 = (float(theory.branch_threshold(depth, lam)) for depth, lam in ((3, LAM3), (4, LAM4)))

# Name, widths, singular values, lambda, and how many of the values are kept; the slow ones come next (two layers), or
# last of the kept ones.
Setup = tuple[str, tuple[int, ...], tuple[float, ...], float, int]
CELLS: tuple[Setup, ...] = (
    ("two layers", (2, 3, 3), (1.2, LAM2), LAM2, 1),
    ("two slow values", (3, 4, 3), (1.2, LAM2, LAM2), LAM2, 1),
    ("nothing kept", (2, 2, 2), (LAM2, 0.2), LAM2, 0),
    ("three layers", (2, 2, 2, 2), (1.2, LOC3), LAM3, 2),
    ("one scalar", (1, 1, 1, 1), (LOC3,), LAM3, 1),
    ("four layers", (2, 2, 2, 2, 2), (1.1 * LOC4, LOC4), LAM4, 2),
)
# Slightly larger values, at which F falls exponentially, slowly enough to be seen at all TIMES.
CONTROLS: tuple[Setup, ...] = (
    ("away", (2, 2, 2), (1.2, LAM2 + 0.002), LAM2, 2),
    ("away", (1, 1, 1, 1), (LOC3 * (1 + 2.5e-5),), LAM3, 1),
    ("ordinary", (1, 1, 1), (LAM2,), LAM2, 0),
    ("ordinary", (1, 1, 1, 1), (LOC3,), LAM3, 1),
)

FIELDS = {
    "control": ("cell", "1 for cells of the control"),
    "degenerate": ("cell", "1 where a singular value is lambda (two layers) or m_loc (more)"),
    "slow": ("cell", "number of such values"),
    "certified": (
        "cell start",
        "1 where F stays above its limit, and a finer integration moves its numbers by a thousandth",
    ),
    "excess": ("cell start time", "F along the flow, above its value at the critical point"),
    "power": ("cell start", "the limit of what 1/p is in F ~ t^-p"),
    "predicted_power": ("cell start", "1/2 for two layers, 1/3 for more"),
    "power_tolerance": ("cell start", "the last change of the limit, the integration's error and rounding"),
    "factor": ("cell start", "the limit of t^p times F above its value at the critical point"),
    "predicted_factor": ("cell start", "its closed form"),
    "factor_tolerance": ("cell start", "the last change of the limit, the integration's error and rounding"),
}


class Limit(NamedTuple):
    """The limit of a sequence, how far its last term moved it, and what rounding of F moves it by."""

    value: float
    change: float
    rounding: float


class Fall(NamedTuple):
    """F above its critical value (time,), and the limits of 1/p and of t^p times it for a fall like t^-p."""

    excess: Floats
    power: Limit
    factor: Limit


def make(settings: Settings) -> xr.Dataset:
    """Cells by name, starts by draw of bases and direction."""
    rows = [_cell(settings, *cell) | {"control": False} for cell in CELLS]
    rows += [_cell(settings, *cell) | {"control": True} for cell in CONTROLS]
    return assembled(FIELDS, rows, {"draw": ("start", np.arange(DRAWS)), "time": ("time", TIMES)})


def slow_values(sigma: Floats, depth: int, lam: float, within: float = 1e-9) -> NDArray[np.bool_]:
    """Which singular values are, relatively, so near to where F is flatter than along the orbit, (n,)."""
    return np.asarray(np.abs(sigma / float(theory.branch_threshold(depth, lam)) - 1) < within)


def predicted_factor(depth: int, lam: float, slow: int) -> float:
    """Limit of t^2 (F - F*) for two layers with so many slow values, and of t^3 (F - F_c) for more with one."""
    if depth == 2:
        return slow / 16
    s = (lam * (depth - 2) / depth) ** (1 / (2 * depth - 2))
    return float(1 / (12 * depth * (depth - 1) ** 2 * s ** (4 * depth - 6)))


def _cell(
    settings: Settings, name: str, widths: tuple[int, ...], values: tuple[float, ...], lam: float, kept: int
) -> Row:
    depth, sigma = len(widths) - 1, np.array(values)
    rng = generator(["study", "slow_points", settings.seed, name, list(widths)])
    x = np.zeros(len(sigma))
    x[:kept] = theory.large_root(sigma[:kept], depth, lam)
    critical = float(np.sum(theory.scalar_objective(x, sigma, depth, lam)))
    power = 2 if depth == 2 else 3
    slow = int(slow_values(sigma, depth, lam).sum())
    pushed = slow_values(sigma, depth, lam, 0.01)  # those slightly away, too
    function, starts = _starts(widths, sigma, lam, x ** (1 / depth) + PUSH * pushed, rng)
    energy = float(np.sum(sigma**2))
    coarse, fine = (
        [measured(*run, critical, power, energy) for run in zip(*flows(function, starts, within), strict=True)]
        for within in (LOOSE, FINE)
    )
    predicted = {"power": 1 / power, "factor": predicted_factor(depth, lam, max(slow, 1))}
    found: Row = {}
    settled = np.ones(DRAWS, dtype=np.bool_)
    for field, closed in predicted.items():
        values, changes, rounding = np.array([getattr(run, field) for run in fine]).T
        moved = np.abs(values - np.array([getattr(run, field).value for run in coarse]))
        settled &= moved <= SETTLED * closed
        found |= {field: values, f"predicted_{field}": np.full(DRAWS, closed)}
        found[f"{field}_tolerance"] = changes + moved + rounding
    excess = np.array([run.excess for run in fine])
    return {
        "problem": name,
        "depth": depth,
        "lam": lam,
        "degenerate": slow > 0,
        "slow": slow,
        "certified": settled & (excess > 0).all(axis=1),
        "excess": excess,
        **found,
    }


def _starts(
    widths: tuple[int, ...], sigma: Floats, lam: float, s: Floats, rng: np.random.Generator
) -> tuple[Objective, Floats]:
    """F for a target in random bases; balanced layers with diagonal s (n,) in random ones, moved everywhere, (S, N)."""
    count = len(sigma)
    left, right = haar.orthogonal(widths[-1], rng), haar.orthogonal(widths[0], rng)
    points = []
    for _ in range(DRAWS):
        frames = [right, *(haar.orthogonal(width, rng) for width in widths[1:-1]), left]
        points.append(balanced_point(frames, s))
    moved = rng.standard_normal((DRAWS, len(points[0])))
    moved *= NOISE / np.linalg.norm(moved, axis=1, keepdims=True)
    return Objective((left[:, :count] * sigma) @ right[:, :count].T, widths, lam), np.array(points) + moved


def flows(function: Objective, starts: Floats, tolerance: float) -> tuple[Floats, Floats]:
    """F and the gradient norm along the gradient flows from starts (S, N) at TIMES, (S, time) each.

    Flows become slow while other directions are as fast as ever, so the method is an implicit one.
    """

    def rate(_: float, points: Floats) -> Floats:
        return np.asarray(-function.gradients(points.reshape(starts.shape))).ravel()

    def turning(_: float, points: Floats) -> Floats:
        return np.asarray(-block_diag(*function.hessians(points.reshape(starts.shape))))

    found = solve_ivp(
        rate,
        (0.0, TIMES[-1]),
        starts.ravel(),
        "Radau",
        t_eval=TIMES,
        rtol=tolerance,
        atol=tolerance / 100,
        jac=turning,
    )
    points = found.y.T.reshape(len(TIMES), *starts.shape).swapaxes(0, 1)
    values = [
        [theory.objective(layers_of(point, function.widths), function.target, function.lam) for point in path]
        for path in points
    ]
    return np.array(values), np.asarray(np.linalg.norm(function.gradients(points), axis=-1))


def measured(values: Floats, norms: Floats, critical: float, power: int, energy: float) -> Fall:
    """What the values of F and the gradient norms (time,) of one flow say, for any origin of its time.

    If F = c (t - t_0)^-p above its limit, F / |grad F|^2 = -F / (dF/dt) is (t - t_0) / p, and F^(-1/p) is
    c^(-1/p) (t - t_0): both are read off as slopes over windows. `power` p is assumed in the second alone.
    """
    excess = values - critical
    error = ROUNDING * energy / np.where(excess > 0, excess, np.nan)  # relative, of F
    steps = np.diff(TIMES)[-WINDOWS:]
    one = excess / norms**2
    slopes = np.diff(one)[-WINDOWS:] / steps
    own = (one * error)[-WINDOWS - 1 :]
    inverse = np.where(excess > 0, excess, np.nan) ** (-1 / power)
    climbs = np.diff(inverse)[-WINDOWS:]
    factors = (steps / climbs) ** power
    other = (inverse * error / power)[-WINDOWS - 1 :]
    return Fall(
        excess,
        _limit(slopes, (own[1:] + own[:-1]) / steps),
        _limit(factors, power * factors * (other[1:] + other[:-1]) / climbs),
    )


def _limit(terms: Floats, rounding: Floats) -> Limit:
    """The limit of terms over windows that double, whose departure halves with each window but for higher orders.

    What departs like 1/t cancels in twice a term minus the one before it. What is left falls by nearly four a window,
    so that the last change of this is about three times what is left.
    """
    limits = 2 * terms[1:] - terms[:-1]
    return Limit(float(limits[-1]), float(abs(limits[-1] - limits[-2])), float(2 * rounding[-1] + rounding[-2]))


STUDY = Study(
    title="Slow points",
    summary=(
        r"Gradient flow of depth 2 to 4 to $t = 512$ near critical points with a singular value at $\lambda$ (two "
        r"layers) or $m_{loc}$ (more), from starts that are moved in all directions; values slightly larger as a "
        "control."
    ),
    make=make,
)
