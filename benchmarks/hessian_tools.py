"""Tools for Hessians, scored against Hessians whose every eigenvalue is known.

    pip install -e '.[bench]' pyhessian
    python benchmarks/hessian_tools.py

Each tool gets the same points of `dmf.reference` and as many products with the Hessian: a minimizer, the same with
spare neurons, whose orbit is two thirds of all directions, and a saddle. What it returns is compared with the closed
form: a trace by its relative error, an end of the spectrum by its error in units of the largest eigenvalue, a density
by how far its weight must be moved (Wasserstein), in the same units. Root mean squares over SEEDS draws of vectors.
"""

import platform
import sys
from collections.abc import Callable
from importlib.metadata import version
from itertools import pairwise
from typing import Any

import curvlinops
import numpy as np
import torch
from pyhessian import hessian as PyHessian
from scipy.sparse.linalg import LinearOperator, eigsh
from scipy.stats import wasserstein_distance

import dmf

PRODUCTS, SEEDS = 60, 10
VALUES = [4, 3, 2.5, 2, 1.5, 1.2, 1, 0.8]
POINTS = {
    "minimizer": dmf.reference.problem(VALUES, depth=3, lam=0.05, seed=1),
    "minimizer, spare neurons": dmf.reference.problem(VALUES, depth=3, lam=0.05, widths=24, seed=1),
    "saddle": dmf.reference.problem(VALUES, depth=3, lam=0.05, kept=5, seed=1),
}
Point = dmf.reference.Problem
Weighted = tuple[np.ndarray, np.ndarray]


def network(point: Point) -> torch.nn.Sequential:
    """The layers at the point."""
    sizes = [point.layers[0].shape[1], *(len(layer) for layer in point.layers)]
    parts = [torch.nn.Linear(columns, rows, bias=False) for columns, rows in pairwise(sizes)]
    for part, layer in zip(parts, point.layers, strict=True):
        part.weight.data = torch.tensor(layer)
    return torch.nn.Sequential(*parts)


def curvlinops_operator(point: Point) -> Any:
    """Of the data term; the regularizer adds 2 lambda to every eigenvalue, exactly."""
    model, data = network(point), [(torch.eye(len(point.target)), torch.tensor(point.target.T.copy()))]
    loss = torch.nn.MSELoss(reduction="sum")
    return curvlinops.HessianLinearOperator(model, loss, list(model.parameters()), data, check_deterministic=False)


def pyhessian(point: Point) -> Any:
    """PyHessian's object, of all of F."""
    model = network(point)

    def loss(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return ((output - target) ** 2).sum() + point.lam * sum((w**2).sum() for w in model.parameters())

    data = (torch.eye(len(point.target)), torch.tensor(point.target.T.copy()))
    return PyHessian(model, loss, data=data, cuda=False)


def by_curvlinops(method: Callable[..., torch.Tensor]) -> Callable[[Point], float]:
    """A trace by one of curvlinops' estimators."""
    return lambda p: float(method(curvlinops_operator(p), num_matvecs=PRODUCTS)) + 2 * p.lam * p.spectrum.size


def by_scipy(which: str) -> Callable[[Point], float]:
    """An end of the spectrum by ARPACK, with as many vectors as products."""

    def found(point: Point) -> float:
        operator: LinearOperator = curvlinops_operator(point).to_scipy()
        start = np.random.default_rng(torch.initial_seed()).standard_normal(operator.shape[0])
        values = eigsh(operator, 1, which=which, ncv=PRODUCTS - 1, maxiter=1, tol=1e-3, v0=start)[0]
        return float(values[0]) + 2 * point.lam

    return found


def curvlinops_density(point: Point) -> Weighted:
    """Its spectral density on a grid."""
    grid, density = curvlinops.lanczos_approximate_spectrum(curvlinops_operator(point), ncv=PRODUCTS)
    return np.asarray(grid) + 2 * point.lam, np.asarray(density)


def eig(matrix: torch.Tensor, eigenvectors: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """Of a symmetric matrix, as torch.eig gave it, which PyHessian 0.1 calls and torch no longer has."""
    values, vectors = torch.linalg.eigh(matrix)
    return torch.stack([values, torch.zeros_like(values)], dim=1), vectors


def pyhessian_density(point: Point) -> Weighted:
    """Its Ritz values and their weights, which are a density before any smoothing."""
    torch.eig = eig  # type: ignore[assignment]
    values, weights = pyhessian(point).density(iter=PRODUCTS, n_v=1)
    return np.ravel(values), np.ravel(weights)


TRACES: dict[str, Callable[[Point], float]] = {
    "curvlinops, Hutchinson": by_curvlinops(curvlinops.hutchinson_trace),
    "PyHessian, Hutchinson": lambda p: float(np.mean(pyhessian(p).trace(maxIter=PRODUCTS, tol=0))),
    "curvlinops, Hutch++": by_curvlinops(curvlinops.hutchpp_trace),
    "curvlinops, XTrace": by_curvlinops(curvlinops.xtrace),
}
LARGEST: dict[str, Callable[[Point], float]] = {
    "SciPy, Lanczos": by_scipy("LA"),
    "PyHessian, power iteration": lambda p: pyhessian(p).eigenvalues(maxIter=PRODUCTS, tol=0)[0][0],
}
SMALLEST: dict[str, Callable[[Point], float]] = {"SciPy, Lanczos": by_scipy("SA")}
DENSITIES: dict[str, Callable[[Point], Weighted]] = {
    "curvlinops, Lanczos": curvlinops_density,
    "PyHessian, Lanczos": pyhessian_density,
}


def away(found: Weighted, point: Point) -> float:
    """How far the density is from the true one, in units of the largest eigenvalue."""
    weights = np.maximum(found[1], 0)
    return float(wasserstein_distance(found[0], point.spectrum, weights)) / point.spectrum[-1]


def scored(tool: Callable[[Point], Any], error: Callable[[Any, Point], float], point: Point) -> float:
    """Root mean square of the tool's error over draws."""
    errors = []
    for seed in range(SEEDS):
        torch.manual_seed(seed)
        errors.append(error(tool(point), point))
    return float(np.sqrt(np.mean(np.square(errors))))


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    names = ("torch", "curvlinops-for-pytorch", "pyhessian", "scipy")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    print(f"{platform.machine()}, Python {platform.python_version()}, {versions}; {PRODUCTS} products a result")
    for name, point in POINTS.items():
        print(f"{name}: N = {point.spectrum.size}, {point.zero_modes} zeros, {point.negative} negative eigenvalues")
    groups = (
        ("trace", TRACES, lambda found, p: found / p.trace - 1),
        ("largest eigenvalue", LARGEST, lambda found, p: found / p.spectrum[-1] - 1),
        ("smallest eigenvalue", SMALLEST, lambda found, p: (found - p.spectrum[0]) / p.spectrum[-1]),
        ("density", DENSITIES, away),
    )
    print(f"{'':48s}" + "".join(f"{name:>26s}" for name in POINTS))
    for what, tools, error in groups:
        for tool, method in tools.items():
            errors = [scored(method, error, point) for point in POINTS.values()]
            print(f"{what:20s} {tool:27s}" + "".join(f"{one:26.1e}" for one in errors), flush=True)


if __name__ == "__main__":
    sys.exit(main())
