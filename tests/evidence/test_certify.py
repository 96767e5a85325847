"""What evidence says of a run is true of that run, by brute force over singular values written here."""

from itertools import product
from typing import Any

import numpy as np
import pytest
import xarray as xr

from dmf.claims import load_claim
from dmf.dataset.project import open_project
from dmf.dataset.train import train_tile
from dmf.evidence.certify import STARTS, certify
from dmf.evidence.choose import CELL_NAMES
from dmf.evidence.fields import CELL_FIELDS, RUN_FIELDS
from dmf.evidence.judge import find
from dmf.grid.config import Certificate
from dmf.training.settings import Status
from small import Trained


def evidence_of(raw: dict[str, Any], **change: Any) -> tuple[list[xr.Dataset], xr.Dataset]:
    """Runs, one dataset a tile, and evidence of a configuration with some keys changed; one depth at a time."""
    project = open_project({**raw, **change}, "x")
    tiles = [train_tile(tile, project.targets, project.grid) for tile in project.plan.wanted]
    return tiles, certify(tiles)


def branches(m: float, depth: int, lam: float) -> list[float]:
    """0 and, where there is one, the local minimum x > 0 of (m - x)^2 + lam L x^(2/L), by bisecting its slope."""

    def slope(x: float) -> float:
        return float(x + lam * x ** (2 / depth - 1) - m)

    if depth == 2:
        return [max(m - lam, 0.0)]
    bottom = (lam * (depth - 2) / depth) ** (depth / (2 * depth - 2))
    if slope(bottom) >= 0:
        return [0.0]
    low, high = bottom, m
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) < 0 else (low, middle)
    return [0.0, high]


def value(x: np.ndarray, sigma: np.ndarray, depth: int, lam: float) -> float:
    return float(np.sum((sigma - x) ** 2) + lam * depth * np.sum(x ** (2 / depth)))


def minimizer(matrix: np.ndarray, depth: int, lam: float) -> tuple[float, np.ndarray]:
    """The minimum and X*, trying every combination of branches."""
    left, sigma, right = np.linalg.svd(matrix, full_matrices=False)
    choices = [np.array(x) for x in product(*(branches(m, depth, lam) for m in sigma))]
    best = min(choices, key=lambda x: value(x, sigma, depth, lam))
    return value(best, sigma, depth, lam), (left * best) @ right


def cells_of(tiles: list[xr.Dataset]) -> list[tuple[xr.Dataset, int]]:
    """(cell, depth) in the order of evidence."""
    return [
        (tile.isel(target=t, lam_label=v), len(tile["layer"]))
        for tile in tiles
        for t in range(tile.sizes["target"])
        for v in range(tile.sizes["lam_label"])
    ]


def test_every_field_is_described(trained: Trained) -> None:
    evidence = trained.evidence
    assert {*evidence.data_vars, "lam", "relative"} == {*CELL_FIELDS, *RUN_FIELDS, "sigma"}
    assert set(evidence.coords) == {*CELL_NAMES, "group", "lam", "relative", *STARTS}
    for name in evidence.data_vars:
        assert evidence[name].attrs["long_name"]
        assert evidence[name].attrs["units"] == "1"
        assert evidence[name].dims[0] == "cell"
        assert evidence[name].dims[1:] == {"sigma": ("singular",)}.get(
            str(name), () if name in CELL_FIELDS else ("start",)
        )
    assert dict(evidence.sizes) == {"cell": 2 * 2 * 2, "start": 8, "singular": 3}
    assert set(evidence["group"].values) == {group.name for group in trained.groups}


def test_cells_are_what_brute_force_finds(trained: Trained) -> None:
    cells = cells_of(list(trained.groups.values()))
    assert len(cells) == trained.evidence.sizes["cell"]
    for i, (cell, depth) in enumerate(cells):
        facts, lam, matrix = trained.evidence.isel(cell=i), float(cell["lam"]), cell["matrix"].values
        minimum, best = minimizer(matrix, depth, lam)
        roots = np.linalg.svd(best, compute_uv=False)
        roots = roots[roots > 1e-9] ** (2 / depth)
        assert (facts["target"], facts["depth"], facts["lam_label"]) == (cell["target"], depth, cell["lam_label"])
        assert float(facts["minimum"]) == pytest.approx(minimum, rel=1e-12)
        assert float(facts["predicted_norm"]) == pytest.approx(np.linalg.norm(best), rel=1e-12, abs=1e-12)
        assert float(facts["predicted_layer_norm_sq"]) == pytest.approx(roots.sum(), rel=1e-12, abs=1e-12)
        assert int(facts["kept_at_minimum"]) == len(roots)
        assert float(facts["relative"]) == pytest.approx(float(str(cell["lam_label"].item())[:-1]), rel=1e-14)
        sigma = np.linalg.svd(matrix, compute_uv=False)
        np.testing.assert_allclose(facts["sigma"].values[: len(sigma)], sigma, rtol=1e-14)
        assert np.isnan(facts["sigma"].values[len(sigma) :]).all()
        assert float(facts["sigma_1"]) == pytest.approx(np.linalg.norm(matrix, 2), rel=1e-14)


def test_kept_is_the_rank_of_x_and_the_gap_is_to_that_level(trained: Trained) -> None:
    seen = set()
    for i, (cell, depth) in enumerate(cells_of(list(trained.groups.values()))):
        lam = float(cell["lam"])
        sigma = np.linalg.svd(cell["matrix"].values, compute_uv=False)
        for j in range(cell.sizes["start"]):
            run, fact = cell.isel(start=j), trained.evidence.isel(cell=i, start=j)
            assert fact["certified"] == 1
            rank = int(np.linalg.matrix_rank(run["end_to_end"].values, tol=1e-6))
            x = np.array([branches(m, depth, lam)[-1] for m in sigma])
            x[rank:] = 0
            assert int(fact["kept"]) == rank
            assert float(fact["level_gap"]) == pytest.approx(
                float(run["objective"]) - value(x, sigma, depth, lam), abs=1e-12
            )
            assert abs(float(fact["level_gap"])) <= float(fact["level_tolerance"])
            seen.add((depth, rank, bool(fact["minimal"])))
    assert {(3, 1, False), (3, 2, True), (3, 0, True)} <= seen  # spurious minima and both kinds of minimizer


def test_minimal_runs_are_those_at_the_minimum(trained: Trained) -> None:
    evidence = trained.evidence
    above = (evidence["objective"] - evidence["minimum"]).transpose("cell", "start").values
    minimal = evidence["minimal"].values == 1
    assert minimal.any()
    assert not minimal.all()
    assert np.abs(above[minimal]).max() < 1e-12
    assert above[~minimal].min() > 1e-3


@pytest.mark.parametrize("gradient_norm", [1e-4, 1e-6])
@pytest.mark.parametrize("depth", [2, 3, 4])
def test_tolerances_cover_runs_that_stopped_early(small: dict[str, Any], depth: int, gradient_norm: float) -> None:
    small["starts"]["count"] = 6
    tiles, evidence = evidence_of(small, depths=[depth], certificate={"gradient_norm": gradient_norm})
    ratios = []
    for i, (cell, _) in enumerate(cells_of(tiles)):
        lam = float(cell["lam"])
        _, best = minimizer(cell["matrix"].values, depth, lam)
        x = np.linalg.svd(best, compute_uv=False)
        alpha_sq = np.sum(x[x > 1e-12] ** (2 / depth))
        for j in range(cell.sizes["start"]):
            fact, run = evidence.isel(cell=i, start=j), cell.isel(start=j)
            if not fact["minimal"]:
                continue
            distance = float(np.linalg.norm(run["end_to_end"].values - best))
            assert float(fact["distance"]) == pytest.approx(distance, rel=1e-6, abs=1e-13)
            assert distance <= float(fact["distance_tolerance"])
            norm_gap = float(np.abs(run["layer_norm_sq"].values - alpha_sq).max())
            assert norm_gap <= float(fact["layer_norm_tolerance"])
            trace_gap = abs(float(run["hessian_trace"]) - float(fact["predicted_trace"]))
            assert trace_gap <= float(fact["trace_tolerance"])
            if np.linalg.norm(best) > 0:
                ratios.append([distance / fact["distance_tolerance"], norm_gap / fact["layer_norm_tolerance"]])
    closest = np.array(ratios, dtype=float).max(axis=0)
    assert len(ratios) >= 8
    assert closest.min() > 1e-4  # a tolerance that no run comes near would prove nothing


def test_an_exact_tie_of_depth_two_leaves_its_cell_without_a_voice(small: dict[str, Any], tmp_path: Any) -> None:
    np.save(tmp_path / "m.npy", np.diag([2.0, 1.0]))
    target = {"name": "tie", "kind": "file", "path": str(tmp_path / "m.npy")}
    _, evidence = evidence_of(small, targets=[target], depths=[2], lambdas={"absolute": [1.0, 1.5, 2.0]})
    np.testing.assert_array_equal(evidence["mu"].values == 0, [True, False, True])
    finite = np.isfinite(evidence["radius"].values)
    np.testing.assert_array_equal(finite.any(axis=1), [False, True, False])
    finding = find(load_claim("uniqueness"), evidence, Certificate())
    assert (finding.word, finding.cells, finding.cells_counted) == ("inconclusive", 3, 1)


def test_a_saddle_that_rounding_hides_from_the_minimum_has_no_voice(small: dict[str, Any]) -> None:
    """L = 2, lambda a hair below sigma: w_2 = -w_1 leads to zero, where F is above its minimum by (sigma - lambda)^2.

    The search for refutations found this: the certificate took the saddle, 1.6e-3 away, for the minimizer.
    """
    sigma, lam = 100.0, 100.0 * (1 - 2.5e-8)
    target = {"name": "scalar", "kind": "spectrum", "shape": [1, 1], "singular_values": [sigma]}
    small["starts"] = {"schemes": ["balanced"], "scales": [2.0], "count": 20}
    _, evidence = evidence_of(small, targets=[target], depths=[2], lambdas={"absolute": [lam]})
    at_saddle = (evidence["end_to_end_norm"].values < 1e-12) & (evidence["minimal"].values == 1)
    assert at_saddle.any()
    assert float(evidence["level_separation"][0]) == pytest.approx((sigma - lam) ** 2, abs=8e-16 * sigma**2)
    assert np.isinf(evidence["radius"].values[at_saddle]).all()
    for name in ("uniqueness", "layer_norms", "collapse", "trace_bound"):
        assert find(load_claim(name), evidence, Certificate()).word != "violated", name


def test_a_radius_that_outreaches_its_own_bound_is_none(trained: Trained) -> None:
    """2 ||grad F|| / mu bounds the distance only while the Hessian cannot turn by mu within it."""
    dataset = next(iter(trained.groups.values())).copy(deep=True)
    dataset["gradient_tolerance"].values[...] = 1.0
    sizes = np.geomspace(1e-12, 0.5, dataset.sizes["start"])
    dataset["gradient_norm"].values[...] = sizes
    evidence = certify([dataset])
    radius = evidence["radius"].values
    alone = np.isinf(evidence["level_separation"].values)  # no other level that F could mistake for the minimum
    assert alone.any()
    assert np.isfinite(radius[:, 0]).all()
    assert np.isinf(radius[alone, -1]).all()
    finite = np.isfinite(radius)
    assert (finite[:, :-1] >= finite[:, 1:]).all()  # once lost, a voice does not come back with a larger gradient


def test_a_run_whose_objective_allows_points_far_from_every_minimizer_has_no_radius(trained: Trained) -> None:
    """Two layers and a tiny lambda: a zero gradient is near, but 64 EPS ||M||^2 above the minimum reaches far away."""
    dataset = next(runs for group, runs in trained.groups.items() if group.depth == 2).copy(deep=True)
    dataset["gradient_norm"].values[...] = 0.0
    dataset["status"].values[...] = Status.CONVERGED
    finite = {}
    for lam in (1e-2, 1e-6):
        dataset["lam"].values[...] = lam
        evidence = certify([dataset])
        told = evidence["level_separation"].values > 1e-10
        assert told.any()
        finite[lam] = np.isfinite(evidence["radius"].values[told])
    assert finite[1e-2].all()
    assert not finite[1e-6].any()


def test_a_run_that_stopped_for_another_reason_is_never_certified(small: dict[str, Any]) -> None:
    _, evidence = evidence_of(small, depths=[3], optimizer={"name": "lbfgs", "max_iterations": 3})
    assert not evidence["certified"].values.any()
    assert not evidence["minimal"].values.any()


@pytest.mark.parametrize(
    "change", [{"status": 1}, {"status": 3}, {"gradient_norm": 1e-9}, {"gradient_norm": np.nan}], ids=str
)
def test_certified_means_converged_and_within_tolerance(trained: Trained, change: dict[str, float]) -> None:
    dataset = next(iter(trained.groups.values())).copy(deep=True)
    for name, number in change.items():
        dataset[name].values[0, 0, 0] = number
    evidence = certify([dataset])
    assert evidence["certified"].values[0, 0] == 0
    assert evidence["minimal"].values[0, 0] == 0
    assert evidence["certified"].values[0, 1:].all()


def test_diverged_runs_do_no_harm(small: dict[str, Any]) -> None:
    small["starts"]["scales"] = [1e40]
    _, evidence = evidence_of(small, depths=[3], optimizer={"name": "gd", "step": 10.0})
    assert set(evidence["status"].values.ravel().tolist()) == {2}
    assert not evidence["certified"].values.any()


def test_a_product_so_deep_that_its_powers_overflow_is_silent_and_no_error(small: dict[str, Any]) -> None:
    _, evidence = evidence_of(small, depths=[200], lambdas={"relative": [0.5]}, starts={"scales": [2], "count": 2})
    assert (evidence["gradient_norm"].values > 1e30).all()
    assert np.isfinite(evidence["gradient_norm"].values).all()
    assert (evidence["radius"].values == np.inf).all()


def test_a_run_that_ends_exactly_at_zero_is_a_perfect_minimizer(small: dict[str, Any]) -> None:
    """With step 1 / (2 lambda) one step of gradient descent lands on zero, where no rounding is left."""
    target = {"name": "t", "kind": "spectrum", "shape": [2, 2], "singular_values": [0.2, 0.1]}
    small["starts"] = {"scales": [1e-6], "count": 3}
    tiles, evidence = evidence_of(
        small, targets=[target], depths=[6], lambdas={"absolute": [0.5]}, optimizer={"name": "gd", "step": 1.0}
    )
    assert not tiles[0]["layer_norm_sq"].values.any()
    for name in ("uniqueness", "layer_norms", "collapse", "trace_bound"):
        assert find(load_claim(name), evidence, Certificate(runs_per_cell=1)).word == "confirmed", name
        assert find(load_claim(name), evidence, Certificate()).word == "inconclusive", "three runs with one end point"


def test_a_sharp_zero_gradient_leaves_no_nan(trained: Trained) -> None:
    dataset = next(iter(trained.groups.values())).copy(deep=True)
    dataset["gradient_norm"].values[...] = 0
    evidence = certify([dataset])
    for name in ("radius", "distance_tolerance", "layer_norm_tolerance", "trace_tolerance", "level_tolerance"):
        assert (evidence[name].values > 0).all(), name


def test_nothing_to_certify_is_an_error() -> None:
    with pytest.raises(ValueError, match="got no datasets"):
        certify([])


def test_groups_with_other_starts_are_refused() -> None:
    raw = {
        "grid": "two",
        "targets": [{"name": "a", "kind": "gaussian", "shape": [2, 2]}],
        "depths": [2],
        "lambdas": {"relative": [0.5]},
    }
    tiles, _ = evidence_of(raw)
    fewer, _ = evidence_of(raw, starts={"count": 2})
    with pytest.raises(ValueError, match="L2-2x2x2 has other starts"):
        certify([*tiles, *fewer])
