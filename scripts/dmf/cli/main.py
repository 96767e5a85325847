"""The `dmf` command: its parser, and one line for whatever ends it. A command is a file with `add_command`.

Commands are imported where an interrupt is one line already: their libraries take a second to load.
"""

from __future__ import annotations

import argparse
import io
import os
import signal
import sys
import threading
import time
from _thread import start_new_thread
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from itertools import takewhile
from typing import Any, NoReturn, TextIO

from dmf import __version__
from dmf.errors import UserError, near, printable, shown

COMMANDS = (
    "run", "report", "verdicts", "verify", "compare", "predict", "explain", "advise", "new_grid", "check_grid",
    "preflight", "costs", "crate", "cell", "prove", "study", "campaign", "audit", "audit_sweep", "denoise",
    "completion",
)  # fmt: skip
# Read by libraries as they are imported. Matrices here are small: two threads gain nothing, and take twenty times as
# long where another program wants a core. Snakemake sets them for its jobs, and preflight shows what a shell has.
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
INTERRUPTED = 130  # the exit status that shells give a program which Ctrl-C ended


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status, not 0 where the output is lost, after printing one line that says why.

    A reader that has enough, head for one, is no reason to print a line. Raises SystemExit as argparse does.
    """
    if arguments is None:
        sys.unraisablehook = _raise_again
        if sys.argv[1:2] not in (["run"], ["preflight"]):
            os.environ.update({name: os.environ.get(name, "1") for name in ONE_THREAD})
    if sys.stdout is None:  # Python's way to say so
        return _failed("standard output is closed; expected a terminal, a file or a pipe")
    try:
        status = _run(arguments)
        sys.stdout.flush()
    except UserError as error:
        return _failed(str(error))
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "dmf":
            raise
        return _failed(f"dmf: {error.name} is not installed in {sys.prefix}; pip install dmf-landscape brings it")
    except BrokenPipeError:
        _lose(sys.stdout)
        return 1
    except OSError as error:
        _lose(sys.stdout)
        return _failed(f"{error.filename or 'standard output'}: {error.strerror or error}; make room and call again")
    except KeyboardInterrupt:
        _lose(sys.stdout)
        return _failed("interrupted", INTERRUPTED)
    finally:
        if arguments is None:  # a process of this command alone: Ctrl-C while it ends would be twenty lines
            signal.signal(signal.SIGINT, signal.SIG_IGN)
    return status


def _run(arguments: Sequence[str] | None) -> int:
    words = sys.argv[1:] if arguments is None else arguments
    options = make_parser(*words[:1]).parse_args(words)
    # A terminal that lacks a letter, such as lambda, gets its escape: \u03bb. Others are as they were.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    return int(options.run(options))


def make_parser(first: str = "") -> argparse.ArgumentParser:
    """The parser of all commands, or of one alone where `first` names it: the others' libraries take half a second."""
    parser = _Parser(prog="dmf", description="What the theory predicts, and what a grid found.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)
    for command in [name for name in COMMANDS if name.replace("_", "-") == first] or COMMANDS:
        import_module(f"dmf.cli.{command}").add_command(commands)
    return parser


def commands_of(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The parser of each command, by its name."""
    (choice,) = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return dict(choice.choices)


class _Parser(argparse.ArgumentParser):
    """Like its base, but what is wrong is one line, with the name that a misspelt one may mean."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As the base; an option that is none is an error before any that is missing."""
        if self._subparsers is None:
            for word in takewhile(lambda word: word != "--", args or ()):
                name = word.partition("=")[0]
                known = self._option_string_actions
                if name.startswith("--") and not any(option.startswith(name) for option in known):
                    self.error(f"{shown(name)}: unknown option{near(name, known)}")
        if args is not None and "--" in args and self.get_default("snakemake") is not None:
            at = args.index("--")
            found, unknown = super().parse_known_args(args[:at], namespace)
            found.snakemake = args[at + 1 :]
            return found, unknown
        return super().parse_known_args(args, namespace)

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            choices = [str(choice) for choice in action.choices]
            name = "/".join(action.option_strings) or action.dest
            self.error(f"{name}: got {shown(value)}, expected one of {', '.join(choices)}{near(str(value), choices)}")

    def error(self, message: str) -> NoReturn:
        """One line; exit status 2, as for all programs that are called in a wrong way."""
        self.exit(2, f"{self.prog}: {printable(message)}; {self.prog} --help says how to call it\n")

    def _print_message(self, message: str, file: Any = None) -> None:
        # The base takes a help text for printed even where nothing could be written.
        if file is sys.stdout:
            print(message, end="", flush=True)
        else:
            super()._print_message(message, file)


def _raise_again(lost: sys.UnraisableHookArgs) -> None:
    """Let Ctrl-C come again where Python drops it: in what it calls when an object goes, or a lock of an import."""
    if issubclass(lost.exc_type, KeyboardInterrupt):
        # After this call, which would drop it too. `threading` would wait here until the thread runs, and be late.
        start_new_thread(_interrupt_soon, ())
    else:
        sys.__unraisablehook__(lost)


def _interrupt_soon() -> None:
    time.sleep(0.1)
    # The main thread may sleep, and no other thread's signal wakes it.
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


def _failed(line: str, status: int = 1) -> int:
    if sys.stderr is not None:  # else print would take standard output
        try:
            print(line, file=sys.stderr, flush=True)
        except OSError:
            _lose(sys.stderr)
    return status


def _lose(stream: TextIO) -> None:
    """Drop what is still to be printed: else the interpreter tries again at its end, and fails with many lines."""
    with suppress(OSError, ValueError):  # ValueError: no real file, as in tests
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
