"""`dmf completion`: what a shell must know to complete commands, options, files and names of claims and studies."""

from __future__ import annotations

import argparse
from typing import Any

from dmf.claims import claim_names
from dmf.studies import study_names

SHELLS = ("bash", "zsh", "fish", "tcsh")
FILES = ("grid", "file", "first", "second", "targets", "inputs", "out", "page", "markdown")  # arguments, by name
FOLDERS = ("report", "data", "archive")


def add_command(commands: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "completion", help="print what completes dmf in a shell; in bash: source <(dmf completion bash)"
    )
    parser.add_argument("shell", choices=SHELLS)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the script."""
    import shtab

    from dmf.cli.main import commands_of, make_parser

    parser = make_parser()
    for command, one in commands_of(parser).items():
        for action in one._actions:
            if action.dest == "claim" or (command, action.dest) == ("study", "name"):
                action.choices = claim_names() if action.dest == "claim" else study_names()
            elif action.dest in FILES or (action.dest == "target" and not action.option_strings):
                action.complete = shtab.FILE  # type: ignore[attr-defined]
            elif action.dest in FOLDERS:
                action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
    print(shtab.complete(parser, options.shell))
    return 0
