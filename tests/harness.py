"""Runs the real workflow in a separate folder, as a user would from the command line."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
        return subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=300
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
