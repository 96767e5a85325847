"""Missing entries against torch, the graph's components by hand, and brute force over completions of a diagonal."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
import xarray as xr

from dmf.studies._newton import hessians
from dmf.studies.missing_entries import CELLS, MASKS, Masked, components_of

Halves = tuple[xr.Dataset, xr.Dataset]


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_values_gradients_and_hessians_are_those_of_torch(depth: int) -> None:
    rng = np.random.default_rng(depth)
    one = Masked(rng.standard_normal((3, 3)), MASKS["block and entry"], depth, 0.3)
    point = rng.standard_normal(one.parameters)

    def value(at: torch.Tensor) -> torch.Tensor:
        x = torch.linalg.multi_dot(list(at.reshape(depth, 3, 3).flip(0)))
        seen = torch.from_numpy(one.mask) > 0
        return ((x - torch.from_numpy(one.target))[seen] ** 2).sum() + 0.3 * (at**2).sum()

    at = torch.tensor(point, requires_grad=True)
    (gradient,) = torch.autograd.grad(value(at), at)
    assert one.values(point) == pytest.approx(value(at).item(), rel=1e-12)
    np.testing.assert_allclose(one.gradients(point), gradient.numpy(), atol=1e-12)
    expected = torch.autograd.functional.hessian(value, at.detach()).numpy()
    np.testing.assert_allclose(hessians(one, point[None])[0], expected, atol=1e-11)


def test_components_of_masks_are_those_that_one_sees() -> None:
    expected = {"two blocks": 2, "diagonal": 3, "block and entry": 2, "connected": 1}
    assert {name: components_of(mask)[0] for name, mask in MASKS.items()} == expected
    _, rows, columns = components_of(MASKS["block and entry"])
    assert rows.tolist() == columns.tolist() == [0, 0, 1]


def test_flipped_signs_are_those_of_rows_and_columns_of_the_product() -> None:
    rng = np.random.default_rng(0)
    one = Masked(np.eye(3), np.eye(3), 3, 0.1)
    points = rng.standard_normal((4, one.parameters))
    rows, columns = np.array([-1.0, 1, 1]), np.array([1.0, 1, -1])
    before, after = one.product(points), one.product(one.flipped(points, rows, columns))
    np.testing.assert_allclose(after, rows[:, None] * before * columns, atol=1e-13)


@pytest.mark.parametrize(("depth", "lam"), [(3, 0.1), (4, 0.05)])
def test_for_a_diagonal_of_two_the_linked_completions_are_the_lowest_and_come_in_two_signs(
    depth: int, lam: float
) -> None:
    """A grid over the four entries of X, with the Schatten norm of each from LAPACK."""
    m = np.array([1.5, 1.2])
    kept = np.linspace(0.9, 1.6, 36)
    off = np.linspace(-2, 2, 81)
    a, d, b, c = np.meshgrid(kept, kept, off, off, indexing="ij")
    x = np.stack([np.stack([a, b], -1), np.stack([c, d], -1)], -2)
    sizes = np.linalg.svd(x, compute_uv=False)
    values = (a - m[0]) ** 2 + (d - m[1]) ** 2 + lam * depth * np.sum(sizes ** (2 / depth), axis=-1)
    lowest = values[:, :, off > 0.05].min(), values[:, :, off < -0.05].min(), values[:, :, np.abs(off) < 0.05].min()
    assert lowest[0] == pytest.approx(lowest[1], rel=1e-6)
    assert lowest[0] < lowest[2] - 1e-3


def test_with_two_layers_every_completion_of_one_trace_has_one_value(study: Callable[[str], Halves]) -> None:
    cell = study("missing_entries")[0].isel(cell=len(CELLS) - 1)
    assert int(cell["depth"]) == 2
    assert int(cell["count"]) > 16
    assert float(cell["observed_gap"].where(cell["minimal"] == 1).max()) < 1e-10


def test_minimizers_are_as_many_as_signs_and_both_signs_are_as_frequent(study: Callable[[str], Halves]) -> None:
    honest, control = study("missing_entries")
    for place in range(honest.sizes["cell"]):
        cell = honest.isel(cell=place)
        minimal = cell["minimal"].values == 1
        if int(cell["components"]) > 1:
            assert 0 < (cell["off_diagonal"].values[minimal] > 0).mean() < 1
            assert (cell["linked"].values[minimal] == 1).all()
    small = control.isel(cell=np.flatnonzero(control["kind"].values == "small entry"))
    assert float(small["moved"].max()) < 1e-10
    assert (small["linked"] == 0).all()
