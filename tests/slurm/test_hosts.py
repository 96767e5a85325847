"""Slurm over hosts with separate file systems, on which results appear late, as a network file system may show them."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from clusters import MASTER, NODES
from harness import ROOT
from slurm.cluster import guard
from slurm.hosts import SlurmHosts, missing
from slurm.runs import smoke, stored, submit

LATE = 6.0  # seconds: more than Snakemake's own default of 5, and less than the profile's 60
LOOKED = (
    "Waiting at most 60 seconds for missing files"  # what Snakemake says when it finds no result, with its patience
)
EARLY_LOOKS = ("--slurm-init-seconds-before-status-checks", "1")


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlurmHosts]:
    if reason := missing():
        pytest.skip(f"no Slurm on hosts: {reason}")
    with SlurmHosts(tmp_path_factory.mktemp("shared")) as hosts:
        yield hosts


def test_the_profile_waits_for_results_that_appear_late(hosts: SlurmHosts, local: Path) -> None:
    folder = hosts.shared / "patient"
    printed = folder / "printed"
    with hosts.late(
        folder / "data/smoke/tiles", lambda: printed.exists() and LOOKED in printed.read_text(), LATE
    ) as took:
        where = {"within": hosts.on(MASTER), "environment": hosts.environment}
        submit(folder, smoke(), "slurm", "--", "verdicts", soon=EARLY_LOOKS, **where).finish()
    assert len(took) == 2
    assert min(took.values()) >= LATE
    patterns = ("data/smoke/**/*.nc", "reports/smoke/verdicts/*.json")
    found, expected = stored(folder, *patterns), stored(local, *patterns)
    assert len(found) > 50
    assert found == {name: expected[name] for name in found}
    assert {name for name in expected if "/verdicts/" in name or "/runs/" in name} <= found.keys()
    assert hosts.workers() == set(NODES)


def test_without_patience_the_failure_says_what_is_missing_and_what_to_do(hosts: SlurmHosts) -> None:
    folder, config = hosts.shared / "hasty", smoke(targets=smoke()["targets"][:1])
    with hosts.late(folder / "data/smoke/tiles", lambda: False, LATE):
        where = {"within": hosts.on(MASTER), "environment": hosts.environment}
        hasty = ["--latency-wait", "0", "--retries", "0", "--", "runs"]
        code, text = submit(folder, config, "slurm", *hasty, soon=EARLY_LOOKS, **where).end()
    assert code != 0
    assert text.count("MissingOutputException") == 1, text
    said = text[text.index("MissingOutputException") :]
    assert "completed successfully, but some output files are missing" in said
    assert "--latency-wait" in said
    assert "data/smoke/tiles/L3-" in said
    assert "Traceback" not in text


def test_no_host_sees_files_of_another_but_those_that_they_share(hosts: SlurmHosts) -> None:
    for host in (MASTER, *NODES):
        hosts.ask("touch", f"/tmp/of-{host}", host=host)
        assert hosts.ask("sh", "-c", "ls /tmp/of-*", host=host).split() == [f"/tmp/of-{host}"]
    assert not list(Path("/tmp").glob("of-*"))


def test_the_link_to_a_configuration_goes_with_tests_that_are_killed(tmp_path: Path) -> None:
    link = tmp_path / "slurm.conf"
    link.symlink_to(tmp_path / "of-these-tests")
    program = "import sys, time; from pathlib import Path; from slurm.cluster import guard; guard(Path(sys.argv[1]))"
    code = f"{program}; print('ready', flush=True); time.sleep(60)"
    environment = {"PYTHONPATH": f"{ROOT / 'tests'}:{ROOT / 'scripts'}", "PATH": "/usr/bin:/bin"}
    with subprocess.Popen(
        [sys.executable, "-c", code, str(link)], env=environment, stdout=subprocess.PIPE, text=True
    ) as killed:
        assert killed.stdout is not None
        assert killed.stdout.readline() == "ready\n"
        assert link.is_symlink()
        killed.kill()
    for _ in range(100):
        if not link.is_symlink():
            break
        subprocess.run(["sleep", "0.05"], check=True)
    assert not link.is_symlink()


def test_a_link_that_leads_elsewhere_by_then_stays(tmp_path: Path) -> None:
    link = tmp_path / "slurm.conf"
    link.symlink_to(tmp_path / "of-these-tests")
    process = guard(link)
    link.unlink()
    link.symlink_to(tmp_path / "of-others")
    process.communicate()
    assert link.is_symlink()
