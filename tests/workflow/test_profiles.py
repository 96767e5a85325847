"""The shipped profiles: every value has its reason, the plugins take them, and the generic one's scripts work."""

import os
import re
import subprocess
import time
from collections.abc import Callable
from copy import deepcopy
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness import ROOT, TINY, Workflow
from slurm.runs import stored

FOLDER = ROOT / "workflow/profiles"
# The plugin that each profile needs; `make slurm-test` installs them all, plain tests do without.
PLUGINS = {
    "local": "snakemake",
    "slurm": "snakemake_executor_plugin_slurm",
    "slurm-grouped": "snakemake_executor_plugin_slurm",
    "slurm-gpu": "snakemake_executor_plugin_slurm",
    "cluster-generic": "snakemake_executor_plugin_cluster_generic",
    "gridengine": "snakemake_executor_plugin_cluster_generic",
    "kubernetes": "snakemake_executor_plugin_kubernetes",
}
PROFILES = {name: (FOLDER / name / "config.yaml").read_text(encoding="utf-8") for name in PLUGINS}


def needs(plugin: str) -> None:
    if find_spec(plugin) is None:
        pytest.skip(f"{plugin} is not installed: make slurm-test installs it")


def values(profile: str) -> dict[str, Any]:
    """A profile's values by key, nested keys joined by dots."""

    def flat(tree: dict[str, Any], above: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in tree.items():
            found |= flat(value, f"{above}{key}.") if isinstance(value, dict) else {f"{above}{key}": value}
        return found

    return flat(yaml.safe_load(PROFILES[profile]), "")


def test_every_profile_is_tested() -> None:
    assert {folder.name for folder in FOLDER.iterdir()} == PLUGINS.keys()


@pytest.mark.parametrize("profile", PROFILES)
def test_every_value_has_its_reason_beside_it(profile: str) -> None:
    lines = [line for line in PROFILES[profile].splitlines() if line.strip() and not line.lstrip().startswith("#")]
    bare = [line for line in lines if not re.search(r":$", line) and len(line.partition(" # ")[2].split()) < 3]
    assert bare == []


@pytest.mark.parametrize("profile", PROFILES)
def test_profiles_speak_of_rules_that_exist(profile: str) -> None:
    rules = set(re.findall(r"^rule (\w+):", "".join(f.read_text() for f in (ROOT / "workflow/rules").iterdir()), re.M))
    named = {key.split(".")[1] for key in values(profile) if key.startswith(("groups.", "set-resources."))}
    assert named <= rules


def test_the_short_steps_are_one_group_whatever_their_rules_are_called_in_a_module() -> None:
    text = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "workflow/rules").iterdir())
    grouped = re.findall(r'^rule (\w+):\n(?:(?:    .*)?\n)*?    group:\n        "report"$', text, re.M)
    short = {"draw_targets", "check", "judge_attempts", "draw", "join_cells", "write_report", "write_paper"}
    assert set(grouped) == short
    for profile in PROFILES.keys() - {"local"}:
        assert values(profile)["group-components.report"] > 100


@pytest.mark.parametrize(
    ("profile", "own"),
    [
        ("slurm-grouped", {"jobs", "groups.train", "groups.study", "groups.train_controls"}),
        ("slurm-gpu", {"set-resources.train.gpu"}),
    ],
)
def test_the_slurm_profiles_differ_where_they_say_and_nowhere_else(profile: str, own: set[str]) -> None:
    components = {"group-components.tiles", "group-components.studies"} if profile == "slurm-grouped" else set()
    assert {key for key, _ in values(profile).items() ^ values("slurm").items()} == own | components


def test_grid_engine_has_the_generic_profile_with_scripts_of_its_own() -> None:
    scripts = {"cluster-generic-submit-cmd"}
    assert {key for key, _ in values("gridengine").items() ^ values("cluster-generic").items()} == scripts


@pytest.mark.parametrize("profile", [name for name in PROFILES if name != "local"])
def test_a_dry_run_plans_the_jobs_of_a_local_run(workflow: Workflow, profile: str) -> None:
    needs(PLUGINS[profile])
    # The machine that plans for a cluster with graphics cards need not have one.
    workflow.write({**TINY, "device": "cuda:99"} if profile == "slurm-gpu" else TINY)
    planned = workflow.planned("all", "--workflow-profile", str(FOLDER / profile), "--jobs", "2")
    workflow.write(TINY)
    assert planned == workflow.planned("all", "--workflow-profile", str(FOLDER / "local"))


def test_the_generic_profile_runs_as_shipped(tmp_path: Path) -> None:
    needs(PLUGINS["cluster-generic"])
    shared = {**deepcopy(TINY), "targets": TINY["targets"][:1], "depths": [2]}
    profiles = {"local": [], "cluster-generic": ["--latency-wait", "5"]}
    folders = {name: tmp_path / name for name in profiles}
    for name, arguments in profiles.items():
        folders[name].mkdir()
        (folders[name] / "workflow").symlink_to(ROOT / "workflow")  # the profile's paths hold in a checkout
        Workflow(folders[name]).write(shared)
        result = Workflow(folders[name])("--workflow-profile", str(FOLDER / name), *arguments, "--", "runs")
        assert result.returncode == 0, result.stderr
    assert (result.stdout + result.stderr).count("with external jobid") == 2  # a tile, and the runs put together
    runs, there = (stored(folder, "data/tiny/runs/*.nc") for folder in folders.values())
    assert len(runs) > 10
    assert there == runs


def ask(folder: Path, command: str, *arguments: str) -> str:
    words = [str(FOLDER / "cluster-generic" / command), *arguments]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


def job(folder: Path, script: str) -> str:
    """Submit a shell script; returns the job's number."""
    path = folder / "job.sh"
    path.write_text(script)
    return ask(folder, "submit", "1", "1000", "10", str(path))


def running(process: int) -> bool:
    """Whether a process exists and is no zombie."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def ended(folder: Path, number: str) -> str:
    """What the queue says of a job once it no longer runs."""
    until(lambda: ask(folder, "status", number) != "running")
    return ask(folder, "status", number)


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        os.sched_yield()


@pytest.mark.parametrize(("script", "status"), [("exit 0", "success"), ("exit 3", "failed"), ("kill -9 $$", "failed")])
def test_the_generic_queue_tells_how_a_job_ended(tmp_path: Path, script: str, status: str) -> None:
    assert ended(tmp_path, job(tmp_path, script)) == status


def test_the_generic_queue_cancels_a_job_with_all_that_it_started(tmp_path: Path) -> None:
    child = tmp_path / "child"
    number = job(tmp_path, f"sleep 1000 & echo $! >{child}.new; mv {child}.new {child}; wait")
    until(child.exists)
    assert ask(tmp_path, "status", number) == "running"
    ask(tmp_path, "cancel", number)
    assert ended(tmp_path, number) == "failed"
    until(lambda: not running(int(child.read_text())))
    assert ask(tmp_path, "status", "999999999") == "failed"  # a job that nobody knows
