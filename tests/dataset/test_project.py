"""A project is its configuration, its ledger and nothing else: opening it writes nothing, planning appends."""

from pathlib import Path
from typing import Any

import pytest
import xarray as xr

from dmf.dataset.ledger import ledger_problem, read_tiles
from dmf.dataset.project import open_project
from dmf.dataset.store import write
from dmf.errors import UserError
from dmf.grid.tiles import read_ledger, tile_text


def test_opening_writes_nothing(small: dict[str, Any], tmp_path: Path) -> None:
    project = open_project(small, "x", tmp_path)
    assert project.plan.laid
    assert list(tmp_path.iterdir()) == []
    assert project.ledger_path == tmp_path / "data" / "small" / "tiles.jsonl"


def test_the_ledger_grows_at_its_end_only(small: dict[str, Any], tmp_path: Path) -> None:
    project = open_project(small, "x", tmp_path)
    project.record()
    first = project.ledger_path.read_text()
    assert read_ledger(first) == project.plan.wanted
    small["lambdas"]["relative"].append(0.7)
    larger = open_project(small, "x", tmp_path)
    larger.record()
    second = larger.ledger_path.read_text()
    assert second.startswith(first)
    assert read_ledger(second)[len(project.plan.wanted) :] == larger.plan.laid
    larger.record()
    assert larger.ledger_path.read_text() == second


def test_a_project_that_needs_nothing_new_leaves_the_ledger_alone(small: dict[str, Any], tmp_path: Path) -> None:
    project = open_project(small, "x", tmp_path)
    project.record()
    project.ledger_path.write_text("\n" + project.ledger_path.read_text())
    before = project.ledger_path.read_bytes()
    again = open_project(small, "x", tmp_path)
    again.record()
    assert again.plan.laid == []
    assert project.ledger_path.read_bytes() == before


def test_going_back_to_an_earlier_grid_finds_its_tiles(small: dict[str, Any], tmp_path: Path) -> None:
    first = open_project(small, "x", tmp_path)
    first.record()
    open_project({**small, "seed": 4}, "x", tmp_path).record()
    again = open_project(small, "x", tmp_path)
    assert again.plan.laid == []
    assert again.plan.wanted == first.plan.wanted


def test_a_block_is_every_wanted_cell_of_its_group(small: dict[str, Any], tmp_path: Path) -> None:
    project = open_project(small, "x", tmp_path)
    blocks = [project.block(group) for group in project.plan.groups]
    assert [block.group.name for block in blocks] == ["L2-3x3x4", "L2-2x2x2", "L3-3x3x3x4", "L3-2x2x2x2"]
    for block in blocks:
        assert block.lambdas == ("0.3c", "1.2c")
        assert (block.first, block.last, block.runs, block.training) == (0, 4, 2 * 2 * 4, project.training)


@pytest.mark.parametrize(
    "damage",
    [b"{", b"null\n", b"[]\n", b"3\n", b'"text"\n', b"{}\n", b'{"widths": 3}\n', b"\xff\xfe", b"\x00"],
    ids=repr,
)
def test_a_damaged_ledger_is_noticed_in_one_line_and_made_again(
    small: dict[str, Any], tmp_path: Path, damage: bytes
) -> None:
    project = open_project(small, "x", tmp_path)
    project.record()
    path, whole = project.ledger_path, project.ledger_path.read_bytes()
    path.write_bytes(whole + damage)
    again = open_project(small, "x", tmp_path)
    assert again.plan.wanted == project.plan.wanted
    lines: list[str] = []
    again.record(lines.append)
    (line,) = lines
    moved = path.parent / "damaged" / "tiles-1.jsonl"
    assert line == f"{path}: does not match tiles.jsonl.sha256; moved to {moved}, made again from the tiles"
    assert moved.read_bytes() == whole + damage
    assert path.read_bytes() == whole
    again.record(lines.append)
    assert len(lines) == 1


@pytest.mark.parametrize("left", [0, 0.3, 0.5, 0.9, -1])
def test_a_ledger_cut_short_is_completed_from_the_tiles_that_are_there(
    small: dict[str, Any], tmp_path: Path, left: float
) -> None:
    """Wherever it is cut, at the end of a line too: tiles that are there are not laid out again in another way."""
    small["tiles"] = {"seconds": 1e-4}
    project = open_project(small, "x", tmp_path)
    project.record()
    for tile in project.plan.wanted:
        write(xr.Dataset(attrs={"tile": tile_text(tile)}), project.ledger_path.parent / "tiles" / f"{tile.name}.nc")
    path, whole = project.ledger_path, project.ledger_path.read_bytes()
    lines = whole.splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]) if left == -1 else whole[: int(left * len(whole))])
    small["tiles"] = {"seconds": 10}
    again = open_project(small, "x", tmp_path)
    assert again.plan.laid == []
    assert set(again.plan.wanted) == set(project.plan.wanted)
    again.record(lambda line: None)
    assert set(read_tiles(path)) == set(project.plan.wanted)
    assert ledger_problem(path) == ""
    path.unlink()
    assert ledger_problem(path)
    assert open_project(small, "x", tmp_path).plan.laid == []


def test_a_bad_configuration_is_refused_with_its_source(small: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"^my\.yaml: depth: unknown key"):
        open_project({**small, "depth": 2}, "my.yaml", tmp_path)
    with pytest.raises(UserError, match=r"^my\.yaml: target a, depth 2: hidden_widths: got 1, expected at least"):
        open_project({**small, "hidden_widths": 1}, "my.yaml", tmp_path)


@pytest.mark.parametrize(
    ("machine", "complaint"),
    [
        (
            3e4,
            r"runs of depth \d, with layers up to \d wide, side by side take \S+ GiB .*; use smaller targets",
        ),
        (100, r"targets: take \S+ GiB .*; use fewer or smaller ones"),
    ],
)
def test_what_the_machine_cannot_hold_is_refused_before_anything_starts(
    machine: float, complaint: str, small: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dmf.dataset.project.machine_memory", lambda: int(machine))
    with pytest.raises(UserError, match=rf"^my\.yaml: .*{complaint}"):
        open_project(small, "my.yaml", tmp_path)
    assert not list(tmp_path.iterdir())


def test_device_and_memory_must_be_on_the_machine_that_trains_and_not_on_the_one_that_plans(
    small: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    small["device"] = "cuda:99"
    with pytest.raises(UserError, match=r"^x: device: got 'cuda:99', but torch sees \d+ CUDA devices"):
        open_project(small, "x", tmp_path)
    monkeypatch.setattr("dmf.dataset.project.machine_memory", lambda: 30_000)
    assert open_project(small, "x", tmp_path, trains_here=False).plan.laid
