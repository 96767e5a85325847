"""One private Grid Engine for the session, and the smoke grid on it and on this machine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from clusters import MASTER
from gridengine.cluster import Cluster, missing
from harness import ROOT
from slurm.runs import Submitted, run_here, smoke, submit


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    if reason := missing():
        pytest.skip(f"no Grid Engine: {reason}")
    with Cluster(tmp_path_factory.mktemp("shared")) as cluster:
        (cluster.shared / "workflow").symlink_to(ROOT / "workflow")  # the profile's paths hold in a checkout
        yield cluster


@pytest.fixture(scope="session")
def queued(cluster: Cluster) -> Iterator[Submitted]:
    """The whole smoke grid through the queue, started on the master."""
    where = {"within": cluster.on(MASTER), "environment": cluster.environment}
    run = submit(cluster.shared, smoke(), "gridengine", soon=["--latency-wait", "10"], **where)
    yield run
    run.stop()


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole smoke grid on this machine, by itself."""
    return run_here(tmp_path_factory.mktemp("local"))
