"""Runs a reader in a separate process: what its C library does to a damaged file ends that process alone.

The libraries for images, .mat, .mtx and netCDF files crash on some damaged files, fill the memory with others, or
follow names in them. So the process can open no file once its libraries are loaded, and has bounded memory and time.
Python's own audit hooks would not see what C libraries open.
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
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from dmf.errors import UserError
from dmf.grid.labelled import LabelledMatrix
from dmf.grid.readers._contract import Options

# Beyond what the libraries take: for a dense float64 matrix of 4096 x 4096 twice, and for copies of the file.
MAX_MEMORY, MEMORY_PER_BYTE = 288 * 2**20, 8
CPU_SECONDS, CPU_SECONDS_PER_MIB = 3, 1
MAX_SECONDS = 120
# One thread; and no plug-in that could be loaded for a filter or link that a file names.
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "HDF5_PLUGIN_PRELOAD": "::"}
# Isolated Python (-I) takes nothing from the working folder: a user's random.py there must not be run as the library's.
# This package is found where it is; other folders of the path come after Python's own.
BEGIN = (
    "import sys; own, *more = sys.argv[1:]; sys.path.insert(0, own); import dmf; del sys.path[0]; "
    "sys.path += more; from dmf.grid.readers._isolated import answer; answer()"
)
OWN = str(Path(__file__).parents[3])
# Codecs that SciPy's reader of .mat files looks up when it reads.
CODECS = ("ascii", "latin_1", "utf_8", "utf_8_sig", "utf_16", "utf_16_le", "utf_16_be", "utf_32_le", "utf_32_be")


def read_isolated(module: str, content: bytes, suffix: str, options: Options) -> LabelledMatrix:
    """What `module`.read gives. Raises UserError where it refuses, RuntimeError where it fails or does not return."""
    asked = [options.variable, options.header, options.index, options.missing]
    question = json.dumps([module, suffix, asked]).encode() + b"\n"
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-c", BEGIN, OWN, *_path()],
            input=question + content,
            capture_output=True,
            cwd=os.sep,
            env={**os.environ, **ENVIRONMENT},
            timeout=MAX_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"its reader did not come back within {MAX_SECONDS} s") from None
    if done.returncode == -signal.SIGXCPU:
        raise RuntimeError(f"it would take more than {_cpu_seconds(len(content))} s to read")
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


def answer() -> None:
    """In the separate process: read from standard input, write what came of it to standard output."""
    out = os.fdopen(os.dup(1), "wb")  # what a library prints is no answer
    os.dup2(2, 1)
    module, suffix, options = json.loads(sys.stdin.buffer.readline())
    content = sys.stdin.buffer.read()
    reader = import_module(module)
    for name in (*getattr(reader, "LIBRARIES", ()), *(f"encodings.{codec}" for codec in CODECS)):
        import_module(name)
    _confine(len(content))
    matrix = None
    try:
        matrix = reader.read(content, suffix, Options(*options))
        outcome = {"rows": matrix.rows, "columns": matrix.columns}
    except UserError as error:
        outcome = {"refused": str(error)}
    except MemoryError:
        outcome = {"failed": f"it would take more than {_memory(len(content))} bytes of memory"}
    except Exception as error:
        outcome = {"failed": str(error)[:1000] or type(error).__name__}
    out.write(json.dumps(outcome).encode() + b"\n")
    if matrix is not None:
        np.lib.format.write_array(SimpleNamespace(write=out.write), matrix.values, allow_pickle=False)  # no seeking
    out.flush()


def _confine(size: int) -> None:
    """Let this process open no file from now on, and take only what a file of `size` bytes deserves."""
    with contextlib.suppress(ImportError):  # Windows
        import resource

        taken = MAX_MEMORY
        with contextlib.suppress(OSError):  # systems without /proc
            taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        used = resource.getrusage(resource.RUSAGE_SELF)
        cpu = int(used.ru_utime + used.ru_stime) + 1 + _cpu_seconds(size)
        limits = {"CORE": (0, 0), "AS": (taken + _memory(size),) * 2, "CPU": (cpu, cpu + 1), "NOFILE": (0, 0)}
        for name, wanted in limits.items():
            with contextlib.suppress(ValueError, OSError):  # not every system can limit everything
                kind = getattr(resource, f"RLIMIT_{name}")
                ceiling = resource.getrlimit(kind)[1]
                free = ceiling == resource.RLIM_INFINITY
                resource.setrlimit(kind, (wanted if free else (min(wanted[0], ceiling), min(wanted[1], ceiling))))


def _memory(size: int) -> int:
    return MAX_MEMORY + MEMORY_PER_BYTE * size


def _cpu_seconds(size: int) -> int:
    return CPU_SECONDS + CPU_SECONDS_PER_MIB * size // 2**20


def _path() -> list[str]:
    """Where else this process finds its libraries, in its order, less the working folder."""
    here = os.path.realpath("")
    return [str(Path(entry).absolute()) for entry in sys.path if entry and os.path.realpath(entry) != here]
