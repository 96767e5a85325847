"""Runs of the workflow through a queue, and what they left behind beside what a local run leaves."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from dmf.dataset.store import read
from harness import ROOT, Workflow

# Look at the jobs as early as the plugin can, and do not wait a minute for the file system of one machine.
SOON = ["--slurm-init-seconds-before-status-checks", "1", "--latency-wait", "10"]


@dataclass
class Submitted:
    """A run of the workflow through a queue, under way in a folder."""

    folder: Path
    process: subprocess.Popen[bytes]

    def finish(self) -> str:
        """Wait for its end and return what it printed; fails where it failed."""
        code, text = self.end()
        assert code == 0, text
        return text

    def end(self) -> tuple[int, str]:
        """Wait for its end and return its exit code and what it printed."""
        code = self.process.wait(timeout=1200)
        return code, (self.folder / "printed").read_text(encoding="utf-8")

    def stop(self) -> None:
        """End it, where no test waited for its end."""
        self.process.kill()
        self.process.wait()


def submit(
    folder: Path,
    config: dict[str, Any],
    profile: str,
    *arguments: str,
    soon: Sequence[str] = SOON,
    within: Sequence[str] = (),
    environment: Mapping[str, str] = os.environ,
) -> Submitted:
    """Start a run in a folder through a shipped profile, by the program `within` where there is one."""
    file = Workflow(folder).write(config)
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)]
    command += ["--workflow-profile", str(ROOT / "workflow/profiles" / profile), "--configfile", str(file)]
    with (folder / "printed").open("wb") as printed:
        process = subprocess.Popen(
            # setpriv: a run ends with the tests, however they end.
            ["setpriv", "--pdeathsig", "KILL", "--", *within, *command, *soon, *arguments],
            env={**environment, "OMP_NUM_THREADS": "1"},
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
        )
    return Submitted(folder, process)


def run_here(folder: Path, config: dict[str, Any] | None = None, goal: str = "all") -> Path:
    """Run a grid, by default the smoke grid, on this machine by itself; returns the folder."""
    workflow = Workflow(folder)
    workflow.write(config or smoke())
    result = workflow("--quiet", "all", "--", goal)
    assert result.returncode == 0, result.stderr
    return folder


def smoke(**changes: Any) -> dict[str, Any]:
    """The shipped smoke grid, with changes."""
    return {**yaml.safe_load((ROOT / "config/grids/smoke.yaml").read_text(encoding="utf-8")), **changes}


def stored(folder: Path, *patterns: str) -> dict[str, bytes]:
    """Every stored value below a folder, bit for bit, by file and variable; verdicts as they are."""
    values: dict[str, bytes] = {}
    for file in sorted(file for pattern in patterns for file in folder.glob(pattern)):
        name = str(file.relative_to(folder))
        if file.suffix == ".nc":
            dataset = read(file)
            for variable in sorted(map(str, dataset.variables)):
                array = dataset[variable].values
                values[f"{name} {variable}"] = str(array.dtype).encode() + bits(array)
        else:
            values[name] = file.read_bytes()
    return values


def bits(array: np.ndarray) -> bytes:
    """The bytes of an array's values; texts one a line."""
    return "\n".join(map(str, array.ravel())).encode() if array.dtype.kind in "OUT" else array.tobytes()
