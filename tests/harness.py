"""Runs the real workflow in a separate folder, as a user would from the command line."""

from __future__ import annotations

import atexit
import json
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
TINY: dict[str, Any] = {
    "grid": "tiny",
    "seed": 7,
    "targets": [
        {"name": "a", "kind": "spectrum", "shape": [3, 3], "singular_values": [2, 1]},
        {"name": "b", "kind": "gaussian", "shape": [2, 3]},
    ],
    "depths": [2, 3],
    "lambdas": {"relative": [0.3, 1.2]},
    "starts": {"scales": [0.5, 2], "count": 4},
    "studies": [],
    "refute": {"runs": 0},
    "minimum_search": {"runs": 0},
    "prove": {"runs": 0},
}

LOCAL = ("--workflow-profile", str(ROOT / "workflow/profiles/local"))  # as `make` calls it
TRIGGERS = ("mtime", "params", "input", "software-env")  # as every profile says
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "TERM": "dumb"}
PATIENCE = 900.0  # seconds until a call of the workflow counts as hung
IMPORTED = ("snakemake.cli", "snakemake.report.html_reporter", "smart_open")
IMPORTED_HERE = (*IMPORTED, "dmf.cli.call", "dmf.evidence.prove")  # another checkout imports what it has itself


@dataclass(frozen=True)
class Workflow:
    """The workflow of the checkout `root`, by default this one, working in `folder`."""

    folder: Path
    root: Path = ROOT
    environment: Mapping[str, str] = field(default_factory=lambda: ENVIRONMENT)

    def write(self, config: dict[str, Any], name: str = "grid.yaml") -> Path:
        """Write a configuration file."""
        path = self.folder / name
        path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
        return path

    def command(self, *arguments: str, config: Path | None = None) -> list[str]:
        """The call of snakemake; the grid's file defaults to grid.yaml, where there is one."""
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(self.root / "Snakefile"), "--cores", "2"]
        command += ["--directory", str(self.folder), "--rerun-triggers", *TRIGGERS]
        config = config or self.folder / "grid.yaml"
        command += ["--configfile", str(config)] if config.exists() else []
        return [*command, *arguments]

    def __call__(
        self, *arguments: str, config: Path | None = None, within: Sequence[str] = ()
    ) -> subprocess.CompletedProcess[str]:
        """Call snakemake, or the program `within` with that call as its last arguments."""
        command = [*within, *self.command(*arguments, config=config)]
        if sys.platform == "linux" and not within and self.environment == ENVIRONMENT:
            return _server(self.root)(command, self.folder)
        return subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=PATIENCE
        )

    def planned(self, goal: str = "runs", *arguments: str) -> dict[str, int]:
        """Number of jobs by rule that a run for `goal` would start."""
        result = self("--dry-run", "--quiet", "rules", *arguments, "--", goal)
        assert result.returncode == 0, result.stderr
        text = result.stdout + result.stderr
        return {
            rule: int(count)
            for rule, count in re.findall(r"^([a-z_]+) +(\d+)$", text, flags=re.MULTILINE)
            if rule != "total"
        }


class _Server:
    """Calls snakemake in forks of a process that has imported it: see snakemake_server.py."""

    def __init__(self, modules: Sequence[str]) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._printed = [str(Path(self._folder.name, name)) for name in ("stdout", "stderr")]
        program = [sys.executable, str(ROOT / "tests/snakemake_server.py")]
        self._process = subprocess.Popen(
            [*program, *self._printed, *modules],
            env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        atexit.register(self._end)

    def __call__(self, command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
        """Do what `command` says of snakemake in a folder."""
        asked, answers = self._process.stdin, self._process.stdout
        assert asked
        assert answers
        print(json.dumps([str(folder), command[command.index("snakemake") + 1 :]]), file=asked, flush=True)
        if not select.select([answers], [], [], PATIENCE)[0]:
            os.killpg(self._process.pid, signal.SIGKILL)
            raise subprocess.TimeoutExpired(command, PATIENCE)
        status = int(answers.readline())
        return subprocess.CompletedProcess(command, status, *(Path(path).read_text() for path in self._printed))

    def _end(self) -> None:
        self._process.communicate()
        self._folder.cleanup()


@cache
def _server(root: Path) -> _Server:
    return _Server(IMPORTED_HERE if root == ROOT else IMPORTED)
