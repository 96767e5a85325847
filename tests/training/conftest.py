from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
import torch

from dmf.training.engine import train
from dmf.training.result import Runs
from dmf.training.settings import Adam, Continuation, GradientDescent, Lbfgs, Nesterov
from dmf.training.starts import draw_start
from dmf.training.tasks import Execution, Tasks


@dataclass
class Batch:
    targets: np.ndarray
    lams: np.ndarray
    starts: list[np.ndarray]
    tolerance: np.ndarray
    device: str = "cpu"

    def train(
        self, optimizer: Lbfgs | Continuation | GradientDescent | Nesterov | Adam | None = None, **options
    ) -> Runs:
        optimizer, options = optimizer or Lbfgs(name="lbfgs"), {"device": self.device, **options}
        targets = options.pop("targets", self.targets)
        tasks = Tasks(targets, self.lams, self.tolerance, options.pop("inputs", None))
        progress = options.pop("progress", None)
        return train(tasks, self.starts, optimizer, on=Execution(**options), progress=progress)

    def take(self, rows: Sequence[int]) -> "Batch":
        rows = list(rows)
        return Batch(
            self.targets[rows], self.lams[rows], [w[rows] for w in self.starts], self.tolerance[rows], self.device
        )


@pytest.fixture
def device() -> str:
    """Where batches train; modules that hold for both engines parametrize it."""
    return "cpu"


@pytest.fixture
def draw_batch(device) -> Callable[..., Batch]:
    """Gaussian targets with largest singular value 2, log-uniform lambdas, Gaussian starts."""

    def draw(
        widths: Sequence[int],
        count: int,
        lams: tuple[float, float] = (0.02, 1.0),
        tolerance: float = 1e-9,
        seed: int = 0,
    ) -> Batch:
        rng = np.random.default_rng(seed)
        targets = rng.standard_normal((count, widths[-1], widths[0]))
        targets *= 2 / np.linalg.norm(targets, 2, axis=(1, 2))[:, None, None]
        starts = [draw_start("gaussian", widths, rng) for _ in range(count)]
        return Batch(
            targets,
            np.exp(rng.uniform(*np.log(lams), count)),
            [np.stack(layer) for layer in zip(*starts, strict=True)],
            np.full(count, tolerance),
            device,
        )

    return draw


@pytest.fixture(scope="session")
def objective() -> Callable[..., torch.Tensor]:
    """F of one run, written as the paper writes it, for autograd: flat parameters, M, lambda, widths."""

    def evaluate(theta: torch.Tensor, target: torch.Tensor, lam: float, widths: Sequence[int]) -> torch.Tensor:
        sizes = [m * n for n, m in pairwise(widths)]
        layers = [w.reshape(m, n) for w, (n, m) in zip(theta.split(sizes), pairwise(widths), strict=True)]
        product = layers[0]
        for layer in layers[1:]:
            product = layer @ product
        return ((target - product) ** 2).sum() + lam * sum((w**2).sum() for w in layers)

    return evaluate
