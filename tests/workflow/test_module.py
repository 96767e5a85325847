"""The workflow as a module of another Snakefile: the same files under the module's prefix, and nothing leaks."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

import dmf
from dmf.dataset.locks import hold
from dmf.dataset.manifest import read_entries, records
from dmf.dataset.store import FINGERPRINT, read_header
from dmf.dataset.tile_cache import CODE
from dmf.training import compiled_engine
from harness import ENVIRONMENT, ROOT, TINY, TRIGGERS, Workflow

# Two grids of one name, one given as a dict and one by a file, and rules around them that know nothing of ours.
CONSUMER = """
configfile: "grids.yaml"

rule first:
    input: "words.txt", "facts.json"

module one:
    snakefile: "{top}/workflow/Snakefile"
    prefix: "one"
    config: {one!r}

module two:
    snakefile: "{top}/Snakefile"
    prefix: "two/deep"
    config: config["two"]

use rule * from one as one_*
use rule * from two as two_*

import study

rule words:
    input: rules.one_all.input, rules.two_runs.input
    output: "words.txt"
    shell: "echo some > {{output}}; echo {{config[archive]}} {study} >> {{output}}"

rule look:
    output: "facts.json"
    script: "look.py"
"""
LOOK = """
import json, os, sys
facts = {"loaded": [name for name in sys.modules if name.startswith("dmf")], "config": sorted(snakemake.config)}
open(snakemake.output[0], "w").write(json.dumps(facts))
"""
ONE = {**TINY, "figures": []}
TWO = {**TINY, "figures": [], "depths": [2]}


PAGE = {"index.html", "explorer.html", "provenance.json", "grid.yaml", "verified.txt"}
TABLES = {"verdicts.csv", "census.csv", "cells/runs.nc"}


def snakemake(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Call snakemake in a folder with a Snakefile, as its user would."""
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--rerun-triggers", *TRIGGERS, *arguments]
    return subprocess.run(
        command, cwd=folder, env={**ENVIRONMENT, **environment}, capture_output=True, text=True, timeout=300
    )


def last_line(result: subprocess.CompletedProcess[str]) -> str:
    """The line with which a call was refused, all that it said."""
    assert result.returncode == 1, result.stdout + result.stderr
    [line] = [line for line in result.stderr.splitlines() if line.strip()]
    return line


def consume(folder: Path) -> Path:
    """Write the consumer's files."""
    text = CONSUMER.format(top=ROOT, one=ONE, study="{study.WORD}")
    (folder / "Snakefile").write_text(text)
    (folder / "grids.yaml").write_text(yaml.safe_dump({"two": TWO, "archive": "theirs"}))
    (folder / "look.py").write_text(LOOK)
    (folder / "study.py").write_text("WORD = 'theirs too'\n")  # the name of a script of ours
    return folder


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A consumer that has run to its end, without hooks."""
    folder = consume(tmp_path_factory.mktemp("used"))
    result = snakemake(folder, "--no-hooks", "--quiet", "rules", "progress")
    assert result.returncode == 0, result.stderr[-3000:]
    return folder


@pytest.fixture
def copy(used: Path, tmp_path: Path) -> Path:
    """A copy of it, to change."""
    return Path(shutil.copytree(used, tmp_path / "copy"))


def content(top: Path) -> Iterator[tuple[str, Any]]:
    """Every file of a grid: its identity, of a tile its code, and its bytes or, of netCDF, its values."""
    for root in (top / "data/tiny", top / "reports/tiny"):
        for record in records(root):
            for name, entry in read_entries(record).items():
                file = root / name
                values = read_header(file).attrs[FINGERPRINT] if file.suffix == ".nc" else entry.sha256
                yield f"{root.name}/{name}" if root.parent.name == "data" else name, (entry.identity, values)
    for file in (top / "data/tiny/tiles").glob("*.nc"):
        header = read_header(file).attrs
        yield file.name, (header[CODE], header[FINGERPRINT])


def test_the_files_are_those_of_a_checkout_to_the_bit(used: Path, trained: Workflow) -> None:
    expected = dict(content(trained.folder))
    one, two = dict(content(used / "one")), dict(content(used / "two/deep"))
    report = {name for name in one if name in PAGE or name in TABLES}  # says which figures it has
    assert report == PAGE | TABLES
    for name in TABLES:
        assert one[name][1] == expected[name][1]
    assert {name: expected[name] for name in one.keys() - report} == {name: one[name] for name in one.keys() - report}
    assert len(two) == 4
    assert {name: expected[name] for name in two} == two


def test_ledger_and_configuration_lie_under_the_prefix_and_nothing_beside_it(used: Path, trained: Workflow) -> None:
    for name in ("tiles.jsonl", "tiles.jsonl.sha256"):
        assert (used / "one/data/tiny" / name).read_bytes() == (trained.folder / "data/tiny" / name).read_bytes()
    assert yaml.safe_load((used / "one/data/tiny/grid.yaml").read_text())["depths"] == [2, 3]
    assert yaml.safe_load((used / "two/deep/data/tiny/grid.yaml").read_text())["depths"] == [2]
    made = {path.name for path in used.iterdir() if not path.name.startswith((".", "_"))}
    assert made == {"Snakefile", "grids.yaml", "look.py", "study.py", "one", "two", "words.txt", "facts.json"}
    assert {path.name for path in (used / "two/deep").iterdir()} == {"data", "reports"}
    assert (used / "one/reports/tiny/verified.txt").exists()


def test_rules_of_the_consumer_run_as_without_the_module(used: Path) -> None:
    assert (used / "words.txt").read_text() == "some\ntheirs theirs too\n"
    assert json.loads((used / "facts.json").read_text()) == {"loaded": [], "config": ["archive", "two"]}


def test_nothing_runs_again_and_the_first_rule_is_the_default_target(used: Path) -> None:
    result = snakemake(used, "--dry-run")
    assert "Nothing to be done" in result.stdout + result.stderr
    result = snakemake(used, "--dry-run", "--quiet", "rules", "--forcerun", "look")
    assert "first" in result.stdout + result.stderr
    assert "one_all" not in result.stdout + result.stderr
    assert result.returncode == 0


def test_a_damaged_file_under_the_prefix_is_moved_aside_and_made_again(copy: Path) -> None:
    file = copy / "one/data/tiny/targets.nc"
    file.write_bytes(file.read_bytes()[:-100])
    result = snakemake(copy, "--quiet", "rules", "progress", "--", "one_targets")
    assert result.returncode == 0, result.stderr
    assert "one/data/tiny/targets.nc: " in result.stderr
    assert "; moved to one/data/tiny/" in result.stderr
    assert file.exists()
    assert not (copy / "one/reports/tiny/verified.txt").exists()  # it is of what is made again


def test_a_grid_that_another_process_runs_is_refused_in_one_line(copy: Path) -> None:
    with hold(copy / "two/deep/data/tiny"):
        result = snakemake(copy, "--quiet", "all")
    assert last_line(result).startswith(f"two/deep/data/tiny: process {os.getpid()} ")
    assert "one run at a time" in result.stderr


def test_clean_removes_the_grid_of_its_module_alone(copy: Path) -> None:
    assert snakemake(copy, "--quiet", "all", "--", "one_clean").returncode == 0
    assert not list(copy.glob("one/*/tiny"))
    assert (copy / "two/deep/data/tiny/tiles.jsonl").exists()


BAD = {
    "no grid": ("config: {'depths': [2]}", "module dmf: config: grid: missing"),
    "a wrong key": ("config: {'grid': 'x', 'depth': 2}", "module dmf: config: depth: unknown key"),
    "replace_prefix": ("replace_prefix: {'data/': 'x/'}\n    config: {'grid': 'x'}", "give that folder as prefix"),
    "no configuration": ("", "config/config.yaml"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_configuration_is_one_line_that_names_the_module(name: str, tmp_path: Path) -> None:
    lines, fragment = BAD[name]
    (tmp_path / "Snakefile").write_text(
        f'module dmf:\n    snakefile: "{ROOT}/workflow/Snakefile"\n    {lines}\n\nuse rule * from dmf as dmf_*\n'
    )
    result = snakemake(tmp_path, "--quiet", "all", "--dry-run")
    assert result.returncode == 1
    assert fragment in result.stdout + result.stderr
    if name != "no configuration":  # Snakemake's own
        last_line(result)
    assert not (tmp_path / "data").exists()


URL = "https://github.com/somebody/dmf-landscape"
TAG = f"v{dmf.__version__}"
# As `snakedeploy deploy-workflow URL . --tag TAG` writes it; config/ it copies.
DEPLOYED = f"""from snakemake.utils import min_version


min_version("6.10.0")


configfile: "config/config.yaml"


# declare {URL} as a module
module dmf_landscape:
    snakefile: 
        github("somebody/dmf-landscape", path="workflow/Snakefile", tag="{TAG}")
    config:
        config


# use all rules from {URL}
use rule * from dmf_landscape
"""  # noqa: W291


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which the URL is a repository with this checkout's workflow, and one of a later version."""
    folder = tmp_path_factory.mktemp("remote")
    top = folder / "somebody/dmf-landscape"
    for name in ("workflow", "scripts", "config"):
        shutil.copytree(ROOT / name, top / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", "dmf"))
    common = top / "workflow/rules/common.smk"
    (folder / "gitconfig").write_text(
        f'[url "file://{folder}/"]\ninsteadOf = https://github.com/\n[user]\nname = a\nemail = a@example.org\n'
    )
    environment = {"GIT_CONFIG_GLOBAL": str(folder / "gitconfig"), "GIT_CONFIG_NOSYSTEM": "1"}

    def git(*words: str) -> None:
        subprocess.run(["git", *words], cwd=top, env={**os.environ, **environment}, check=True, capture_output=True)

    git("init", "--quiet")
    text = common.read_text()
    for tag in (TAG, "v99.0.0"):
        common.write_text(text.replace(f'VERSION = "{dmf.__version__}"', f'VERSION = "{tag[1:]}"'))
        git("add", ".")
        git("commit", "--quiet", "--message", tag)
        git("tag", tag)
    # Snakemake's copies of the repository are apart; compiled kernels are those of all tests.
    cache = {"XDG_CACHE_HOME": str(folder / "cache"), "NUMBA_CACHE_DIR": str(compiled_engine.FOLDER.parent)}
    return {**environment, **cache, "PYTHONPATH": str(ROOT / "scripts")}


def deploy(folder: Path, tag: str = TAG) -> None:
    """What snakedeploy does; then its user writes a configuration."""
    (folder / "workflow").mkdir()
    (folder / "workflow/Snakefile").write_text(DEPLOYED.replace(TAG, tag))
    shutil.copytree(ROOT / "config", folder / "config")
    (folder / "config/config.yaml").write_text(yaml.safe_dump({**deepcopy(TWO), "targets": TINY["targets"][:1]}))


def test_what_snakedeploy_writes_gives_the_same_runs_with_the_same_code(
    remote: dict[str, str], trained: Workflow, tmp_path: Path
) -> None:
    deploy(tmp_path)
    planned = snakemake(tmp_path, "--dry-run", "--quiet", "rules", **remote)
    assert planned.returncode == 0, planned.stderr
    assert "verify " in planned.stdout + planned.stderr  # the default target is all
    result = snakemake(tmp_path, "--quiet", "rules", "progress", "--", "runs", **remote)
    assert result.returncode == 0, result.stderr[-3000:]
    expected, found = dict(content(trained.folder)), dict(content(tmp_path))
    assert len(found) == 2  # a tile, and the runs put together
    assert {name: expected[name] for name in found} == found


def test_another_version_than_the_installed_one_is_refused_in_one_line(remote: dict[str, str], tmp_path: Path) -> None:
    deploy(tmp_path, "v99.0.0")
    line = last_line(snakemake(tmp_path, "--quiet", "all", "--dry-run", **remote))
    assert line.startswith(f"{Path(dmf.__file__).parent}: found version {dmf.__version__}, expected 99.0.0 ")
    assert f"use the workflow of version {dmf.__version__}" in line
