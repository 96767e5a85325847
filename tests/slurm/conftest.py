"""One private Slurm for the session, and the smoke grid on it: started at once, to run beside the tests of faults."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from slurm.cluster import Cluster, missing
from slurm.runs import Submitted, run_here, smoke, submit


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    if reason := missing():
        pytest.skip(f"no Slurm: {reason}")
    with Cluster() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def single(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Submitted]:
    """The whole smoke grid, a Slurm job a tile."""
    run = submit(tmp_path_factory.mktemp("single"), smoke(), "slurm")
    yield run
    run.stop()


@pytest.fixture(scope="session")
def grouped(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Submitted]:
    """The smoke grid's runs in several tiles, two a Slurm job; another layout of tiles changes no run."""
    config = smoke(tiles={"seconds": 0.0033})
    folder = tmp_path_factory.mktemp("grouped")
    run = submit(folder, config, "slurm-grouped", "--group-components", "tiles=2", "--", "runs")
    yield run
    run.stop()


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole smoke grid on this machine, by itself."""
    return run_here(tmp_path_factory.mktemp("local"))
