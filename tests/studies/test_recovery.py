"""Recovery: the same instances for all methods, nothing from too few measurements, and no better than what is true."""

from collections.abc import Callable

import numpy as np
import xarray as xr

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
