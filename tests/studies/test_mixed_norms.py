"""Layers with other norms against torch, the variational form against random factorizations, and real depths."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
import xarray as xr
from scipy import optimize

from dmf import theory
from dmf.studies._newton import hessians
from dmf.studies.mixed_norms import CELLS, MU, SPECTRUM, Mixed

Halves = tuple[xr.Dataset, xr.Dataset]


@pytest.mark.parametrize("norms", [(2, 4), (4, 2, 2), (4, 4, 4, 2)])
def test_values_gradients_and_hessians_are_those_of_torch(norms: tuple[int, ...]) -> None:
    rng = np.random.default_rng(len(norms))
    one = Mixed(rng.standard_normal((2, 2)), norms, 0.3)
    point = rng.standard_normal(one.parameters)

    def value(at: torch.Tensor) -> torch.Tensor:
        layers = at.reshape(len(norms), 2, 2)
        x = torch.linalg.multi_dot(list(layers.flip(0)))
        powers = [torch.linalg.svdvals(layer).pow(p).sum() / p for layer, p in zip(layers, norms, strict=True)]
        return ((x - torch.from_numpy(one.target)) ** 2).sum() + 0.6 * torch.stack(powers).sum()

    at = torch.tensor(point, requires_grad=True)
    (gradient,) = torch.autograd.grad(value(at), at)
    assert one.values(point) == pytest.approx(value(at).item(), rel=1e-12)
    np.testing.assert_allclose(one.gradients(point), gradient.numpy(), atol=1e-11)
    expected = torch.autograd.functional.hessian(value, at.detach()).numpy()
    np.testing.assert_allclose(hessians(one, point[None])[0], expected, atol=1e-8)


def test_depths_that_the_study_covers_are_not_all_whole() -> None:
    depths = [Mixed(np.eye(2), norms, 0.1).real_depth for norms, _ in CELLS]
    assert depths == [2.5, 2.5, 2.5, 3.5, 4.0]
    assert [len(norms) for norms, _ in CELLS] == [3, 3, 5, 4, 5]


@pytest.mark.parametrize("norms", [(2, 2, 4), (4, 4, 4, 4, 4)])
def test_no_factorization_has_a_smaller_penalty_than_the_variational_form(norms: tuple[int, ...]) -> None:
    """W_n = X (W_{n-1} ... W_1)^{-1} for random other factors, some near the balanced ones."""
    rng = np.random.default_rng(0)
    x = np.array([1.3, 0.4])
    p = 1 / sum(1 / order for order in norms)
    least = np.sum(x**p) / p
    values = []
    for _ in range(3000):
        spread = 10 ** rng.uniform(-3, 0.3)
        layers = [
            np.diag(x ** (p / order)) @ (np.eye(2) + spread * rng.standard_normal((2, 2))) for order in norms[:-1]
        ]
        product = np.linalg.multi_dot([*layers[::-1], np.eye(2)])
        if abs(np.linalg.det(product)) > 1e-6:
            layers.append(np.diag(x) @ np.linalg.inv(product))
            pairs = zip(layers, norms, strict=True)
            values.append(sum(np.sum(np.linalg.svd(w, compute_uv=False) ** q) / q for w, q in pairs))
    assert min(values) > least - 1e-10
    assert min(values) == pytest.approx(least, rel=1e-3)


@pytest.mark.parametrize(("norms", "lam"), CELLS)
def test_the_closed_form_at_real_depth_is_what_a_scalar_search_finds(norms: tuple[int, ...], lam: float) -> None:
    depth = sum(2 / p for p in norms)
    for sigma in SPECTRUM:
        found = optimize.minimize_scalar(
            lambda x, sigma=sigma: (sigma - x) ** 2 + lam * depth * x ** (2 / depth),
            bounds=(0.3 * sigma, sigma),
            method="bounded",
            options={"xatol": 1e-12},
        )
        assert found.fun < sigma**2, "it is kept"
        assert theory.Power(lam * depth, 2 / depth).prox(sigma, MU) == pytest.approx(found.x, abs=1e-7)


def test_runs_know_the_real_depth_and_not_the_number_of_layers(study: Callable[[str], Halves]) -> None:
    honest, _ = study("mixed_norms")
    minimal = honest["minimal"] == 1
    assert (minimal.sum("start") >= 8).all()
    assert float(honest["distance"].where(minimal).max()) < 1e-12
    assert float(honest["distance_counted"].where(minimal).min()) > 1e-3
