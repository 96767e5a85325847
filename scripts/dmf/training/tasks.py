"""What runs are trained on, to what accuracy and where, and what an engine makes of that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from dmf.training.result import Array, Finished
from dmf.training.settings import Adam, GradientDescent, Lbfgs, Nesterov

if TYPE_CHECKING:
    from jaxtyping import Float64

Progress = Callable[[int], None] | None
"""Called with the number of finished runs."""


class Tasks(NamedTuple):
    """R problems of one shape, each with the gradient norm that ends its run. Everything is dimensionless.

    `train` takes matrices, an engine takes them flat: targets (R, p n) and inputs (R, q n), p q = d_L d_0.
    """

    targets: Float64[Array, "run ..."]
    """M of each run, (R, d_L, d_0), or (R, d_L, n) or (R, 1, n) with inputs; finite"""
    lams: Float64[Array, " run"]
    """lambda of each run, (R,), positive"""
    gradient_tolerance: Float64[Array, " run"]
    """absolute, on the Euclidean norm of the gradient of F over all parameters, (R,), positive"""
    inputs: Float64[Array, "run ..."] | None = None
    """a constant factor X of each run, finite: F = ||M - W_L ... W_1 X||_F^2 + lambda sum_l ||W_l||_F^2, a deep linear
    network on n inputs (R, d_0, n); or n measurements, with W_L ... W_1 as one row, (R, d_L d_0, n)"""

    def flat(self) -> Tasks:
        """The same problems as an engine takes them: float64, contiguous, matrices row by row.

        Writable as well: arrays that are not have another type to a compiler, which would compile every kernel again.
        """
        count = len(self.lams)

        def owned(array: Array) -> Array:
            return np.require(array, np.float64, ["C", "W"])

        return Tasks(
            owned(self.targets).reshape(count, -1),
            owned(self.lams),
            owned(self.gradient_tolerance),
            None if self.inputs is None else owned(self.inputs).reshape(count, -1),
        )

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Tasks:
        """A copy of the tasks `rows`, by number or by mask."""
        inputs = None if self.inputs is None else self.inputs[rows]
        return Tasks(self.targets[rows], self.lams[rows], self.gradient_tolerance[rows], inputs)


@dataclass(frozen=True)
class Execution:
    """Where runs are trained."""

    device: str = "cpu"
    """"cpu", the compiled engine; "torch", the reference engine on the processor; "cuda" or "cuda:N", the same on a
    graphics card; "auto", a graphics card where there is one"""
    threads: int = 1
    """threads that share the runs on the processor"""
    batch: int | None = None
    """runs side by side in the torch engine; None for as many as suit the device"""


PROCESSOR = Execution()
"""The compiled engine on one thread."""


class Minimize(Protocol):
    """What an engine does with R runs of one shape."""

    def __call__(
        self,
        tasks: Tasks,
        begun: Finished,
        optimizer: Lbfgs | GradientDescent | Nesterov | Adam,
        progress: Progress,
        inverse: Array | None = None,
    ) -> Finished:
        """Train the runs on from where they stand in `begun`, counting on.

        With an inverse (R, d_L d_0), refine them (see dmf.training.refinement): one that is not near a minimum stalls.
        """
