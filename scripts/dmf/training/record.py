"""Puts together the record of finished runs: what an engine measured, and singular values, which LAPACK finds."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from dmf.training.result import Array, Finished, Measures, Runs


def record(finished: Finished, measures: Measures, widths: Sequence[int]) -> Runs:
    """The record of R runs; a diverged run's numbers may be infinite or NaN."""
    rows, columns = widths[-1], widths[0]
    layers = layers_of(finished.points, widths)
    end_to_end = measures.end_to_end.reshape(-1, rows, columns)
    spectra = [singular_values(layer) for layer in layers]
    return Runs(
        objective=measures.objective,
        gradient_norm=measures.gradient_norm,
        iterations=finished.iterations,
        evaluations=finished.evaluations,
        status=finished.status,
        end_to_end=end_to_end,
        singular_values=singular_values(end_to_end),
        layer_norm_sq=measures.layer_norm_sq,
        imbalance=measures.imbalance,
        hessian_trace=measures.hessian_trace,
        layers=layers,
        singular_value_gap=_gap(spectra),
        layer_spectral_norm=np.max([spectrum[:, 0] for spectrum in spectra], axis=0),
    )


def layers_of(points: Array, widths: Sequence[int]) -> list[Array]:
    """Flat parameters (R, N) as L arrays (R, d_l, d_{l-1})."""
    shapes = [(m, n) for n, m in pairwise(widths)]
    ends = np.cumsum([m * n for m, n in shapes])
    parts = np.split(points[:, : ends[-1]], ends[:-1], axis=1)
    return [np.ascontiguousarray(part).reshape(-1, *shape) for part, shape in zip(parts, shapes, strict=True)]


def points_of(layers: Sequence[Array]) -> Array:
    """The inverse of layers_of: a copy of layers (R, d_l, d_{l-1}) as flat parameters (R, N)."""
    return np.concatenate([np.asarray(layer, dtype=np.float64).reshape(len(layer), -1) for layer in layers], axis=1)


def singular_values(matrices: Array) -> Array:
    """Singular values (R, min), descending; NaN for matrices that are not finite, which LAPACK refuses."""
    finite = np.isfinite(matrices).all(axis=(1, 2))
    if finite.all():
        return np.asarray(np.linalg.svd(matrices, compute_uv=False))
    values = np.full((len(matrices), min(matrices.shape[1:])), np.nan)
    values[finite] = np.linalg.svd(matrices[finite], compute_uv=False)
    return values


def _gap(spectra: Sequence[Array]) -> Array:
    """Largest distance (R,) between the squared singular values of neighbouring layers."""
    most = max(spectrum.shape[1] for spectrum in spectra)
    # A layer with fewer rows or columns has as many zeros in place of the singular values that it lacks.
    filled = np.stack([np.pad(values, ((0, 0), (0, most - values.shape[1]))) for values in spectra])
    with np.errstate(over="ignore", invalid="ignore"):  # of a diverged run
        return np.asarray(np.linalg.norm(np.diff(filled**2, axis=0), axis=2).max(axis=0))
