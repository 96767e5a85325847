"""The record of a finished batch of runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from jaxtyping import Float64, Int8, Int64

Array = NDArray[np.float64]


class Finished(NamedTuple):
    """What training itself leaves of R runs."""

    points: Array
    """(R, N) final parameters, layer after layer, each row by row."""
    iterations: NDArray[np.int64]
    evaluations: NDArray[np.int64]
    status: NDArray[np.int8]

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Finished:
        """A copy of the runs `rows`, by number or by mask."""
        return Finished(self.points[rows], self.iterations[rows], self.evaluations[rows], self.status[rows])

    def put(self, rows: NDArray[np.int64], runs: Finished) -> None:
        """Overwrite the runs `rows`."""
        self.points[rows], self.status[rows] = runs.points, runs.status
        self.iterations[rows], self.evaluations[rows] = runs.iterations, runs.evaluations


def unstarted(points: Array) -> Finished:
    """Runs at their starts (R, N)."""
    zeros = np.zeros(len(points), dtype=np.int64)
    return Finished(points, zeros, zeros.copy(), zeros.astype(np.int8))


class Measures(NamedTuple):
    """What an engine measures of R runs at their final parameters; the fields are those of Runs."""

    objective: Array
    gradient_norm: Array
    end_to_end: Array
    """(R, d_L d_0)"""
    layer_norm_sq: Array
    imbalance: Array
    hessian_trace: Array


@dataclass(frozen=True)
class Runs:
    """B finished runs of one shape, in the order they were given. Everything is dimensionless.

    Floating values are float64 and were all computed afresh from the final layers.
    """

    objective: Float64[Array, " run"]
    """(B,) F at the final point."""
    gradient_norm: Float64[Array, " run"]
    """(B,) Euclidean norm of the whole gradient of F."""
    iterations: Int64[NDArray[np.int64], " run"]
    """(B,) accepted steps."""
    evaluations: Int64[NDArray[np.int64], " run"]
    """(B,) evaluations of F and its gradient that training used, the start's included."""
    status: Int8[NDArray[np.int8], " run"]
    """(B,) a value of dmf.training.settings.Status."""
    end_to_end: Float64[Array, "run d_L d_0"]
    """(B, d_L, d_0) the product W_L ... W_1."""
    singular_values: Float64[Array, "run n"]
    """(B, min(d_0, d_L)) of end_to_end, descending."""
    layer_norm_sq: Float64[Array, "run layer"]
    """(B, L) ||W_l||_F^2."""
    imbalance: Float64[Array, " run"]
    """(B,) max over l of ||W_{l+1}^T W_{l+1} - W_l W_l^T||_F, zero at critical points (Theorem 2)."""
    hessian_trace: Float64[Array, " run"]
    """(B,) exact trace of the Hessian of F (eq. 90-92)."""
    layers: list[Float64[Array, "run _d_l _d_below"]]
    """L arrays (B, d_l, d_{l-1})."""
    singular_value_gap: Float64[Array, " run"]
    """(B,) max over l of the Euclidean distance between the squared singular values of W_{l+1} and of W_l."""
    layer_spectral_norm: Float64[Array, " run"]
    """(B,) largest ||W_l||_2 over l."""

    def take(self, rows: slice) -> Runs:
        """The runs at `rows`."""
        parts = {field.name: getattr(self, field.name) for field in fields(self)}
        layers = [layer[rows] for layer in parts.pop("layers")]
        return Runs(layers=layers, **{name: value[rows] for name, value in parts.items()})


def joined(parts: Sequence[Runs]) -> Runs:
    """The runs of several records of one shape, one after another; without layers where they have none."""
    names = [field.name for field in fields(Runs) if field.name != "layers"]
    layers = [np.concatenate(layer) for layer in zip(*(part.layers for part in parts), strict=True)]
    return Runs(layers=layers, **{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})
