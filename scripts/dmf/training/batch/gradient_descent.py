"""Gradient descent with one fixed step on the slots of a batch."""

import numpy as np
import torch
from dmf.training.lockstep import RUNNING, Codes, Ints
from dmf.training.objective import Problem, gradient_norm
from torch import Tensor

from dmf.training.result import Array
from dmf.training.settings import GradientDescent, Status

# F never rises along a useful run by more than noise, so this far above its first value a run is lost.
_LOST = 1e12


class GradientDescentMethod:
    """theta <- theta - step * gradient of F, for B runs.

    A run counts as diverged once F is not finite or exceeds 1e12 times (F at its start + ||M||_F^2).
    """

    def __init__(self, settings: GradientDescent, slots: int, size: int) -> None:
        """Make room for `slots` runs of `size` parameters."""
        self.settings = settings
        self.theta = torch.zeros(slots, size, dtype=torch.float64)
        self.iterations = np.zeros(slots, dtype=np.int64)
        self._gradient = torch.zeros_like(self.theta)
        self._first = np.zeros(slots)

    def enter(self, slots: Ints, theta: Tensor) -> None:
        """Forget what the slots held and begin runs there at theta (k, N)."""
        self.theta[slots] = theta
        self._gradient[slots] = 0
        self.iterations[slots] = -1  # the first round evaluates the start and takes no step

    def keep(self, slots: Ints) -> None:
        """Keep these slots only, in this order."""
        self.theta, self.iterations = self.theta[slots], self.iterations[slots]
        self._gradient, self._first = self._gradient[slots], self._first[slots]

    def advance(self, problem: Problem, tolerance: Array) -> Codes:
        """Take one step in every slot, evaluate it, and return a code (B,) for each: RUNNING or a Status."""
        self.theta -= self.settings.step * self._gradient
        values, self._gradient = problem.value_and_gradient(self.theta, out=self._gradient)
        value, norm = values.numpy(), gradient_norm(self._gradient).numpy()
        self.iterations += 1
        self._first = np.where(self.iterations == 0, value, self._first)
        code = np.full(len(value), RUNNING, dtype=np.int8)
        code[self.iterations >= self.settings.max_iterations] = Status.ITERATION_LIMIT
        code[norm <= tolerance] = Status.CONVERGED
        with np.errstate(all="ignore"):
            limit = _LOST * (self._first + problem.target_norm_sq)
        code[~(value <= limit) | ~np.isfinite(norm)] = Status.DIVERGED
        return code
