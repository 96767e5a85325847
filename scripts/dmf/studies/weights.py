"""Extensions: other weights on the terms of eq. 2, trained as they stand, by the steps of torch.optim.SGD.

No run is trained through the reduction that it tests: the loss has the weights that the cell names, the chain rule
gives its gradient, and a step adds decay to it as the optimizer does. Only the radius of a certificate uses the layers
W_l / c_l.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dmf import theory
from dmf.grid.seeds import generator
from dmf.studies import Settings, Study
from dmf.studies._assemble import Row, assembled
from dmf.studies._derivatives import chained
from dmf.studies._near import Near, near_minimizers
from dmf.theory.certificate import ROUNDING
from dmf.training.starts import draw_stacked

Floats = NDArray[np.float64]
SHAPE = (3, 2)
SPECTRUM = (2.0, 1.5)
ENTRIES = SHAPE[0] * SHAPE[1]
SHARE = 0.1  # lambda / lambda_c(sigma_1): well inside the range where starts of scale 1 find the minimum
DRAWS = 16
MOMENTUM = 0.9
RATE = 0.25  # in units of the inverse of a bound on the curvature at the minimizer
MOST_STEPS, EVERY = 1500, 25


@dataclass(frozen=True)
class Form:
    """data ||M - X||^2 + s sum_l penalties_l ||W_l||^2 as a loss, and s decays_l as weight_decay of layer l."""

    name: str
    depth: int
    data: float = 1.0
    penalties: Sequence[float] | None = None
    decays: Sequence[float] | None = None

    @property
    def weights(self) -> Floats:
        """b_l / s, (L,): weight_decay d adds d W to the gradient, half of what d ||W||^2 would add."""
        return self.factors(self.penalties) + self.factors(self.decays) / 2

    def factors(self, factors: Sequence[float] | None) -> Floats:
        """One factor for each layer, (L,), 0 where there are none."""
        return np.broadcast_to(np.array(factors or 0.0, dtype=np.float64), self.depth)


def _all(name: str, data: float, penalty: float, decay: float, depths: Sequence[int]) -> list[Form]:
    return [Form(name, depth, data, [penalty] * depth, [decay] * depth) for depth in depths]


CONVENTIONS = [
    *_all("as in the paper", 1.0, 1.0, 0.0, (3,)),
    *_all("half of both terms", 0.5, 0.5, 0.0, (3,)),
    *_all("half of the data term", 0.5, 1.0, 0.0, (2, 3)),
    *_all("weight_decay", 1.0, 0.0, 1.0, (3, 4)),
    *_all("mean over entries, weight_decay", 1.0 / ENTRIES, 0.0, 1.0, (2, 3)),
]
UNEQUAL = [
    Form("a lambda for each layer", 2, 1.0, (0.4, 1.6)),
    Form("a lambda for each layer", 3, 1.0, (0.4, 1.0, 2.5)),
    Form("the same, reversed", 3, 1.0, (2.5, 1.0, 0.4)),
    Form("a weight_decay for each layer", 3, 0.5, None, (0.5, 3.0, 1.0)),
    Form("a lambda for each layer", 4, 1.0, (0.5, 2.0, 1.0, 1.0)),
]
CONTROLS = [CONVENTIONS[2], CONVENTIONS[5], UNEQUAL[0], UNEQUAL[1]]

FIELDS = {
    "control": ("cell", "1 for cells of the controls"),
    "unequal": ("cell", "1 where layers have different weights"),
    "lam": ("cell", "lambda of eq. 2 with the same minimizers"),
    "lam_read": ("cell", "lambda that one reads off: the arithmetic mean of the layers' weights, or s itself"),
    "certified": ("cell start", "1 where the gradient norm is within tolerance and the distance bound holds"),
    "lowest": ("cell start", "1 where no certified run of the cell has a lower objective, but for rounding"),
    "gradient_norm": (
        "cell start",
        "gradient norm of the loss with its weights and decay, in units of the data term's weight",
    ),
    "distance": ("cell start", "||X - X*||_F"),
    "distance_tolerance": ("cell start", "what the gradient norm and rounding allow for it"),
    "distance_read": ("cell start", "the same with the lambda that one reads off"),
    "value_gap": ("cell start", "objective in units of the data term's weight, minus the minimum of F"),
    "value_tolerance": ("cell start", "what the gradient norm and rounding allow for it"),
    "norm_gap": ("cell start", "largest difference of b_l ||W_l||^2 / b from its predicted value"),
    "norm_tolerance": ("cell start", "what the gradient norm and rounding allow for it"),
    "spread": ("cell start", "largest difference of b_l ||W_l||^2 between neighbouring layers"),
    "spread_tolerance": ("cell start", "what the gradient norm allows for it, at any point, for any curvature"),
}


def make(settings: Settings) -> xr.Dataset:
    """Cells (form, depth), starts by draw."""
    forms = [*CONVENTIONS, *UNEQUAL, *CONTROLS]
    honest = len(CONVENTIONS) + len(UNEQUAL)
    rows = [_cell(form, place >= honest, settings) for place, form in enumerate(forms)]
    return assembled(FIELDS, rows, {"draw": ("start", np.arange(DRAWS))})


@np.errstate(all="ignore")  # a diverged run makes inf and NaN; it is not eligible
def _cell(form: Form, control: bool, settings: Settings) -> Row:
    rng = generator(["study", "weights", settings.seed, form.name, form.depth, int(control)])
    target = _target(rng)
    lam = SHARE * float(theory.critical_lambda(SPECTRUM[0], form.depth))
    strength = lam / theory.equivalent_lambda(form.weights, form.data)
    weights = strength * form.weights
    tolerance = settings.gradient_norm * SPECTRUM[0] ** (2 - 1 / form.depth)
    layers, gradients = _trained(form, target, strength, tolerance, rng)
    unequal = bool(np.ptp(form.weights) > 0)
    read = float(np.mean(weights)) / form.data if unequal else strength
    facts = _facts(layers, gradients, target, weights, form.data, tolerance)
    x = _product(layers)
    return {
        "form": form.name,
        "depth": form.depth,
        "control": control,
        "unequal": unequal,
        "lam": lam,
        "lam_read": read,
        **facts,
        "distance_read": np.linalg.norm(x - theory.end_to_end_minimizer(target, form.depth, read), axis=(1, 2)),
    }


def _target(rng: np.random.Generator) -> Floats:
    left, _, right_t = np.linalg.svd(rng.standard_normal(SHAPE), full_matrices=False)
    return np.asarray((left * np.array(SPECTRUM)) @ right_t)


def _trained(
    form: Form, target: Floats, strength: float, tolerance: float, rng: np.random.Generator
) -> tuple[list[Floats], list[Floats]]:
    """Layers (DRAWS, d_l, d_{l-1}) where training stopped, and the gradient there of the loss and the decay."""
    widths = (SHAPE[1], *[min(SHAPE)] * (form.depth - 1), SHAPE[0])
    size = SPECTRUM[0] ** (1 / form.depth)
    layers = [size * layer for layer in draw_stacked("gaussian", widths, [rng] * DRAWS)]
    curvature = 2 * form.data * form.depth * SPECTRUM[0] ** (2 - 2 / form.depth) + 2 * strength * form.weights.max()
    velocities = [np.zeros_like(layer) for layer in layers]
    for step in range(MOST_STEPS + 1):
        gradients = _gradients(layers, target, form, strength)
        done = step % EVERY == 0 and not (_norms(gradients) > form.data * tolerance / 2).any()
        if done or step == MOST_STEPS:  # runs that diverged to NaN wait for nothing
            break
        _step(layers, gradients, velocities, RATE / curvature)
    return layers, gradients


def _step(layers: Sequence[Floats], gradients: Sequence[Floats], velocities: Sequence[Floats], rate: float) -> None:
    """Nesterov's momentum as torch.optim.SGD has it."""
    for layer, gradient, velocity in zip(layers, gradients, velocities, strict=True):
        velocity *= MOMENTUM
        velocity += gradient
        layer -= rate * (gradient + MOMENTUM * velocity)


def _gradients(layers: Sequence[Floats], target: Floats, form: Form, strength: float) -> list[Floats]:
    """Of the loss with its penalties, and the decay added as optimizers add it."""
    slopes = chained(layers, 2 * form.data * (_product(layers) - target))
    factors = strength * (2 * form.factors(form.penalties) + form.factors(form.decays))
    return [slope + factor * layer for slope, factor, layer in zip(slopes, factors, layers, strict=True)]


def _facts(
    layers: list[Floats], gradients: list[Floats], target: Floats, weights: Floats, data: float, tolerance: float
) -> dict[str, Floats]:
    """FIELDS over starts but those of the lambda that one reads off, each (DRAWS,)."""
    depth, lam = len(layers), theory.equivalent_lambda(weights, data)
    scales = theory.layer_scales(weights)
    near = near_minimizers(
        [layer / scale for layer, scale in zip(layers, scales, strict=True)],
        _norms([gradient * scale / data for gradient, scale in zip(gradients, scales, strict=True)]),
        target,
        lam,
    )
    shares = np.stack([w * np.sum(layer**2, axis=(1, 2)) for w, layer in zip(weights, layers, strict=True)])
    value = np.sum((_product(layers) - target) ** 2, axis=(1, 2)) + shares.sum(axis=0) / data
    alpha_sq = theory.layer_norm_sq(target, depth, lam)
    norms = np.sqrt(shares / weights[:, None])
    slopes = np.stack([np.linalg.norm(gradient, axis=(1, 2)) for gradient in gradients])
    allowed = (norms * slopes)[1:] + (norms * slopes)[:-1]
    return {
        **_certificate(near, value, tolerance),
        "distance": np.linalg.norm(_product(layers) - theory.end_to_end_minimizer(target, depth, lam), axis=(1, 2)),
        "value_gap": value - theory.minimum_value(target, depth, lam),
        "norm_gap": np.abs(shares / (data * lam) - alpha_sq).max(axis=0),
        "norm_tolerance": near.norm_tolerance,
        "spread": np.abs(np.diff(shares, axis=0)).max(axis=0),
        "spread_tolerance": allowed.max(axis=0) / 2 + ROUNDING * shares.max(axis=0),
    }


def _certificate(near: Near, value: Floats, tolerance: float) -> Row:
    certified = (near.gradient_norm <= tolerance) & np.isfinite(near.radius)
    lowest = np.min(value[certified], initial=np.inf)
    return {
        "certified": certified,
        "lowest": certified & (value <= lowest + near.value_tolerance),
        "gradient_norm": near.gradient_norm,
        "distance_tolerance": near.distance_tolerance,
        "value_tolerance": near.value_tolerance,
    }


def _norms(parts: Sequence[Floats]) -> Floats:
    return np.asarray(np.sqrt(sum(np.sum(part**2, axis=(1, 2)) for part in parts)))


def _product(layers: Sequence[Floats]) -> Floats:
    product = layers[0]
    for layer in layers[1:]:
        product = layer @ product
    return product


STUDY = Study(
    title="Other weights on the terms",
    summary=(
        r"$a \|M - X\|_F^2 + \sum_l b_l \|W_l\|_F^2$ with a $b_l$ for each layer, with factors $\frac{1}{2}$, means "
        "and the optimizer's weight_decay, trained as it stands by stochastic gradient descent without noise "
        "(torch.optim.SGD)."
    ),
    make=make,
)
