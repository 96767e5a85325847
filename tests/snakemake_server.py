"""Forks a process for each call of Snakemake, so that only the first one takes the second that its imports take.

A line of JSON in: the folder, and the arguments. A line out: the exit status. What a call prints is in the two files
that the server's first arguments name; the others are modules to import beforehand.
"""

import gc
import json
import os
import runpy
import sys
from importlib import import_module
from pathlib import Path

output, errors, *modules = sys.argv[1:]
sys.path[0] = str(Path(__file__).parents[1] / "scripts")
for name in modules:
    import_module(name)
assert len(list(Path("/proc/self/task").iterdir())) == 1, "a fork would lack the other threads"
gc.freeze()

for line in sys.stdin:
    folder, arguments = json.loads(line)
    number = os.fork()
    if number == 0:
        break
    print(os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]), flush=True)
else:
    sys.exit()

# From here on what `python -m snakemake` does in that folder, to the end of the process.
os.chdir(folder)
os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
for number, path in ((1, output), (2, errors)):
    os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
sys.path[0] = folder
sys.argv[1:] = arguments
runpy.run_module("snakemake", run_name="__main__", alter_sys=True)
