"""A whole tile is never trained again, and no damage to its file goes unnoticed."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from dmf.dataset.schema import DataError
from dmf.dataset.store import read
from dmf.dataset.tile_cache import provide, read_or_repair, read_tile
from dmf.grid.tiles import Tile
from small import Trained


class Maker:
    """Provides one tile in a folder, counting how often it is trained, and keeping what is said."""

    def __init__(self, trained: Trained, data: Path) -> None:
        self.tile = trained.project.plan.wanted[0]
        self.other = trained.project.plan.wanted[1]
        self.runs = trained.tiles
        self.data = data
        self.file, self.kept = (data / folder / f"{self.tile.name}.nc" for folder in ("tiles", "tile_cache"))
        self.trained = 0
        self.said: list[str] = []

    def __call__(self, code: str = "a") -> bool:
        return provide(self.tile, self.data, code, self.make, self.said.append)

    def make(self, tile: Tile) -> xr.Dataset:
        self.trained += 1
        return self.runs[tile.name].copy()


@pytest.fixture
def maker(trained: Trained, tmp_path: Path) -> Maker:
    maker = Maker(trained, tmp_path / "data")
    assert maker()
    return maker


def test_a_whole_tile_is_not_trained_again_whatever_is_deleted(maker: Maker) -> None:
    assert maker.file.samefile(maker.kept)
    maker.file.unlink()  # as Snakemake does after a kill
    assert not maker()
    assert maker.file.samefile(maker.kept)
    assert not maker()  # nor where the output is still there
    assert maker.trained == 1
    xr.testing.assert_equal(read(maker.file), maker.runs[maker.tile.name])
    assert not maker.said


def test_another_code_trains_again(maker: Maker) -> None:
    assert maker("b")
    assert not maker("b")
    assert maker.trained == 2
    assert maker.file.samefile(maker.kept)


def test_a_damaged_kept_tile_is_named_moved_aside_and_trained_again(maker: Maker) -> None:
    maker.kept.write_bytes(b"x")
    assert maker()
    (said,) = maker.said
    assert said.startswith(f"{maker.kept}: not a readable netCDF file")
    assert said.endswith(f"; moved to {maker.kept.parent}/damaged/{maker.kept.stem}-1.nc")
    assert (maker.kept.parent / "damaged" / f"{maker.kept.stem}-1.nc").read_bytes() == b"x"
    assert read_tile(maker.file, maker.tile)


def test_what_a_killed_write_left_is_removed(maker: Maker) -> None:
    maker.kept.unlink()
    remains = maker.kept.with_name(f".{maker.kept.stem}.123.nc")
    remains.touch()
    maker()
    assert not remains.exists()


def test_where_links_are_not_possible_the_output_is_a_copy(maker: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_link(*names: Path) -> None:
        raise OSError("no links here")

    monkeypatch.setattr("os.link", no_link)
    maker.file.unlink()
    maker()
    assert not maker.file.samefile(maker.kept)
    assert maker.file.read_bytes() == maker.kept.read_bytes()


def test_another_tile_under_this_name_is_refused_and_repaired(maker: Maker, tmp_path: Path) -> None:
    provide(maker.other, maker.data, "a", maker.make, maker.said.append)
    maker.file.unlink()
    maker.file.write_bytes((maker.file.parent / f"{maker.other.name}.nc").read_bytes())
    with pytest.raises(DataError, match=r"holds other runs than its name says; delete it"):
        read_tile(maker.file, maker.tile)
    found = read_or_repair(maker.file, maker.tile, lambda tile: maker(), maker.said.append)
    xr.testing.assert_equal(found, maker.runs[maker.tile.name])
    assert maker.said[0].endswith("made again")


def test_no_flipped_bit_changes_a_value_unnoticed(maker: Maker, tmp_path: Path) -> None:
    whole = maker.file.read_bytes()
    expected = read_tile(maker.file, maker.tile)
    rng = np.random.default_rng(1)
    noticed = 0
    for number in range(100):
        content = bytearray(whole)
        content[rng.integers(len(content))] ^= 1 << int(rng.integers(8))
        path = tmp_path / f"{number}.nc"
        path.write_bytes(content)
        try:
            found = read_tile(path, maker.tile)
        except DataError:
            noticed += 1
        else:  # it hit room between the values, or a text that describes them
            xr.testing.assert_equal(found, expected)
    assert 10 < noticed < 100
