"""Forks a process for each hostile file, and measures what it does: so no case pays for the start of Python.

A line of JSON in: the folder, and the words of `dmf`. A line of JSON out: exit status (null where it had to be killed),
output, CPU seconds and peak MiB of the process and of those that it started.
"""

import contextlib
import io
import json
import os
import resource
import signal
import sys
import time
from pathlib import Path
from typing import Any

import dmf.cli.prediction  # noqa: F401 (what `dmf predict` imports, once)
from dmf.cli.main import main
from dmf.errors import or_exit
from dmf.grid.config import load
from dmf.plan import plan_workflow

HANG = 60  # seconds of the clock


def act(words: list[str]) -> int:
    """What a person does with a stranger's file: check a grid and plan it, or ask for the theory of a target."""
    with contextlib.redirect_stdout(io.StringIO()) if words[0] == "check-grid" else contextlib.nullcontext():
        status = main(words)
    if words[0] == "check-grid" and status == 0:
        or_exit(plan_workflow, load(words[1]).model_dump(mode="json"), words[1])
    return status


def child(folder: str, words: list[str]) -> None:
    os.chdir(folder)
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(Path(folder).with_suffix(f".{name}"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", closefd=False, errors="backslashreplace")  # noqa: SIM115
    status = 99
    try:
        status = act(words)
    except SystemExit as ended:
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
        status = ended.code if isinstance(ended.code, int) else 1
    except BaseException as error:
        print(f"Traceback of {type(error).__name__}: {error}", file=sys.stderr)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        peak = max(one.ru_maxrss for one in used) / 1024
        cpu = sum(one.ru_utime + one.ru_stime for one in used)
        Path(folder).with_suffix(".used").write_text(json.dumps([cpu, peak]))
        os._exit(status)


def answer(folder: str, words: list[str]) -> dict[str, Any]:
    used = Path(folder).with_suffix(".used")
    used.unlink(missing_ok=True)
    began = time.monotonic()
    number = os.fork()
    if number == 0:
        os.setpgid(0, 0)
        child(folder, words)
    status = None
    while time.monotonic() < began + HANG:
        ended, code = os.waitpid(number, os.WNOHANG)
        if ended:
            status = os.waitstatus_to_exitcode(code)
            break
        time.sleep(0.01)
    else:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(number, signal.SIGKILL)
        os.waitpid(number, 0)
    cpu, peak = json.loads(used.read_text()) if used.exists() else (None, None)
    texts = [
        Path(folder).with_suffix(f".{name}").read_bytes().decode("utf-8", "replace") for name in ("stdout", "stderr")
    ]
    return {"status": status, "stdout": texts[0], "stderr": texts[1], "cpu": cpu, "peak": peak}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(answer(*json.loads(line))), flush=True)
