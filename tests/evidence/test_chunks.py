"""Evidence in chunks says what all of it at once says: the same verdicts, the same page, every digit."""

from collections.abc import Iterator
from dataclasses import asdict

import numpy as np
import pytest
import xarray as xr

from dmf.claims import load_claims
from dmf.dataset.assemble import assemble
from dmf.evidence.certify import certify
from dmf.evidence.chunks import joined, thinned
from dmf.evidence.judge import find, find_in
from dmf.grid.chunks import chunks_of
from dmf.grid.config import Certificate
from dmf.grid.cost import MIB, run_bytes
from dmf.report.summary import summarize
from small import Trained

CLAIMS = {name: claim for name, claim in load_claims().items() if claim.study == "runs"}


def in_parts(trained: Trained, most: int) -> Iterator[xr.Dataset]:
    """Evidence of the small grid from chunks of at most `most` runs, assembled and certified one by one."""
    for group, tiles in trained.project.plan.tiles.items():
        for chunk in chunks_of(
            trained.project.block(group), tiles, False, (most + 0.5) * run_bytes(group, False) / MIB
        ):
            yield certify([assemble(chunk.block, ((tile.name, trained.tiles[tile.name]) for tile in chunk.tiles))])


@pytest.fixture(scope="module", params=[3, 12])
def chunks(request: pytest.FixtureRequest, trained: Trained) -> list[xr.Dataset]:
    found = list(in_parts(trained, request.param))
    assert len(found) > len(trained.groups)
    return found


def test_parts_joined_are_the_whole_to_the_last_bit(trained: Trained, chunks: list[xr.Dataset]) -> None:
    together = joined(iter(chunks))
    assert together.sizes == trained.evidence.sizes
    for name, variable in trained.evidence.variables.items():
        np.testing.assert_array_equal(together[name].transpose(*variable.dims).values, variable.values, err_msg=name)


def test_runs_of_a_cell_certified_in_slices_are_the_same_bits(
    trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dmf.evidence.certify.SLICE_BYTES", 8 * 12 * 3)  # three runs of a 3 x 4 target
    sliced = certify(trained.groups.values())
    for name, variable in trained.evidence.variables.items():
        np.testing.assert_array_equal(sliced[name].values, variable.values, err_msg=name)


@pytest.mark.parametrize("name", CLAIMS)
@pytest.mark.parametrize("enough", [1, 8])
def test_a_finding_from_parts_is_that_from_the_whole(
    trained: Trained, chunks: list[xr.Dataset], name: str, enough: int
) -> None:
    certificate = Certificate(runs_per_cell=enough)
    assert find_in(CLAIMS[name], iter(chunks), certificate) == find(CLAIMS[name], trained.evidence, certificate)


def test_the_summary_from_parts_is_that_from_the_whole(trained: Trained, chunks: list[xr.Dataset]) -> None:
    worst = {name: find(claim, trained.evidence, Certificate()).worst for name, claim in CLAIMS.items()}
    needed = trained.evidence.sizes["start"] + 1  # so that every cell is listed
    whole = summarize([trained.evidence], needed, worst)
    assert whole.short.total == len(whole.short.shown) == trained.evidence.sizes["cell"]
    assert whole.worst.keys() == CLAIMS.keys()
    assert asdict(summarize(iter(chunks), needed, worst)) == asdict(whole)


def test_a_sample_takes_every_so_many_draws_of_every_so_many_cells(trained: Trained, chunks: list[xr.Dataset]) -> None:
    evidence = trained.evidence
    expected = evidence.isel(start=evidence["draw"].values % 3 == 0, cell=slice(None, None, 2))
    found = thinned(iter(chunks), 3, 2)
    assert found.sizes == expected.sizes
    for name in ("objective", "radius", "lam", "target", "draw"):
        np.testing.assert_array_equal(found[name].values, expected[name].values, err_msg=name)
