"""Measures what jobs take, each a step's script in a process of its own: CPU seconds and peak resident memory.

    python benchmarks/jobs.py train                  tiles by shape, depth and number of runs
    python benchmarks/jobs.py aggregate GRID FOLDER  from assemble to report, of what `snakemake -- runs` left in FOLDER

Prints one line a job, tab-separated. `dmf.grid.cost` is fitted to them.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

from dmf.dataset.project import open_project
from dmf.grid.chunks import thinning

SCRIPTS = Path(__file__).parents[1] / "scripts"
CODE = "measured"  # stands for the fingerprint of the code
# What Snakemake hands to a script, from JSON.
RUNNER = """
import json, runpy, sys, types
class Files(list):
    def __init__(self, named):
        super().__init__(file for files in named.values() for file in ([files] if isinstance(files, str) else files))
        self.__dict__.update(named)
raw = json.loads(sys.argv[2])
given = {"input": Files(raw["input"]), "output": Files(raw["output"]), "log": [raw["log"]], "config": raw["config"]}
given |= {name: types.SimpleNamespace(**raw[name]) for name in ("params", "wildcards")}
sys.path[:0] = [sys.argv[1].rpartition("/")[0]]
runpy.run_path(sys.argv[1], init_globals={"snakemake": types.SimpleNamespace(**given)})
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""
# rows, columns, depth, hidden widths, starts of each of 16 (lambda, series), whether layers are kept
TILES = [
    (1, 1, 3, "same", 5000, False),
    (2, 2, 2, "same", 5000, False),
    (4, 4, 3, "same", 3, False),
    (4, 4, 3, "same", 2500, False),
    (4, 4, 6, "same", 1000, False),
    (8, 8, 3, "same", 25, False),
    (8, 8, 3, "same", 1600, False),
    (8, 8, 3, "same", 6250, False),
    (8, 8, 3, "same", 400, True),
    (8, 8, 3, "same", 2500, True),
    (5, 9, 3, 12, 500, False),
    (16, 16, 4, "same", 200, False),
    (32, 32, 3, "same", 40, False),
    (64, 64, 2, "same", 10, False),
]


def job(script: str, **given: Any) -> tuple[float, float]:
    """CPU seconds and peak MiB of one step, on Linux. Raises RuntimeError where it fails.

    The peak is what the kernel says of the process itself: getrusage counts what its parent held before it.
    """
    with tempfile.TemporaryDirectory() as folder:
        blank: dict[str, Any] = {"input": {}, "params": {}, "wildcards": {}, "log": f"{folder}/log"}
        command = [sys.executable, "-c", RUNNER, str(SCRIPTS / script), json.dumps({**blank, **given})]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as child:
            said = child.stdout.read() if child.stdout else ""
            _, status, used = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"{script} failed")
    return used.ru_utime + used.ru_stime, int(said.split()[-1]) / 1024


def tile_config(rows: int, columns: int, depth: int, hidden: str | int, count: int, keep: bool) -> dict[str, Any]:
    """A grid of one target, one depth and one tile of 16 x `count` runs."""
    target = {"name": "t", "kind": "gaussian", "shape": [rows, columns], "scale": rows**-0.5}
    return {
        "grid": "jobs",
        "targets": [target],
        "depths": [depth],
        "hidden_widths": hidden,
        "lambdas": {"relative": [0.1, 0.5, 0.9, 1.2]},
        "starts": {"schemes": ["gaussian", "balanced"], "scales": [0.5, 1.0], "count": count},
        "keep": {"layers": keep},
        "tiles": {"seconds": 1e9},
    }


def train() -> None:
    """Measure tiles."""
    from dmf.grid.cost import train_memory, train_seconds

    print("tile\truns\tlayers\tcpu_s\tpredicted_s\trss_MiB\tpredicted_MiB")
    for case in TILES:
        config = tile_config(*case)
        with tempfile.TemporaryDirectory() as folder:
            (tile,) = open_project(config, "jobs", Path(folder)).plan.wanted
            output = {"tile": f"{folder}/data/tiles/x.nc"}
            given = {"params": {"tile": json.dumps(tile.as_json()), "code": CODE}}
            cpu, rss = job("train.py", output=output, config=config, **given)
        predicted = f"{train_seconds(tile):.1f}\t{rss:.0f}\t{train_memory(tile, case[-1], 'cpu'):.0f}"
        print(f"{tile.group.name}\t{tile.runs}\t{case[-1]}\t{cpu:.1f}\t{predicted}", flush=True)


def aggregate(grid: str, folder: str) -> None:
    """Measure the steps after training, at a hundredth, a tenth and all of a grid's starts."""
    raw = yaml.safe_load(Path(grid).read_text(encoding="utf-8"))
    os.chdir(folder)
    all_starts = raw["starts"]["count"]
    print("runs\tstep\tpart\tcpu_s\trss_MiB\twritten_MiB")
    for count in (all_starts // 100, all_starts // 10, all_starts):
        config = {**raw, "starts": {**raw["starts"], "count": count}}
        with tempfile.TemporaryDirectory(dir=".") as scratch:
            _steps(config, Path(scratch))


def _steps(config: dict[str, Any], out: Path) -> None:
    project = open_project(config, "grid")
    data = Path("data") / project.grid.grid

    shutil.copy(data / "tiles.jsonl", out)

    def show(script: str, part: str, output: Path, **given: Any) -> None:
        cpu, rss = job(script, output={"page": str(output), **given.pop("more", {})}, config=config, **given)
        size = output.stat().st_size / 2**20
        print(f"{project.runs}\t{script}\t{part}\t{cpu:.1f}\t{rss:.0f}\t{size:.1f}", flush=True)

    show("controls.py", "all", out / "controls.nc")
    show("targets.py", "all", out / "targets.nc")
    for bundle, parts in project.evidence_chunks().items():
        for part in parts:
            tiles = [str(data / "tiles" / f"{tile.name}.nc") for tile in part.tiles]
            block = json.dumps(part.block.as_json())
            read = {"tiles": tiles}
            show("assemble.py", part.name, out / "runs" / f"{part.name}.nc", input=read, params={"block": block})
        runs = [str(out / "runs" / f"{part.name}.nc") for part in parts]
        show("certify.py", bundle, out / f"{bundle}.nc", input={"runs": runs})
    evidence = [str(out / f"{bundle}.nc") for bundle in project.evidence_chunks()]
    read = {"evidence": evidence, "controls": str(out / "controls.nc")}
    for claim in ("uniqueness", "schatten"):
        show("check.py", claim, out / f"{claim}.json", input=read, wildcards={"claim": claim})
    every = json.dumps(thinning(project.cells, project.series, project.grid.starts.count))
    for figure in ("census", "uniqueness"):
        output = out / f"{figure}.svg"
        show(
            "draw.py", figure, output, input=read, wildcards={"figure": figure}, params={"labels": "{}", "every": every}
        )
    report = {
        "verdicts": [str(out / f"{claim}.json") for claim in ("uniqueness", "schatten")],
        "runs": [str(out / "runs" / f"{one.name}.nc") for some in project.evidence_chunks().values() for one in some],
        "targets": str(out / "targets.nc"), "found": [], "svg": [], "png": [], "evidence": evidence,
    }  # fmt: skip
    more = {"table": str(out / "table.csv"), "provenance": str(out / "provenance.json")}
    show("report.py", "all", out / "index.html", input=report, params={"every": every}, more=more)


if __name__ == "__main__":
    began = time.time()
    {"train": train, "aggregate": aggregate}[sys.argv[1]](*sys.argv[2:])
    print(f"# {time.time() - began:.0f} s")
