"""Pieces of minimizers and the pass between two: rotations made by hand, a landscape that is known, brute force."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import torch
import xarray as xr
from scipy.stats import ortho_group, special_ortho_group

from dmf import theory
from dmf.studies._layers import layers_of
from dmf.studies._paths import joining, lowest_pass, turned
from dmf.studies.components import CELLS, Valued, height_of_pass

Halves = tuple[xr.Dataset, xr.Dataset]


def balanced(frames: list[np.ndarray], s: np.ndarray) -> list[np.ndarray]:
    return [above[:, : len(s)] * s @ below[:, : len(s)].T for below, above in pairwise(frames)]


@pytest.mark.parametrize("widths", [(2, 2, 2), (2, 3, 2, 2), (3, 3, 4, 2)])
def test_rotations_are_found_where_they_exist_and_the_path_ends_at_the_other_point(widths: tuple[int, ...]) -> None:
    s = np.array([1.2, 0.8])
    frames = [ortho_group.rvs(width, random_state=place) for place, width in enumerate(widths)]
    turns = [np.eye(widths[0])]
    turns += [special_ortho_group.rvs(width, random_state=9 + place) for place, width in enumerate(widths[1:-1])]
    turns.append(np.eye(widths[-1]))
    one = balanced(frames, s)
    other = balanced([turn @ frame for turn, frame in zip(turns, frames, strict=True)], s)
    found = joining(one, other, frames[0][:, :2])
    assert found is not None
    assert all(np.linalg.det(turn) == pytest.approx(1) for turn in found)
    path = turned(one, found, (0.3, 1.0))
    for layer, expected in zip(path[-1], other, strict=True):
        np.testing.assert_allclose(layer, expected, atol=1e-12)
    np.testing.assert_allclose(theory.end_to_end(path[0]), theory.end_to_end(one), atol=1e-12)
    assert max(np.linalg.norm(a - b) for a, b in zip(path[0], one, strict=True)) > 0.05


def test_a_reflection_is_no_rotation_unless_a_neuron_is_spare() -> None:
    s = np.array([1.2, 0.8])
    for width, joined in ((2, False), (3, True)):
        frames = [np.eye(2), np.eye(width), np.eye(2)]
        mirrored = [frames[0], np.diag([-1.0, *np.ones(width - 1)]), frames[2]]
        found = joining(balanced(frames, s), balanced(mirrored, s), np.eye(2))
        assert (found is not None) == joined


class Wells:
    """(x^2 - 1)^2 (1 + y^2 / 2) + (y - 1)^2 / 4 has minima at x = +-1, y = 1; on x = 0 the least is at y = 1/3."""

    def values(self, points: np.ndarray) -> np.ndarray:
        x, y = points[..., 0], points[..., 1]
        return (x**2 - 1) ** 2 * (1 + y**2 / 2) + (y - 1) ** 2 / 4

    def gradients(self, points: np.ndarray) -> np.ndarray:
        x, y = points[..., 0], points[..., 1]
        along = 4 * x * (x**2 - 1) * (1 + y**2 / 2)
        return np.stack([along, (x**2 - 1) ** 2 * y + (y - 1) / 2], axis=-1)


def test_a_string_finds_the_lowest_pass_of_a_landscape_that_is_known() -> None:
    found = lowest_pass(Wells(), (np.array([-1.0, 1.0]), np.array([1.0, 1.0])), np.array([0.1, 0.7]), 0.05)
    assert found.value == pytest.approx(1 + 1 / 18 + 1 / 9, abs=1e-13)
    assert found.negative == 1
    assert found.gradient_norm < 1e-13
    assert found.string.max() == pytest.approx(found.value, abs=0.02)
    assert found.string[0] == pytest.approx(0, abs=1e-10)


@pytest.mark.parametrize(("sigma", "depth", "lam"), [(2.0, 2, 0.7), (2.0, 3, 0.3), (1.5, 4, 0.1), (3.0, 6, 0.2)])
def test_the_pass_is_what_a_fine_grid_of_a_scalar_problem_shows(sigma: float, depth: int, lam: float) -> None:
    x = np.linspace(0, sigma, 2_000_001)
    g = (sigma - x) ** 2 + lam * depth * x ** (2 / depth)
    best = g.argmin()
    assert best > 0
    assert height_of_pass(sigma, depth, lam) == pytest.approx(g[:best].max() - g[best], abs=1e-9)


def test_no_point_whose_smallest_singular_value_is_that_of_the_pass_is_lower() -> None:
    """The step of the proof that says so, on random points: half of them near the closed form's own."""
    sigma, depth, lam, rng = np.array([2.0, 1.5]), 3, 0.15, np.random.default_rng(0)
    small = float(theory.small_root(sigma[1], depth, lam))
    lowest = theory.minimum_value(np.diag(sigma), depth, lam) + height_of_pass(sigma[1], depth, lam)
    values = []
    for number in range(4000):
        size = float(theory.scalar_minimizer(sigma[0], depth, lam)) if number % 2 else rng.uniform(small, 3)
        spread = 10 ** rng.uniform(-4, 0)
        left, right = (np.linalg.qr(np.eye(2) + spread * rng.standard_normal((2, 2)))[0] for _ in range(2))
        x = left @ np.diag([size, small]) @ right.T
        values.append(np.sum((x - np.diag(sigma)) ** 2) + lam * depth * (size ** (2 / depth) + small ** (2 / depth)))
    assert min(values) > lowest - 1e-12
    assert min(values) == pytest.approx(lowest, abs=1e-5)


def test_values_are_those_of_torch_and_layers_those_of_the_parameters() -> None:
    rng, widths = np.random.default_rng(1), (3, 4, 2)
    function = Valued(rng.standard_normal((2, 3)), widths, 0.3)
    points = rng.standard_normal((5, 20))
    for point, value in zip(points, function.values(points), strict=True):
        first, second = (torch.from_numpy(layer) for layer in (point[:12].reshape(4, 3), point[12:].reshape(2, 4)))
        expected = ((second @ first - torch.from_numpy(function.target)) ** 2).sum() + 0.3 * (point**2).sum()
        assert value == pytest.approx(float(expected), rel=1e-13)
        assert [layer.shape for layer in layers_of(point, widths)] == [(4, 3), (2, 4)]


def test_pieces_are_the_powers_of_two_that_widths_say(study: Callable[[str], Halves]) -> None:
    honest, control = study("components")
    expected = [2, 1, 4, 2, 4, 1, 8]
    assert len(CELLS) == len(expected)
    np.testing.assert_array_equal(honest["pieces"], expected)
    np.testing.assert_array_equal(honest["signs"], expected)
    assert control["pieces"].values.tolist() == [1, 4]
    split = np.array(expected) > 1
    assert np.isfinite(honest["lowest_pass"].values[split]).all()
    np.testing.assert_array_equal(honest["pieces"] - 1 > 0, split)
