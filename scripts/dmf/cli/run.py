"""`dmf run`: runs the workflow on a grid from any folder, with the rules and profiles that came with this package."""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

from dmf.errors import UserError, near, shown
from dmf.shared import TOP

PROFILES = TOP / "workflow/profiles"
LOCAL = "local"
PLUGINS = {"executor": "snakemake_executor_plugin_", "default-storage-provider": "snakemake_storage_plugin_"}


def add_command(commands: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "run", help="train a grid and write its report, here or through a profile for a cluster"
    )
    parser.add_argument("grid", type=Path, help="the grid's YAML file; results go to data/NAME and reports/NAME")
    add_options(parser)
    parser.set_defaults(run=run)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare what all commands that call Snakemake take."""
    parser.add_argument("--profile", default=LOCAL, help=f"{', '.join(names())}, or a folder; default {LOCAL}")
    parser.add_argument("--cores", help="processors to use at once; default what the profile says")
    parser.epilog = "What follows after -- goes to snakemake: goals such as verdicts, options such as --dry-run."
    parser.set_defaults(snakemake=[])


def run(options: argparse.Namespace) -> int:
    """Check the file and run the workflow; the exit status of Snakemake. Raises UserError."""
    from dmf.grid.config import load

    load(options.grid)  # first: Snakemake would run templates in it
    return call(options, ["--configfile", str(options.grid)])


def names() -> list[str]:
    """The shipped profiles."""
    return sorted(folder.name for folder in PROFILES.iterdir())


def call(options: argparse.Namespace, arguments: Sequence[str]) -> int:
    """Run Snakemake and wait for its end; its exit status. Raises UserError for a profile that cannot be used."""
    profile = PROFILES / options.profile if options.profile in names() else Path(options.profile)
    command = [sys.executable, "-P", "-m", "snakemake", "--snakefile", str(TOP / "Snakefile"), *arguments]
    command += ["--workflow-profile", str(profile), *_placed(profile)]
    command += ["--cores", options.cores] if options.cores else []
    with subprocess.Popen([*command, *options.snakemake]) as process:
        # Ctrl-C reaches Snakemake too, which says what there is to say; a signal to this process alone is passed on.
        signal.signal(signal.SIGINT, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        return process.wait()


def _placed(profile: Path) -> list[str]:
    """Options of a profile that name files of the checkout, with their place in this installation."""
    file = profile / "config.yaml"
    if not file.is_file():
        known = names()
        raise UserError(
            f"profile: got {shown(profile)}, expected {', '.join(known)}, or a folder with a config.yaml"
            f"{near(str(profile), known)}"
        )
    values = yaml.safe_load(file.read_text(encoding="utf-8"))
    for key, prefix in PLUGINS.items():
        if key in values and find_spec(prefix + values[key].replace("-", "_")) is None:
            package = (prefix + values[key]).replace("_", "-")
            extra = "kubernetes" if "kubernetes" in (values["executor"], profile.name) else "cluster"
            raise UserError(
                f"profile {profile.name}: {key} {values[key]} needs {package}, which is not installed; "
                f"pip install 'dmf-landscape[{extra}]'"
            )
    own = {key: value for key, value in values.items() if str(value).startswith("workflow/")}
    return [word for key, value in own.items() for word in (f"--{key}", f"{TOP.as_posix()}/{value}")]
