"""Trains and measures runs of one shape on one torch device: numpy in, numpy out."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from dmf.training.result import Array, Finished, Measures
from dmf.training.settings import Adam, GradientDescent, Lbfgs, Nesterov
from dmf.training.tasks import Progress, Tasks
from dmf.training.torch_engine.first_order import FirstOrder
from dmf.training.torch_engine.lbfgs import LbfgsMethod
from dmf.training.torch_engine.objective import (
    Problems,
    columns_of,
    fill_lines,
    layer_views,
    prefix_products,
    value_and_gradient,
    whole_lines,
)
from dmf.training.torch_engine.slots import MIN_SLOTS, Method, Queue, train

_CACHE_BYTES = 32e6  # measured: a smaller state gains less from the cache than it loses on calls
_PROCESSOR = (64, 512)  # fewer waste time on the cost of a call, more on the last runs of a batch
_FREE_SHARE = 0.5  # of a card's free memory; torch keeps freed blocks of other sizes, and others use the card too


class BatchEngine:
    """The torch engine on "cpu" or "cuda:N"; `batch` runs side by side, or None for as many as suit the device."""

    def __init__(self, device: str, widths: tuple[int, ...], threads: int, batch: int | None) -> None:
        """Take a torch device's name, the widths (d_0, ..., d_L) and the number of torch threads."""
        self._device, self._widths, self._threads, self._batch = device, widths, threads, batch

    def minimize(
        self,
        tasks: Tasks,
        begun: Finished,
        optimizer: Lbfgs | GradientDescent | Nesterov | Adam,
        progress: Progress,
        inverse: Array | None = None,
    ) -> Finished:
        """Train R runs (see dmf.training.tasks.Minimize)."""
        if isinstance(optimizer, Lbfgs):
            method: Method = LbfgsMethod(optimizer, self._widths, refining=inverse is not None)
            slots = self._slots(tasks, optimizer.memory)
        else:
            method, slots = FirstOrder(optimizer, self._widths), self._slots(tasks, 0)
        queue = Queue(tasks, begun, inverse)
        with torch_threads(self._threads), torch.inference_mode():
            return train(queue, self._widths, method, slots, self._device, progress or (lambda finished: None))

    def measure(self, tasks: Tasks, points: Array) -> Measures:
        """Measure R runs at parameters (R, N)."""
        count, slots = len(points), max(self._slots(tasks, 0), MIN_SLOTS)
        parts = []
        with torch_threads(self._threads), torch.inference_mode():
            for first in range(0, count, slots):
                rows = np.arange(first, min(first + slots, count))
                filled = np.resize(rows, max(len(rows), MIN_SLOTS))
                problems = Problems.on(self._device, tasks.take(filled), self._widths)
                theta = fill_lines(torch.from_numpy(points[filled]).to(self._device))
                parts.append([array[: len(rows)] for array in measure(problems, theta, self._widths)])
        return Measures(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def _slots(self, tasks: Tasks, pairs: int) -> int:
        data = 0 if tasks.inputs is None else tasks.inputs.shape[1] + 2 * tasks.targets.shape[1]
        return self._batch or runs_side_by_side(self._device, self._widths, pairs, data)


@contextmanager
def torch_threads(threads: int) -> Iterator[None]:
    """So many threads of torch, for as long as the context lasts."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def bytes_of_a_run(widths: tuple[int, ...], pairs: int, data: int = 0) -> int:
    """Memory that a run with `pairs` stored pairs needs: its state, what a round holds, and its `data`."""
    size = whole_lines(sum(m * n for n, m in pairwise(widths)))
    products = columns_of(widths) * (sum(widths[1:]) + 2 * max(widths) + 2 * widths[-1])
    return 8 * ((2 * pairs + 12) * size + products + data + 2 * pairs * pairs + 64)


def runs_side_by_side(device: str, widths: tuple[int, ...], pairs: int, data: int = 0) -> int:
    """As many runs as the processor's cache or half of a card's free memory holds."""
    need = bytes_of_a_run(widths, pairs, data)
    if device == "cpu":
        least, most = _PROCESSOR
        return min(max(int(_CACHE_BYTES / need), least), most)
    free, _ = torch.cuda.mem_get_info(device)
    return max(int(_FREE_SHARE * free / need), MIN_SLOTS)


def measure(problems: Problems, theta: Tensor, widths: Sequence[int]) -> Measures:
    """Measure B >= 2 runs at flat parameters (B, N) with zeros past the last.

    A diverged run's numbers may be infinite or NaN.
    """
    layers = layer_views(theta, widths)
    value, gradient = value_and_gradient(problems, theta, widths)
    end_to_end = _products(layers)[-1][:, :, : widths[0]].flatten(1)
    norms = torch.stack([_norm_sq(layer) for layer in layers], dim=1)
    numbers = (
        value,
        gradient.square().sum(1).sqrt(),
        end_to_end,
        norms,
        imbalance(layers),
        hessian_trace(problems, layers),
    )
    return Measures(*(tensor.cpu().numpy() for tensor in numbers))


def imbalance(layers: Sequence[Tensor]) -> Tensor:
    """max over l of ||W_{l+1}^T W_{l+1} - W_l W_l^T||_F (B,): zero at critical points (Theorem 2)."""
    gaps = [_norm_sq(_gram(above.mT) - _gram(below)) for below, above in pairwise(layers)]
    return torch.stack(gaps).amax(0).sqrt()


def hessian_trace(problems: Problems, layers: Sequence[Tensor]) -> Tensor:
    """The exact trace of the Hessian of F (B,), at any point (eq. 90-92).

    tr = sum_l 2 ||W_L ... W_{l+1}||_F^2 ||W_{l-1} ... W_1 X||_F^2 + 2 lam N, where an empty product is an identity, of
    squared norm d_L or, without inputs X, d_0. N is the number of parameters. NaN for measurements of single rows.
    """
    lam = problems.lams
    identity = torch.ones_like(lam)
    prefixes = _products(layers)[:-1]
    if problems.inputs.ndim == 2:
        below = [identity * layers[0].shape[2], *(_norm_sq(p) for p in prefixes)]
    elif problems.targets.shape[1] == layers[-1].shape[1]:
        inputs = problems.inputs[:, : layers[0].shape[2]]
        seen = [torch.bmm(p[:, :, : inputs.shape[1]], inputs) for p in prefixes]
        below = [_norm_sq(matrices) for matrices in (inputs, *seen)]
    else:
        return torch.full_like(lam, torch.nan)
    # The products from the top are the transposes of the prefix products of the transposed layers in reverse.
    transposed = [layer.mT for layer in reversed(layers)]
    above = [identity * layers[-1].shape[1], *(_norm_sq(p) for p in _products(transposed)[:-1])]
    parameters = sum(layer[0].numel() for layer in layers)
    return 2 * sum((a * b for a, b in zip(reversed(above), below, strict=True)), lam * parameters)


def _products(layers: Sequence[Tensor]) -> list[Tensor]:
    return prefix_products(layers, whole_lines(layers[0].shape[2]))


def _gram(matrices: Tensor) -> Tensor:
    """A A^T, with columns filled up to whole cache lines (see dmf.training.torch_engine.objective)."""
    filled = pad(matrices, (0, whole_lines(matrices.shape[2]) - matrices.shape[2]))
    return torch.bmm(filled, filled.mT)


def _norm_sq(matrices: Tensor) -> Tensor:
    return matrices.square().flatten(1).sum(1)
