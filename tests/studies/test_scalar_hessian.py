"""Hessians against autograd, their tolerance against perturbations, and the expansion in lambda against 50 digits."""

from collections.abc import Callable

import mpmath
import numpy as np
import pytest
import torch
import xarray as xr

from dmf.studies._scalars import sign_patterns
from dmf.studies.scalar_hessian import scalar_hessian, spectrum_tolerance
from dmf.theory.certificate import product_tolerance

Halves = tuple[xr.Dataset, xr.Dataset]


@pytest.mark.parametrize("depth", [2, 3, 4, 7])
def test_the_hessian_is_that_of_autograd(depth: int) -> None:
    rng = np.random.default_rng(depth)
    factors, m, lam = rng.standard_normal((5, depth)), rng.standard_normal(5), rng.uniform(0.1, 1, 5)
    for w, one, strength, hessian in zip(factors, m, lam, scalar_hessian(factors, m, lam), strict=True):

        def objective(v: torch.Tensor, one: float = one, strength: float = strength) -> torch.Tensor:
            return (one - v.prod()) ** 2 + strength * v.square().sum()

        truth = torch.autograd.functional.hessian(objective, torch.from_numpy(w))
        np.testing.assert_allclose(hessian, truth, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("depth", [2, 3, 5, 8])
def test_no_perturbation_within_the_radius_moves_an_eigenvalue_or_the_product_by_more(depth: int) -> None:
    rng = np.random.default_rng(depth)
    m, lam, w, radius = 1.7, 0.05, 0.9, 1e-2
    at = np.full((400, depth), w) * sign_patterns(depth, 400)
    step = rng.standard_normal(at.shape)
    step *= radius / np.linalg.norm(step, axis=1, keepdims=True)
    problem = np.full(400, m), np.full(400, lam)
    before, after = (np.linalg.eigvalsh(scalar_hessian(point, *problem)) for point in (at, at + step))
    allowed = spectrum_tolerance(*(np.array([value]) for value in (w, radius, m, lam)), depth)
    moved = np.abs(after - before).max()
    assert allowed / 100 < moved < allowed
    moved = np.abs((at + step).prod(axis=1) - at.prod(axis=1)).max()
    assert moved < product_tolerance(np.array([w]), np.array([radius]), depth) < 10 * moved


@pytest.mark.parametrize("depth", [2, 3, 4, 6, 9])
def test_limit_slope_and_next_term_of_the_largest_eigenvalue(depth: int) -> None:
    with mpmath.workdps(60):
        lam, degree = mpmath.mpf(10) ** -12, mpmath.mpf(depth)
        x = mpmath.findroot(lambda x: x + lam * x ** (2 / degree - 1) - 1, 1)
        largest = 2 * degree * x ** (2 - 2 / degree) - 2 * lam * (degree - 2)
        slope = (2 * degree - largest) / lam
        assert abs(slope - (6 * degree - 8)) < 1e-10
        curvature = (slope - (6 * degree - 8)) / lam
        assert abs(curvature - 2 * (degree - 1) * (degree - 2) / degree) < 1e-9


def test_sign_patterns_are_all_those_of_one_product() -> None:
    signs = sign_patterns(5, 16)
    assert len(np.unique(signs, axis=0)) == 16
    assert (signs.prod(axis=1) == 1).all()
    assert set(signs.ravel()) == {1, -1}


def test_minimizers_of_every_sign_pattern_were_reached(study: Callable[[str], Halves]) -> None:
    honest, false = study("scalar_hessian")
    below = (honest["relative"] < 1).values
    assert (honest["minimal"].values[below] == 1).mean() > 0.9
    assert (np.sign(honest["end_to_end"].values[below]) == np.sign(honest["m"].values[below])[:, None]).all()
    pair = false.isel(cell=np.flatnonzero(false["kind"].values == "pair"))
    size = np.abs(pair["end_to_end"] / pair["m"])
    assert ((size > 0.4).any("start") & (size < 1e-6).any("start")).all()
    assert (pair["minimal"] == 1).all()


def test_eigenvalues_beyond_the_depth_are_no_numbers(study: Callable[[str], Halves]) -> None:
    honest, _ = study("scalar_hessian")
    assert (np.isfinite(honest["spectrum"]).sum("eigen") == honest["depth"]).all()
    # the trace of the Hessian is a sum of squares of products: at a minimizer sum_l 2 P_l^2 + 2 lambda L
    zero = honest.isel(cell=np.flatnonzero(honest["predicted_nonzero"].values == 0))
    eligible = (zero["minimal"] == 1) & (zero["depth"] > 2)
    trace = (zero["spectrum"].sum("eigen") / (2 * zero["lam"] * zero["depth"])).where(eligible)
    np.testing.assert_allclose(trace.values[eligible.values], 1, rtol=1e-12)
