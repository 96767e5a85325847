"""Parts hold every wanted run once, are never larger than allowed, and know exactly the tiles that they need."""

from collections import Counter
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dmf.grid.cells import Group, Series
from dmf.grid.chunks import chunks_of, evidence_chunks_of, thinning
from dmf.grid.cost import MIB, run_bytes
from dmf.grid.tiles import Tile, split
from small import Trained

FIXED = settings(derandomize=True, deadline=None, max_examples=60)
GROUP = Group((4, 3, 3, 5))
RUN_MIB = run_bytes(GROUP, False) / MIB * (1 + 1e-9)


def runs_of(tile: Tile) -> Counter[tuple[object, ...]]:
    return Counter(product(tile.targets, tile.lambdas, tile.series, range(tile.first, tile.last)))


@st.composite
def blocks(draw: st.DrawFn) -> Tile:
    targets, lambdas, series, count = (draw(st.integers(1, n)) for n in (4, 4, 3, 9))
    return Tile(
        GROUP,
        tuple((f"t{i}", f"f{i}") for i in range(targets)),
        tuple(f"{i}c" for i in range(lambdas)),
        tuple(Series("gaussian", float(i)) for i in range(series)),
        0,
        count,
        "training",
    )


@given(blocks(), st.integers(1, 60), st.integers(1, 60))
@FIXED
def test_parts_hold_each_run_once_and_need_the_tiles_that_hold_theirs(whole: Tile, most: int, tile: int) -> None:
    elsewhere = replace(whole, targets=(("other", "x"), whole.targets[0]), first=whole.last, last=whole.last + 2)
    gapped = replace(whole, lambdas=tuple(dict.fromkeys([whole.lambdas[0], whole.lambdas[-1]])))
    tiles = [*split(whole, tile), gapped, elsewhere]
    chunks = chunks_of(whole, tiles[:-1], False, most * RUN_MIB)
    assert sum((runs_of(chunk.block) for chunk in chunks), Counter()) == runs_of(whole)
    assert all(chunk.block.runs <= most for chunk in chunks)
    assert len({chunk.name for chunk in chunks}) == len(chunks)
    for chunk in chunks_of(whole, tiles, False, most * RUN_MIB) if len(chunks) > 1 else []:
        wanted = runs_of(chunk.block).keys()
        assert set(chunk.tiles) == {one for one in tiles if runs_of(one).keys() & wanted}


@given(blocks(), st.integers(1, 20))
@FIXED
def test_a_cell_in_several_parts_is_alone_in_each_and_they_follow_one_another(whole: Tile, most: int) -> None:
    cells = [list(product(chunk.targets, chunk.lambdas)) for chunk in split(whole, most)]
    for cell in product(whole.targets, whole.lambdas):
        places = [i for i, some in enumerate(cells) if cell in some]
        assert places == list(range(places[0], places[0] + len(places)))
        assert len(places) == 1 or all(cells[i] == [cell] for i in places)


def test_a_run_takes_the_bytes_that_its_file_says(trained: Trained) -> None:
    for group, runs in trained.groups.items():
        held = sum(v.nbytes for v in runs.data_vars.values() if {"target", "lam_label", "start"} <= set(v.dims))
        count = runs["objective"].size
        assert held / count == pytest.approx(run_bytes(group, False), rel=0.15)
        assert held / count <= run_bytes(group, False)


def test_small_groups_share_a_bundle_and_parts_of_a_large_one_do_not() -> None:
    block = Tile(GROUP, (("a", "f"),), ("1c",), (Series("gaussian", 1.0),), 0, 10, "t")
    small, large = chunks_of(block, [], False, 512), chunks_of(block, [], False, 4 * RUN_MIB)
    found = evidence_chunks_of([small, small, large, small], False, 25 * RUN_MIB)
    assert [len(evidence_chunk) for evidence_chunk in found] == [2, 1, 1, 1, 1]
    assert [len(evidence_chunk) for evidence_chunk in evidence_chunks_of([small] * 5, False, 25 * RUN_MIB)] == [2, 2, 1]


@pytest.mark.parametrize("grid", [(10, 4, 25_000), (400_000, 4, 1), (2, 1, 10**7), (1_000, 6, 48), (5, 5, 5)])
def test_a_sample_is_near_its_size_and_never_empty(grid: tuple[int, int, int]) -> None:
    cells, series, count = grid
    draw_step, cell_step = thinning(cells, series, count, 1_000)
    kept = -(-cells // cell_step) * series * -(-count // draw_step)
    assert 0 < kept <= 2_000 + series
    assert kept == cells * series * count or kept > 400
