"""The committed JSON schema is the one the typed configuration generates, and the shipped grids obey the model."""

from pathlib import Path

import pytest

from dmf.grid.config import SCHEMA_FILE, load, schema_text
from harness import ROOT

GRIDS = sorted([ROOT / "config/config.yaml", *(ROOT / "config/grids").glob("*.yaml")])


def test_the_schema_has_not_drifted() -> None:
    assert (ROOT / SCHEMA_FILE).read_text(encoding="utf-8") == schema_text(), "run: python -m dmf.grid.config"


@pytest.mark.parametrize("path", GRIDS, ids=lambda path: path.stem)
def test_every_shipped_grid_is_valid_and_named_as_its_file(path: Path) -> None:
    grid = load(path)
    assert grid.grid == ("default" if path.stem == "config" else path.stem)
