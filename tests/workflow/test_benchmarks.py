"""What each job took is measured, in the grid's folder; no measurement decides what runs."""

import os
import re
import shutil
from pathlib import Path

import pytest

from harness import ROOT, Workflow

BENCHMARKS = "data/tiny/benchmarks"
NO_FILES = {"preflight", "clean"}  # make none, and the second removes the folder


@pytest.fixture
def copied(trained: Workflow, tmp_path: Path) -> Workflow:
    shutil.copytree(trained.folder, tmp_path, dirs_exist_ok=True)  # with the ages of files
    return Workflow(tmp_path)


def test_every_rule_with_a_script_measures_its_jobs() -> None:
    rules = [
        text
        for file in ROOT.glob("workflow/rules/*.smk")
        for text in re.split(r"^rule ", file.read_text(), flags=re.M)[1:]
    ]
    scripts = {text.partition(":")[0]: text for text in rules if "    script:" in text}
    assert len(scripts) > 15
    measured = {rule for rule, text in scripts.items() if f'"{{BENCHMARKS}}/{rule}' in text}
    assert measured == scripts.keys() - NO_FILES


def test_every_job_of_a_run_is_measured(trained: Workflow) -> None:
    folder = trained.folder / BENCHMARKS
    files = list(folder.glob("**/*.tsv"))
    logs = list((trained.folder / "data/tiny/logs").glob("**/*.log"))
    assert len(files) == len(logs)
    for file in files:
        names, values = (line.split("\t") for line in file.read_text().splitlines())
        took = dict(zip(names, values, strict=True))
        assert 0 < float(took["s"]) < 300
        assert 0 < float(took["cpu_time"]) < 300
        assert 30 < float(took["max_rss"]) < 3000


def test_no_measurement_is_needed_and_none_is_made_for_its_own_sake(copied: Workflow) -> None:
    shutil.rmtree(copied.folder / BENCHMARKS)
    assert copied.planned("all") == {}
    assert copied.planned("verify") == {}  # a rule that is named as the goal


def test_the_age_of_a_measurement_decides_nothing(copied: Workflow) -> None:
    """Snakemake counts it among a job's outputs, and a copy may give it any age. Large inputs are not compared."""
    for file in (copied.folder / BENCHMARKS).glob("**/*.tsv"):
        os.utime(file, (1, 1))
    assert copied.planned("all", "--max-checksum-file-size", "0") == {}
