"""Provenance adds up its files and is JSON."""

import json

import numpy as np
import xarray as xr

from dmf.dataset.store import values_fingerprint
from dmf.grid.config import Grid
from dmf.report.provenance import provenance, runs_facts


def facts(day: int, machine: str, seconds: float) -> dict[str, object]:
    stamp = {"date_created": f"2026-01-0{day}T00:00:00+00:00", "machine": machine, "git_revision": "r"}
    return {
        "runs": 10,
        "train_seconds": seconds,
        "training": "abc",
        "package_versions": "v",
        "values_sha256": "0",
    } | stamp


def test_runs_and_seconds_add_up_and_every_machine_is_named(grid: Grid) -> None:
    files = {"a": facts(2, "one", 1.5), "b": facts(1, "two", 2.0), "c": facts(3, "one", 0.25)}
    found = provenance(grid, [], [{"values_sha256": "f" * 64}], files, facts(4, "three", 0))
    assert found["runs"] == 30
    assert found["train_seconds"] == 3.75
    assert found["training"]["machine"] == ["one", "two"]
    assert (found["training"]["first"][:10], found["training"]["last"][:10]) == ("2026-01-01", "2026-01-03")
    assert found["evidence"]["values_sha256"] == "f" * 64
    assert found["evidence"]["machine"] == "unknown"
    assert found["report"]["machine"] == "three"
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_the_recorded_configuration_gives_the_same_grid_and_its_change_another_fingerprint(grid: Grid) -> None:
    found = provenance(grid, [], [{}], {}, {})
    assert Grid.model_validate(found["configuration"]) == grid
    other = provenance(grid.model_copy(update={"seed": 1}), [], [{}], {}, {})
    assert other["configuration_fingerprint"] != found["configuration_fingerprint"]


def test_facts_of_a_file_of_runs_are_its_own() -> None:
    runs = xr.Dataset({"objective": (("target", "lam_label", "start"), np.zeros((2, 3, 5)))})
    sha = values_fingerprint(runs)
    runs.attrs = {"train_seconds": np.float64(2.5), "training": "abc", "machine": "m", "values_sha256": sha}
    found = runs_facts(runs)
    assert (found["runs"], found["train_seconds"], found["training"], found["machine"]) == (30, 2.5, "abc", "m")
    assert found["values_sha256"] == sha
    json.dumps(found)
