"""Distances to the orbit of minimizers against brute force over the group, and distances known by construction."""

import numpy as np
import pytest

from dmf import theory
from dmf.studies import Settings
from dmf.studies._derivatives import flat
from dmf.studies.distances import (
    CELLS,
    DRAWS,
    SIZES,
    _problem,
    _softest,
    _steps,
    _tangents,
    distance_above,
    distance_below,
    make,
)

LAM = 0.2


def sample(widths: list[int], seed: int) -> list[np.ndarray]:
    target = 3 * np.random.default_rng(0).standard_normal((widths[-1], widths[0]))
    return theory.sample_minimizer(target, widths, LAM, np.random.default_rng(seed))


@pytest.mark.parametrize("widths", [[3, 3, 3], [2, 4, 3], [3, 3, 4, 3], [2, 2, 2, 2, 2]], ids=str)
def test_another_minimizer_is_at_no_distance(widths: list[int]) -> None:
    here, there = sample(widths, 1), sample(widths, 2)
    assert np.linalg.norm(flat(here) - flat(there)) > 0.1
    assert distance_above(here, there) < 1e-13
    assert distance_below(here, there) <= distance_above(here, there) + 1e-15


@pytest.mark.parametrize("seed", range(5))
def test_two_layers_of_width_two_agree_with_a_scan_of_all_rotations_and_reflections(seed: int) -> None:
    rng = np.random.default_rng(seed)
    minimizer = sample([2, 2, 2], seed)
    layers = [layer + 0.5 * rng.standard_normal((2, 2)) for layer in minimizer]
    angles = np.linspace(0, 2 * np.pi, 20_001)
    c, s = np.cos(angles), np.sin(angles)
    turns = np.stack([np.stack([c, -s], -1), np.stack([s, c], -1)], -2)
    group = np.concatenate([turns, turns @ np.diag([1.0, -1.0])])
    first = layers[0] - group @ minimizer[0]
    last = layers[1] - minimizer[1] @ group.transpose(0, 2, 1)
    brute = np.sqrt((np.sum(first**2, axis=(1, 2)) + np.sum(last**2, axis=(1, 2))).min())
    assert distance_above(layers, minimizer) == pytest.approx(brute, rel=1e-6)
    assert distance_below(layers, minimizer) <= brute


@pytest.mark.parametrize("size", [1e-7, 1e-4, 1e-2])
def test_a_small_step_across_the_orbit_is_its_own_distance(size: float) -> None:
    """The nearest point of a manifold to a step across it is where the step began."""
    widths = [3, 4, 3, 3]
    here, other = sample(widths, 1), sample(widths, 2)
    rng = np.random.default_rng(3)
    tangents = _tangents(here)
    step = rng.standard_normal(tangents.shape[1])
    step -= np.linalg.pinv(tangents) @ (tangents @ step)
    step *= size / np.linalg.norm(step)
    ends = np.cumsum([layer.size for layer in here])[:-1]
    moved = [layer + part.reshape(layer.shape) for layer, part in zip(here, np.split(step, ends), strict=True)]
    assert distance_above(moved, other) == pytest.approx(size, rel=2e-3)
    assert distance_below(moved, other) <= size * (1 + 1e-9)


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.name)
def test_the_softest_direction_across_the_orbit_has_the_predicted_curvature(cell) -> None:
    problem = _problem(cell, seed=5)
    layers = problem.minimizer(np.random.default_rng(6))
    hessian, tangents = problem.value.hessians(flat(layers)[None])[0], _tangents(layers)
    soft = _softest(hessian, tangents)
    np.testing.assert_allclose(hessian @ soft, problem.mu * soft, atol=1e-11 * problem.spectrum[-1])
    assert np.linalg.matrix_rank(tangents, tol=1e-9) == problem.orbit
    np.testing.assert_allclose(hessian @ tangents.T, 0, atol=1e-11 * problem.spectrum[-1])


def test_steps_have_the_sizes_they_are_named_after() -> None:
    problem = _problem(CELLS[0], seed=5)
    base = flat(problem.minimizer(np.random.default_rng(7)))
    for steps in _steps(problem, np.random.default_rng(7)):
        lengths = np.linalg.norm(steps - base, axis=1) / 3 ** (1 / 3)
        np.testing.assert_allclose(lengths, np.repeat(SIZES, DRAWS), rtol=1e-6)


def test_the_bound_is_attained_along_the_softest_mode() -> None:
    """||grad F|| / mu is the distance itself to first order; without 1 / mu the bound would be false."""
    found = make(Settings(seed=3, gradient_norm=1e-10))
    honest = found.isel(cell=found["control"].values == 0, start=found["kind"].values == "soft")
    small = honest.isel(start=(honest["size"].values <= 1e-3) & (honest["size"].values >= 1e-6))
    share = (small["distance"] / small["bound"]).values
    np.testing.assert_allclose(share, 0.5, atol=5e-3)
    assert (small["distance_below"] >= 0.7 * small["distance"]).all()
    assert (found["distance_below"] <= found["distance"] * (1 + 1e-6) + 1e-14).all()
