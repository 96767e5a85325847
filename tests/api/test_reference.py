"""Reference problems: their Hessians by torch, their learning coefficients by volumes, and what is refused."""

import subprocess
import sys

import numpy as np
import pytest
import torch

import dmf
from dmf.api.reference import Problem

CASES = [
    ({"singular_values": [2, 1], "depth": 3, "lam": 0.1}, 0),
    ({"singular_values": [3, 2, 1], "depth": 3, "lam": 0.2, "widths": [4, 3], "kept": 1}, 0),
    ({"singular_values": [2, 1], "depth": 2, "lam": 0.3, "widths": 3, "kept": 1}, 2),
    ({"singular_values": [2, 1.5], "depth": 4, "lam": "0.3c"}, 0),
    ({"singular_values": [2, 1.0], "depth": 2, "lam": 1.0}, 0),
]


def loss(point: torch.Tensor, one: Problem) -> torch.Tensor:
    layers, begin = [], 0
    for layer in one.layers:
        layers.append(point[begin : begin + layer.size].reshape(layer.shape))
        begin += layer.size
    x = torch.linalg.multi_dot(layers[::-1])
    return ((torch.from_numpy(one.target) - x) ** 2).sum() + one.lam * (point**2).sum()


@pytest.mark.parametrize(("arguments", "negative"), CASES)
@pytest.mark.parametrize("seed", [0, 5])
def test_what_it_says_is_what_torch_finds(arguments: dict[str, object], negative: int, seed: int) -> None:
    one = dmf.reference.problem(**arguments, seed=seed)
    point = torch.from_numpy(one.point)
    assert one.objective == pytest.approx(loss(point, one).item(), rel=1e-12)
    hessian = torch.autograd.functional.hessian(lambda at: loss(at, one), point)
    spectrum = torch.linalg.eigvalsh(hessian).numpy()
    np.testing.assert_allclose(one.spectrum, spectrum, atol=1e-11)
    assert one.trace == pytest.approx(spectrum.sum(), rel=1e-11)
    assert one.negative == negative == np.count_nonzero(spectrum < -1e-9)
    at = point.clone().requires_grad_()
    (slope,) = torch.autograd.grad(loss(at, one), at)
    assert slope.norm().item() < 1e-12
    assert (one.learning_coefficient is None) == (negative > 0)
    assert one.largest_step == pytest.approx(2 / spectrum[-1], rel=1e-11)
    shares, edges = one.density(7)
    np.testing.assert_allclose(shares.sum(), 1)
    assert (edges[0], edges[-1]) == (pytest.approx(spectrum[0], abs=1e-11), pytest.approx(spectrum[-1]))


def test_gauges_differ_and_what_is_said_does_not() -> None:
    one, other = (dmf.reference.problem([2, 1], 3, 0.1, seed=seed) for seed in (1, 2))
    assert np.linalg.norm(one.point - other.point) > 0.1
    np.testing.assert_array_equal(one.spectrum, other.spectrum)


@pytest.mark.parametrize(("m", "lam", "expected"), [(1.0, 1.0, 0.75), (2.0, 1.0, 1.0), (1.0, 2.0, 1.0)])
def test_the_learning_coefficient_is_the_power_of_volumes_near_the_minimum(
    m: float, lam: float, expected: float
) -> None:
    """Two scalars: the area where F - F* is below t grows as t to that power; counted on a fine grid."""
    one = dmf.reference.problem([m], 2, lam)
    assert one.learning_coefficient == expected
    size = np.linspace(-1.6, 1.6, 8001)
    values = (m - size[:, None] * size) ** 2 + lam * (size[:, None] ** 2 + size**2) - one.objective
    areas = [np.count_nonzero(values < level) for level in (1e-4, 1e-3)]
    assert np.log10(areas[1] / areas[0]) == pytest.approx(expected, abs=0.03)


@pytest.mark.parametrize(
    ("values", "kept", "complaint"),
    [([1, 2], None, "descending"), ([], None, "descending"), ([1, -1], None, "positive"), ([2, 1], 3, "kept")],
)
def test_bad_input_is_refused(values: list[float], kept: int | None, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        dmf.reference.problem(values, 3, 0.1, kept=kept)


def test_it_needs_numpy_alone() -> None:
    code = (
        "import sys, dmf; dmf.reference.problem([2, 1], 3, 0.1); print({'torch', 'scipy', 'xarray'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
