"""Deep linear networks trained on data by the grid's engine, and certified like factorizations of Y X^T."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dmf import theory
from dmf.dataset.train import Piece, label_runs, train_starts
from dmf.evidence.certify import certify
from dmf.grid.cells import Series, gradient_scale, group_of, lambda_value
from dmf.grid.targets import TargetMatrix
from dmf.studies import Settings
from dmf.studies._assemble import assembled, rows_of
from dmf.studies._trained import LBFGS, training_grid
from dmf.theory.certificate import ROUNDING, rank_rounding, sum_rounding
from dmf.training.settings import Optimizer

Floats = NDArray[np.float64]
NOTHING = 1e-6  # of sigma_1: W below this is zero

FIELDS = {
    "white": ("cell", "1 where X X^T is the identity to rounding"),
    "condition": ("cell", "condition number of X X^T on its span"),
    "deficiency": ("cell", "d_0 minus the rank of X"),
    "norm_gap": ("cell start", "largest difference between two squared layer norms"),
    "norm_gap_tolerance": ("cell start", "what gradient norm and rounding allow for it"),
    "off_span": ("cell start", "norm of W_1 outside the span of the inputs"),
    "off_span_tolerance": ("cell start", "what gradient norm and rounding allow for it"),
    "residual_gap": (
        "cell start",
        "R W^T minus lambda W_L W_L^T or W^T R minus lambda W_1^T W_1, the larger norm; R = (Y - W X) X^T",
    ),
    "residual_tolerance": ("cell start", "what gradient norm and rounding allow for it"),
    "to_target": ("cell start", "misalignment of singular vectors of W and of Y X^T, from 0 to 1; NaN where W is zero"),
    "to_least_squares": (
        "cell start",
        "misalignment of singular vectors of W and of the least-squares map; NaN where W is zero",
    ),
    "to_residual": ("cell start", "misalignment of singular vectors of W and of R; NaN where W is zero"),
    "singular_values": ("cell start singular", "singular values of W"),
}


@dataclass(frozen=True)
class Data:
    """Inputs X (d_0, n) and outputs Y (d_L, n), a sample a column."""

    name: str
    inputs: Floats
    outputs: Floats

    @property
    def target(self) -> TargetMatrix:
        """Y X^T (d_L, d_0), what the network factorizes where X is white."""
        return TargetMatrix(self.name, self.name, "study", self.name, self.outputs @ self.inputs.T)


def train_networks(
    data: Sequence[Data],
    depth: int,
    labels: Sequence[str],
    series: Mapping[Series, range],
    settings: Settings,
    optimizer: Optimizer = LBFGS,
) -> xr.Dataset:
    """Train data x labels x starts, for data of one shape, as a dataset like those of a grid's runs, layers kept.

    lambda is in units of lambda_c of Y X^T. The objective is less what it would be more on white data, ||Y||_F^2 -
    ||Y X^T||_F^2; the gradient norm is more by what sums over samples may round away, and half of the certificate's is
    left for that.
    """
    grid = training_grid(settings, optimizer, [{"name": "none", "kind": "gaussian", "shape": [1, 1]}])
    targets = [one.target for one in data]
    rows, columns = targets[0].shape
    group = group_of((rows, columns), depth, "same", "study")
    norms = [float(target.singular_values[0]) for target in targets]
    starts = [(one, index) for one, span in series.items() for index in span]
    pieces = [
        Piece(one.name, one.outputs, norm, label, lambda_value(label, norm, depth), largest, each, span, one.inputs)
        for one, norm in zip(data, norms, strict=True)
        for largest in [settings.gradient_norm * gradient_scale(norm, depth) / 2]
        for label, (each, span) in product(labels, series.items())
    ]
    runs = train_starts(pieces, group.widths, settings.seed, optimizer)
    dataset = label_runs(group, targets, labels, starts, runs, grid)
    shape = (len(data), -1)
    constant = np.array([np.sum(one.outputs**2) - np.sum(one.target.values**2) for one in data])
    rounding = _gradient_rounding(data, runs.layer_spectral_norm.reshape(shape), depth).ravel()
    dims = dataset["objective"].dims
    values = {
        "objective": runs.objective - np.repeat(constant, len(labels) * len(starts)),
        "gradient_norm": runs.gradient_norm + rounding,
    }
    sizes = [dataset.sizes[dim] for dim in dims]
    return dataset.assign({name: (dims, value.reshape(sizes)) for name, value in values.items()})


def network_evidence(parts: Sequence[tuple[xr.Dataset, Sequence[Data]]]) -> xr.Dataset:
    """Evidence as of `dmf.evidence.certify` held against Y X^T, with FIELDS.

    `parts` are runs with the data they were trained on.
    """
    evidence = certify(runs for runs, _ in parts)
    rows = [
        row
        for runs, data in parts
        for place, one in enumerate(data)
        for row in rows_of(_cell(one, runs.isel(target=place)))
    ]
    for row, allowed in zip(rows, rows_of(_tolerances(evidence)), strict=True):
        row |= {name: row[name] + value for name, value in allowed.items()}
    return evidence.assign(assembled(FIELDS, rows))


def misalignment(one: Floats, other: Floats) -> Floats:
    """How far matrices (..., m, n) are from common bases of singular vectors, from 0 to 1; 0 where one is zero.

    The larger antisymmetric part of A B^T and of A^T B, in units of its norm: no gap between singular values is needed.
    """
    parts = []
    for a, b in ((one, other), (one.swapaxes(-1, -2), other.swapaxes(-1, -2))):
        joint = a @ b.swapaxes(-1, -2)
        size = np.linalg.norm(joint, axis=(-2, -1))
        turned = np.linalg.norm(joint - joint.swapaxes(-1, -2), axis=(-2, -1)) / 2
        parts.append(np.divide(turned, size, out=np.zeros_like(size), where=size > 0))
    return np.asarray(np.maximum(*parts))


def is_white(inputs: Floats) -> bool:
    """Whether X X^T is the identity to rounding."""
    away = np.linalg.norm(inputs @ inputs.T - np.eye(len(inputs)), 2)
    return bool(away <= theory.white_rounding((inputs.shape[0], inputs.shape[1])))


def _gradient_rounding(data: Sequence[Data], top: Floats, depth: int) -> Floats:
    """What rounding of sums over samples, and of white inputs, may be in a gradient norm, (data, run).

    `top` (data, run) bounds the layers' spectral norms: the gradient is 2 A^T (W X - Y) X^T B^T for each layer.
    """
    bounds = []
    for one, s in zip(data, top, strict=True):
        inputs, outputs = np.linalg.norm(one.inputs, 2), np.linalg.norm(one.outputs)
        share = sum_rounding(sum(one.inputs.shape))
        bounds.append(share * np.sqrt(depth) * s ** (depth - 1) * inputs * (outputs + s**depth * inputs))
    return np.stack(bounds)


def _cell(one: Data, runs: xr.Dataset) -> dict[str, NDArray[np.generic]]:
    """FIELDS (lam, ...) but for what certificates allow, for the runs on one data set."""
    x, count = one.inputs, runs.sizes["lam_label"]
    lam = runs["lam"].values[:, None]
    left, values, _ = np.linalg.svd(x, full_matrices=True)
    rank = int(np.count_nonzero(values > rank_rounding(x.shape) * values[0]))
    outside = left[:, rank:]
    layers = [runs[f"layer_{layer}"].values for layer in runs["layer"].values]
    w, first, last = runs["end_to_end"].values, layers[0], layers[-1]
    residual = (one.outputs - w @ x) @ x.T
    strength = lam[..., None, None]
    gaps = [
        residual @ w.swapaxes(-1, -2) - strength * last @ last.swapaxes(-1, -2),
        w.swapaxes(-1, -2) @ residual - strength * first.swapaxes(-1, -2) @ first,
    ]
    norm_sq = runs["layer_norm_sq"].values
    size = np.linalg.norm(first, axis=(-2, -1))
    # a run that ends at zero has singular vectors of rounding; no other level comes near
    alive = np.linalg.norm(w, axis=(-2, -1)) > NOTHING * one.target.singular_values[0]
    return {
        "white": np.full(count, is_white(x)),
        "condition": np.full(count, (values[0] / values[rank - 1]) ** 2),
        "deficiency": np.full(count, len(x) - rank),
        "singular_values": runs["singular_values"].values,
        "norm_gap": np.ptp(norm_sq, axis=-1),
        "norm_gap_tolerance": ROUNDING * norm_sq.max(axis=-1),
        "off_span": np.linalg.norm(first @ outside, axis=(-2, -1)),
        "off_span_tolerance": ROUNDING * values[0] / values[rank - 1] * size,
        "residual_gap": np.max([np.linalg.norm(gap, axis=(-2, -1)) for gap in gaps], axis=0),
        "residual_tolerance": np.zeros_like(size),
        "to_target": np.where(alive, misalignment(w, one.target.values), np.nan),
        "to_least_squares": np.where(alive, misalignment(w, one.outputs @ np.linalg.pinv(x)), np.nan),
        "to_residual": np.where(alive, misalignment(w, residual), np.nan),
    }


def _tolerances(evidence: xr.Dataset) -> dict[str, Floats]:
    r"""What the gradient norm allows for the gaps of FIELDS, (cell, start).

    With G_l = dF/dW_l: <W_l, G_l> - 2 \lambda ||W_l||^2 is the same for all l; G_1 = 2 \lambda W_1 off the span of the
    inputs; and G_L W_L^T / 2 = \lambda W_L W_L^T - R W^T.
    """
    gradient, lam = evidence["gradient_norm"].values, evidence["lam"].values[:, None]
    largest_sq = evidence["layer_norm_sq_max"].values
    return {
        "norm_gap_tolerance": np.sqrt(2 * largest_sq) * gradient / (2 * lam),
        "off_span_tolerance": gradient / (2 * lam),
        "residual_tolerance": np.sqrt(largest_sq) * gradient / 2,
    }
