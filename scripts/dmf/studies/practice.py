"""How near what practice does comes to the predicted minimizer: mini-batches, and decay coupled and decoupled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, product
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dmf import theory
from dmf.evidence.cells import gradient_norm
from dmf.grid.cells import Series, StartKey, draw_starts, gradient_scale, lambda_value
from dmf.grid.datasets import digits
from dmf.grid.seeds import generator
from dmf.studies import Settings, Study
from dmf.studies._assemble import assembled
from dmf.studies._derivatives import chained

Floats = NDArray[np.float64]
WIDTHS = (16, 10, 10, 10)
DEPTH = len(WIDTHS) - 1
LAMBDAS = ("0.05c", "0.2c", "0.5c")
DRAWS = 4
BATCH, EPOCHS = 128, 60
BETAS, EPSILON = (0.9, 0.999), 1e-8  # of Adam, as everywhere


@dataclass(frozen=True)
class Method:
    """An optimizer of torch.optim at a learning rate, that stays or falls to zero along a cosine; `decays` weights."""

    name: str
    optimizer: str
    rate: float
    falls: bool
    decays: bool = True

    def rate_at(self, step: int, steps: int) -> float:
        """The rate of step 0, 1, ... of so many, as torch.optim.lr_scheduler.CosineAnnealingLR has it."""
        return self.rate * (1 + np.cos(np.pi * step / steps)) / 2 if self.falls else self.rate


METHODS = (
    Method("SGD, constant rate", "SGD", 0.2, falls=False),
    Method("SGD, falling rate", "SGD", 0.2, falls=True),
    Method("Adam, falling rate", "Adam", 0.01, falls=True),
    Method("AdamW, falling rate", "AdamW", 0.01, falls=True),
    Method("SGD without decay", "SGD", 0.2, falls=True, decays=False),  # the control
)

FIELDS = {
    "control": ("cell", "1 for cells of the control, trained without decay"),
    "lam": ("cell", "lambda, for the loss per sample: torch's weight_decay is 2 lambda"),
    "kept_at_minimum": ("cell", "rank of X*"),
    "sigma": ("singular", "singular values of Y X^T / n"),
    "predicted": ("cell singular", "singular values of X*"),
    "singular_values": ("cell start singular", "singular values of W at the end"),
    "objective_gap": ("cell start", "F minus its minimum, in units of the minimum"),
    "distance": ("cell start", "||W - X*||_F / ||X*||_F"),
    "norm_misfit": ("cell start", "largest | ||W_l||_F^2 / alpha^2 - 1 | over layers"),
    "kept": ("cell start", "singular values of W above half of x_J, the least that a minimizer has"),
    "gradient_norm": ("cell start", "gradient norm of F at the end, in units of sigma_1^(2-1/L)"),
    "effective_lambda": (
        "cell start",
        "strength of L2 that explains the data's gradient at the end, in units of lambda",
    ),
    "second_moment": ("cell start", "mean root of AdamW's second moment, weighted by squared weights; NaN for others"),
    "certified": ("cell start", "1 where the gradient norm is within the certificate's tolerance"),
}


def make(settings: Settings) -> xr.Dataset:
    """Cells (method, lambda), starts by number: the end of every run against the closed forms for M = Y X^T / n."""
    x, y = digits_of_unit_variance()
    target = y @ x.T / x.shape[1]
    sigma = np.linalg.svd(target, compute_uv=False)
    lams = [lambda_value(label, float(sigma[0]), DEPTH) for label in LAMBDAS]
    ends = _trained(x, y, lams, _starts(settings, float(sigma[0])), settings)
    rows = []
    for end, (method, (label, lam)) in zip(ends, product(METHODS, zip(LAMBDAS, lams, strict=True)), strict=True):
        predicted = theory.scalar_minimizer(sigma, DEPTH, lam)
        rows.append(
            {
                "method": method.name,
                "lam_label": label,
                "control": not method.decays,
                "lam": lam,
                "kept_at_minimum": np.count_nonzero(predicted),
                "predicted": predicted,
                **_facts(end, target, lam, settings),
            }
        )
    return assembled(FIELDS, rows, {"sigma": ("singular", sigma), "draw": ("start", np.arange(DRAWS))})


def digits_of_unit_variance() -> tuple[Floats, Floats]:
    """Principal components of all digits, (16, n) with X X^T = n I, and centered class indicators (10, n)."""
    source = digits()
    assert source.outcome is not None  # it is a data set with classes
    pixels, classes = (matrix.values.T for matrix in (source.matrix, source.outcome))
    pixels, classes = (values - values.mean(axis=1, keepdims=True) for values in (pixels, classes))
    return np.sqrt(pixels.shape[1]) * theory.whitened(pixels, WIDTHS[0]), classes


def _starts(settings: Settings, norm: float) -> list[Floats]:
    """The same starts (draw, d_l, d_{l-1}) for all methods and lambdas."""
    key = StartKey(settings.seed, "practice", WIDTHS, "", Series("gaussian", 1.0))
    return draw_starts(key, range(DRAWS), norm)


@dataclass(frozen=True)
class End:
    """Where the runs of one cell end: layers (draw, d_l, d_{l-1}), and of AdamW the roots of its second moments."""

    layers: Sequence[Floats]
    roots: Sequence[Floats] | None


class Optimizer:
    """Steps of torch.optim's SGD, Adam and AdamW at their defaults, but for rate and decay, on layers (run, ., .)."""

    def __init__(
        self,
        name: str,
        layers: list[Floats],
        decay: Floats,
        epsilon: float = EPSILON,
        betas: tuple[float, float] = BETAS,
    ) -> None:
        """Take the layers, which steps change in place, and weight_decay of each run (run,)."""
        self._name, self._layers, self._decay = name, layers, decay[:, None, None]
        self._epsilon, self._betas = epsilon, betas
        self._first, self._second = ([np.zeros_like(layer) for layer in layers] for _ in range(2))
        self._taken = 0

    def step(self, slopes: Sequence[Floats], rate: float) -> None:
        """Take one step along the loss's slopes."""
        self._taken += 1
        corrections = [1 - beta**self._taken for beta in self._betas]
        for layer, slope, first, second in zip(self._layers, slopes, self._first, self._second, strict=True):
            if self._name == "AdamW":
                layer *= 1 - rate * self._decay
            else:
                slope = slope + self._decay * layer
            if self._name == "SGD":
                layer -= rate * slope
                continue
            first += (1 - self._betas[0]) * (slope - first)
            second += (1 - self._betas[1]) * (slope**2 - second)
            layer -= rate / corrections[0] * first / (np.sqrt(second / corrections[1]) + self._epsilon)

    def roots(self) -> list[Floats] | None:
        """What AdamW divides its steps by, corrected for the bias of its start."""
        if self._name != "AdamW":
            return None
        return [np.sqrt(second / (1 - self._betas[1] ** self._taken)) for second in self._second]


def _trained(x: Floats, y: Floats, lams: Sequence[float], starts: Sequence[Floats], settings: Settings) -> list[End]:
    """The ends of all cells, methods first.

    All runs see the same batches, and pass through the network together.
    """
    runs = len(lams) * DRAWS
    layers = [np.tile(layer, (len(METHODS) * len(lams), 1, 1)) for layer in starts]
    decay = 2 * np.repeat(lams, DRAWS)
    owned = [[layer[first : first + runs] for layer in layers] for first in range(0, len(layers[0]), runs)]
    optimizers = [
        Optimizer(method.optimizer, own, method.decays * decay) for method, own in zip(METHODS, owned, strict=True)
    ]
    steps = EPOCHS * (x.shape[1] // BATCH)
    for number, rows in enumerate(_batches(x.shape[1], settings)):
        *_, w = accumulate(layers, lambda product, layer: layer @ product)
        inputs = x[:, rows]
        slopes = chained(layers, 2 / BATCH * ((w @ inputs - y[:, rows]) @ inputs.T))
        for place, (method, optimizer) in enumerate(zip(METHODS, optimizers, strict=True)):
            mine = slice(place * runs, (place + 1) * runs)
            optimizer.step([slope[mine] for slope in slopes], method.rate_at(number, steps))
    ends = []
    for optimizer, own in zip(optimizers, owned, strict=True):
        roots = optimizer.roots()
        for first in range(0, runs, DRAWS):
            cell = slice(first, first + DRAWS)
            ends.append(End([layer[cell] for layer in own], roots and [root[cell] for root in roots]))
    return ends


def _batches(samples: int, settings: Settings) -> Iterator[NDArray[np.int64]]:
    """Every epoch shuffles the data and drops what does not fill a batch."""
    rng = generator(["study", "practice", settings.seed])
    for _ in range(EPOCHS):
        yield from rng.permutation(samples)[: samples // BATCH * BATCH].reshape(-1, BATCH)


def _facts(end: End, target: Floats, lam: float, settings: Settings) -> dict[str, NDArray[Any]]:
    """FIELDS over starts of one cell, (draw, ...)."""
    best = theory.end_to_end_minimizer(target, DEPTH, lam)
    lowest, alpha_sq = theory.minimum_value(target, DEPTH, lam), theory.layer_norm_sq(target, DEPTH, lam)
    scale = gradient_scale(float(np.linalg.norm(target, 2)), DEPTH)
    runs = [[layer[draw] for layer in end.layers] for draw in range(DRAWS)]
    w = np.stack([theory.end_to_end(layers) for layers in runs])
    values = np.linalg.svd(w, compute_uv=False)
    norm_sq = np.stack([[np.sum(layer**2) for layer in layers] for layers in runs])
    gradient = np.array([gradient_norm(layers, target, lam) for layers in runs]) / scale
    # <W_l, dD/dW_l> is 2 <W - M, W> for every l, D the data's part of F; where F is critical, -2 lambda ||W_l||_F^2
    along = DEPTH * np.sum((target - w) * w, axis=(1, 2))
    moment = np.full(DRAWS, np.nan)
    if end.roots is not None:
        weighted = [np.sum(root * layer**2, axis=(1, 2)) for root, layer in zip(end.roots, end.layers, strict=True)]
        moment = np.sum(weighted, axis=0) / norm_sq.sum(axis=1)
    return {
        "objective_gap": np.array([theory.objective(layers, target, lam) for layers in runs]) / lowest - 1,
        "distance": np.linalg.norm(w - best, axis=(1, 2)) / np.linalg.norm(best),
        "norm_misfit": np.abs(norm_sq / alpha_sq - 1).max(axis=1),
        "kept": np.count_nonzero(values > theory.jump(DEPTH, lam) / 2, axis=1),
        "gradient_norm": gradient,
        "effective_lambda": along / norm_sq.sum(axis=1) / lam,
        "second_moment": moment,
        "certified": gradient <= settings.gradient_norm,
        "singular_values": values,
    }


STUDY = Study(
    title="Weight decay as practice does it",
    summary=(
        "Linear networks of three layers on whitened digits, trained by the steps of torch.optim in mini-batches of "
        r"128 for 60 epochs: SGD, Adam and AdamW, each with weight_decay $= 2\lambda$, and SGD without decay as a "
        "control. No run has a certificate, and no verdict rests on them."
    ),
    make=make,
)
