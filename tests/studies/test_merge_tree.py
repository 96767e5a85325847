"""The merge tree: components of sublevel sets on fine grids of scalar problems, random points, and strings."""

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
import xarray as xr
from scipy.ndimage import label

from dmf import theory
from dmf.grid.seeds import generator
from dmf.studies._paths import Pass
from dmf.studies.merge_tree import (
    CELLS,
    _is_pass,
    grown,
    level_passes,
    merging,
    pairs_of,
    point_of,
    turned_at_random,
)

Halves = tuple[xr.Dataset, xr.Dataset]


@pytest.mark.parametrize(
    ("sigma", "depth", "lam", "points"), [(2.0, 2, 0.7, 401), (1.7, 3, 0.5, 121), (1.5, 4, 0.4, 45)]
)
def test_components_of_a_fine_grid_merge_at_the_closed_form_and_not_before(
    sigma: float, depth: int, lam: float, points: int
) -> None:
    """Scalar layers: {F <= c} on all of the grid, labelled by scipy, slightly below and slightly above the pass."""
    w = np.linspace(-1.4, 1.4, points)
    axes = np.meshgrid(*[w] * depth, indexing="ij", sparse=True)
    whole = np.ones(())
    for axis in axes:
        whole = whole * axis
    f = (sigma - whole) ** 2 + lam * sum(axis**2 for axis in axes)
    height = float(level_passes(np.array([sigma]), depth, lam)[0])
    # On the grid the pass is missed by at most a step: the next points of the axis it lies on.
    s = float(theory.large_root(sigma, depth, lam)) ** (1 / depth)
    corners = [signs for signs in product((1, -1), repeat=depth) if np.prod(signs) > 0]
    places = [tuple(int(np.argmin(abs(w - sign * s))) for sign in signs) for signs in corners]
    if depth > 2:
        places.append((points // 2,) * depth)  # zero, the other level
    assert len(places) == 2 ** (depth - 1) + (depth > 2)
    error = 3 * sigma * depth * (w[1] - w[0]) ** 2
    for c, separate in ((height - error, True), (height + error, False)):
        pieces = [int(label(f <= c)[0][place]) for place in places]
        assert min(pieces) > 0
        assert len(set(pieces)) == (len(places) if separate else 1)


def test_no_point_with_the_next_value_at_its_small_root_lies_below_the_pass() -> None:
    """The step of the proof, on random points: half of them near the closed form's own."""
    sigma, depth, lam, rng = np.array([1.7, 1.5, 1.3]), 3, 0.5, np.random.default_rng(0)
    passes = level_passes(sigma, depth, lam)
    for k, height in enumerate(passes):
        root = float(theory.small_root(sigma[k], depth, lam))
        values = []
        for number in range(2000):
            above = np.asarray(theory.large_root(sigma[:k], depth, lam)) if number % 2 else rng.uniform(root, 3, k)
            below = np.zeros(2 - k) if number % 2 else rng.uniform(0, root, 2 - k)
            y = np.concatenate([above, [root], below])
            spread = 10 ** rng.uniform(-4, 0)
            left, right = (np.linalg.qr(np.eye(3) + spread * rng.standard_normal((3, 3)))[0] for _ in range(2))
            x = (left * np.sort(y)[::-1]) @ right.T
            values.append(np.sum((x - np.diag(sigma)) ** 2) + lam * depth * np.sum(y ** (2 / depth)))
        assert min(values) > height - 1e-12
        assert min(values) == pytest.approx(height, abs=1e-4)


@pytest.mark.parametrize(
    ("sigma", "depth", "lam"), [([1.7, 1.5, 1.3], 3, 0.5), ([1.5, 1.35], 4, 0.4), ([3.0, 0.2], 3, 0.3)]
)
def test_passes_are_those_of_a_fine_grid_of_scalar_problems(sigma: list[float], depth: int, lam: float) -> None:
    x = np.linspace(0, 3, 3_000_001)
    total, expected = sum(value**2 for value in sigma), []
    for value in sigma:
        g = (value - x) ** 2 + lam * depth * x ** (2 / depth)
        turns = np.flatnonzero(np.diff(np.sign(np.diff(g)))) + 1
        if len(turns) == 2:  # up, down, up: a local maximum and a local minimum
            expected.append(total + g[turns[0]] - value**2)
            total += g[turns[1]] - value**2
    np.testing.assert_allclose(level_passes(np.array(sigma), depth, lam), expected, atol=1e-9)


def test_the_largest_level_can_lie_above_another_and_joins_are_not_in_order() -> None:
    sigma = np.array([1.6, 1.45, 1.3])
    tree = grown((3, 3, 4, 3), sigma, 0.6, generator(["here"]))
    values = [tree.function.values(point_of(tree, leaf, tree.frames)) for leaf in range(len(tree.leaves))]
    assert values[3] > values[2]
    np.testing.assert_allclose(values[:4], theory.critical_levels(np.diag(sigma), 3, 0.6), rtol=1e-12)
    assert values[3] == pytest.approx(float(values[4]), abs=1e-12)
    assert [merging(tree, *pair) for pair in pairs_of(tree)] == [*tree.passes, max(tree.passes), tree.passes[-1]]


def test_leaves_turn_within_their_piece_and_are_local_minima() -> None:
    sigma, rng = np.array([1.5, 1.35]), np.random.default_rng(4)
    tree = grown((2, 2, 3, 2), sigma, 0.3, rng)
    assert [leaf[0] for leaf in tree.leaves] == [0, 1, 2, 2]
    for leaf in range(4):
        signs = set()
        for _ in range(5):
            point = point_of(tree, leaf, turned_at_random(tree.frames, rng))
            assert np.linalg.norm(tree.function.gradients(point)) < 1e-12
            assert np.linalg.eigvalsh(tree.function.hessians(point[None]))[0, 0] > -1e-10
            signs.add(np.sign(np.linalg.det(point[:4].reshape(2, 2))))
        assert len(signs) == (1 if leaf > 1 else len(signs))


def test_a_highest_point_that_is_a_minimum_or_a_higher_saddle_is_no_pass() -> None:
    found = Pass(value=1.0, gradient_norm=1e-14, negative=0, smallest=0.1, string=np.zeros(3))
    assert not _is_pass(found)
    assert _is_pass(found._replace(negative=1))
    assert not _is_pass(found._replace(negative=2))
    assert not _is_pass(found._replace(negative=1, gradient_norm=1e-6))


def test_strings_find_every_pass_and_pieces_are_the_powers_of_two_that_widths_say(
    study: Callable[[str], Halves],
) -> None:
    honest, control = study("merge_tree")
    assert [len(widths) - 1 for _, widths, *_ in CELLS] == honest["depth"].values.tolist()
    assert honest["pieces"].values.tolist() == [2, 4, 2, 4]
    assert control["pieces"].values.tolist() == [4]
    pairs = np.isfinite(honest["predicted_height"].values)
    np.testing.assert_array_equal(honest["certified"].values == 1, pairs)
    assert float(abs(honest["height"] - honest["predicted_height"]).max()) < 1e-12
    assert float((control["straight"] - control["predicted_height"]).max()) > 0.1
