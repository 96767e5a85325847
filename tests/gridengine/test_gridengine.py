"""The smoke grid through a real Grid Engine: the same values as a local run, and the end of every job known."""

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from clusters import MASTER, NODES, until
from gridengine.cluster import Cluster
from harness import ROOT
from slurm.runs import Submitted, smoke, stored, submit

SCRIPTS = ROOT / "workflow/profiles/gridengine"


def job(cluster: Cluster, script: str, minutes: str = "10") -> str:
    """Submit a shell script; returns the job's number."""
    path = cluster.shared / "job.sh"
    path.write_text(script)
    return cluster.ask(str(SCRIPTS / "submit"), "1", "100", minutes, str(path)).strip()


def status(cluster: Cluster, number: str) -> str:
    return cluster.ask(str(SCRIPTS / "status"), number).strip()


def ended(cluster: Cluster, number: str) -> str:
    until(lambda: status(cluster, number) != "running", f"job {number} ends", cluster)
    return status(cluster, number)


@pytest.mark.parametrize(("script", "end"), [("exit 0", "success"), ("exit 3", "failed"), ("kill -9 $$", "failed")])
def test_the_end_of_a_job_is_known(cluster: Cluster, queued: Submitted, script: str, end: str) -> None:
    assert ended(cluster, job(cluster, script)) == end


@pytest.fixture(scope="module")
def late(cluster: Cluster, queued: Submitted) -> str:
    """A job that takes longer than the minute that it asks for, beside the tests before its own."""
    return job(cluster, "sleep 1000", minutes="1")


def waiting(cluster: Cluster, number: str) -> Callable[[], bool]:
    return lambda: f" {number} " in cluster.ask("qstat", "-s", "r")


def test_a_job_is_cancelled(cluster: Cluster, late: str) -> None:
    number = job(cluster, "sleep 1000")
    until(waiting(cluster, number), "the job runs", cluster)
    assert status(cluster, number) == "running"
    cluster.ask(str(SCRIPTS / "cancel"), number)
    assert ended(cluster, number) == "failed"
    assert status(cluster, "999999") == "failed"  # a job that nobody knows


def test_every_value_is_that_of_a_local_run(cluster: Cluster, queued: Submitted, local: Path) -> None:
    text = queued.finish()
    patterns = ("data/smoke/**/*.nc", "reports/smoke/verdicts/*.json")
    expected = stored(local, *patterns)
    assert len(expected) > 50
    assert stored(cluster.shared, *patterns) == expected
    assert (cluster.shared / "reports/smoke/verified.txt").exists()
    # Two tiles, the controls, two files of runs, their certificates, the proofs, and one for all the rest.
    assert len(set(re.findall(r"job (\S+) with external jobid", text))) == 8  # one that the queue lost counts once


def test_both_hosts_worked_and_neither_saw_the_others_files(cluster: Cluster, queued: Submitted) -> None:
    queued.finish()
    record = cluster.ask("qacct", "-o", "root", "-j")
    assert {host for host in NODES if f"hostname     {host}" in record} == set(NODES)
    for host in NODES:
        cluster.ask("touch", f"/tmp/of-{host}", host=host)
    assert "of-node1" not in cluster.ask("ls", "/tmp", host="node2")


def test_a_job_out_of_time_has_failed(cluster: Cluster, late: str) -> None:
    assert ended(cluster, late) == "failed"
    assert "100" in cluster.ask("qacct", "-j", late)  # Grid Engine's own word for it: failed 100, or 37 at a hard limit


def test_a_run_that_ends_takes_its_jobs_with_it(cluster: Cluster, queued: Submitted) -> None:
    queued.finish()
    slow = smoke(grid="slow", starts={"scales": [1], "count": 20_000}, tiles={"seconds": 60})
    where = {"within": cluster.on(MASTER), "environment": cluster.environment}
    run = submit(cluster.shared, slow, "gridengine", "--", "runs", soon=["--latency-wait", "10"], **where)
    until(lambda: "smk-train" in cluster.ask("qstat", "-r") or " r " in cluster.ask("qstat"), "a job runs", cluster)
    os.kill(run.process.pid, signal.SIGINT)
    code, text = run.end()
    assert code != 0
    assert "Traceback" not in text
    until(lambda: not cluster.ask("qstat"), "the queue is empty", cluster)
