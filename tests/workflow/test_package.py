"""The installed package runs in any folder what a checkout runs, to the bit: a wheel carries the whole workflow."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest
import yaml

from dmf.dataset.store import FINGERPRINT, read_header
from dmf.dataset.tile_cache import CODE
from harness import ENVIRONMENT, ROOT, TINY, Workflow

PARTS = ("Snakefile", "CITATION.cff", "constraints.txt", "workflow", "config", "scripts")  # of a checkout
# The compiled engine would be compiled again for its new place, forty seconds.
TORCH = {**TINY, "device": "torch", "depths": [2], "starts": {"scales": [1], "count": 2}}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with a wheel of this checkout, beside the packages that these tests run with."""
    folder = tmp_path_factory.mktemp("installed")
    source, environment = folder / "source", folder / "environment"
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    source.mkdir()
    for name in (*PARTS, "pyproject.toml", "setup.py", "README.md", "LICENSE"):
        copy = shutil.copy if (ROOT / name).is_file() else lambda a, b: shutil.copytree(a, b, ignore=ignored)
        copy(ROOT / name, source / name)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True, capture_output=True)
    (packages,) = environment.glob("lib/*/site-packages")
    (packages / "others.pth").write_text(sysconfig.get_paths()["purelib"])  # so that pip finds all else in place
    # As images of containers are made.
    options = {
        "PIP_NO_INDEX": "1",
        "PIP_NO_COMPILE": "0",
        "PIP_NO_BUILD_ISOLATION": "0",
    }  # pip turns the last two round
    path = os.pathsep.join([str(environment / "bin"), os.environ["PATH"]])
    result = subprocess.run(
        [ROOT / "workflow/containers/install", str(source)],
        cwd=folder, env={**os.environ, **options, "PATH": path}, capture_output=True, text=True,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    return environment


@pytest.mark.parametrize("name", ["Dockerfile", "dmf.def"])
def test_images_are_made_by_the_steps_that_made_this_installation(name: str) -> None:
    lines = (ROOT / "workflow/containers" / name).read_text().splitlines()
    (line,) = [line.removeprefix("RUN").split("&&")[0].split() for line in lines if "containers/install" in line]
    program, checkout = line
    assert program == f"{checkout}/workflow/containers/install"
    assert any(line.split()[-3:] == ["python", "-m", "dmf.training.compiled_engine"] for line in lines)


def dmf(environment: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Call the installed command in a folder."""
    outside = {name: value for name, value in ENVIRONMENT.items() if name != "PYTHONPATH"}
    command = [str(environment / "bin/dmf"), *words]
    return subprocess.run(command, cwd=folder, env=outside, capture_output=True, text=True, timeout=300)


def good(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_the_wheel_carries_the_workflow_in_the_layout_of_the_checkout(installed: Path) -> None:
    (share,) = installed.glob("lib/*/site-packages/dmf/share")
    listed = subprocess.run(["git", "ls-files", *PARTS], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    packages = ("scripts/dmf/", "scripts/snakemake_")
    expected = [Path(name) for name in listed.splitlines() if not name.startswith(packages)]
    assert len(expected) > 50
    for name in expected:
        assert (share / name).read_bytes() == (ROOT / name).read_bytes()
        assert os.access(share / name, os.X_OK) == os.access(ROOT / name, os.X_OK)
    assert {file.relative_to(share) for file in share.rglob("*") if file.is_file()} == set(expected)


def test_a_grid_of_an_empty_folder_has_the_bits_of_a_checkout(
    installed: Path, workflow: Workflow, tmp_path_factory: pytest.TempPathFactory
) -> None:
    empty = tmp_path_factory.mktemp("empty")
    words = ["new-grid", "tiny", "--targets", "2x3", "--depths", "2", "--lams", "0.3c", "1.2c"]
    settings = ["device=torch", "starts.count=1", "studies=[]", "figures=[]", "refute.runs=0", "prove.runs=0"]
    assert "Run it: dmf run tiny.yaml" in good(dmf(installed, empty, *words, "--set", *settings))
    good(dmf(installed, empty, "run", "tiny.yaml", "--cores", "2", "--", "runs"))
    assert {path.name for path in empty.iterdir()} == {"tiny.yaml", "data", "reports", ".snakemake"}
    result = workflow("--quiet", "rules", "progress", "--", "runs", config=empty / "tiny.yaml")
    assert result.returncode == 0, result.stderr
    assert len(facts(empty)) == 2
    assert facts(empty) == facts(workflow.folder)


def facts(folder: Path) -> dict[str, Any]:
    """Code and values of the tiles, identity and values of the runs."""
    files = [*(folder / "data/tiny/tiles").glob("*.nc"), *(folder / "data/tiny/runs").glob("*.nc")]
    headers = {file.name: read_header(file).attrs for file in files}
    return {name: [head.get(CODE, head.get("identity")), head[FINGERPRINT]] for name, head in headers.items()}


def test_the_report_of_a_copied_folder_has_the_verdicts_of_the_checkout(
    installed: Path, trained: Workflow, tmp_path: Path
) -> None:
    shutil.copytree(trained.folder / "data/tiny", tmp_path / "copy")
    good(dmf(installed, tmp_path, "report", "copy", "--cores", "2", "--", "verdicts"))
    found, expected = (
        {file.name: json.loads(file.read_text()) for file in folder.glob("reports/tiny/verdicts/*.json")}
        for folder in (tmp_path, trained.folder)
    )
    assert len(found) > 5
    assert found == expected


def test_a_failed_run_has_its_exit_status_and_no_table(installed: Path, tmp_path: Path) -> None:
    config = {**TORCH, "targets": [{"name": "x", "kind": "file", "path": "no.npy"}]}
    (tmp_path / "grid.yaml").write_text(yaml.safe_dump(config))
    result = dmf(installed, tmp_path, "run", "grid.yaml")
    assert result.returncode == 1
    assert result.stdout == ""
    assert "no.npy: no such file" in result.stderr
