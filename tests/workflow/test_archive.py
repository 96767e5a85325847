"""A report from a copied data folder alone, and from a grid whose runs are not all there."""

import json
import shutil
from pathlib import Path

import netCDF4
import numpy as np
import pytest

from harness import Workflow

NO_FIGURES = "figures=[]"
CHECKS = {"certify": 1, "join_cells": 1, "write_report": 1, "verify": 1, "all": 1}


def content(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of every file."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): (path.stat().st_size, path.stat().st_mtime_ns) for path in files}


def copied(trained: Workflow, folder: Path) -> Workflow:
    """A folder with nothing but a copy of the tiny grid's data."""
    shutil.copytree(trained.folder / "data/tiny", folder / "copies/tiny")
    return Workflow(folder)


@pytest.fixture
def archive(trained: Workflow, tmp_path: Path) -> Workflow:
    return copied(trained, tmp_path)


@pytest.fixture(scope="module")
def reported(trained: Workflow, tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """The report of a copied data folder, made by the shortest command, without figures."""
    workflow = copied(trained, tmp_path_factory.mktemp("reported"))
    result = workflow("--quiet", "rules", "progress", "--config", "archive=copies/tiny", NO_FIGURES)
    assert result.returncode == 0, result.stderr
    return workflow


def test_a_copied_folder_gives_the_same_verdicts_without_training(trained: Workflow, reported: Workflow) -> None:
    originals, copies = (
        {file.name: file.read_bytes() for file in (workflow.folder / "reports/tiny/verdicts").glob("*.[cj]s*")}
        for workflow in (trained, reported)
    )
    assert copies == originals
    assert len(originals) > 5
    assert (reported.folder / "reports/tiny/index.html").exists()
    assert content(reported.folder / "copies/tiny") == content(trained.folder / "data/tiny")


def test_its_provenance_keeps_when_and_where_the_runs_were_trained(trained: Workflow, reported: Workflow) -> None:
    first, again = (
        json.loads((workflow.folder / "reports/tiny/provenance.json").read_text()) for workflow in (trained, reported)
    )
    assert first["training"] == again["training"]
    assert (first["runs"], first["missing"]) == (again["runs"], again["missing"]) == (64, 0)


def test_cleaning_up_leaves_the_archive_alone(reported: Workflow, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(reported.folder, folder)
    before = content(folder / "copies")
    result = Workflow(folder)("--quiet", "all", "--config", "archive=copies/tiny", "--", "clean")
    assert result.returncode == 0, result.stderr
    assert content(folder / "copies") == before
    assert not (folder / "reports/tiny").exists()
    assert not (folder / "data/tiny/archived").exists()


REFUSED = {
    # what is asked, and what the one line names
    "another seed": (["seed=8"], ["copies/tiny/targets.nc", "target a", "fingerprint"]),
    "another tolerance": (['certificate={"gradient_norm": 1e-9}'], ["copies/tiny/runs/L2-", "training"]),
    "studies that it has not": (["studies=[scalar]"], ["copies/tiny/studies/scalar.nc", "no such file"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_data_of_another_configuration_is_refused_before_anything_is_written(archive: Workflow, name: str) -> None:
    change, fragments = REFUSED[name]
    result = archive("--quiet", "all", "--config", "archive=copies/tiny", *change)
    assert result.returncode == 1
    lines = [line for line in result.stderr.splitlines() if line and not line.startswith("Config file")]
    assert len(lines) == 1, result.stderr
    for fragment in fragments:
        assert fragment in lines[0]
    assert not (archive.folder / "reports").exists()
    assert not (archive.folder / "data").exists()


def test_values_that_were_altered_are_refused_by_file(archive: Workflow) -> None:
    file = next((archive.folder / "copies/tiny/runs").glob("L3-3x3*"))
    with netCDF4.Dataset(file, "a") as runs:
        runs["objective"][0, 0, 0] = np.nextafter(runs["objective"][0, 0, 0], 10)
    result = archive("--quiet", "rules", "progress", "--config", "archive=copies/tiny", "--until", "certify")
    assert result.returncode != 0
    log = (archive.folder / "data/tiny/archived/logs/certify/evidence.log").read_text()
    assert f"{file.relative_to(archive.folder)}: values do not match their fingerprint" in log
    assert file.exists()  # the workflow's own damaged files are moved aside; an archive is the user's


@pytest.fixture(scope="module")
def unfinished(trained: Workflow, tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """The tiny grid with one tile of four lost, and the report of what there is, without figures."""
    folder = tmp_path_factory.mktemp("unfinished") / "copy"
    shutil.copytree(trained.folder, folder)
    for part in ("tiles", "runs"):
        next((folder / "data/tiny" / part).glob("L3-3x3*")).unlink()
    workflow = Workflow(folder)
    assert workflow.planned("all", "--config", "incomplete=true", NO_FIGURES) == {
        "assemble_what_there_is": 4,
        "check": len(list((trained.folder / "reports/tiny/verdicts").glob("*.json"))),
        **CHECKS,
    }
    result = workflow("--quiet", "rules", "progress", "--config", "incomplete=true", NO_FIGURES)
    assert result.returncode != 0  # verify
    return workflow


def test_the_report_of_an_unfinished_grid_shows_what_is_missing(trained: Workflow, unfinished: Workflow) -> None:
    folder = unfinished.folder / "reports/tiny/incomplete"
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert "16 of 64 wanted runs are missing" in page
    provenance = json.loads((folder / "provenance.json").read_text())
    assert (provenance["runs"], provenance["missing"]) == (48, 16)
    for file in (trained.folder / "reports/tiny/verdicts").glob("*.json"):
        whole, part = (json.loads(path.read_text())["finding"] for path in (file, folder / "verdicts" / file.name))
        assert part["runs_counted"] < whole["runs_counted"]
        assert part["statistic"] <= whole["statistic"]


def test_an_unfinished_grid_is_not_verified(unfinished: Workflow) -> None:
    log = unfinished.folder / "data/tiny/incomplete/logs/verify.log"
    assert "incomplete: 16 of 64 runs missing" in log.read_text()
    assert not (unfinished.folder / "reports/tiny/incomplete/verified.txt").exists()


def test_it_changes_nothing_of_the_finished_report_and_the_lost_tile_is_still_to_be_trained(
    trained: Workflow, unfinished: Workflow
) -> None:
    finished, now = (content(workflow.folder / "reports/tiny") for workflow in (trained, unfinished))
    assert {name: stamp for name, stamp in now.items() if not name.startswith("incomplete/")} == finished
    planned = unfinished.planned("runs")
    assert (planned["train"], planned["assemble"]) == (1, 1)
