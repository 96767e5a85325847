"""Parallel branches against torch, brute force over allotments, and the one chain that holds them all."""

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
import torch
import xarray as xr

from dmf import theory
from dmf.studies._newton import hessians, minimize, smallest_curvature
from dmf.studies.branches import Branches, closed_trace

Halves = tuple[xr.Dataset, xr.Dataset]
RNG = np.random.default_rng(0)


def torch_value(point: torch.Tensor, problem: Branches) -> torch.Tensor:
    size = len(problem.target)
    layers = point.reshape(problem.count, problem.depth, size, size)
    x = sum(torch.linalg.multi_dot(list(branch.flip(0))) for branch in layers)
    return ((x - torch.from_numpy(problem.target)) ** 2).sum() + problem.lam * (point**2).sum()


@pytest.mark.parametrize(("count", "depth"), [(2, 2), (2, 3), (3, 4)])
def test_values_gradients_and_hessians_are_those_of_torch(count: int, depth: int) -> None:
    problem = Branches(RNG.standard_normal((2, 2)), count, depth, 0.3)
    points = RNG.standard_normal((2, problem.parameters))
    for point, value, slope, hessian in zip(
        points, problem.values(points), problem.gradients(points), hessians(problem, points), strict=True
    ):
        at = torch.tensor(point, requires_grad=True)
        expected = torch_value(at, problem)
        (gradient,) = torch.autograd.grad(expected, at)
        assert value == pytest.approx(expected.item(), rel=1e-12)
        np.testing.assert_allclose(slope, gradient.numpy(), atol=1e-12)
        found = torch.autograd.functional.hessian(lambda one, problem=problem: torch_value(one, problem), at.detach())
        np.testing.assert_allclose(hessian, found.numpy(), atol=1e-11)


def test_branches_are_a_chain_of_block_diagonal_layers() -> None:
    """F of the branches is F of one chain of twice the width, computed by the theory's own objective."""
    problem = Branches(RNG.standard_normal((3, 3)), 2, 4, 0.2)
    point = RNG.standard_normal(problem.parameters)
    one, other = problem.layers(point)
    zero = np.zeros((3, 3))
    layers = [
        np.vstack([one[0], other[0]]),
        *[np.block([[a, zero], [zero, b]]) for a, b in zip(one[1:-1], other[1:-1], strict=True)],
        np.hstack([one[-1], other[-1]]),
    ]
    assert problem.values(point) == pytest.approx(theory.objective(layers, problem.target, 0.2), rel=1e-13)


@pytest.mark.parametrize("own", list(product((0, 1), repeat=3)))
def test_the_trace_of_every_allotment_is_that_of_torch_at_a_point_made_by_hand(own: tuple[int, ...]) -> None:
    sigma, depth = np.array([2.0, 1.4, 1.0]), 4
    problem = Branches(np.diag(sigma), 2, depth, 0.05)
    s = theory.scalar_minimizer(sigma, depth, 0.05) ** (1 / depth)
    layers = [[np.diag(np.where(np.equal(own, k), s, 0.0))] * depth for k in range(2)]
    point = np.array(layers).ravel()
    assert np.linalg.norm(problem.gradients(point)) < 1e-13
    assert problem.values(point) == pytest.approx(theory.minimum_value(problem.target, depth, 0.05), rel=1e-13)
    hessian = torch.autograd.functional.hessian(lambda one: torch_value(one, problem), torch.from_numpy(point))
    assert closed_trace(own, s, problem) == pytest.approx(torch.trace(hessian).item(), rel=1e-12)
    assert torch.linalg.eigvalsh(hessian).min() > -1e-10


def test_together_minus_apart_is_the_sum_over_pairs_that_share_a_branch() -> None:
    depth = 5
    problem, s = Branches(np.eye(3), 3, depth, 0.1), np.array([1.2, 1.0, 0.7])
    together, apart = closed_trace((0, 0, 0), s, problem), closed_trace((0, 1, 2), s, problem)
    pairs = [(i, j) for i in range(3) for j in range(3) if i != j]
    expected = sum(s[i] ** (2 * (depth - n)) * s[j] ** (2 * (n - 1)) for i, j in pairs for n in range(2, depth))
    assert together - apart == pytest.approx(2 * expected, rel=1e-12)


def test_newton_ends_at_the_minimum_of_a_function_that_is_known() -> None:
    """(x^2 - 1)^2 + 3 y^2: two minimizers, and a saddle at zero that runs must leave."""

    class Wells:
        def values(self, points: np.ndarray) -> np.ndarray:
            return (points[..., 0] ** 2 - 1) ** 2 + 3 * points[..., 1] ** 2

        def gradients(self, points: np.ndarray) -> np.ndarray:
            x, y = points[..., 0], points[..., 1]
            return np.stack([4 * x * (x**2 - 1), 6 * y], axis=-1)

    ends = minimize(Wells(), np.array([[1e-3, 1.0], [-0.4, 2.0], [5.0, -1.0]]), 1e-12)
    np.testing.assert_allclose(ends.points, [[1, 0], [-1, 0], [1, 0]], atol=1e-12)
    np.testing.assert_allclose(ends.spectrum, [[6, 8]] * 3)
    assert ends.gradient_norm.max() < 1e-12


def test_zero_modes_are_counted_and_a_negative_curvature_has_no_smallest_one() -> None:
    zeros, mu = smallest_curvature(np.array([[-1e-16, 0.0, 2.0, 3.0], [-0.1, 0.0, 2.0, 3.0]]))
    assert zeros.tolist() == [2, 1]
    assert mu[0] == 2
    assert np.isnan(mu[1])


def test_nearly_all_runs_are_certified_and_most_cells_have_several_allotments(study: Callable[[str], Halves]) -> None:
    honest, control = study("branches")
    assert float((honest["certified"] == 1).mean()) > 0.9
    for cell in range(honest.sizes["cell"]):
        here = honest.isel(cell=cell)
        assert len(np.unique(here["largest_branch"].values[here["minimal"].values == 1])) >= 2
    two = control.isel(cell=0)
    assert float(two["trace_spread"].max()) < 1e-9
    assert float(two["norm_spread"].max()) > 0.1


def test_traces_that_were_measured_are_apart_as_the_formula_says(study: Callable[[str], Halves]) -> None:
    cell = study("branches")[0].isel(cell=1)
    sigma, depth, count, lam = np.array([2.0, 1.4]), 3, 3, float(cell["lam"])
    s = theory.scalar_minimizer(sigma, depth, lam) ** (1 / depth)
    problem = Branches(np.diag(sigma), count, depth, lam)
    known = {1: closed_trace((0, 1), s, problem), 2: closed_trace((0, 0), s, problem)}
    minimal = cell["minimal"].values == 1
    for fullest, trace in zip(cell["largest_branch"].values[minimal], cell["trace"].values[minimal], strict=True):
        assert trace == pytest.approx(known[int(fullest)], rel=1e-9)
