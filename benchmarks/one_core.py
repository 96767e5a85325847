"""Import this first: it pins the process to one core, so that every library has one, whatever threads it starts."""

import os

CORE = sorted(os.sched_getaffinity(0))[0]
os.sched_setaffinity(0, {CORE})
for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_name] = "1"
