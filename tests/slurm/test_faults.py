"""What a cluster does to jobs: each fault is reported with its name, costs no other tile, and changes no value."""

from pathlib import Path
from typing import Any

import pytest

from clusters import until
from dmf.dataset.project import open_project
from slurm.cluster import Cluster
from slurm.runs import Submitted, run_here, stored, submit

# Three tiles of one shape that train for seconds each, so that a job can be caught in the middle.
CONFIG: dict[str, Any] = {
    "grid": "faults",
    "targets": [{"name": name, "kind": "gaussian", "shape": [16, 16], "scale": 0.25} for name in "abc"],
    "depths": [4],
    "lambdas": {"absolute": [0.02, 0.05]},
    "starts": {"scales": [1], "count": 1000},
    "studies": [],
    "refute": {"runs": 0},
    "tiles": {"seconds": 2},
}
RUNS = "data/faults/runs/*.nc"
# One job a node, so that a node takes one job down with it.
OPTIONS = ["--default-resources", "mem_mb=1000", "runtime=10", "slurm_partition=single"]


# The smoke grid, in the other partition: only so that the minutes of these tests are its minutes too.
pytestmark = pytest.mark.usefixtures("single", "grouped")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The runs of the grid as one machine trains them."""
    return stored(run_here(tmp_path_factory.mktemp("undisturbed"), CONFIG, "runs"), RUNS)


def start(folder: Path, *arguments: str) -> Submitted:
    for log in folder.glob("data/faults/logs/*.log"):
        log.unlink()
    return submit(folder, CONFIG, "slurm", *OPTIONS, *arguments, "--", "runs")


def catch(cluster: Cluster, run: Submitted, tile: str) -> str:
    """Freeze the job of a tile as soon as its step has begun; returns the job's number."""
    log = run.folder / f"data/faults/logs/train-{tile}.log"
    until(log.exists, f"tile {tile} is being trained", cluster)
    job = cluster.trains(tile)
    cluster.freeze(job)
    assert cluster.states()[job] == "RUNNING"
    return job


def test_faults_are_reported_and_a_rerun_trains_only_what_they_cost(
    cluster: Cluster, undisturbed: dict[str, bytes], tmp_path: Path
) -> None:
    cancelled, late, healthy = (tile.name for tile in open_project(CONFIG, "x", tmp_path).plan.wanted)
    first = start(tmp_path, "--retries", "0")
    slow = catch(cluster, first, late)
    cluster.ask("scontrol", "update", f"JobId={slow}", "TimeLimit=1")  # minute: the least that Slurm knows
    gone = catch(cluster, first, cancelled)
    cluster.ask("scancel", gone)
    code, text = first.end()
    assert code != 0
    assert f"SLURM-job '{gone}' failed, SLURM status is: 'CANCELLED'" in text
    assert f"SLURM-job '{slow}' failed, SLURM status is: 'TIMEOUT'" in text
    tiles = tmp_path / "data/faults/tiles"
    assert [file.stem for file in tiles.glob("*")] == [healthy]  # and no half a file of another name
    kept = (tiles / f"{healthy}.nc").stat()

    second = start(tmp_path)
    lost = catch(cluster, second, cancelled)
    node = cluster.nodes()[lost]
    cluster.kill_node(node)
    until(lambda: cluster.states()[lost] == "NODE_FAIL", f"{node} is missed", cluster)
    cluster.start_node(node)
    text = second.finish()
    assert f"SLURM-job '{lost}' failed due to a node failure" in text
    again = (tiles / f"{healthy}.nc").stat()
    assert (again.st_ino, again.st_mtime_ns) == (kept.st_ino, kept.st_mtime_ns)
    assert text.count("has been submitted") == 2 + 1 + 1  # two tiles, one of them again, and the runs put together
    assert stored(tmp_path, RUNS) == undisturbed
