"""Checks what the engine is given, before any work is done."""

import re
from collections.abc import Sequence
from importlib.util import find_spec
from itertools import pairwise

import numpy as np

from dmf.training.result import Array
from dmf.training.tasks import Execution, Tasks

DEVICE = "auto|cpu|torch|cuda(:[0-9]{1,2})?"
INSTALL = "install it with: pip install 'dmf-landscape[torch]'"


def widths_of(starts: Sequence[Array]) -> tuple[int, ...]:
    """The widths (d_0, ..., d_L) of layers (B, d_l, d_{l-1}). Raises ValueError unless at least two of them chain."""
    shapes = [np.shape(layer) for layer in starts]
    chained = len(shapes) >= 2 and all(len(shape) == 3 and min(shape) >= 1 for shape in shapes)
    if chained:
        chained = all(a[1] == b[2] and a[0] == b[0] for a, b in pairwise(shapes))
    if not chained:
        raise ValueError(
            f"starts: shapes {shapes}, expected two or more layers (B, d_l, d_(l-1)) that chain, none empty"
        )
    return (shapes[0][2], *(shape[1] for shape in shapes))


def check(tasks: Tasks, starts: Sequence[Array], on: Execution) -> tuple[int, ...]:
    """Return the widths of a well-formed batch; raise ValueError naming the first argument that is not.

    Starts may hold values that are not finite: such runs end as diverged.
    """
    widths, inputs = widths_of(starts), tasks.inputs
    count = len(starts[0])
    columns = widths[0] if inputs is None else np.shape(inputs)[-1]
    entries = widths[0] * widths[-1]
    measured = inputs is not None and np.shape(inputs)[1:2] == (entries,) and widths[-1] > 1
    expected: dict[str, tuple[Array, tuple[int, ...]]] = {
        "targets": (tasks.targets, (count, 1 if measured else widths[-1], columns)),
        "lams": (tasks.lams, (count,)),
        "gradient_tolerance": (tasks.gradient_tolerance, (count,)),
    }
    if inputs is not None:
        expected = {"inputs": (inputs, (count, entries if measured else widths[0], columns)), **expected}
    for name, (array, shape) in expected.items():
        if np.shape(array) != shape:
            match = "starts" if inputs is None else "starts and inputs"
            raise ValueError(f"{name}: shape {np.shape(array)}, expected {shape} to match {match}")
    for name, (array, _) in expected.items():
        positive = name in ("lams", "gradient_tolerance")
        bad = ~np.isfinite(array) | (np.less_equal(array, 0) & positive)
        if bad.any():
            value, place = np.asarray(array)[bad][0], tuple(int(i) for i in np.argwhere(bad)[0])
            raise ValueError(f"{name}: {value} at {place}, expected finite{' positive' if positive else ''} numbers")
    if columns < 1:
        raise ValueError(f"inputs: {columns} samples, expected one or more")
    if on.threads < 1:
        raise ValueError(f"threads: {on.threads}, expected 1 or more")
    if on.batch is not None and on.batch < 1:
        raise ValueError(f"batch: {on.batch}, expected 1 or more, or None to choose it here")
    return widths


def check_device(device: str) -> str:
    """Return "cpu", "torch" or "cuda:N" for a device's name; raise ValueError for one that is unknown or not there."""
    if not re.fullmatch(DEVICE, device):
        raise ValueError(f"device: got {device!r}, expected auto, cpu, torch, cuda or cuda:N")
    installed = find_spec("torch") is not None
    if device == "cpu" or (device == "auto" and not installed):
        return "cpu"
    if not installed:
        raise ValueError(f"device: got {device!r}, but torch is not installed; {INSTALL}, or use cpu")
    if device == "torch":
        return device
    import torch

    found = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device == "auto":
        return "cuda:0" if found else "cpu"
    number = int(device.removeprefix("cuda").removeprefix(":") or 0)
    if number >= found:
        raise ValueError(f"device: got {device!r}, but torch sees {found} CUDA devices; use cpu or auto")
    return f"cuda:{number}"
