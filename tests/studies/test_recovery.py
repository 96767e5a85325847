"""Recovery: the same instances for all methods, nothing from too few measurements, and no better than what is true."""

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr

from dmf import theory
from dmf.studies.recovery import excess_allowed, lower_bound

Halves = tuple[xr.Dataset, xr.Dataset]


def of(evidence: xr.Dataset, **wanted: object) -> xr.Dataset:
    """Cells with these coordinates."""
    mask = np.all([evidence[name].values == value for name, value in wanted.items()], axis=0)
    return evidence.isel(cell=np.flatnonzero(mask))


def test_every_method_has_the_same_cells_and_all_runs_are_certified(study: Callable[[str], Halves]) -> None:
    honest, _ = study("recovery")
    first = of(honest, method="proximal", depth=2)
    for method in ("proximal", "factorization"):
        for depth in (2, 3, 4, 5):
            cells = of(honest, method=method, depth=depth)
            for name in ("problem", "rank", "measurements"):
                np.testing.assert_array_equal(cells[name].values, first[name].values)
            assert float(cells["certified"].mean()) > 0.97


def test_nothing_is_recovered_from_fewer_measurements_than_degrees_of_freedom(study: Callable[[str], Halves]) -> None:
    honest, control = study("recovery")
    few = honest.isel(cell=(honest["measurements"] < honest["degrees_of_freedom"]).values)
    assert few.sizes["cell"] > 0
    assert int(few["recovered"].sum()) == 0
    assert int(of(control, method="least norm")["recovered"].sum()) == 0


def test_with_most_entries_measured_all_methods_recover_rank_one(study: Callable[[str], Halves]) -> None:
    honest, _ = study("recovery")
    many = of(honest, problem="sensing", rank=1, measurements=56)
    assert (many["recovered"] == 1).all()


def test_two_layers_and_soft_thresholding_recover_the_same_instances(study: Callable[[str], Halves]) -> None:
    honest, _ = study("recovery")
    layers, nuclear = of(honest, method="factorization", depth=2), of(honest, method="proximal", depth=2)
    sure = abs(nuclear["relative_error"].values - 0.02) > 0.005  # an error at the limit may fall on either side of it
    assert (layers["recovered"].values == nuclear["recovered"].values)[sure].all()
    close = abs(layers["objective"].values / nuclear["objective"].values - 1)
    assert float(close.max()) < 5e-3
    assert np.isfinite(layers["excess"]).all()


def test_the_objective_of_a_factorization_is_at_least_what_its_recovered_truth_would_cost(
    study: Callable[[str], Halves],
) -> None:
    """A certified global minimum costs no more than the truth, which fits exactly; deep ones that recover come near."""
    honest, _ = study("recovery")
    for depth in (3, 4, 5):
        one, other = of(honest, method="factorization", depth=depth), of(honest, method="proximal", depth=depth)
        both = ((one["recovered"].values == 1) & (other["recovered"].values == 1)).ravel()
        ratio = (one["objective"].values / other["objective"].values).ravel()[both]
        assert both.sum() > 50
        np.testing.assert_allclose(ratio, 1, rtol=1e-3)


def test_concave_penalties_need_fewer_measurements_than_the_nuclear_norm(study: Callable[[str], Halves]) -> None:
    honest, _ = study("recovery")
    for method in ("proximal", "factorization"):
        found = {depth: int(of(honest, method=method, depth=depth)["recovered"].sum()) for depth in (2, 3, 4, 5)}
        assert min(found[3], found[4], found[5]) > found[2] + 20


def test_what_two_layers_may_miss_the_minimum_by_holds_where_it_is_known():
    """With every entry measured the minimum is closed form: near minimizers the bound covers, and it shrinks."""
    rng = np.random.default_rng(8)
    target, lams = rng.standard_normal((4, 4)), np.array([0.6])
    operators, measurements = np.eye(16)[None], target.reshape(1, -1)
    minimum = theory.minimum_value(target, 2, 0.6)
    best = theory.end_to_end_minimizer(target, 2, 0.6)
    below = lower_bound(operators, measurements, lams, best[None])
    assert float(below[0]) == pytest.approx(minimum, rel=1e-13)
    for size in np.geomspace(1e-1, 1e-7, 25):
        layers = theory.sample_minimizer(target, (4, 4, 4), 0.6, rng)
        moved = [(layer + size * rng.standard_normal((4, 4)))[None] for layer in layers]
        first, last = moved[0][0], moved[1][0]
        gap = last @ first - target
        value = np.array([np.sum(gap**2) + 0.6 * (np.sum(first**2) + np.sum(last**2))])
        gradient = [2 * last.T @ gap + 1.2 * first, 2 * gap @ first.T + 1.2 * last]
        allowed = float(excess_allowed(lams, moved, np.array([np.linalg.norm(gradient)]), value)[0])
        assert 0 <= value[0] - minimum <= allowed
        assert float(lower_bound(operators, measurements, lams, (last @ first)[None])[0]) <= minimum * (1 + 1e-14)
    assert allowed < 1e-3
