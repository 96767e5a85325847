"""Extension: other penalties of the singular values of 2 x 2 matrices, minimized over all singular vectors as well.

Every X is sum_i x_i u_i v_i^T with u = R(a), v = R(b) diag(1, +-1) and x_i >= 0, and for given vectors the best x_i
minimizes the scalar problem at u_i^T M v_i. So a search over two angles and a sign is one over all matrices: neither
von Neumann's inequality nor a proximal map enters it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import xarray as xr

from dmf import theory
from dmf.grid.seeds import generator
from dmf.studies import Settings, Study
from dmf.studies._assemble import Row, assembled
from dmf.studies._penalties import MU, PENALTIES, Caps, Envelope, exceptional, local_minima, threshold
from dmf.theory import haar
from dmf.theory.certificate import ROUNDING

Floats = npt.NDArray[np.float64]
CHOSEN = ("l_2/3", "l_1", "log", "SCAD", "two caps")
# Singular values in units of the largest exceptional scalar, or of the threshold where there is none.
OFF = ((2.0, 1.3), (1.6, 0.7), (1.05, 0.95))
ON = (2.0, 1.0)
DRAWS = 3
STEPS = 16  # of the first grid, in a half turn
SHRINK, ZOOMS = 2.0, 28  # a grid of 5 x 5 around the best angles, to 1e-9 of the first step
BEST = 4


@dataclass(frozen=True)
class Falling:
    """g(x) = -weight x: concave and continuous, but it decreases."""

    weight: float

    def __call__(self, x: npt.ArrayLike) -> Floats:
        """g(x), shape of x."""
        return -self.weight * np.asarray(x, dtype=np.float64)

    def slope(self, x: npt.ArrayLike) -> Floats:
        """g'(x), shape of x."""
        return np.full(np.shape(x), -self.weight)

    def prox(self, m: npt.ArrayLike, mu: float) -> Floats:
        """The minimizer, shape of m."""
        return np.asarray(m, dtype=np.float64) + self.weight / mu


class Ends(NamedTuple):
    """Where zooming ended: angles (B,), signs (B,), matrices (B, 2, 2) and objectives (B,)."""

    angles: tuple[Floats, Floats]
    sign: Floats
    x: Floats
    value: Floats


FIELDS = {
    "control": ("cell", "1 for cells of the control"),
    "hypothesis": ("cell", "1 where no singular value is exceptional and the penalty does not decrease"),
    "certified": ("cell start", "1 where the search ended at the lowest value from two starts or more"),
    "value_gap": ("cell start", "objective of the best matrix found minus the closed-form minimum"),
    "value_tolerance": ("cell start", "what rounding allows for it"),
    "distance": ("cell start", "Frobenius distance of the best matrix found from the closed-form minimizer"),
    "distance_tolerance": ("cell start", "what the value allows for it, by the remainder of von Neumann's inequality"),
    "spread": (
        "cell start",
        "largest distance of an equally good matrix from the best one, with its own singular vectors or others",
    ),
}


def make(settings: Settings) -> xr.Dataset:
    """Cells (penalty, singular values), starts by draw of singular vectors."""
    cells: list[tuple[str, theory.Penalty | Caps | Falling, tuple[float, float], int]]
    cells = [(name, PENALTIES[name], unit, 0) for name in CHOSEN for unit in OFF]
    cells += [(name, PENALTIES[name], ON, 1) for name in CHOSEN if exceptional(PENALTIES[name])]
    cells.append(("falling", Falling(0.5), (1.0, 0.0), 1))
    rows = [_cell(*cell, settings.seed) for cell in cells]
    return assembled(FIELDS, rows, {"draw": ("start", np.arange(DRAWS))})


def _cell(name: str, g: theory.Penalty | Caps | Falling, unit: tuple[float, float], control: int, seed: int) -> Row:
    known = [] if isinstance(g, Falling) else exceptional(g)
    scale = 1.0 if isinstance(g, Falling) else max([jump.at for jump in known], default=threshold(g))
    sigma = scale * np.array(unit)
    rng = generator(["study", "penalized_matrices", seed, name, list(unit)])
    envelope = Envelope(g, 2 * float(sigma[0]) + 1)
    cases = [_case(g, envelope, sigma, rng) for _ in range(DRAWS)]
    return {
        "penalty": name,
        "first": unit[0],
        "second": unit[1],
        "control": bool(control),
        "hypothesis": not isinstance(g, Falling) and not np.isin(sigma, [jump.at for jump in known]).any(),
        **{field: np.array([case[field] for case in cases]) for field in cases[0]},
    }


def _case(
    g: theory.Penalty | Caps | Falling, envelope: Envelope, sigma: Floats, rng: np.random.Generator
) -> dict[str, float]:
    left, right = (haar.orthogonal(2, rng, fixed_signs=False) for _ in range(2))
    matrix = (left * sigma) @ right.T
    ends = _search(envelope, matrix)
    x = np.asarray(g.prox(sigma, MU))
    value = float(np.sum((sigma - x) ** 2 + g(x)))
    energy = float(np.sum(sigma**2))
    best = int(np.argmin(ends.value))
    excess = abs(float(ends.value[best]) - value) + ROUNDING * energy
    good = ends.value <= ends.value[best] + ROUNDING * energy
    others = np.concatenate([ends.x[good], _other_values(envelope, matrix, ends, best, ROUNDING * energy)])
    return {
        "certified": int(good.sum() > 1),
        "value_gap": float(ends.value[best]) - value,
        "value_tolerance": ROUNDING * energy,
        "distance": float(np.linalg.norm(ends.x[best] - (left * x) @ right.T)),
        "distance_tolerance": _allowed(sigma, x, excess),
        "spread": float(np.linalg.norm(others - ends.x[best], axis=(1, 2)).max()),
    }


def _allowed(sigma: Floats, x: Floats, excess: float) -> float:
    r"""How far a matrix whose objective is `excess` above the minimum can be from it to first order.

    Its vectors by angles with sin^2 + sin^2 <= excess / ((sigma_1 - sigma_2)(x_1 - x_2)) (docs/theory.md, section 7),
    which moves it by x_1 times the sum of both; its values by 2 sqrt(excess), as 1 + g''/2 is 1/4 or more here.
    """
    turned = 0.0 if x[0] == x[1] else float(x[0]) * np.sqrt(2 * excess / ((sigma[0] - sigma[1]) * (x[0] - x[1])))
    return float(2 * turned + 2 * np.sqrt(excess))


def _search(envelope: Envelope, matrix: Floats) -> Ends:
    """From a grid over all angles and signs, the BEST lowest local minima, zoomed in on."""
    step = np.pi / STEPS
    turns = step * np.arange(2 * STEPS)
    a, b, sign = np.meshgrid(turns[:STEPS], turns, [1.0, -1.0], indexing="ij")
    values = _objective(envelope, matrix, a, b, sign)[1]
    around = [np.roll(values, (i, j), (0, 1)) for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0)]
    local = np.flatnonzero((values <= np.min(around, axis=0)).ravel())
    chosen = local[np.argsort(values.ravel()[local], kind="stable")[:BEST]]
    a, b, sign = a.ravel()[chosen], b.ravel()[chosen], sign.ravel()[chosen]
    offsets = np.array([(i, j) for i in range(-2, 3) for j in range(-2, 3)]) / 2
    rows = np.arange(len(chosen))
    for _ in range(ZOOMS):
        near_a, near_b = a[:, None] + step * offsets[:, 0], b[:, None] + step * offsets[:, 1]
        lowest = _objective(envelope, matrix, near_a, near_b, sign[:, None])[1].argmin(axis=1)
        a, b = near_a[rows, lowest], near_b[rows, lowest]
        step /= SHRINK
    x, values = _objective(envelope, matrix, a, b, sign)
    return Ends((a, b), sign, _matrices(a, b, sign, x), values)


def _objective(envelope: Envelope, matrix: Floats, a: Floats, b: Floats, sign: Floats) -> tuple[Floats, Floats]:
    """The best singular values for given vectors, (..., 2), and the objective there, (...)."""
    m = _inside(matrix, a, b, sign)
    x = envelope.minimizers(m)
    return x, np.sum(matrix**2) + np.sum(x**2 - 2 * m * x + envelope.g(x), axis=-1)


def _inside(matrix: Floats, a: Floats, b: Floats, sign: Floats) -> Floats:
    """u_i^T M v_i for i = 1, 2, (..., 2)."""
    u, v = _frames(a, b, sign)
    return np.asarray(np.einsum("...ki,kl,...li->...i", u, matrix, v))


def _matrices(a: Floats, b: Floats, sign: Floats, x: Floats) -> Floats:
    u, v = _frames(a, b, sign)
    return np.asarray(np.einsum("...ki,...i,...li->...kl", u, x, v))


def _frames(a: Floats, b: Floats, sign: Floats) -> tuple[Floats, Floats]:
    """Columns u_i of R(a), and v_i of R(b) with the second times the sign: (..., 2, 2) each."""
    a, b, sign = np.broadcast_arrays(a, b, sign)

    def turn(angle: Floats, second: Floats | float) -> Floats:
        c, s = np.cos(angle), np.sin(angle)
        return np.stack([np.stack([c, -second * s], axis=-1), np.stack([s, second * c], axis=-1)], axis=-2)

    return turn(a, np.ones_like(a)), turn(b, sign)


def _other_values(envelope: Envelope, matrix: Floats, ends: Ends, best: int, level: float) -> Floats:
    """Matrices with the best one's vectors and other singular values of the same objective, (others, 2, 2).

    Where a value is zero the search may end at either sign of its vectors: there the sign is chosen that keeps more.
    """
    a, b, sign = ends.angles[0][best], ends.angles[1][best], ends.sign[best]
    m = _inside(matrix, a, b, sign)
    signs = np.sign(m)
    minima = [local_minima(envelope.g, abs(float(one)), envelope.x[-1]) for one in m]
    found = [ends.x[best]]
    for i, rows in enumerate(minima):
        for value, place in rows:  # the best matrix may have any of them
            if value <= rows[0, 0] + level:
                x = np.array([one[0, 1] for one in minima])
                x[i] = place
                found.append(_matrices(a, b, sign, signs * x))
    return np.array(found)


STUDY = Study(
    title="Other penalties of matrices",
    summary=(
        r"$2 \times 2$ targets with the penalties of the study on scalars, minimized by a search over both singular "
        "bases, whatever those of the target are."
    ),
    make=make,
)
