"""Beyond the paper: which fits and layer norms global minimizers of other models have in common (section 15).

Networks on correlated and on deficient inputs, convolutions, ReLU, and cross-entropy, trained by Newton's method from
random starts. Two layers have a dual certificate of a global minimum, circular convolutions with full kernels a closed
form on any inputs; for others the lowest value found is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import reduce

import numpy as np
import xarray as xr

from dmf import theory
from dmf.grid.seeds import generator
from dmf.studies import Settings, Study
from dmf.studies._assemble import Row, assembled
from dmf.studies._derivatives import Floats
from dmf.studies._layers import product_of
from dmf.studies._models import (
    LOOSE,
    SAMPLES,
    Network,
    circular_minimum,
    convolution,
    dual_excess,
    in_two_dimensions,
    smooth_relu,
)
from dmf.studies._newton import Ends, minimize, smallest_curvature
from dmf.theory import certificate
from dmf.theory.certificate import ROUNDING

DRAWS = 32
SCALES = (0.3, 1.0)  # of starts, each for half of them


def _correlated(rng: np.random.Generator, depth: int) -> Network:
    inputs = np.diag([1.5, 0.7, 0.3]) @ rng.standard_normal((3, SAMPLES))
    return Network(inputs, rng.standard_normal((3, SAMPLES)), (3,) * (depth + 1), 0.15)


def _deficient(rng: np.random.Generator) -> Network:
    inputs = rng.standard_normal((3, 2)) @ rng.standard_normal((2, SAMPLES))
    return Network(inputs, rng.standard_normal((3, SAMPLES)), (3, 3, 3, 3), 0.15)


def _convolved(rng: np.random.Generator, patterns: Sequence[Floats], lam: float) -> Network:
    """Labels of a random chain of the same patterns, and noise."""
    widths = [patterns[0].shape[1], *[len(pattern) for pattern in patterns]]
    inputs = rng.standard_normal((widths[0], SAMPLES))
    network = Network(inputs, np.zeros((widths[-1], SAMPLES)), widths, lam, patterns=patterns)
    return replace(network, labels=network.outputs(rng.standard_normal(network.parameters)) + _noise(rng, network))


def _noise(rng: np.random.Generator, network: Network) -> Floats:
    return np.asarray(0.5 * rng.standard_normal(network.labels.shape))


def _circular(rng: np.random.Generator, sizes: tuple[int, ...], depth: int, lam: float) -> Network:
    pattern = reduce(in_two_dimensions, [convolution(size, size, circular=True) for size in sizes])
    return _convolved(rng, [pattern] * depth, lam)


def _valid(rng: np.random.Generator) -> Network:
    return _convolved(
        rng, [convolution(size, length, circular=False) for size, length in ((8, 3), (6, 2), (5, 2))], 1.0
    )


def _narrow(rng: np.random.Generator) -> Network:
    return _convolved(rng, [convolution(5, 2, circular=True)] * 3, 0.3)  # at 1.0 some collapse to zero


def _softmax(rng: np.random.Generator, depth: int) -> Network:
    labels = rng.dirichlet(np.full(3, 0.5), size=SAMPLES).T
    return Network(rng.standard_normal((3, SAMPLES)), labels, (3,) * (depth + 1), 0.1, loss="cross-entropy")


def _exceptional(rng: np.random.Generator) -> Network:
    """A diagonal target, one of whose singular values is m*: two fits have the minimum."""
    m_star = float(theory.collapse_threshold(3, 0.2))
    return Network(np.eye(2), np.diag([2 * m_star, m_star]), (2, 2, 2, 2), 0.2)


SIGNALS = {"circular, three layers": (5,), "circular, images": (2, 3), "circular, narrow": (5,)}
CELLS: dict[str, Callable[[np.random.Generator], Network]] = {
    "correlated, two layers": lambda rng: _correlated(rng, 2),
    "correlated, three layers": lambda rng: _correlated(rng, 3),
    "deficient": _deficient,
    "relu, first": smooth_relu,
    "relu, second": smooth_relu,
    "relu, third": smooth_relu,
    "softmax, two layers": lambda rng: _softmax(rng, 2),
    "softmax, three layers": lambda rng: _softmax(rng, 3),
    "valid convolutions": _valid,
    "circular, three layers": lambda rng: _circular(rng, SIGNALS["circular, three layers"], 3, 6.0),
    "circular, images": lambda rng: _circular(rng, SIGNALS["circular, images"], 3, 6.0),
}
CONTROLS: dict[str, Callable[[np.random.Generator], Network]] = {
    "exceptional": _exceptional,
    "relu, biased": smooth_relu,
    "circular, narrow": _narrow,
}

FIELDS = {
    "control": ("cell", "1 for cells of the control"),
    "unique": ("cell", "1 where labels are random, so that almost surely one fit has the minimum"),
    "known": ("cell", "1 where a dual certificate, or a closed form, tells whether a minimum is global"),
    "full": ("cell", "1 for circular convolutions with kernels as long as the signal"),
    "certified": (
        "cell start",
        "1 where the gradient norm is within tolerance and no direction has negative curvature",
    ),
    "minimal": ("cell start", "1 for certified runs at a global minimum, or at the lowest value where nothing tells"),
    "gradient_norm": ("cell start", "gradient norm at the end point"),
    "radius": ("cell start", "distance from a minimizer that the gradient norm allows"),
    "value": ("cell start", "the objective"),
    "excess": ("cell start", "excess over the certificate, in units of lambda; NaN where there is none"),
    "critical": ("cell start", "1 where the gradient norm is within tolerance, at any curvature"),
    "fit_gap": ("cell start", "distance of the outputs from those of the lowest run"),
    "fit_tolerance": ("cell start", "what both radii allow for it"),
    "weight_gap": ("cell start", "distance of W_L ... W_1 from that of the lowest run; NaN for ReLU"),
    "weight_tolerance": ("cell start", "what both radii allow for it"),
    "closed_gap": ("cell start", "distance of circular W_L ... W_1 from the closed form; NaN for others"),
    "norm_gap": ("cell start", "largest difference of any ||W_l||^2 from ||W_1||^2 of the lowest run"),
    "norm_tolerance": ("cell start", "what both radii allow for it"),
    "norm_gap_without_bias": ("cell start", "the same without the last column of W_1, its bias; NaN where it has none"),
    "norm_mean": ("cell start", "mean of ||W_l||^2 over layers"),
    "norm_spread": ("cell start", "largest difference of ||W_l||^2 of two layers"),
    "spread_tolerance": ("cell start", "what the gradient norm allows for it, at any point"),
    "spread_without_bias": ("cell start", "norm_spread without the last column of W_1; NaN where it has none"),
    "apart": ("cell start", "distance of the parameters from those of the lowest run"),
}


def make(settings: Settings) -> xr.Dataset:
    """Cells by model, starts by scale and draw."""
    rows = [_cell(settings, name, build) | {"control": False} for name, build in CELLS.items()]
    rows += [_cell(settings, name, build) | {"control": True} for name, build in CONTROLS.items()]
    scale = np.repeat(SCALES, DRAWS // len(SCALES))
    return assembled(FIELDS, rows, {"scale": ("start", scale), "draw": ("start", np.arange(DRAWS))})


def _cell(settings: Settings, name: str, build: Callable[[np.random.Generator], Network]) -> Row:
    rng = generator(["study", "any_model", settings.seed, name])
    network = build(rng)
    starts = np.repeat(SCALES, DRAWS // len(SCALES))[:, None] * rng.standard_normal((DRAWS, network.parameters))
    ends = minimize(network, starts, settings.gradient_norm)
    _, mu = smallest_curvature(ends.spectrum)
    certified = (ends.gradient_norm <= settings.gradient_norm) & np.isfinite(mu)
    curvature = np.nan_to_num(mu, nan=np.inf)
    radius = np.asarray(certificate.radius(ends.gradient_norm, curvature, np.linalg.norm(ends.points, axis=1)))
    dual, relu, full = len(network.widths) == 3, network.activation == "relu", name in SIGNALS and name in CELLS
    known = dual or full
    excess = np.full(DRAWS, np.nan)
    if dual:
        excess = np.array([dual_excess(network, out) for out in network.outputs(ends.points)])
    least, closed = circular_minimum(network, SIGNALS[name]) if name in SIGNALS else (np.nan, np.nan)
    if full:
        excess = (ends.values - least) / network.lam
    lowest = np.where(certified, ends.values, np.inf).min()
    size = float(np.sum(network.labels**2)) + abs(lowest)
    level = np.asarray(certificate.gap_tolerance(ends.gradient_norm, curvature, size))
    minimal = certified & (excess <= LOOSE if known else ends.values <= lowest + level)
    best = int(np.where(minimal, ends.values, np.inf).argmin())
    sensitivity = np.array([network.sensitivity(point) for point in ends.points])
    facts = _compared(network, ends.points, radius, best, sensitivity)
    weights = np.full((2, DRAWS), np.nan) if relu else _weights(network, ends.points, radius, best)
    return {
        "problem": name,
        "depth": len(network.widths) - 1,
        "lam": network.lam,
        "unique": name != "exceptional",
        "known": known,
        "full": full,
        "certified": certified,
        "minimal": minimal,
        "gradient_norm": ends.gradient_norm,
        "radius": radius,
        "value": ends.values,
        "excess": excess,
        "critical": ends.gradient_norm <= settings.gradient_norm,
        "closed_gap": np.linalg.norm(product_of(network.layers(ends.points)) - closed, axis=(1, 2)),
        **_spread(network, ends, sensitivity),
        "weight_gap": weights[0],
        "weight_tolerance": weights[1],
        **facts,
    }


def _compared(network: Network, points: Floats, radius: Floats, best: int, sensitivity: Floats) -> dict[str, Floats]:
    """Fields of fits and norms. Outputs change by at most twice their derivative within so small a radius."""
    outputs = network.outputs(points)
    moved = 2 * sensitivity * radius + ROUNDING * np.linalg.norm(outputs, axis=(1, 2))
    norms, bare = _norms(network, points)
    largest = np.sqrt(norms.max(axis=1))
    off = 2 * largest * radius + radius**2 + ROUNDING * largest**2
    biased = network.activation == "relu"
    return {
        "fit_gap": np.linalg.norm(outputs - outputs[best], axis=(1, 2)),
        "fit_tolerance": moved + moved[best],
        "norm_gap": np.abs(norms - norms[best, 0]).max(axis=1),
        "norm_tolerance": off + off[best],
        "norm_gap_without_bias": np.abs(bare - bare[best, 0]).max(axis=1) if biased else np.full(len(points), np.nan),
        "apart": np.linalg.norm(points - points[best], axis=1),
    }


def _norms(network: Network, points: Floats) -> tuple[Floats, Floats]:
    """||W_l||^2 (start, layer) of the weights, and without the last column of W_1."""
    norms = np.array([np.sum(weights**2, axis=1) for weights in network.weights(points)]).T
    bare = norms.copy()
    bare[:, 0] -= np.sum(network.layers(points)[0][:, :, -1] ** 2, axis=1)
    return norms, bare


def _spread(network: Network, ends: Ends, sensitivity: Floats) -> dict[str, Floats]:
    """Fields of the norms of one run: <W_l, G_l> - <W_k, G_k> is 2 lambda (||W_l||^2 - ||W_k||^2) at any point.

    A computed gradient errs by what sums in the outputs err by, times their derivative.
    """
    norms, bare = _norms(network, ends.points)
    top = norms.max(axis=1)
    biased = network.activation == "relu"
    sums = np.linalg.norm(network.labels) + np.linalg.norm(network.outputs(ends.points), axis=(1, 2))
    gradient = ends.gradient_norm + 2 * certificate.relative(network.widths) * sensitivity * sums
    return {
        "norm_mean": norms.mean(axis=1),
        "norm_spread": np.ptp(norms, axis=1),
        "spread_tolerance": np.sqrt(2 * top) * gradient / (2 * network.lam) + ROUNDING * top + np.finfo(float).tiny,
        "spread_without_bias": np.ptp(bare, axis=1) if biased else np.full(len(top), np.nan),
    }


def _weights(network: Network, points: Floats, radius: Floats, best: int) -> Floats:
    """weight_gap and weight_tolerance (2, start): a product of layers of spectral norm at most `top`."""
    layers, depth = network.layers(points), len(network.widths) - 1
    product = product_of(layers)
    top = np.max([np.linalg.norm(layer, 2, axis=(1, 2)) for layer in layers], axis=0)
    off = np.asarray(certificate.product_tolerance(top, network.gain * radius, depth)) + ROUNDING * top**depth
    return np.array([np.linalg.norm(product - product[best], axis=(1, 2)), off + off[best]])


STUDY = Study(
    title="Other models",
    summary=(
        "Networks on correlated and deficient inputs, convolutions, ReLU networks and cross-entropy with soft labels, "
        r"trained from random starts; a target with a singular value at $m^*$, biases that are left out of norms and "
        "kernels shorter than the signal as controls."
    ),
    make=make,
)
