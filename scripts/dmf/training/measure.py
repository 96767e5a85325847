"""Measures finished runs afresh from their final parameters."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from dmf.training.lockstep import Outcome
from dmf.training.objective import Problem, gradient_norm, layer_views, prefix_products, whole_lines
from dmf.training.result import Array, Runs


def measure(problem: Problem, outcome: Outcome) -> Runs:
    """The record of R >= 2 runs; a diverged run's numbers may be infinite or NaN."""
    theta = outcome.theta
    layers = layer_views(theta, problem.widths)
    value, gradient = problem.value_and_gradient(theta)
    end_to_end = _products(layers)[-1][:, :, : problem.widths[0]].numpy().copy()
    return Runs(
        objective=value.numpy(),
        gradient_norm=gradient_norm(gradient).numpy(),
        iterations=outcome.iterations,
        evaluations=outcome.evaluations,
        status=outcome.status,
        end_to_end=end_to_end,
        singular_values=_singular_values(end_to_end),
        layer_norm_sq=torch.stack([_norm_sq(layer) for layer in layers], dim=1).numpy(),
        imbalance=imbalance(layers).numpy(),
        hessian_trace=hessian_trace(layers, problem.lam).numpy(),
        layers=[layer.numpy().copy() for layer in layers],
        **_layer_spectra([layer.numpy() for layer in layers]),
    )


def imbalance(layers: Sequence[Tensor]) -> Tensor:
    """max over l of ||W_{l+1}^T W_{l+1} - W_l W_l^T||_F (B,): zero at critical points (Theorem 2)."""
    gaps = [_norm_sq(_gram(above.mT) - _gram(below)) for below, above in pairwise(layers)]
    return torch.stack(gaps).amax(0).sqrt()


def hessian_trace(layers: Sequence[Tensor], lam: Tensor) -> Tensor:
    """The exact trace of the Hessian of F (B,), at any point (eq. 90-92).

    tr = sum_l 2 ||W_L ... W_{l+1}||_F^2 ||W_{l-1} ... W_1||_F^2 + 2 lam N, where an empty product is an identity, of
    squared norm d_L or d_0. N is the number of parameters.
    """
    identity = torch.ones_like(lam)
    below = [identity * layers[0].shape[2], *(_norm_sq(p) for p in _products(layers)[:-1])]
    # The products from the top are the transposes of the prefix products of the transposed layers in reverse.
    transposed = [layer.mT for layer in reversed(layers)]
    above = [identity * layers[-1].shape[1], *(_norm_sq(p) for p in _products(transposed)[:-1])]
    parameters = sum(layer[0].numel() for layer in layers)
    return 2 * sum((a * b for a, b in zip(reversed(above), below, strict=True)), lam * parameters)


def _layer_spectra(layers: Sequence[Array]) -> dict[str, Array]:
    """The fields of Runs that the singular values of the layers (R, d_l, d_{l-1}) give."""
    values = [_singular_values(layer) for layer in layers]
    most = max(spectrum.shape[1] for spectrum in values)
    # A layer with fewer rows or columns has as many zeros in place of the singular values that it lacks.
    filled = np.stack([np.pad(v, ((0, 0), (0, most - v.shape[1]))) for v in values])
    with np.errstate(over="ignore", invalid="ignore"):  # of a diverged run
        squares = filled**2
        return {
            "singular_value_gap": np.linalg.norm(np.diff(squares, axis=0), axis=2).max(axis=0),
            "layer_spectral_norm": filled[:, :, 0].max(axis=0),
        }


def _products(layers: Sequence[Tensor]) -> list[Tensor]:
    return prefix_products(layers, whole_lines(layers[0].shape[2]))


def _gram(matrices: Tensor) -> Tensor:
    """A A^T, with columns filled up to whole cache lines (see dmf.training.objective)."""
    filled = pad(matrices, (0, whole_lines(matrices.shape[2]) - matrices.shape[2]))
    return torch.bmm(filled, filled.mT)


def _norm_sq(matrices: Tensor) -> Tensor:
    return matrices.square().flatten(1).sum(1)


def _singular_values(matrices: Array) -> Array:
    """Singular values (R, min), descending; NaN for matrices that are not finite, which LAPACK refuses."""
    finite = np.isfinite(matrices).all(axis=(1, 2))
    values = np.full((len(matrices), min(matrices.shape[1:])), np.nan)
    values[finite] = np.linalg.svd(matrices[finite], compute_uv=False)
    return values
