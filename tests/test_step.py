"""A step moves damaged files of its own grid aside, under a module's prefix too, and leaves all others."""

from pathlib import Path

import pytest

from dmf.dataset.store import DamagedFile
from dmf.step import step


@pytest.mark.parametrize("prefix", ["", "results/", "data/deep/", "/"])
@pytest.mark.parametrize("log", ["logs/check-x.log", "logs/certify/evidence.log", "incomplete/logs/check-x.log"])
@pytest.mark.parametrize("grid", ["tiny", "logs"])
def test_a_damaged_file_is_moved_only_where_it_is_of_the_grid(prefix: str, log: str, grid: str, in_tmp: Path) -> None:
    prefix = f"{in_tmp}/" if prefix == "/" else prefix
    own = {f"{prefix}data/{grid}/controls.nc", f"{prefix}reports/{grid}/refute.json"}
    others = {f"{prefix}data/other/controls.nc", f"copies/{grid}/controls.nc", f"{prefix}else/{grid}/x.nc"}
    for name in own | others:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()
        with pytest.raises(SystemExit), step(f"{prefix}data/{grid}/{log}", "check"):
            raise DamagedFile(Path(name), "cannot be read")
        assert Path(name).exists() == (name in others), name
