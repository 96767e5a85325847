"""Beyond the paper: what a sweep of weight decay proves of its runs (docs/theory.md, section 15).

Sweeps train one run a lambda, as people do, and are audited by the rule of `dmf audit-sweep`, which knows losses and
norms alone. Which runs are global is known apart from it: by closed forms or by dual certificates.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import xarray as xr

from dmf import theory
from dmf.grid.seeds import generator
from dmf.studies import Settings, Study
from dmf.studies._assemble import Row, assembled
from dmf.studies._derivatives import Floats
from dmf.studies._models import LOOSE, Network, adam, dual_excess, smooth_relu
from dmf.studies._newton import minimize, smallest_curvature
from dmf.theory import certificate, haar
from dmf.theory.adapter import sweep_excess

SWEEPS = 4
LAMBDAS = np.geomspace(0.05, 1.1, 10)
MOST_STEPS = 100  # of Newton's method: runs of ReLU networks that meet a kink end here, without a certificate
SCALE = 0.7  # of starts: small enough for runs that miss the minimum
BESIDE = 1e-5  # relative step of lambda for slopes
STEPS, RATE = 400, 0.05  # of Adam with decoupled decay


def _chain(depth: int, *spectrum: float) -> Callable[[np.random.Generator], Network]:
    def build(rng: np.random.Generator) -> Network:
        size = len(spectrum)
        target = haar.orthogonal(size, rng) * spectrum @ haar.orthogonal(size, rng)
        return Network(np.eye(size), target, (size,) * (depth + 1), 1.0)

    return build


def _softmax(rng: np.random.Generator) -> Network:
    labels = rng.dirichlet(np.full(3, 0.5), size=6).T
    return Network(rng.standard_normal((3, 6)), labels, (3, 3, 3), 1.0, loss="cross-entropy")


CELLS: dict[str, Callable[[np.random.Generator], Network]] = {
    "three layers": _chain(3, 2, 1.3, 0.8),
    "four layers": _chain(4, 2, 1.2),
    "relu, two layers": smooth_relu,
    "softmax, two layers": _softmax,
}
CONTROLS = dict.fromkeys(("ordinary", "weight_decay", "decoupled"), _chain(3, 2, 1.2))

FIELDS = {
    "control": ("cell", "1 for cells of the control"),
    "coupled": ("cell", "1 where decay is that of the recorded lambda"),
    "certified": ("cell start", "1 where the gradient norm is within tolerance and no curvature is negative"),
    "minimal": ("cell start", "1 for runs known to be global, by the closed form or a dual certificate"),
    "loss": ("cell start", "the loss at the end, without its decay"),
    "norm_sq": ("cell start", "squared norm of all weights"),
    "value": ("cell start", "loss + lambda norm_sq"),
    "true_excess": ("cell start", "value less the known minimum at that lambda; NaN where none is known"),
    "true_tolerance": ("cell start", "what gradient and rounding allow for it"),
    "excess": ("cell start", "what the sweep says that the run is above another one's weights"),
    "excess_tolerance": ("cell start", "rounding, up to which the sweep calls no run"),
    "called": ("cell start", "1 where the sweep calls the run provably not global"),
    "secant": ("cell start", "growth of the value to a lambda that is larger by 1e-5 of it, over that step"),
    "norm_middle": ("cell start", "mean of the squared norms at both"),
    "slope_tolerance": ("cell start", "half of the difference of these norms, and rounding"),
}


def make(settings: Settings) -> xr.Dataset:
    """Cells by model, starts by sweep and lambda."""
    rows = [_cell(settings, name, build) | {"control": False} for name, build in CELLS.items()]
    rows += [_cell(settings, name, build) | {"control": True} for name, build in CONTROLS.items()]
    others = {
        "draw": ("start", np.repeat(np.arange(SWEEPS), len(LAMBDAS))),
        "lam": ("start", np.tile(LAMBDAS, SWEEPS)),
    }
    return assembled(FIELDS, rows, others)


def _cell(settings: Settings, name: str, build: Callable[[np.random.Generator], Network]) -> Row:
    rng = generator(["study", "sweeps", settings.seed, name])
    network = build(rng)
    shape = (SWEEPS, len(LAMBDAS))
    starts = SCALE * rng.standard_normal((*shape, network.parameters))
    columns = [_at(replace(network, lam=float(lam)), starts[:, place], settings.gradient_norm, name)
               for place, lam in enumerate(LAMBDAS)]  # fmt: skip
    row = {key: np.stack([column[key] for column in columns], axis=1) for key in columns[0]}  # (sweep, lambda)
    # The mistake of the control: an optimizer's weight_decay, which is twice lambda, recorded as lambda.
    recorded = LAMBDAS * (2 if name == "weight_decay" else 1)
    audited = [sweep_excess(recorded, loss, norm) for loss, norm in zip(row["loss"], row["norm_sq"], strict=True)]
    row["excess"], row["excess_tolerance"] = (np.stack(part) for part in zip(*audited, strict=True))
    row["called"] = row["excess"] > row["excess_tolerance"]
    after, norm_after = row.pop("loss_after"), row.pop("norm_after")
    row["value"] = row["loss"] + recorded * row["norm_sq"]
    step = BESIDE * recorded
    row["secant"] = (after + (recorded + step) * norm_after - row["value"]) / step
    row["norm_middle"] = (row["norm_sq"] + norm_after) / 2
    row["slope_tolerance"] = abs(row["norm_sq"] - norm_after) / 2 + certificate.ROUNDING * abs(row["value"]) / step
    return {key: value.ravel() for key, value in row.items()} | {
        "problem": name,
        "depth": len(network.widths) - 1,
        "coupled": name not in ("weight_decay", "decoupled"),
    }


def _at(network: Network, starts: Floats, tolerance: float, name: str) -> Row:
    """Fields over the sweeps at one lambda, and loss and norm at the lambda beside it."""
    beside = replace(network, lam=network.lam * (1 + BESIDE))
    if name == "decoupled":
        points, after = (adam(one, starts, STEPS, RATE, decoupled=True) for one in (network, beside))
        certified = np.ones(len(starts), dtype=np.bool_)
        true, allowed = np.zeros(len(starts)), np.zeros(len(starts))
    else:
        ends = minimize(network, starts, tolerance, MOST_STEPS)
        points, after = ends.points, minimize(beside, ends.points, tolerance, MOST_STEPS).points
        _, mu = smallest_curvature(ends.spectrum)
        certified = (ends.gradient_norm <= tolerance) & np.isfinite(mu)
        least = least_value(network, points[certified])
        true = ends.values - least
        energy = np.sum(network.labels**2) + ends.values
        allowed = np.asarray(certificate.gap_tolerance(ends.gradient_norm, np.nan_to_num(mu, nan=np.inf), energy))
    norms = [np.sum(one**2, axis=1) for one in (points, after)]
    return {
        "certified": certified,
        "minimal": certified & (true <= allowed),
        "true_excess": true,
        "true_tolerance": allowed,
        "loss": network.values(points) - network.lam * norms[0],
        "norm_sq": norms[0],
        "loss_after": beside.values(after) - beside.lam * norms[1],
        "norm_after": norms[1],
    }


def least_value(network: Network, points: Floats) -> float:
    """The global minimum: in closed form for chains, else that of those points (S, N) that have a dual certificate.

    NaN where none has one.
    """
    if network.activation == "linear" and network.loss == "squares":
        return float(theory.minimum_value(network.labels, len(network.widths) - 1, network.lam))
    known = [value for value, out in zip(network.values(points), network.outputs(points), strict=True)
             if dual_excess(network, out) <= LOOSE]  # fmt: skip
    return float(min(known, default=np.nan))


STUDY = Study(
    title="Sweeps of weight decay",
    summary=(
        "Four sweeps of ten λ each for chains of three and four layers, ReLU and softmax networks, trained by "
        "Newton's method; a sweep that records weight_decay in place of λ, and one of AdamW, as controls."
    ),
    make=make,
)
