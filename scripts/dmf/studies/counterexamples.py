"""Where statements stop: one number that a theorem promises, and the same number where a hypothesis fails.

Each case is as small as it can be, so that the other value has a closed form too (docs/theory.md, section 15). Cells of
the control meet the hypothesis.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np
import xarray as xr
from scipy.integrate import solve_ivp

from dmf import theory
from dmf.grid.seeds import generator
from dmf.studies import Settings, Study
from dmf.studies._assemble import Row, assembled
from dmf.studies._derivatives import Floats, Numbers
from dmf.studies._newton import minimize, smallest_curvature
from dmf.studies.practice import Optimizer
from dmf.theory.certificate import EPS, ROUNDING
from dmf.theory.denoising import noise_edge

LAM, TARGET = 0.3, 1.0
STARTS = 6  # of Newton's method; the lowest end counts
# Of AdamW: with so large an epsilon, and so short a memory of squares, it comes to rest at a constant rate.
EPSILON, BETAS, RATE, STEPS = 1e-2, (0.9, 0.99), 4e-3, 15_000
DURATION = 150.0  # of flows: a direction without data decays by e^(-2 lambda t)
NOISE_SHAPE = (100, 400)
DEVIATIONS = 5.0  # of the largest singular value of noise: once in two million draws

FIELDS = {
    "control": ("cell", "1 for cells that meet the hypothesis"),
    "violates": ("cell", "1 for cells that do not"),
    "strength": ("cell start", "how strongly the hypothesis is violated, or would be"),
    "promised": ("cell start", "what the theorem says of the number"),
    "exact": ("cell start", "the number in closed form"),
    "broken": ("cell start", "its closed form where the hypothesis is violated so strongly"),
    "found": ("cell start", "the number that was computed without closed forms"),
    "tolerance": ("cell start", "what gradients, steps or fluctuations, and rounding allow for it"),
    "certified": ("cell start", "1 where the computation came to rest"),
}


class Found(NamedTuple):
    """A number for each strength, what may be its error, and whether its computation came to rest, (S,) each."""

    values: Floats
    tolerance: Floats
    certified: Floats


@dataclass(frozen=True)
class Case:
    """What a theorem promises of a number at strengths (S,), what it is where a hypothesis is broken; its measure."""

    name: str
    depth: int
    strengths: Sequence[float]
    promised: Callable[[Floats], Floats]
    broken: Callable[[Floats], Floats]
    measure: Callable[[Floats, bool, np.random.Generator], Found]


def make(settings: Settings) -> xr.Dataset:
    """Cells (case, whether the hypothesis holds), starts by strength."""
    rows = [_cell(settings, case, violates) for violates in (True, False) for case in CASES]
    return assembled(FIELDS, rows, {"number": ("start", np.arange(len(CASES[0].strengths)))})


def _cell(settings: Settings, case: Case, violates: bool) -> Row:
    strengths = np.array(case.strengths)
    promised, broken = case.promised(strengths), case.broken(strengths)
    rng = generator(["study", "counterexamples", settings.seed, case.name, int(violates)])
    found = case.measure(strengths, violates, rng)
    return {
        "problem": case.name,
        "depth": case.depth,
        "control": not violates,
        "violates": violates,
        "strength": strengths,
        "promised": promised,
        "exact": broken if violates else promised,
        "broken": broken,
        "found": found.values,
        "tolerance": found.tolerance,
        "certified": found.certified.astype(bool),
    }


@dataclass(frozen=True)
class TwoLayers:
    """sum_s p_s (y_s - sum_j k_sj a_j <b_j, z_s>)^2 + lambda (||a||^2 + ||b||^2): points (a_1, b_1, a_2, b_2, ...).

    Inputs z (s, i), outputs y (s,), masks k (s, j) and weights p (s,).
    """

    inputs: Floats
    outputs: Floats
    masks: Floats
    weights: Floats
    lam: float

    @property
    def parameters(self) -> int:
        """N."""
        return int(self.masks.shape[1] * (1 + self.inputs.shape[1]))

    def parts(self, points: Numbers) -> tuple[Numbers, Numbers]:
        """a (..., j) and b (..., j, i) of points (..., N)."""
        units = points.reshape(*points.shape[:-1], self.masks.shape[1], -1)
        return units[..., 0], units[..., 1:]

    def _errors(self, points: Numbers) -> Numbers:
        a, b = self.parts(points)
        return np.asarray(np.einsum("sj,...j,...ji,si->...s", self.masks, a, b, self.inputs) - self.outputs)

    def values(self, points: Floats) -> Floats:
        """The objective (...)."""
        return np.asarray(self._errors(points) ** 2 @ self.weights + self.lam * np.sum(points**2, axis=-1))

    def gradients(self, points: Numbers) -> Numbers:
        """Gradients (..., N)."""
        a, b = self.parts(points)
        pull = 2 * self._errors(points) * self.weights
        of_a = np.einsum("...s,sj,...ji,si->...j", pull, self.masks, b, self.inputs)
        of_b = np.einsum("...s,sj,...j,si->...ji", pull, self.masks, a, self.inputs)
        found = np.concatenate([of_a[..., None], of_b], axis=-1)
        return np.asarray(found.reshape(points.shape) + 2 * self.lam * points)


def _lowest(problem: TwoLayers, rng: np.random.Generator) -> tuple[Floats, float, bool]:
    """The lowest end (N,) of Newton's method, how far it may be from the minimizers, and whether it is at rest."""
    ends = minimize(problem, rng.standard_normal((STARTS, problem.parameters)), 1e-10)
    best = int(np.argmin(ends.values))
    mu = float(smallest_curvature(ends.spectrum[[best]])[1][0])
    size = float(np.linalg.norm(ends.points[best]))
    away = 2 * float(ends.gradient_norm[best]) / mu + ROUNDING * max(size, 1.0)
    return ends.points[best], away, bool(ends.gradient_norm[best] < 1e-10)


def _each(measured: Sequence[tuple[float, float, bool]]) -> Found:
    values, tolerance, certified = (np.array(column) for column in zip(*measured, strict=True))
    return Found(values, tolerance, certified)


def biased(strengths: Floats, violates: bool, rng: np.random.Generator) -> Found:
    """||W_1||^2 / ||W_2||^2 without the bias of w_2 (w_1 z + b), or without any; outputs have a share of offset."""
    measured = []
    for share in strengths:
        z = np.array([[1.0], [-1.0]])
        inputs = np.hstack([z, np.ones((2, 1))]) if violates else z
        outputs = TARGET * (np.sqrt(1 - share) * z[:, 0] + np.sqrt(share))
        problem = TwoLayers(inputs, outputs, np.ones((2, 1)), np.full(2, 0.5), LAM)
        point, away, rests = _lowest(problem, rng)
        # Norms differ by at most `away` each, and the ratio is at most 1 + 2 away / |w_2|.
        measured.append((float((point[1] / point[0]) ** 2), 8 * away / abs(float(point[0])), rests))
    return _each(measured)


def dropped(width: int) -> Callable[[Floats, bool, np.random.Generator], Found]:
    """X = sum_j a_j b_j of so many hidden neurons, each dropped with probability c / (1 + c), c the strength."""

    def measure(strengths: Floats, violates: bool, rng: np.random.Generator) -> Found:
        """The expected loss over all masks, each neuron that stays divided by its probability."""
        measured = []
        for strength in strengths:
            stays = 1 / (1 + strength) if violates else 1.0
            kept = np.array(list(product((0.0, 1.0), repeat=width)))
            weights = np.prod(np.where(kept == 1, stays, 1 - stays), axis=1)
            count = len(kept)
            problem = TwoLayers(np.ones((count, 1)), np.full(count, TARGET), kept / stays, weights, LAM)
            point, away, rests = _lowest(problem, rng)
            a, b = problem.parts(point)
            measured.append((float(a @ b[:, 0]), 4 * away * float(np.linalg.norm(point)), rests))
        return _each(measured)

    return measure


def with_dropout(width: int) -> Callable[[Floats], Floats]:
    """X* by the odds of dropping one of so many neurons."""
    return lambda odds: (TARGET - LAM) / (1 + odds / width)


def decayed(strengths: Floats, violates: bool, rng: np.random.Generator) -> Found:
    """X = w_2 w_1 after AdamW, or Adam with decay in its gradient, at weight_decay 2 lambda, lambda the strength."""
    layers = [np.full((len(strengths), 1, 1), 0.5) for _ in range(2)]
    optimizer = Optimizer("AdamW" if violates else "Adam", layers, 2 * strengths, EPSILON, BETAS)
    before = np.array(layers)
    for _ in range(STEPS):
        before = np.array(layers)
        pull = 2 * (layers[1] * layers[0] - TARGET)
        optimizer.step([pull * layers[1], pull * layers[0]], RATE)
    moved = np.abs(np.array(layers) - before).max(axis=0).ravel()
    size = np.abs(np.array(layers)).max(axis=0).ravel()
    # Where g / (sqrt(v) + epsilon) = k < 1 the mean of squares comes to rest by 1 - (1 - beta_2) (1 - k) a step, the
    # slowest mode: what is to come is at most the last move over that. AdamW rests at k = 2 lambda w.
    pull_left = 1 - 2 * strengths * size if violates else np.ones_like(size)
    # Steps end below the last digit where the pull, of slope at least 2 lambda, is that over the rate.
    away = moved / ((1 - BETAS[1]) * pull_left) + EPS * size / (2 * strengths * RATE) + ROUNDING
    return Found((layers[1] * layers[0]).ravel(), 2 * size * away + away**2, (moved < 1e-12).astype(np.float64))


def rest_of_adamw(lam: Floats) -> Floats:
    """w^2 where AdamW rests: g / (g + epsilon) = 2 lambda w with g = 2 (m - w^2) w, by bisection."""
    low, high = np.zeros_like(lam), np.full_like(lam, np.sqrt(TARGET))
    for _ in range(80):
        w = (low + high) / 2
        g = 2 * (TARGET - w**2) * w
        above = g / (g + EPSILON) > 2 * lam * w
        low, high = np.where(above, w, low), np.where(above, high, w)
    return np.asarray(low**2)


def apart(strengths: Floats, violates: bool, rng: np.random.Generator) -> Found:
    """How far apart two flows end on an input that the data do not have: w_2 (u, v), data u only, v = +-strength.

    Without a penalty, or with one.
    """
    lam = 0.0 if violates else LAM
    measured = []
    for v in strengths:

        def rate(_: float, point: Floats) -> Floats:
            w, u, other = point
            pull = 2 * (w * u - TARGET)
            return -np.array([pull * u + 2 * lam * w, pull * w + 2 * lam * u, 2 * lam * other])

        ends = [
            [
                solve_ivp(rate, (0, DURATION), [0.5, 0.9, sign * v], "DOP853", rtol=within, atol=within).y[:, -1]
                for sign in (1, -1)
            ]
            for within in (1e-9, 1e-11)
        ]
        coarse, fine = (abs(float(one[0] * one[2] - other[0] * other[2])) for one, other in ends)
        left = 2 * v * np.exp(-2 * lam * DURATION) if lam else 0.0
        measured.append((fine, abs(fine - coarse) + left + ROUNDING, bool(abs(fine - coarse) < 1e-6)))
    return _each(measured)


def distance_without_penalty(v: Floats) -> Floats:
    """2 w v where w u = m and w^2 - u^2 stays what it was: the flow's limit in closed form."""
    kept = 0.5**2 - 0.9**2
    return np.asarray(2 * v * np.sqrt((kept + np.sqrt(kept**2 + 4 * TARGET**2)) / 2))


def noisy(strengths: Floats, violates: bool, rng: np.random.Generator) -> Found:
    """The largest singular value of noise in units of the white edge; the strength is the correlation of rows."""
    m, n = NOISE_SHAPE
    edge = noise_edge(NOISE_SHAPE, 1.0)
    draws = rng.standard_normal((len(strengths), m, n))
    shared = rng.standard_normal((len(strengths), 1, n))
    rho = strengths[:, None, None]
    noise = np.sqrt(1 - rho) * draws + np.sqrt(rho) * shared if violates else draws
    values = np.linalg.norm(noise, 2, axis=(1, 2)) / edge
    if violates:
        tolerance = DEVIATIONS * spike_deviation(strengths)
    else:  # fluctuations are those of the Tracy-Widom law, of mean -1.2 and deviation 1.3
        tolerance = np.full(len(strengths), noise_edge(NOISE_SHAPE, 1.0, 1.3 * DEVIATIONS + 1.2) / edge - 1)
    return Found(values, tolerance, np.ones(len(strengths)))


def spike(rho: Floats) -> Floats:
    """Limit of the largest singular value of noise whose rows are correlated by rho, in units of the white edge.

    Its covariance has the eigenvalue 1 - rho + m rho once and v = 1 - rho else: a spike (Baik and Silverstein 2006).
    """
    m, n = NOISE_SHAPE
    v, top = 1 - rho, 1 - rho + m * rho
    return np.asarray(np.sqrt(n * top * (1 + m / n * v / (top - v))) / noise_edge(NOISE_SHAPE, 1.0))


def spike_deviation(rho: Floats) -> Floats:
    """Standard deviation of the same (Paul 2007): that of its square is (2/n)^(1/2) of the spike, but for a factor."""
    m, n = NOISE_SHAPE
    v, top = 1 - rho, 1 - rho + m * rho
    of_square = n * top * np.sqrt(2 / n * (1 - m / n * (v / (top - v)) ** 2))
    return np.asarray(of_square / (2 * spike(rho) * noise_edge(NOISE_SHAPE, 1.0) ** 2))


CASES = (
    Case("biases", 2, (0.1, 0.3, 0.5, 0.7, 0.85), np.ones_like, lambda share: 1 - share, biased),
    Case(
        "AdamW",
        2,
        (0.1, 0.2, 0.4, 0.8, 1.2),
        lambda lam: np.asarray(theory.scalar_minimizer(TARGET, 2, lam)),
        rest_of_adamw,
        decayed,
    ),
    *(
        Case(
            f"dropout, {width} neurons",
            2,
            (0.25, 0.5, 1.0, 2.0, 4.0),
            lambda c: np.full_like(c, TARGET - LAM),
            with_dropout(width),
            dropped(width),
        )
        for width in (1, 4)
    ),
    Case("no penalty", 2, (0.2, 0.4, 0.6, 0.8, 1.0), np.zeros_like, distance_without_penalty, apart),
    Case("correlated noise", 2, (0.05, 0.1, 0.2, 0.4, 0.8), np.ones_like, spike, noisy),
)

STUDY = Study(
    title="Where statements stop",
    summary=(
        "Six small problems that violate a hypothesis and have closed forms nevertheless: biases, decoupled decay, "
        "dropout, no penalty on inputs of deficient rank, correlated noise; the same without the violation as controls."
    ),
    make=make,
)
