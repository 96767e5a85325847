"""An experiment: what X* and other shrinkages lose at one spike in noise, against asymptotic curves (docs/denoise.md).

Y = theta n^(1/2) a b^T + Z. All shrinkages see the same matrices. Losses are in units of n, lengths of n^(1/2).
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from dmf import theory
from dmf.grid.seeds import generator
from dmf.studies import Settings, Study
from dmf.studies._assemble import Row, assembled
from dmf.studies._derivatives import Floats
from dmf.theory import denoising

SHAPES = ((80, 80), (24, 96))
DRAWS = 24  # of each spike
SPIKES = np.array([0.6, 0.9, 1.1, 1.3, 1.5, 1.7, 1.9, 2.2, 2.6, 3.1, 3.7, 4.5])
CURVE = np.linspace(0.4, 4.7, 173)
METHODS = ("depth 2", "depth 3", "depth 4", "best shrinkage", "hard threshold")
UNEQUAL = 1.5  # of the control: standard deviation of a quarter of the rows over that of the others

FIELDS = {
    "control": ("cell", "1 for cells of the control"),
    "certified": ("cell start", "1 everywhere: nothing is trained"),
    "beta": ("cell", "the smaller side over the larger"),
    "threshold": ("cell", "singular values up to it become zero, in units of n^(1/2)"),
    "loss": ("cell start", "mean of ||X - M||^2 / n over draws of the noise"),
    "standard_error": ("cell start", "its standard error"),
    "asymptotic": ("cell start", "the asymptotic risk"),
    "curve": ("cell point", "the asymptotic risk on them"),
}


def make(settings: Settings) -> xr.Dataset:
    """Cells by shape and shrinkage, starts by spike."""
    rows = []
    for shape in SHAPES:
        losses = _losses(settings, shape, equal=True)
        rows += [_row(shape, method, losses[place]) | {"control": False} for place, method in enumerate(METHODS)]
    losses = _losses(settings, SHAPES[0], equal=False)
    rows += [_row(SHAPES[0], method, losses[place]) | {"control": True} for place, method in enumerate(METHODS)]
    return assembled(FIELDS, rows, {"spike": ("start", SPIKES), "curve_spike": ("point", CURVE)})


def edge(shape: tuple[int, int]) -> float:
    """The threshold of all depths: 1 % of matrices of noise have a singular value above it; in units of n^(1/2)."""
    return denoising.noise_edge(shape, 1.0, denoising.ONE_PERCENT) / float(np.sqrt(max(shape)))


def shrunk(y: Floats, shape: tuple[int, int], method: str) -> Floats:
    """What a method makes of singular values y, in units of n^(1/2)."""
    beta = min(shape) / max(shape)
    if method == "best shrinkage":
        return denoising.optimal_shrinkage(y, beta)
    if method == "hard threshold":
        return np.asarray(np.where(y > denoising.optimal_threshold(beta), y, 0.0))
    depth = int(method.removeprefix("depth "))
    return np.asarray(theory.scalar_minimizer(y, depth, float(theory.critical_lambda(edge(shape), depth))))


def _losses(settings: Settings, shape: tuple[int, int], equal: bool) -> Floats:
    """||X - M||^2 / n, (method, spike, draw)."""
    rng = generator(["study", "denoising", settings.seed, *shape, equal])
    rows, columns = shape
    unit = np.sqrt(columns)
    size = np.where(np.arange(rows) < rows // 4, UNEQUAL, 1.0)[:, None]
    factor = np.ones((rows, 1)) if equal else size / np.sqrt(np.mean(size**2))  # of mean variance 1
    found = np.empty((len(METHODS), len(SPIKES), DRAWS))
    for place, spike in enumerate(SPIKES):
        a, b = (rng.standard_normal((DRAWS, side, 1)) for side in shape)
        signal = (
            spike
            * unit
            * (a / np.linalg.norm(a, axis=1, keepdims=True))
            @ (b / np.linalg.norm(b, axis=1, keepdims=True)).mT
        )
        left, sigma, right_t = np.linalg.svd(
            signal + factor * rng.standard_normal((DRAWS, *shape)), full_matrices=False
        )
        for number, method in enumerate(METHODS):
            x = unit * shrunk(sigma / unit, shape, method)
            found[number, place] = np.sum((left * x[:, None, :] @ right_t - signal) ** 2, axis=(1, 2)) / columns
    return found


def _row(shape: tuple[int, int], method: str, losses: Floats) -> Row:
    beta = min(shape) / max(shape)

    def risk(theta: Floats) -> Floats:
        return denoising.spike_risk(theta, shrunk(denoising.seen_value(theta, beta), shape, method), beta)

    own = {"best shrinkage": 1 + np.sqrt(beta), "hard threshold": denoising.optimal_threshold(beta)}
    return {
        "shape": f"{shape[0]}x{shape[1]}",
        "method": method,
        "depth": int(method.removeprefix("depth ")) if method.startswith("depth") else 0,
        "certified": np.ones(len(SPIKES), dtype=np.bool_),
        "beta": beta,
        "threshold": own.get(method, edge(shape)),
        "loss": losses.mean(axis=1),
        "standard_error": losses.std(axis=1, ddof=1) / np.sqrt(DRAWS),
        "asymptotic": risk(SPIKES),
        "curve": risk(CURVE),
    }


STUDY = Study(
    title="Denoising",
    summary=(
        "One spike of twelve sizes in Gaussian noise, 80 × 80 and 24 × 96: loss of depth 2, 3 and 4 at the edge of the "
        "noise, of the best shrinkage and of the best hard threshold; noise that differs between rows as a control."
    ),
    make=make,
)
