"""Damaged and foreign files in data/ are named, moved aside and made again, never used and never deleted."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import xarray as xr

from dmf.dataset.store import FINGERPRINT
from faults.conftest import Values, journal, values
from harness import LOCAL, Workflow


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def flip_a_bit_of_the_objective(path: Path) -> None:
    with xr.open_dataset(path) as dataset:
        value = dataset["objective"].values.ravel()[0]
    content = bytearray(path.read_bytes())
    content[content.index(value.tobytes())] ^= 1
    path.write_bytes(content)


def replace_by_a_foreign_file(path: Path) -> None:
    path.unlink()
    xr.Dataset({"a": ("x", [1.0])}).to_netcdf(path)


def replace_by_another_tile(path: Path) -> None:
    other = next(file for file in sorted(path.parent.glob("L*.nc")) if file != path)
    path.unlink()
    shutil.copyfile(other, path)


# What is done to a tile, what is said of it, and whether a whole file of it is still kept.
DAMAGES: list[tuple[Callable[[Path], None], str, bool]] = [
    (replace_by_another_tile, "holds other runs than its name says", True),
    (truncate, "not a readable netCDF file", False),
    (flip_a_bit_of_the_objective, "values do not match their fingerprint", False),
    (replace_by_a_foreign_file, "values do not match their fingerprint None", True),
    (Path.unlink, "lost", True),
]


def test_damaged_tiles_are_named_moved_aside_and_made_again_in_the_same_run(
    copy: Workflow, undisturbed: Values
) -> None:
    data = copy.folder / "data/tiny"
    tiles = sorted((data / "tiles").glob("L*.nc"))[: len(DAMAGES)]
    before = journal(copy, "began")
    assert len(tiles) == len(DAMAGES)
    for tile, (damage, _, _) in zip(tiles, DAMAGES, strict=True):
        damage(tile)
    shutil.rmtree(data / "runs")
    # Snakemake would make the tile that is missing by itself; the others are for the assembly to find.
    result = copy(*LOCAL, "--", "runs")
    assert result.returncode == 0, result.stderr
    for tile, (_, words, _) in zip(tiles[:-1], DAMAGES[:-1], strict=True):
        path = tile.relative_to(copy.folder)
        said = [line for line in result.stderr.splitlines() if line.startswith(f"{path}: {words}")]
        assert len(said) == 1, result.stderr
        assert f"moved to {path.parent}/damaged/{tile.stem}-1.nc, made again" in said[0]
        assert (tile.parent / "damaged" / f"{tile.stem}-1.nc").exists()
    retrained = [tile.stem for tile, (_, _, kept) in zip(tiles, DAMAGES, strict=True) if not kept]
    assert sorted(journal(copy, "began")[len(before) :]) == sorted(retrained)
    assert values(copy) == undisturbed


@pytest.mark.parametrize("file", ["runs/L2-3x3x3.nc"])
def test_any_other_damaged_file_is_moved_aside_and_made_again_in_the_same_run(
    copy: Workflow, undisturbed: Values, file: str
) -> None:
    path = copy.folder / "data/tiny" / file
    flip_a_bit_of_the_objective(path)
    mended = copy(*LOCAL, "--", "data/tiny/evidence.nc")
    assert mended.returncode == 0, mended.stderr
    said = [line for line in mended.stderr.splitlines() if line.startswith(f"data/tiny/{file}: values do not")]
    assert len(said) == 1, mended.stderr
    assert said[0].endswith(f"moved to data/tiny/runs/damaged/{path.stem}-1.nc; a run that needs it makes it again")
    assert values(copy) == undisturbed
    with xr.open_dataset(copy.folder / "data/tiny/evidence.nc") as evidence:
        assert FINGERPRINT in evidence.attrs


def test_a_lost_file_is_made_again_and_what_the_report_says_of_it(copy: Workflow) -> None:
    """The old verdict goes once jobs are chosen; Snakemake, which remembers it, must not take it for protected."""
    goals = ("data/tiny/evidence.nc", "reports/tiny/verdicts/collapse.json")
    assert copy(*LOCAL, "--", *goals).returncode == 0
    verdict = (copy.folder / goals[1]).read_text()
    (copy.folder / goals[0]).unlink()
    mended = copy(*LOCAL, "--", *goals)
    assert mended.returncode == 0, mended.stderr
    assert (copy.folder / goals[0]).exists()
    assert (copy.folder / goals[1]).read_text() == verdict
