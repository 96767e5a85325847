"""Limited-memory BFGS on the slots of a batch, one evaluation of every slot a round."""

import numpy as np
import torch
from dmf.training.line_search import LineSearch, Mask
from dmf.training.lockstep import RUNNING, Codes, Ints
from dmf.training.memory import Memory
from dmf.training.objective import Problem
from torch import Tensor

from dmf.training.result import Array
from dmf.training.settings import Lbfgs, Status

# The first step has this length relative to the start: a scale that follows the problem when it is rescaled.
_FIRST_STEP = 0.1

# Evaluations without improvement, above any real pause, after which a run at the rounding level has stalled.
_PATIENCE = 200

_STEP, _GRADIENT, _CHANGE = 0, 1, 2


class LbfgsMethod:
    """The state of L-BFGS (Nocedal & Wright, algorithm 7.5) on B runs.

    A run that has just entered has a zero direction: its first trial is the start itself, taken as it is.
    """

    def __init__(self, settings: Lbfgs, slots: int, size: int) -> None:
        """Make room for `slots` runs of `size` parameters."""
        self.settings = settings
        self.theta = torch.zeros(slots, size, dtype=torch.float64)
        self.iterations = np.zeros(slots, dtype=np.int64)
        self._gradient = torch.zeros_like(self.theta)
        self._direction = torch.zeros_like(self.theta)
        # Step, new gradient and its change side by side, because products want them in pairs.
        self._trio = torch.zeros(slots, 3, size, dtype=torch.float64)
        self._fresh = np.ones(slots, dtype=np.bool_)
        self._plain = np.ones(slots, dtype=np.bool_)  # the direction is steepest descent
        self._best = np.zeros(slots)  # the smallest gradient norm so far
        self._idle = np.zeros(slots, dtype=np.int64)  # evaluations since anything improved
        self._search = LineSearch(slots)
        self._memory = Memory(slots, settings.memory, size)

    def enter(self, slots: Ints, theta: Tensor) -> None:
        """Forget what the slots held and begin runs there at theta (k, N)."""
        self.theta[slots] = theta
        self._direction[slots] = 0
        self.iterations[slots] = 0
        self._fresh[slots] = True
        self._best[slots] = np.inf
        self._idle[slots] = 0
        self._search.t[slots] = 0
        self._memory.clear(slots)

    def keep(self, slots: Ints) -> None:
        """Keep these slots only, in this order."""
        self.theta, self.iterations = self.theta[slots], self.iterations[slots]
        self._gradient, self._direction = self._gradient[slots], self._direction[slots]
        self._trio = self._trio[slots]
        self._fresh, self._plain = self._fresh[slots], self._plain[slots]
        self._best, self._idle = self._best[slots], self._idle[slots]
        self._search.keep(slots)
        self._memory.keep(slots)

    def advance(self, problem: Problem, tolerance: Array) -> Codes:
        """Evaluate every slot once, move on, and return a code (B,) for each: RUNNING or a Status."""
        with np.errstate(all="ignore"):  # a trial may be anything; judge rejects what is not finite
            trial, value, slope, norm = self._evaluate(problem)
            accepted = self._search.judge(value, slope, value + problem.target_norm_sq)
            accepted = np.where(self._fresh, np.isfinite(value + norm), accepted)
            failed = self._search.exhausted() & ~accepted & ~self._fresh
            stalled = (failed & self._plain) | self._stuck(accepted, norm)
            code = self._code(accepted, stalled, norm <= tolerance)
            self._turn(accepted, failed & ~self._plain, trial, value, norm)
        return code

    def _evaluate(self, problem: Problem) -> tuple[Tensor, Array, Array, Array]:
        """The trial points (B, N), and there F, its slope along the direction and its gradient norm (B,)."""
        t = torch.from_numpy(self._search.t).unsqueeze(1)
        step = torch.mul(self._direction, t, out=self._trio[:, _STEP])
        trial = self.theta + step
        value, gradient = problem.value_and_gradient(trial, out=self._trio[:, _GRADIENT])
        dots = torch.bmm(self._trio[:, :_CHANGE], gradient.unsqueeze(2)).squeeze(2).numpy()
        slope = np.where(self._fresh, 0.0, dots[:, 0] / self._search.t)
        return trial, value.numpy(), slope, np.sqrt(dots[:, 1])

    def _stuck(self, accepted: Mask, norm: Array) -> Mask:
        """Which runs have only wandered within rounding of F, with no smaller gradient, for many steps."""
        improved = accepted & (~self._search.flat | (norm < self._best))
        self._idle = np.where(improved, 0, self._idle + 1)
        self._best = np.where(accepted, np.fmin(self._best, norm), self._best)
        stuck: Mask = self._idle >= _PATIENCE
        return stuck

    def _code(self, accepted: Mask, stalled: Mask, small: Mask) -> Codes:
        self.iterations += accepted & ~self._fresh
        code = np.full(len(accepted), RUNNING, dtype=np.int8)
        code[stalled] = Status.STALLED
        code[self._fresh & ~accepted] = Status.DIVERGED
        code[accepted & (self.iterations >= self.settings.max_iterations)] = Status.ITERATION_LIMIT
        code[accepted & small] = Status.CONVERGED
        return code

    def _turn(self, accepted: Mask, restarted: Mask, trial: Tensor, value: Array, norm: Array) -> None:
        """Take the accepted trials, learn from them, and give them and the restarted runs a new direction."""
        begun = accepted & self._fresh
        self._scale(np.flatnonzero(begun), trial, norm)
        gradient = self._trio[:, _GRADIENT]
        torch.sub(gradient, self._gradient, out=self._trio[:, _CHANGE])
        direction = self._memory.push(self._trio[:, ::_CHANGE], self._trio[:, _GRADIENT:], accepted & ~self._fresh)
        slope = (direction * gradient).sum(1).numpy()
        rejected = ~accepted
        self.theta = _but(trial, rejected, self.theta)
        self._gradient = _but(gradient.clone(), rejected, self._gradient)
        self._plain = np.where(accepted, begun, self._plain)
        self._fresh &= rejected
        restarted = restarted | (accepted & ~(slope < 0))
        if restarted.any():
            self._restart(restarted, direction, slope)
        turned = accepted | restarted
        self._direction = _but(direction, ~turned, self._direction)
        self._search.begin(turned, np.where(accepted, value, self._search.value), slope)

    def _scale(self, begun: Ints, start: Tensor, norm: Array) -> None:
        if len(begun):
            length = torch.linalg.vector_norm(start[begun], dim=1).numpy()
            self._memory.gamma[begun] = _FIRST_STEP * length / norm[begun]

    def _restart(self, runs: Mask, direction: Tensor, slope: Array) -> None:
        """Write steepest descent into the rows `runs` of direction (B, N) and slope (B,), and clear their memory."""
        rows = np.flatnonzero(runs)
        self._memory.clear(rows)
        gradient = self._gradient[rows]
        steepest = gradient * torch.from_numpy(-self._memory.gamma[rows]).unsqueeze(1)
        direction[rows] = steepest
        slope[rows] = (steepest * gradient).sum(1).numpy()
        self._plain |= runs


def _but(new: Tensor, runs: Mask, old: Tensor) -> Tensor:
    """`new` with the few rows `runs` overwritten by those of `old`; copying a few rows beats torch.where on all."""
    rows = torch.from_numpy(np.flatnonzero(runs))
    return new.index_copy_(0, rows, old.index_select(0, rows)) if len(rows) else new
