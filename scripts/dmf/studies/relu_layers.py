"""An experiment: which share of starts of three ReLU layers reaches the best value (docs/theory.md, section 15).

Nothing certifies a global minimum there: the best value is the lowest of these starts. Two layers, whose minimum a dual
certificate knows, are the control. Most minima have a unit that turns on exactly at a sample, so Adam trains, not
Newton's method.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from dmf.grid.seeds import generator
from dmf.studies import Settings, Study
from dmf.studies._assemble import Row, assembled
from dmf.studies._models import LOOSE, SAMPLES, Network, adam, dual_excess, smooth_relu
from dmf.studies._newton import minimize

DATA, STARTS = 4, 48
LAMBDA = 0.15
STEPS, RATE = 3000, 0.03
CLOSE = 1e-4  # of ||labels||^2: a value that is nearer to the best one has reached it

FIELDS = {
    "control": ("cell", "1 for cells of the control"),
    "certified": ("cell start", "1 everywhere: nothing certifies these ends"),
    "value": ("cell start", "the objective at the end"),
    "best": ("cell", "the lowest value of these starts; of the control the certified minimum"),
    "energy": ("cell", "||labels||^2"),
    "reached": ("cell start", "1 where the value is within 1e-4 ||labels||^2 of the best"),
    "fit_gap": ("cell start", "distance of the outputs from those of the lowest run"),
    "apart": ("cell start", "distance of the parameters from those of the lowest run"),
    "norm_spread": ("cell start", "largest difference of ||W_l||^2 between layers, in units of their mean"),
}


def make(settings: Settings) -> xr.Dataset:
    """Cells by draw of the data, starts by draw."""
    rows = []
    for place in range(DATA + 1):
        rng = generator(["study", "relu_layers", settings.seed, place])
        if place < DATA:
            inputs = np.vstack([1.5 * rng.standard_normal(SAMPLES), np.ones(SAMPLES)])
            network = Network(inputs, rng.standard_normal((1, SAMPLES)), (2, 4, 4, 1), LAMBDA, "relu")
        else:
            network = smooth_relu(rng)
        rows.append(_cell(network, rng) | {"number": place, "control": place == DATA})
    return assembled(FIELDS, rows, {"draw": ("start", np.arange(STARTS))})


def _cell(network: Network, rng: np.random.Generator) -> Row:
    depth = len(network.widths) - 1
    points = adam(network, rng.standard_normal((STARTS, network.parameters)), STEPS, RATE)
    values, outputs = network.values(points), network.outputs(points)
    lowest = int(values.argmin())
    best, energy = float(values[lowest]), float(np.sum(network.labels**2))
    if depth == 2:
        ends = minimize(network, points, 1e-10)
        excess = np.array([dual_excess(network, out) for out in network.outputs(ends.points)])
        best = float(np.min(ends.values[(excess <= LOOSE) & (ends.gradient_norm < 1e-10)], initial=np.inf))
    norms = np.array([np.sum(part**2, axis=1) for part in network.weights(points)])
    return {
        "problem": "relu",
        "depth": depth,
        "lam": network.lam,
        "certified": np.ones(STARTS, dtype=np.bool_),
        "value": values,
        "best": best,
        "energy": energy,
        "reached": values <= best + CLOSE * energy,
        "fit_gap": np.linalg.norm(outputs - outputs[lowest], axis=(1, 2)),
        "apart": np.linalg.norm(points - points[lowest], axis=1),
        "norm_spread": np.ptp(norms, axis=0) / norms.mean(axis=0),
    }


STUDY = Study(
    title="Three ReLU layers",
    summary=(
        "Four draws of six samples, 48 starts of a three-layer ReLU network each, trained by Adam: which share reaches "
        "the lowest value, and how fits and layer norms agree there; two layers with a dual certificate as a control."
    ),
    make=make,
)
