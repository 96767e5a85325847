"""Runs a reader in a separate process: what its C library does to a damaged file then ends that process alone.

SciPy's readers of .mat and .mtx files and the netCDF library crash on some damaged files, and fill the memory with
others.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
from importlib import import_module

import numpy as np

from dmf.errors import UserError
from dmf.grid.labelled import LabelledMatrix
from dmf.grid.readers._contract import Options

MAX_MEMORY = 3 * 2**30  # bytes of address space, of which the libraries alone take about a quarter
MAX_SECONDS = 120
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def read_isolated(module: str, content: bytes, suffix: str, options: Options) -> LabelledMatrix:
    """What `module`.read gives. Raises UserError where it refuses, RuntimeError where it fails or does not return."""
    question = json.dumps([module, suffix, [options.variable, options.header, options.index]]).encode() + b"\n"
    environment = {**os.environ, **ONE_THREAD, "PYTHONPATH": os.pathsep.join(sys.path)}
    try:
        done = subprocess.run(
            [sys.executable, "-m", __name__],
            input=question + content,
            capture_output=True,
            env=environment,
            timeout=MAX_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"its reader did not come back within {MAX_SECONDS} s") from None
    if done.returncode:
        ended = signal.Signals(-done.returncode).name if done.returncode < 0 else f"exit code {done.returncode}"
        raise RuntimeError(f"its reader crashed: {ended}")
    head, _, values = done.stdout.partition(b"\n")
    answer = json.loads(head)
    if "refused" in answer:
        raise UserError(answer["refused"])
    if "failed" in answer:
        raise RuntimeError(answer["failed"])
    matrix = np.lib.format.read_array(io.BytesIO(values), allow_pickle=False)
    return LabelledMatrix(matrix, tuple(answer["rows"]), tuple(answer["columns"]))


def _answer() -> None:
    """In the separate process: read from standard input, write what came of it to standard output."""
    with contextlib.suppress(ImportError, ValueError, OSError):  # not every system can limit memory
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    module, suffix, options = json.loads(sys.stdin.buffer.readline())
    values = io.BytesIO()
    try:
        matrix = import_module(module).read(sys.stdin.buffer.read(), suffix, Options(*options))
        np.lib.format.write_array(values, matrix.values, allow_pickle=False)
        answer = {"rows": matrix.rows, "columns": matrix.columns}
    except UserError as error:
        answer = {"refused": str(error)}
    except MemoryError:
        answer = {"failed": f"it would take more than {MAX_MEMORY} bytes of memory"}
    except Exception as error:
        answer = {"failed": str(error) or type(error).__name__}
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n" + values.getvalue())


if __name__ == "__main__":
    _answer()
