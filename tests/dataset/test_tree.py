"""A grid's data as people open them: one tree, read when used, selected by names and numbers."""

import gc
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import dmf
from dmf.claims import load_claims
from dmf.cli.codebook import DATA_FILE, codebook
from dmf.dataset.provenance import file_attributes
from dmf.dataset.schema import DataError
from dmf.dataset.store import write
from dmf.dataset.targets import targets_dataset
from dmf.dataset.tree import indexed
from dmf.evidence.cases import cell_table
from harness import ROOT
from small import Trained

GROUP = "runs/L2-3x3x4"
FAMILIES = ("exact_", "tolerance_", "worst_")  # of proofs and of cells: the codebook has the names after them


@pytest.fixture(scope="module")
def folder(
    trained: Trained, controls: xr.Dataset, proofs: xr.Dataset, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The data folder of the small grid: a file of every kind."""
    folder = tmp_path_factory.mktemp("data")
    grid = trained.project.grid
    files = {"targets": targets_dataset(trained.project.targets, grid.seed)}
    files |= {f"runs/{group.name}": runs for group, runs in trained.groups.items()}
    files |= {f"tiles/{name}": tile for name, tile in trained.tiles.items()}
    files |= {"evidence": trained.evidence, "controls": controls, "proofs": proofs}
    files["cells/uniqueness"] = cell_table(load_claims()["uniqueness"], [trained.evidence], grid.certificate)
    for name, dataset in files.items():
        write(dataset.assign_attrs(file_attributes(name, "A file of the small grid")), folder / f"{name}.nc")
    return folder


def test_runs_are_selected_by_numbers(folder: Path, trained: Trained) -> None:
    runs = dmf.open_grid(folder)[GROUP].to_dataset()
    whole = next(runs for group, runs in trained.groups.items() if group.name == Path(GROUP).name)
    start = np.flatnonzero((whole["scale"].values == 2) & (whole["draw"].values == 1)).item()
    cell = whole.sel(target="a", lam_label="0.3c")
    one = runs.sel(target="a", relative=0.3, scheme="gaussian", scale=2.0, draw=1)
    assert one["objective"].item() == cell["objective"].values[start]
    assert np.array_equal(one["end_to_end"].values, cell["end_to_end"].values[start])
    assert (one["lam"].item(), one["depth"].item()) == (cell["lam"].item(), 2)
    assert runs.sel(relative=0.4, method="nearest")["lam_label"].item() == "0.3c"
    assert runs.sel(relative=slice(0.5, 2))["lam_label"].values.tolist() == ["1.2c"]
    assert runs.sel(scheme="gaussian", scale=2.0)["draw"].values.tolist() == [0, 1, 2, 3]
    table = one["singular_values"].to_dataframe()
    assert {"lam", "relative", "depth", "scale", "draw", "scheme"} <= {*table.columns, *table.index.names}


def test_lambdas_are_in_order_whatever_the_grids_file_says(trained: Trained) -> None:
    whole = next(iter(trained.groups.values()))
    turned = indexed(whole.isel(lam_label=[1, 0]))
    assert turned.sel(relative=slice(0.1, 1))["lam_label"].values.tolist() == ["0.3c"]


def test_evidence_is_selected_by_its_cells(folder: Path, trained: Trained) -> None:
    evidence = dmf.open_grid(folder)["evidence"].to_dataset()
    one = evidence.sel(target="b", depth=3, lam_label="1.2c").isel(start=0)
    of_cell = trained.evidence.isel(cell=np.flatnonzero(trained.evidence["target"].values == "b"))
    cell = np.flatnonzero((of_cell["depth"].values == 3) & (of_cell["lam_label"].values == "1.2c")).item()
    assert one["relative"].item() == pytest.approx(1.2)
    assert one["objective"].item() == of_cell["objective"].values[cell, 0]
    assert set(evidence.sel(depth=2)["target"].values.tolist()) == {"a", "b"}


def test_every_kind_of_file_is_in_the_tree_but_for_tiles(folder: Path) -> None:
    grid = dmf.open_grid(folder)
    assert {f"/{name}" for name in ("targets", "evidence", "controls", "proofs", "cells/uniqueness")} < set(grid.groups)
    assert not any("tile" in name for name in grid.groups)


def test_arrays_are_read_when_used_and_no_file_stays_open(folder: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("no /proc to count open files in")
    trees = [dmf.open_grid(folder) for _ in range(2)]
    large = trees[0]["controls"].to_dataset()
    lazy = [name for name, one in large.data_vars.items() if not one.variable._in_memory]
    assert len(lazy) > 5
    gc.collect()
    assert (
        str(folder)
        not in subprocess.run(["ls", "-l", f"/proc/{os.getpid()}/fd"], capture_output=True, text=True).stdout
    )
    whole = xr.load_dataset(folder / "controls.nc")
    for name in lazy:
        assert np.array_equal(
            large[name].isel(cell=[1, 0]).values, whole[name].isel(cell=[1, 0]).values, equal_nan=True
        )


def test_in_chunks_arrays_are_those_of_dask(folder: Path) -> None:
    pytest.importorskip("dask", reason="dask is not installed: with it, every job of the other tests would load it")
    runs = dmf.open_grid(folder)[GROUP].to_dataset()
    chunked = runs.chunk(start=2)
    assert chunked["objective"].chunks is not None
    assert chunked["objective"].mean().compute().item() == pytest.approx(runs["objective"].mean().item())


def test_a_folder_without_data_and_a_damaged_file_are_refused_in_a_line(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no data of a grid here; expected a folder such as data/default"):
        dmf.open_grid(tmp_path)
    (tmp_path / "evidence.nc").write_bytes((folder / "evidence.nc").read_bytes()[:5000])
    with pytest.raises(DataError, match=r"evidence\.nc: not a readable netCDF file"):
        dmf.open_grid(tmp_path)


def test_the_codebook_has_not_drifted_and_has_every_variable(folder: Path) -> None:
    text = (ROOT / DATA_FILE).read_text(encoding="utf-8")
    assert text == codebook(), "run: python -m dmf.cli.codebook"
    for path in folder.glob("**/*.nc"):
        for name, one in xr.load_dataset(path).variables.items():
            assert f"| `{name}` |" in text or str(name).startswith(FAMILIES), (path.name, name)
            assert one.attrs["long_name"], (path.name, name)
            assert one.dtype.kind in "OUT" or one.attrs["units"] == "1", (path.name, name)


def test_every_kind_of_file_keeps_to_the_conventions(folder: Path) -> None:
    checker = Path(sys.executable).parent / "compliance-checker"
    files = [str(path) for path in sorted(folder.glob("**/*.nc"))]
    result = subprocess.run([str(checker), "--test=cf:1.11", *files], capture_output=True, text=True, timeout=300)
    assert result.stdout.count("All tests passed!") == len(files), result.stdout
    # It cannot compare texts, says so for coordinates that are text, and exits with 2.
    assert set(re.findall("^cf:.*?: (.*)", result.stderr, flags=re.M)) <= {
        "unsupported operand type(s) for -: 'str' and 'str'"
    }


def test_the_package_imports_what_people_call_when_they_call_it() -> None:
    names = "import sys, dmf; print([name for name in ('xarray', 'numpy', 'torch') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", names], capture_output=True, text=True).stdout.strip() == "[]"
    assert "open_grid" in dir(dmf)
    with pytest.raises(AttributeError, match="no attribute 'open_grids'"):
        dmf.open_grids  # noqa: B018
