"""A grid of many small tiles: in an empty folder, trained once, and as its values must be whatever happens."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from dmf.dataset.assemble import assemble
from dmf.dataset.project import open_project
from dmf.dataset.store import read, values_fingerprint
from dmf.dataset.train import train_tile
from faults.processes import Start, starting
from harness import LOCAL, TINY, Workflow

MANY: dict[str, Any] = {**TINY, "tiles": {"seconds": 0.0006}}
FEW: dict[str, Any] = {**TINY, "depths": [2], "targets": TINY["targets"][:1], "starts": {"count": 2}}
FEW["tiles"] = {"seconds": 0.0002}
Values = dict[str, str]


@pytest.fixture
def workflow(tmp_path: Path) -> Workflow:
    """The grid in an empty folder."""
    workflow = Workflow(tmp_path)
    workflow.write(MANY)
    return workflow


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Values:
    """The values of the grid, trained and assembled in this process."""
    return trained_here(MANY, tmp_path_factory.mktemp("undisturbed"))


def trained_here(configuration: dict[str, Any], folder: Path) -> Values:
    """Fingerprint of all values by group, trained and assembled in this process, without files."""
    project = open_project(deepcopy(configuration), "grid.yaml", folder)
    return {
        group.name: values_fingerprint(
            assemble(
                project.block(group),
                [(tile.name, train_tile(tile, project.targets, project.grid)) for tile in members],
            )
        )
        for group, members in project.plan.tiles.items()
    }


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """The grid's runs, made once. Tests that change it must copy it."""
    workflow = Workflow(tmp_path_factory.mktemp("finished"))
    workflow.write(MANY)
    result = workflow(*LOCAL, "--", "runs")
    assert result.returncode == 0, result.stderr
    return workflow


@pytest.fixture
def copy(finished: Workflow, tmp_path: Path) -> Workflow:
    """The finished grid in a separate folder; a tile and its kept file are one file there too."""
    folder = tmp_path / "copy"
    subprocess.run(["cp", "--archive", str(finished.folder), str(folder)], check=True)
    return Workflow(folder)


@pytest.fixture(scope="session")
def mounts() -> list[str]:
    """How to run a shell in which file systems may be mounted; they are gone when it ends."""
    for flags in ("--mount", "--mount --map-root-user"):
        shell = ["unshare", *flags.split(), "sh", "-e", "-c"]
        if (
            shutil.which("unshare")
            and not subprocess.run([*shell, "mount -t tmpfs none /mnt"], capture_output=True, check=False).returncode
        ):
            return shell
    pytest.skip("this machine lets no process mount a file system")


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a run in a separate process group."""
    with starting() as started:
        yield started


def values(workflow: Workflow, grid: str = "tiny") -> Values:
    """Fingerprint of all values by group, as they are in the files."""
    return {file.stem: values_fingerprint(read(file)) for file in (workflow.folder / f"data/{grid}/runs").glob("L*.nc")}


def journal(workflow: Workflow, what: str, grid: str = "tiny") -> list[str]:
    """Tiles in the order in which they were `what`: began, wrote or found."""
    path = workflow.folder / f"data/{grid}/trained.log"
    return re.findall(rf" {what} (L\S+)", path.read_text()) if path.exists() else []
