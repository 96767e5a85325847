"""The `dmf` command: its parser, and one line for a user's error. A command is a file with `add_command`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from dmf import __version__
from dmf.cli import advise, campaign, cell, check_grid, compare, explain, new_grid, predict, study, verdicts
from dmf.errors import UserError

COMMANDS = (verdicts, compare, predict, explain, advise, new_grid, check_grid, cell, study, campaign)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status, 1 after printing one line for a user's error."""
    parser = argparse.ArgumentParser(prog="dmf", description="What the theory predicts, and what a grid found.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)
    for command in COMMANDS:
        command.add_command(commands)
    options = parser.parse_args(arguments)
    try:
        return int(options.run(options))
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:  # whoever read the output, head for one, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
