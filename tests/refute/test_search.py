"""The search is a function of the grid, keeps its budget, climbs, and finds what is false."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from dmf.claims import load_claims
from dmf.errors import UserError
from dmf.evidence.claim import Claim
from dmf.evidence.fields import CELL_FIELDS, RUN_FIELDS
from dmf.grid.config import Certificate, Grid, validate
from dmf.refute import search as search_module
from dmf.refute.candidate import Candidate, random_candidate, random_shape
from dmf.refute.false_claim import FALSE_CLAIM
from dmf.refute.record import judge_all, problems, read_record
from dmf.refute.search import SERIES, search, train_candidates, worst_ratios

CLAIMS = {name: claim for name, claim in load_claims().items() if claim.study == "runs"}


def grid_of(raw: dict[str, Any], runs: int, seed: int = 5) -> Grid:
    return validate({**raw, "seed": seed, "refute": {"runs": runs}}, "test")


@pytest.fixture(scope="module")
def found() -> xr.Dataset:
    from small import SMALL

    return search(grid_of(SMALL, 400), {**CLAIMS, "false_claim": FALSE_CLAIM})


def test_the_evidence_is_in_the_form_of_every_other_runs(found: xr.Dataset) -> None:
    assert {*found.data_vars, "lam", "relative"} == {*CELL_FIELDS, *RUN_FIELDS, "sigma"}
    assert dict(found.sizes) == {"cell": 50, "start": len(SERIES), "singular": found.sizes["singular"]}
    assert {"target", "depth", "lam_label", "scheme", "scale", "draw"} <= set(found.coords)
    assert len(set(found["target"].values)) == 50


def test_no_claim_on_runs_is_refuted_and_the_control_is(found: xr.Dataset) -> None:
    record = judge_all(CLAIMS, found, Certificate())
    assert [attempt.claim for attempt in record.attempts] == list(CLAIMS)
    assert problems(record, "here") == []
    assert record.control.refuted
    assert (record.runs, record.cells) == (400, 50)


@pytest.mark.parametrize(("runs", "cells"), [(200, 25), (207, 25), (208, 26)])
def test_the_budget_is_kept(small: dict[str, Any], runs: int, cells: int) -> None:
    assert search(grid_of(small, runs), CLAIMS).sizes["cell"] == cells


def test_the_same_grid_finds_the_same_to_the_last_bit(small: dict[str, Any]) -> None:
    claims = {"uniqueness": CLAIMS["uniqueness"]}
    first, again, other = (search(grid_of(small, 200, seed), claims) for seed in (5, 5, 6))
    xr.testing.assert_identical(first, again)
    assert not np.array_equal(first["sigma_1"].values, other["sigma_1"].values)


def fake_evidence(candidates: dict[str, Candidate], grid: Grid) -> xr.Dataset:
    """What a claim on the genes themselves needs, without training."""
    genes = [[one.scale, one.nearness, one.side, one.shape.rank] for one in candidates.values()]
    cells = xr.Dataset({"genes": (("cell", "gene"), np.array(genes))}, coords={"target": ("cell", list(candidates))})
    return cells.assign(minimal=(("cell", "start"), np.ones((len(genes), 1))))


def peak_claim(eligible: bool = True) -> Claim:
    """Near its edge only at scale 1, nearness -5 and side 1: a place that random trials hit one time in millions."""

    def ratio(evidence: xr.Dataset) -> xr.DataArray:
        scale, nearness, side, _ = (evidence["genes"].isel(gene=gene) for gene in range(4))
        return (1 - abs(scale - 1) - abs(nearness + 5) - (side < 0)).expand_dims(start=1, axis=1)

    def all_cells(evidence: xr.Dataset) -> xr.DataArray:
        return xr.ones_like(evidence["genes"].isel(gene=0), dtype=bool)

    def voices(evidence: xr.Dataset) -> xr.DataArray:
        return (evidence["minimal"] == 1) & eligible

    arm = replace(CLAIMS["uniqueness"].arms[0], ratio=ratio)
    return replace(CLAIMS["uniqueness"], arms=(arm,), scope=all_cells, eligible=voices)


def test_the_search_climbs_where_random_trials_do_not(small: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_module, "train_candidates", fake_evidence)
    claim = peak_claim()
    bred = worst_ratios(claim, search(grid_of(small, 8 * 2000), {"peak": claim})).max()
    monkeypatch.setattr(search_module, "RANDOM_SHARE", 1.0)
    random = worst_ratios(claim, search(grid_of(small, 8 * 2000), {"peak": claim})).max()
    assert bred > 0.98 > 0.95 > random


def test_a_claim_of_which_no_run_may_speak_stops_nothing(
    small: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_module, "train_candidates", fake_evidence)
    claim = peak_claim(eligible=False)
    found = search(grid_of(small, 800), {"mute": claim, "peak": peak_claim()})
    assert found.sizes["cell"] == 100
    assert (worst_ratios(claim, found) == -np.inf).all()


def test_candidates_of_many_shapes_keep_their_order_and_do_not_depend_on_their_company(small: dict[str, Any]) -> None:
    rng = np.random.default_rng(1)
    candidates = {f"c{number}": random_candidate(random_shape(rng), rng) for number in range(4)}
    grid = grid_of(small, 200)
    together = train_candidates(candidates, grid)
    assert together["target"].values.tolist() == list(candidates)
    for place, (name, candidate) in enumerate(candidates.items()):
        assert together["lam"].values[place] == candidate.lam
        alone = train_candidates({name: candidate}, grid)
        np.testing.assert_array_equal(alone["objective"].values[0], together["objective"].values[place])


def test_a_refutation_is_named_with_its_cell(found: xr.Dataset) -> None:
    evidence = found.copy(deep=True)
    eligible = (evidence["minimal"].values == 1) & np.isfinite(evidence["radius"].values)
    cell, start = np.argwhere(eligible)[7]
    evidence["distance"].values[cell, start] += 1e3
    record = judge_all(CLAIMS, evidence, Certificate())
    (line,) = problems(record, "reports/x/refute.json")
    attempt = next(attempt for attempt in record.attempts if attempt.refuted)
    assert attempt.claim == "uniqueness"
    assert attempt.facts["lam"] == evidence["lam"].values[cell]
    assert attempt.singular_values[0] == evidence["sigma_1"].values[cell]
    assert attempt.finding.worst is not None
    assert attempt.finding.worst["target"] == evidence["target"].values[cell]
    assert "uniqueness (Theorem 10) is refuted by the search" in line
    assert repr(float(evidence["lam"].values[cell])) in line
    assert "reports/x/refute.json" in line


def test_a_search_that_misses_its_control_says_so(found: xr.Dataset) -> None:
    window = (found["relative"].values > 1) & (found["relative"].values < 1.01)
    record = judge_all(CLAIMS, found.isel(cell=~window), Certificate())
    (line,) = problems(record, "x.json")
    assert "did not refute its control" in line
    assert "refute.runs" in line


def test_records_survive_their_file(found: xr.Dataset, tmp_path: Path) -> None:
    record = judge_all(CLAIMS, found, Certificate())
    path = tmp_path / "refute.json"
    path.write_text(json.dumps(record.as_json(), allow_nan=False))
    assert read_record(path) == record
    path.write_text("{}")
    with pytest.raises(UserError, match="not a readable record of the search"):
        read_record(path)


def test_evidence_in_which_nothing_speaks_gives_a_record(found: xr.Dataset) -> None:
    record = judge_all(CLAIMS, found.assign(minimal=found["minimal"] * 0), Certificate())
    attempt = next(attempt for attempt in record.attempts if attempt.claim == "collapse")
    assert (attempt.finding.statistic, attempt.widths, attempt.facts) == (None, "", {})
    json.dumps(record.as_json(), allow_nan=False)


def test_a_full_search_that_stays_far_from_the_edge_says_that_tolerances_are_too_loose(found: xr.Dataset) -> None:
    record = judge_all(CLAIMS, found, Certificate())
    counted = [
        replace(attempt, finding=replace(attempt.finding, runs_counted=2000, statistic=0.2))
        for attempt in record.attempts
    ]
    assert problems(replace(record, attempts=counted), "here") == []  # 400 runs are too few to come near
    lines = problems(replace(record, attempts=counted, runs=3200), "here")
    assert [line.split(" ")[0] for line in lines] == ["balancedness", "uniqueness", "layer_norms"]
    assert all("too loose" in line for line in lines)
