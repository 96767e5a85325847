"""Beyond the paper: from which scale on a balanced start keeps a singular value (docs/theory.md, section 15).

Gradient descent on the whole problem from layers s_0 U_l U_{l-1}^T, U_0 and U_L the target's singular bases. The scale
that separates kept from lost is bracketed without the closed form, for each singular value.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import xarray as xr

from dmf import theory
from dmf.grid.seeds import generator
from dmf.studies import Settings, Study
from dmf.studies._assemble import Row, assembled
from dmf.studies._derivatives import Floats, Objective, flat
from dmf.studies._layers import layers_of, product_of
from dmf.theory import haar
from dmf.theory.certificate import ROUNDING

DRAWS = 2
SPECTRUM = (2.0, 1.4, 1.0)
STEP = 0.5  # in units of 1 / lambda_max
POINTS = 17  # of each bracket, with its ends
ROUNDS = 7  # each takes a sixteenth: to 2^-28 of the first
FIRST = (0.01, 1.1)  # the first bracket, in units of sigma_1^(1/L)
MOST_STEPS = 3000
SCAN = 41  # scales of the figure

# Name, depth, lambda, whether starts are in the target's bases.
CELLS = (
    ("three layers", 3, 0.3, True),
    ("three layers", 3, 0.4, True),
    ("four layers", 4, 0.2, True),
    ("five layers", 5, 0.12, True),
)
CONTROLS = (("other bases", 3, 0.3, False), ("ordinary", 3, 0.35, True))

FIELDS = {
    "control": ("cell", "1 for cells of the control"),
    "aligned": ("cell", "1 where starts are in the target's singular bases"),
    "value": ("cell start", "the singular value that is to be kept"),
    "certified": ("cell start", "1 where the bracket of the scale is closed"),
    "found": ("cell start", "scale that separates kept from lost, the middle of its bracket"),
    "predicted": ("cell start", "the L-th root of the small root of h(x) = sigma_i"),
    "threshold_tolerance": ("cell start", "the width of the bracket, and what rounding moves the unstable point by"),
    "scan_scale": ("cell scan", "scales of starts"),
    "scan_kept": ("cell scan", "singular values kept from these scales, for the first draw"),
    "thresholds": ("cell singular", "closed-form scales of all singular values"),
}


def make(settings: Settings) -> xr.Dataset:
    """Cells (depth, lambda), starts by draw of bases and singular value."""
    rows = [_cell(settings, *cell) | {"control": False} for cell in CELLS]
    rows += [_cell(settings, *cell) | {"control": True} for cell in CONTROLS]
    count = len(SPECTRUM)
    others = {
        "draw": ("start", np.repeat(np.arange(DRAWS), count)),
        "number": ("start", np.tile(np.arange(count), DRAWS)),
    }
    return assembled(FIELDS, [row | {"value": np.tile(SPECTRUM, DRAWS)} for row in rows], others)


def _cell(settings: Settings, name: str, depth: int, lam: float, aligned: bool) -> Row:
    sigma, size = np.array(SPECTRUM), len(SPECTRUM)
    rng = generator(["study", "basins", settings.seed, name, depth, lam])
    small = np.asarray(theory.small_root(sigma, depth, lam)) ** (1 / depth)
    # At the small root the unstable eigenvalue is that of the scalar problem there.
    falling = 2 * depth * small ** (2 * depth - 2) - 2 * lam * (depth - 2)
    found, width = np.empty((DRAWS, size)), np.empty((DRAWS, size))
    scan = FIRST[0] + (FIRST[1] - FIRST[0]) * np.linspace(0, 1, SCAN)
    unit = float(sigma[0] ** (1 / depth))
    for draw in range(DRAWS):
        left, right = haar.orthogonal(size, rng), haar.orthogonal(size, rng)
        target = (left * sigma) @ right.T
        inner = [haar.orthogonal(size, rng) for _ in range(depth - 1)]
        ends = (left, right) if aligned else (haar.orthogonal(size, rng), haar.orthogonal(size, rng))
        function = Objective(target, (size,) * (depth + 1), lam)
        shape = _shape(inner, *ends)
        step = STEP / float(theory.hessian_spectrum(target, function.widths, lam)[-1])
        found[draw], width[draw] = _brackets(function, shape, (left, right), step, unit)
        if draw == 0:
            values = kept_values(function, scan[:, None] * unit * shape, (left, right), step)
    per_step = STEP * np.abs(falling) / float(theory.hessian_spectrum(np.diag(sigma), (size,) * (depth + 1), lam)[-1])
    return {
        "problem": name,
        "depth": depth,
        "lam": lam,
        "aligned": aligned,
        "certified": (width < 1e-8 * unit).ravel(),
        "found": found.ravel(),
        "predicted": np.tile(small, DRAWS),
        "threshold_tolerance": (width + ROUNDING * small / per_step).ravel(),
        "scan_scale": scan * unit,
        "scan_kept": values.sum(axis=1),
        "thresholds": small,
    }


def _shape(inner: list[Floats], left: Floats, right: Floats) -> Floats:
    """Parameters (N,) of the start of scale 1: layers U_l U_{l-1}^T."""
    frames = [right, *inner, left]
    return flat([above @ below.T for below, above in pairwise(frames)])


def _brackets(
    function: Objective, shape: Floats, bases: tuple[Floats, Floats], step: float, unit: float
) -> tuple[Floats, Floats]:
    """For each singular value the middle and the width of the bracket of scales between lost and kept, (n,) each."""
    count = len(bases[0])
    low, high = (np.full(count, end * unit) for end in FIRST)
    for _ in range(ROUNDS):
        scales = low + (high - low) * np.linspace(0, 1, POINTS)[:, None]  # (point, singular)
        kept = kept_values(function, scales.reshape(-1, 1) * shape, bases, step).reshape(POINTS, count, count)
        own = kept[:, np.arange(count), np.arange(count)]
        place = np.clip(own.argmax(axis=0), 1, POINTS - 1)  # the first that is kept
        columns = np.arange(count)
        low, high = scales[place - 1, columns], scales[place, columns]
    return (low + high) / 2, high - low


def kept_values(function: Objective, points: Floats, bases: tuple[Floats, Floats], step: float) -> Floats:
    """Which singular values gradient descent from points (S, N) keeps, (S, n): 1 where u_i^T X v_i ends large.

    Runs go on until each value has fallen to a thousandth of what it was, or is above nine tenths of its largest
    critical one, or MOST_STEPS are done; what has not moved away by then counts as lost.
    """
    left, right = bases
    depth, size = len(function.widths) - 1, len(left)
    sigma = np.einsum("ji,jk,ki->i", left, function.target, right)
    top = np.asarray(theory.large_root(sigma, depth, function.lam))
    active = np.arange(len(points))
    points, values = points.copy(), np.zeros((len(points), size))
    begun = np.linalg.norm(points, axis=1) ** depth / (depth * size) ** (depth / 2)  # x of layers s_0 times orthogonal
    for number in range(MOST_STEPS):
        points[active] -= step * np.asarray(function.gradients(points[active]))
        if number % 20 == 19:
            x = product_of(layers_of(points[active], function.widths))
            values[active] = np.einsum("ji,sjk,ki->si", left, x, right) / top
            low = 1e-3 * begun[active, None] / top
            undecided = ((values[active] > low) & (values[active] < 0.9)).any(axis=1)
            active = active[undecided]
            if not active.size:
                break
    return (values >= 0.9).astype(np.float64)


STUDY = Study(
    title="Basins of balanced starts",
    summary=(
        r"A $3 \times 3$ target, gradient descent at depth 3 to 5 from balanced starts in its singular bases; the "
        "scale from which on each value is kept, bracketed to eight digits; starts in other bases as a control."
    ),
    make=make,
)
