"""What runs are trained on and to what accuracy, and what an engine makes of that."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from dmf.training.result import Array, Finished
from dmf.training.settings import Adam, GradientDescent, Lbfgs, Nesterov

Progress = Callable[[int], None] | None
"""Called with the number of finished runs."""


class Tasks(NamedTuple):
    """R problems, each with the gradient norm that ends its run."""

    targets: Array
    """(R, d_L n), with n = d_0 but for inputs"""
    lams: Array
    """(R,)"""
    tolerances: Array
    """(R,)"""
    inputs: Array | None = None
    """(R, d_0 n) the constant factor X of ||M - W_L ... W_1 X||_F^2, None for none; only the torch engine knows it"""

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Tasks:
        """A copy of the tasks `rows`, by number or by mask."""
        inputs = None if self.inputs is None else self.inputs[rows]
        return Tasks(self.targets[rows], self.lams[rows], self.tolerances[rows], inputs)


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
