"""The solvers that the training benchmark times, all as functions of a problem and a number of runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from dmf import theory
from dmf.training.engine import train
from dmf.training.record import layers_of, points_of
from dmf.training.settings import Lbfgs
from dmf.training.tasks import Execution, Tasks

TOLERANCE = 1e-9
MOST_ITERATIONS = 20_000


@dataclass(frozen=True)
class Problem:
    """Runs of one shape: M (R, d_L, d_0), lambda, and flat starts (R, N)."""

    name: str
    widths: tuple[int, ...]
    lam: float
    targets: np.ndarray
    starts: np.ndarray

    @property
    def useful_flops(self) -> float:
        """Of the products in one evaluation of F and its gradient: L - 1 going up, 2 (L - 1) coming down."""
        columns = self.widths[0]
        return sum(6 * m * n * columns for n, m in pairwise(self.widths[1:]))


Outcome = tuple[np.ndarray, float | None]
"""Final parameters (r, N) and the mean number of evaluations."""


def value_and_gradient(flat: np.ndarray, target: np.ndarray, lam: float, widths: tuple[int, ...]) -> tuple[float, Any]:
    """F and its gradient in plain numpy: what a careful user writes by hand."""
    layers = [w[0] for w in layers_of(flat[None], widths)]
    below = [layers[0]]
    for layer in layers[1:]:
        below.append(layer @ below[-1])
    residual = below[-1] - target
    carried, parts = 2 * residual, []
    for layer, product in zip(layers[:0:-1], below[-2::-1], strict=True):
        parts.append((carried @ product.T + 2 * lam * layer).ravel())
        carried = layer.T @ carried
    parts.append((carried + 2 * lam * layers[0]).ravel())
    return float(np.sum(residual**2) + lam * flat @ flat), np.concatenate(parts[::-1])


def ours(device: str) -> Callable[[Problem, int], Outcome]:
    """An engine of this project on one thread."""

    def solve(problem: Problem, runs: int) -> Outcome:
        tasks = Tasks(problem.targets[:runs], np.full(runs, problem.lam), np.full(runs, TOLERANCE))
        starts = layers_of(problem.starts[:runs], problem.widths)
        optimizer = Lbfgs(name="lbfgs", max_iterations=MOST_ITERATIONS)
        found = train(tasks, starts, optimizer, on=Execution(device))
        return points_of(found.layers), float(found.evaluations.mean())

    return solve


def scipy_lbfgsb(problem: Problem, runs: int) -> Outcome:
    """SciPy's L-BFGS-B with the gradient by hand; its line search gives up at about 1e-8."""
    from scipy.optimize import minimize

    points, evaluations = [], 0
    options = {"maxiter": MOST_ITERATIONS, "maxfun": 2 * MOST_ITERATIONS, "ftol": 0.0, "gtol": TOLERANCE / 10}
    for start, target in zip(problem.starts[:runs], problem.targets, strict=False):
        arguments = (target, problem.lam, problem.widths)
        found = minimize(value_and_gradient, start, arguments, jac=True, method="L-BFGS-B", options=options)
        points.append(found.x)
        evaluations += found.nfev
    return np.stack(points), evaluations / runs


def jax_solver(kind: str, batched: bool) -> Callable[[Problem, int], Outcome]:
    """L-BFGS of optax or jaxopt, compiled: all runs at once (vmap) or one after the other (jit)."""
    import jax
    import jax.numpy as jnp
    import optax

    jax.config.update("jax_enable_x64", True)
    compiled: dict[str, Any] = {}

    def prepare(problem: Problem) -> Any:
        sizes = np.cumsum([m * n for n, m in pairwise(problem.widths)])[:-1]

        def objective(flat: Any, target: Any) -> Any:
            parts = jnp.split(flat, sizes)
            layers = [part.reshape(m, n) for part, (n, m) in zip(parts, pairwise(problem.widths), strict=True)]
            product = layers[0]
            for layer in layers[1:]:
                product = layer @ product
            return jnp.sum((target - product) ** 2) + problem.lam * jnp.sum(flat**2)

        run = _optax_loop(jax, optax, objective) if kind == "optax" else _jaxopt_loop(objective)
        return jax.jit(jax.vmap(run) if batched else run)

    def solve(problem: Problem, runs: int) -> Outcome:
        run = compiled.setdefault(problem.name, prepare(problem))
        if batched:
            return np.asarray(run(problem.starts[:runs], problem.targets[:runs])), None
        pairs = zip(problem.starts[:runs], problem.targets, strict=False)
        return np.stack([np.asarray(run(start, target)) for start, target in pairs]), None

    return solve


def _optax_loop(jax: Any, optax: Any, objective: Any) -> Any:
    """The loop of optax's documentation."""

    def run(start: Any, target: Any) -> Any:
        solver = optax.lbfgs()

        def function(flat: Any) -> Any:
            return objective(flat, target)

        gradient = optax.value_and_grad_from_state(function)

        def step(carry: Any) -> Any:
            flat, state = carry
            value, slope = gradient(flat, state=state)
            update, state = solver.update(slope, state, flat, value=value, grad=slope, value_fn=function)
            return optax.apply_updates(flat, update), state

        def unfinished(carry: Any) -> Any:
            state = carry[1]
            count, slope = optax.tree.get(state, "count"), optax.tree.get(state, "grad")
            return (count == 0) | ((count < MOST_ITERATIONS) & (optax.tree.norm(slope) > TOLERANCE))

        return jax.lax.while_loop(unfinished, step, (start, solver.init(start)))[0]

    return run


def _jaxopt_loop(objective: Any) -> Any:
    from jaxopt import LBFGS

    solver = LBFGS(objective, maxiter=MOST_ITERATIONS, tol=TOLERANCE, implicit_diff=False, jit=True)
    return lambda start, target: solver.run(start, target).params


def torch_adam(problem: Problem, runs: int) -> Outcome:
    """The usual script: torch.optim.Adam with autograd, until F is within 1e-8 of a critical level."""
    import torch

    torch.set_num_threads(1)
    points = []
    for i in range(runs):
        layers = [torch.tensor(w[0], requires_grad=True) for w in layers_of(problem.starts[i : i + 1], problem.widths)]
        target = torch.tensor(problem.targets[i])
        levels = theory.critical_levels(problem.targets[i], len(problem.widths) - 1, problem.lam)
        optimizer = torch.optim.Adam(layers, lr=1e-2)
        for iteration in range(200_000):
            optimizer.zero_grad()
            product = layers[0]
            for layer in layers[1:]:
                product = layer @ product
            value = ((target - product) ** 2).sum() + problem.lam * sum((w**2).sum() for w in layers)
            value.backward()
            optimizer.step()
            if iteration % 20 == 0 and np.min(np.abs(levels - value.item())) < 1e-8:
                break
            if iteration % 2_000 == 1_999:  # a fixed rate never settles to 1e-8, so scripts lower it
                for group in optimizer.param_groups:
                    group["lr"] /= 2
        points.append(np.concatenate([w.detach().numpy().ravel() for w in layers]))
    return np.stack(points), None


SOLVERS: dict[str, Callable[[], Callable[[Problem, int], Outcome]]] = {
    "lanes": lambda: ours("cpu"),
    "torch batch": lambda: ours("torch"),
    "optax vmap": lambda: jax_solver("optax", True),
    "optax jit": lambda: jax_solver("optax", False),
    "jaxopt jit": lambda: jax_solver("jaxopt", False),
    "SciPy L-BFGS-B": lambda: scipy_lbfgsb,
    "torch Adam": lambda: torch_adam,
}
"""Ours first; made when asked for, because most need a library of their own.

jaxopt under vmap is left out: its line search then takes all its steps for every run; one 8 x 8 run takes seconds.
"""
