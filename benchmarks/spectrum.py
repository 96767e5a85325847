"""The Hessian spectrum at a minimizer: the closed form beside a dense Hessian and beside curvlinops.

    pip install -e '.[bench]'
    python benchmarks/spectrum.py

Every measurement is a process of its own with one thread; imports and set-up are not timed, memory is the peak of the
whole process. All methods get the same minimizer of the same problem: a Gaussian target scaled to spectral norm 3,
depth 4, lambda = 0.001. What they return is compared with the closed form; the closed form with the exact trace and the
number of zero modes, and with the dense Hessian where that fits.
"""

import json
import math
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from itertools import pairwise
from typing import Any

import numpy as np

from dmf import theory

DEPTH, LAM = 4, 1e-3
MATVECS = 60  # of a trace estimate
SIZES = {"closed form": (16, 32, 64, 512), "dense autograd": (16, 32, 64), "curvlinops, dense": (16, 32)}
SIZES |= {"curvlinops, largest": (16, 32, 64, 512), "curvlinops, trace": (16, 32, 64, 512)}
Result = dict[str, float | str]


def problem(size: int) -> tuple[np.ndarray, list[int]]:
    """Target and widths."""
    target = np.random.default_rng(0).standard_normal((size, size))
    return 3 * target / np.linalg.norm(target, 2), [size] * (DEPTH + 1)


def timed(task: Callable[[], np.ndarray]) -> tuple[np.ndarray, float]:
    """The result, and the shortest time of up to five runs within five seconds: the first may pay for warming up."""
    times: list[float] = []
    while len(times) < 5 and sum(times) < 5:
        began = time.perf_counter()
        result = task()
        times.append(time.perf_counter() - began)
    return result, min(times)


def closed_form(size: int) -> Result:
    """All eigenvalues, by dmf."""
    target, widths = problem(size)
    values, seconds = timed(lambda: theory.hessian_spectrum(target, widths, LAM))
    exact = theory.minimizer_hessian_trace(target, widths, LAM)
    orbit = theory.zero_modes(widths, theory.kept_at_minimum(target, DEPTH, LAM))
    counted = "exact" if np.count_nonzero(values == 0) == orbit else "WRONG"
    error = abs(math.fsum(values) / exact - 1)
    return {"gives": f"all {values.size:,}", "seconds": seconds, "error": error, "of": f"trace; zero modes {counted}"}


def dense_autograd(size: int) -> Result:
    """All eigenvalues, by reverse over reverse and a dense eigensolver."""
    import torch

    target, widths = problem(size)
    layers = theory.sample_minimizer(target, widths, LAM, np.random.default_rng(1))
    goal, shapes = torch.tensor(target), [layer.shape for layer in layers]

    def loss(theta: torch.Tensor) -> torch.Tensor:
        weights = [part.reshape(s) for part, s in zip(theta.split([math.prod(s) for s in shapes]), shapes, strict=True)]
        return ((goal - torch.linalg.multi_dot(weights[::-1])) ** 2).sum() + LAM * (theta**2).sum()

    theta = torch.tensor(np.concatenate([layer.ravel() for layer in layers]))
    hessian = torch.func.jacrev(torch.func.grad(loss), chunk_size=256)
    values, seconds = timed(lambda: np.asarray(torch.linalg.eigvalsh(hessian(theta))))
    return against_closed_form(values, seconds, size)


def against_closed_form(values: np.ndarray, seconds: float, size: int) -> Result:
    """All eigenvalues compared, the worst in units of the largest."""
    exact = theory.hessian_spectrum(*problem(size), LAM)
    error = float(np.abs(values - exact).max() / exact[-1])
    return {"gives": f"all {values.size:,}", "seconds": seconds, "error": error, "of": "worst, of the largest"}


def operator(size: int) -> Any:
    """Curvlinops' Hessian of the data term; the regularizer adds 2 lambda to every eigenvalue."""
    import torch
    from curvlinops import HessianLinearOperator

    target, widths = problem(size)
    layers = theory.sample_minimizer(target, widths, LAM, np.random.default_rng(1))
    parts = [torch.nn.Linear(columns, rows, bias=False, dtype=torch.float64) for columns, rows in pairwise(widths)]
    for part, layer in zip(parts, layers, strict=True):
        part.weight.data = torch.tensor(layer)
    model = torch.nn.Sequential(*parts)
    data = [(torch.eye(size, dtype=torch.float64), torch.tensor(target.T.copy()))]
    loss = torch.nn.MSELoss(reduction="sum")
    return HessianLinearOperator(model, loss, list(model.parameters()), data, check_deterministic=False)


def curvlinops_dense(size: int) -> Result:
    """All eigenvalues, by multiplying curvlinops' operator with the identity and a dense eigensolver."""
    import torch

    hessian, count = operator(size), theory.parameter_count(problem(size)[1])

    def spectrum() -> np.ndarray:
        columns = [hessian @ part for part in torch.eye(count, dtype=torch.float64).split(256, dim=1)]
        return np.asarray(torch.linalg.eigvalsh(torch.cat(columns, dim=1)) + 2 * LAM)

    values, seconds = timed(spectrum)
    return against_closed_form(values, seconds, size)


def curvlinops_largest(size: int) -> Result:
    """lambda_max, by Lanczos on curvlinops' operator."""
    from scipy.sparse.linalg import eigsh

    hessian = operator(size).to_scipy()
    values, seconds = timed(lambda: eigsh(hessian, k=1, which="LA", return_eigenvectors=False, v0=start(hessian)))
    exact = theory.hessian_spectrum(*problem(size), LAM)[-1]
    return {"gives": "1", "seconds": seconds, "error": abs((values[0] + 2 * LAM) / exact - 1), "of": "that value"}


def start(hessian: Any) -> np.ndarray:
    """A fixed start for Lanczos."""
    return np.random.default_rng(2).standard_normal(hessian.shape[0])


def curvlinops_trace(size: int) -> Result:
    """The trace, by curvlinops' XTrace."""
    import torch
    from curvlinops import xtrace

    torch.manual_seed(0)
    hessian, (target, widths) = operator(size), problem(size)
    found, seconds = timed(lambda: np.asarray(xtrace(hessian, num_matvecs=MATVECS)))
    exact = theory.minimizer_hessian_trace(target, widths, LAM)
    error = abs((float(found) + 2 * LAM * theory.parameter_count(widths)) / exact - 1)
    return {"gives": "trace", "seconds": seconds, "error": error, "of": f"the trace, {MATVECS} products"}


METHODS: dict[str, Callable[[int], Result]] = {
    "closed form": closed_form,
    "dense autograd": dense_autograd,
    "curvlinops, dense": curvlinops_dense,
    "curvlinops, largest": curvlinops_largest,
    "curvlinops, trace": curvlinops_trace,
}


def measure(method: str, size: int) -> Result:
    """One measurement in a process of its own, with one thread."""
    single = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    command = [sys.executable, __file__, method, str(size)]
    output = subprocess.run(command, env=os.environ | single, check=True, capture_output=True, text=True).stdout
    return json.loads(output)


def main() -> None:
    """Print the table."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("numpy", "torch", "curvlinops-for-pytorch", "scipy"))
    print(f"{platform.machine()}, Python {platform.python_version()}, {versions}, one thread a measurement")
    print("  d          N method               gives              seconds  peak MiB    error  of")
    for size in (16, 32, 64, 512):
        for method in METHODS:
            count = DEPTH * size * size
            head = f"{size:3d} {count:10,d} {method:20s}"
            if size not in SIZES[method]:
                print(f"{head} not run: {8 * count**2 / 2**30:,.0f} GiB for the matrix alone")
                continue
            one = measure(method, size)
            print(
                f"{head} {one['gives']:14s} {one['seconds']:11.4f} {one['peak']:9.0f} {one['error']:8.1e}  {one['of']}"
            )


if __name__ == "__main__":
    if len(sys.argv) == 3:
        result = METHODS[sys.argv[1]](int(sys.argv[2]))
        print(json.dumps(result | {"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
    else:
        main()
