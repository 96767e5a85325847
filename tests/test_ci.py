"""The workflow of GitHub is one that GitHub takes, does what .ci/run does, and calls nothing that is not here."""

import re
import subprocess
import sys
from itertools import product
from typing import Any

import pytest
import yaml

from harness import ROOT

FILE = ROOT / ".github/workflows/ci.yml"
WORKFLOW: dict[str, Any] = yaml.load(FILE.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # `on` is no truth value
JOBS: dict[str, dict[str, Any]] = WORKFLOW["jobs"]
PERMISSION = {"contents": "read"}
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.M))


def commands(job: dict[str, Any]) -> list[str]:
    """Every line that a job runs, with each value of its matrix."""
    matrix = job.get("strategy", {}).get("matrix", {})
    lines = [line for step in job["steps"] for line in step.get("run", "").splitlines()]
    found = []
    for values in product(*matrix.values()):
        for line in lines:
            for name, value in zip(matrix, values, strict=True):
                line = line.replace(f"${{{{ matrix.{name} }}}}", value)
            found.append(line)
    return found


def problem(line: str) -> str:
    """Why a line is not a target of the Makefile or a script of .ci; "" where it is one."""
    words = re.sub(r"^sudo (--\S+ )*", "", line).split()
    if words[0].startswith(".ci/"):
        return "" if (ROOT / words[0]).is_file() else "no such script"
    if words[0] != "make":
        return "neither make nor a script of .ci"
    return "" if set(words[1:]) <= TARGETS else "no such target"


def test_it_keeps_githubs_schema() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(FILE)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("name", JOBS)
def test_every_command_is_a_target_or_a_script_that_is_here(name: str) -> None:
    lines = commands(JOBS[name])
    assert lines
    assert {line: problem(line) for line in lines} == dict.fromkeys(lines, "")


@pytest.mark.parametrize(
    "line", ["make tests", "pytest", ".ci/all", "sudo --preserve-env=PATH make slurm", "pip install x"]
)
def test_any_other_command_is_found(line: str) -> None:
    assert problem(line)


def test_it_does_what_the_script_does() -> None:
    script = re.findall(r"\bmake\b *([a-z-]*)", re.sub(r"^ *#.*$", "", (ROOT / ".ci/run").read_text(), flags=re.M))
    called = {line.partition("make")[2].strip() for job in JOBS.values() for line in commands(job)}
    assert set(script) - {"cluster-setup"} <= called  # which the targets of queues need, and call
    assert {"", "test", "lint", "slurm-test", "gridengine-test"} <= called


def test_its_pythons_are_those_of_the_package() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert 'requires-python = ">=3.11"' in project
    assert JOBS["test"]["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13"]


@pytest.mark.parametrize("name", JOBS)
def test_a_job_may_only_read_ends_in_time_and_takes_actions_of_one_version(name: str) -> None:
    job = JOBS[name]
    assert PERMISSION == WORKFLOW["permissions"] == job.get("permissions", PERMISSION)
    assert 0 < int(job["timeout-minutes"]) <= 90
    for step in job["steps"]:
        if "uses" in step:
            assert re.fullmatch(r"actions/[a-z-]+@(v\d+|[0-9a-f]{40})", step["uses"])
        if step.get("uses", "").startswith("actions/checkout"):
            assert step["with"]["persist-credentials"] == "false"
        if step.get("uses", "").startswith("actions/setup-python"):
            assert (step["with"]["cache"], step["with"]["cache-dependency-path"]) == ("pip", "constraints.txt")
