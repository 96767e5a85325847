"""What theory says of a cell, against autograd at points built here."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
import torch

from dmf import theory
from dmf.evidence.cells import cell_facts, gradient_norm, gradient_separation
from dmf.grid.cells import Group


def by_autograd(layers: Sequence[np.ndarray], target: np.ndarray, lam: float) -> float:
    """Gradient norm of F, written as the paper writes it."""
    tensors = [torch.tensor(layer, dtype=torch.float64, requires_grad=True) for layer in layers]
    product = tensors[0]
    for tensor in tensors[1:]:
        product = tensor @ product
    value = ((torch.tensor(target) - product) ** 2).sum() + lam * sum((t**2).sum() for t in tensors)
    value.backward()  # type: ignore[no-untyped-call]
    return float(torch.cat([t.grad.flatten() for t in tensors if t.grad is not None]).norm())


@pytest.mark.parametrize("widths", [(1, 1, 1), (3, 4, 2), (2, 5, 4, 3), (3, 3, 3, 3, 3)])
def test_the_gradient_is_that_of_autograd(widths: tuple[int, ...]) -> None:
    rng = np.random.default_rng(1)
    layers = [rng.standard_normal((m, n)) for n, m in pairwise(widths)]
    target = rng.standard_normal((widths[-1], widths[0]))
    assert gradient_norm(layers, target, 0.3) == pytest.approx(by_autograd(layers, target, 0.3), rel=1e-12)


@pytest.mark.parametrize("depth", [3, 4, 7])
@pytest.mark.parametrize("away", [-1e-3, 1e-3])
def test_merging_roots_are_told_apart_by_the_gradient_at_their_middle(depth: int, away: float) -> None:
    lam = 0.7
    m = float(theory.branch_threshold(depth, lam)) * (1 + away)
    inflection = (lam * (depth - 2) / depth) ** (depth / (2 * (depth - 1)))
    layers = [np.array([[inflection ** (1 / depth)]])] * depth
    truth = by_autograd(layers, np.array([[m]]), lam)
    assert gradient_separation(np.array([m]), depth, lam) == pytest.approx(truth, rel=1e-9)


def test_at_depth_two_by_the_steepest_point_between_zero_and_the_root() -> None:
    lam, m = 0.7, 0.7 + 1e-3
    steepest = max(by_autograd([np.array([[w]])] * 2, np.array([[m]]), lam) for w in np.linspace(0, 1e-3**0.5, 2001))
    assert gradient_separation(np.array([m]), 2, lam) == pytest.approx(steepest, rel=1e-6)


@pytest.mark.parametrize("depth", [3, 5])
def test_keeping_one_of_two_close_values_is_told_from_the_other_by_the_gradient_halfway(depth: int) -> None:
    lam, sigma = 0.2, np.array([2.0, 2.0 - 1e-6])
    s = float(theory.large_root(sigma.mean(), depth, lam)) ** (1 / depth)
    between = np.array([[1.0], [1.0]]) / np.sqrt(2)
    inner = np.zeros((2, 2))
    inner[0, 0] = s
    layers = [s * np.array([[1.0], [0.0]]) @ between.T, *[inner] * (depth - 2), s * between @ np.array([[1.0, 0.0]])]
    truth = by_autograd(layers, np.diag(sigma), lam)
    assert gradient_separation(sigma, depth, lam) == pytest.approx(truth, rel=1e-4)


@pytest.mark.parametrize("depth", [3, 4, 7])
@pytest.mark.parametrize("share", [1e-2, 1e-4])
def test_zero_is_told_from_the_small_root_by_the_steepest_point_between(depth: int, share: float) -> None:
    """The bound leaves out the product itself, so it lies below the truth, and near it where lambda is small."""
    m = 1.7
    lam = share * float(theory.critical_lambda(m, depth))
    root = float(theory.small_root(m, depth, lam)) ** (1 / depth)
    between = [by_autograd([np.array([[w]])] * depth, np.array([[m]]), lam) for w in np.linspace(0, root, 2001)]
    found = gradient_separation(np.array([m]), depth, lam)
    assert found <= max(between) * (1 + 1e-5)  # the steepest of 2,001 points
    assert found == pytest.approx(max(between), rel=0.05)


def test_equal_values_need_no_telling_apart_and_degenerate_ones_cannot_be() -> None:
    far = gradient_separation(np.array([2.0, 2.0]), 3, 0.2)
    assert gradient_separation(np.array([2.0, 2.0 * (1 - 4e-16)]), 3, 0.2) == pytest.approx(far, rel=1e-12)
    assert far > 0.01
    m_loc = float(theory.branch_threshold(3, 0.2))
    assert gradient_separation(np.array([2.0, m_loc]), 3, 0.2) == 0
    assert gradient_separation(np.array([2.0, 0.2]), 2, 0.2) == 0


SHAPES = [((1, 1, 1), [2.0]), ((3, 3, 3, 3), [2.0, 1.0, 0.1]), ((2, 6, 4, 3), [1.5, 1.5]), ((5, 4, 4, 4, 4, 4), [2.0])]


@pytest.mark.parametrize(("widths", "sigma"), SHAPES)
@pytest.mark.parametrize("lam", [1e-3, 0.3, 5.0])
def test_layers_made_from_the_schatten_minimizer_are_a_minimizer(
    widths: tuple[int, ...], sigma: list[float], lam: float
) -> None:
    target = np.zeros((widths[-1], widths[0]))
    np.fill_diagonal(target, sigma + [0.0] * (min(target.shape) - len(sigma)))
    facts = cell_facts(target, Group(widths), lam)
    assert facts["factorized"] == pytest.approx(facts["minimum"], rel=1e-13)
    assert facts["factorized_gradient"] <= facts["factorized_tolerance"]
    assert facts["factorized_tolerance"] < 1e-10


@pytest.mark.parametrize(
    ("widths", "lam", "attains"),
    [
        ((1, 1, 1, 1), 0.1, 1),
        ((1, 4, 3, 1), 0.1, 1),
        ((1, 1, 1, 2), 0.1, 0),
        ((2, 2, 2), 0.1, 0),
        ((2, 2, 2), 50.0, 1),
        ((3, 4, 5, 2), 50.0, 1),
    ],
)
def test_the_trace_bound_is_attained_at_zero_and_by_scalars_only(
    widths: tuple[int, ...], lam: float, attains: int
) -> None:
    target = np.zeros((widths[-1], widths[0]))
    target[0, 0] = 2.0
    facts = cell_facts(target, Group(widths), lam)
    assert facts["attains"] == attains
    assert (facts["predicted_trace"] == pytest.approx(facts["trace_bound"], rel=1e-12)) == bool(attains)
