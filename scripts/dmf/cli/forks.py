"""Jobs as forks of one process that has imported what they need: a start of Python takes longer than most jobs do.

Snakemake starts a new Python for every script. Where that would be this very Python on this machine, the script runs
in a fork from the fork server of Python's `multiprocessing` instead. A job still has a process, a log and an exit
status, and ends with its run. Containers, environments and other machines are not concerned. `DMF_FORKS=no` in the
environment starts Python for every job again, for tools that look at a Python from its start.
"""

from __future__ import annotations

import ctypes
import importlib
import multiprocessing
import os
import resource
import runpy
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from multiprocessing import forkserver
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

# What is read when a library is imported, and what Snakemake sets for a job of one thread.
ONE_THREAD = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "GOTO_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
        "NUMEXPR_NUM_THREADS",
    ),
    "1",
)
# A fork imports the main module again. It is that of Snakemake's command, which takes half a second unless all that it
# imports is there; many Pythons ignore "__main__" in this list (https://github.com/python/cpython/issues/126631).
ALWAYS = ("snakemake.cli", "netCDF4", "dmf.dataset.train", "dmf.evidence.judge", "dmf.studies.contract")
KERNELS = "dmf.training.loaded"
OF_STEPS = {  # imported beforehand where several jobs of these steps are to run
    "dmf.cli.progress": {"train"},
    KERNELS: {"train", "study"},
    "dmf.figures._lean": {"draw", "report"},
    "PIL.Image": {"draw"},
}
SEVERAL = 2
SWITCH = "DMF_FORKS"
PRELOAD = "DMF_PRELOAD"  # in the environment of the server: the modules that it imports
PACKAGE = str(Path(__file__).parents[2])  # the folder with the package dmf
ONE_READER = threading.Lock()  # starting a process also reads how others ended, and two threads would read that apart
SET_NAME = 15  # PR_SET_NAME of prctl(2)


def fork_jobs(jobs: Iterable[tuple[str, str]], device: str = "cpu") -> None:
    """From now on run scripts of some rules in forks; `jobs` gives the rule and the step of every job that is to run,
    `device` is the grid's.

    Scripts of all other rules are not ours, and run as Snakemake runs them. Does nothing where the system is not Linux:
    elsewhere libraries do not promise to work after a fork.
    """
    if sys.platform != "linux" or os.environ.get(SWITCH) == "no":
        return
    from snakemake.script import PythonScript

    named = list(jobs)
    rules = {rule for rule, _ in named}
    steps = [step for _, step in named if step != "train" or device == "cpu"]  # only studies train here on every device
    heavy = [name for name, users in OF_STEPS.items() if sum(step in users for step in steps) >= SEVERAL]
    multiprocessing.set_forkserver_preload(["dmf.cli.preload"])
    before = dict(os.environ)
    # The server does not take the path of this process, and another dmf may be installed.
    path = os.pathsep.join(filter(None, [PACKAGE, os.environ.get("PYTHONPATH")]))
    os.environ.update({**ONE_THREAD, "PYTHONPATH": path, PRELOAD: " ".join([*ALWAYS, *heavy])})
    interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)  # for the server too, while it imports
    try:
        forkserver.ensure_running()
    finally:
        signal.signal(signal.SIGINT, interrupt)
        os.environ.clear()
        os.environ.update(before)
    start_python: Callable[..., None] = PythonScript.execute_script

    def execute_script(job: Any, fname: str, edit: bool = False) -> None:
        elsewhere = (job.container_img, job.conda_env, job.env_modules)
        ours = job.rulename in rules
        if edit or not ours or any(one is not None for one in elsewhere) or job.threads != 1:
            start_python(job, fname, edit)
        else:
            _run(fname, job)

    PythonScript.execute_script = execute_script


def _run(script: str, job: Any) -> None:
    """Run a script in a fork and wait for it. Raises CalledProcessError as Snakemake's own way does."""
    from snakemake.shell import shell

    environment = {**os.environ, **ONE_THREAD}
    if folder := job.resources.get("tmpdir"):
        environment |= dict.fromkeys(("TMPDIR", "TMP", "TEMPDIR", "TEMP"), str(folder))
    context = multiprocessing.get_context("forkserver")
    taken, take = context.Pipe(duplex=False)
    process = context.Process(target=_job, args=(script, environment, take), daemon=True)
    began = time.time()
    with ONE_READER:
        process.start()
    with shell._lock:
        shell._processes[job.jobid] = process  # Snakemake ends jobs by this table
    wait([process.sentinel])  # until it has ended, without reading how
    with ONE_READER:
        process.join()
    with shell._lock:
        shell._processes.pop(job.jobid, None)
    if process.exitcode:
        raise subprocess.CalledProcessError(process.exitcode, f"{sys.executable} {script}")
    if (record := job.bench_record) is not None:  # of the rule's benchmark; Snakemake would look twice a second
        record.running_time = time.time() - began
        if taken.poll():
            record.cpu_time, record.max_rss = taken.recv()
            record.cpu_usage, record.data_collected = 100 * record.cpu_time, True


def _job(script: str, environment: Mapping[str, str], take: Connection) -> None:
    """In the fork: what a new Python would do with the script; then send the seconds of a core and the MiB it took."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the main process ends jobs
    step = Path(script).stem.rpartition(".")[2]
    ctypes.CDLL(None).prctl(SET_NAME, step.encode(), 0, 0, 0)  # what ps and top call the process
    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = None  # asked for again
    sys.argv = [script]
    sys.path[0] = str(Path(script).parent)
    runpy.run_path(script, run_name="__main__")
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
    with suppress(BrokenPipeError):  # of a run that was killed nobody asks
        take.send((seconds, max(own.ru_maxrss, children.ru_maxrss) / 1024))


def main() -> None:
    """Import what jobs import, so that Python keeps it compiled: python -m dmf.cli.forks in a new environment."""
    for name in (*ALWAYS, *(one for one in OF_STEPS if one != KERNELS)):
        importlib.import_module(name)


if __name__ == "__main__":
    main()
