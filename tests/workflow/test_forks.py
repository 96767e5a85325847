"""A job that is a fork finds what a new Python would find, and fails as one does."""

import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from dmf.cli import forks
from harness import ENVIRONMENT, ROOT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="jobs fork on Linux only")

SNAKEFILE = """
import sys
sys.path.insert(0, {scripts!r})
shell.prefix("trap '' INT; exec ")

onstart:
    if config["forks"] == "yes":
        from dmf.cli.forks import fork_jobs
        fork_jobs((name, name) for name in ("look", "work", "fail", "die", "crash"))

rule look:
    output: "facts.json"
    script: "look.py"

rule work:
    output: "work.txt"
    benchmark: "work.tsv"
    script: "work.py"

rule fail:
    output: "fail.txt"
    script: "fail.py"

rule die:
    output: "die.txt"
    script: "die.py"

rule crash:
    output: "crash.txt"
    script: "crash.py"
"""
LOOK = """
import gc, json, os, signal, sys, tempfile, threading
import numpy
import beside
facts = {
    "environment": {key: value for key, value in os.environ.items() if key not in ("_", "SHLVL", "PWD", "OLDPWD")},
    "folder": os.getcwd(), "path": sys.path[1:], "argv": len(sys.argv), "name": __name__, "file": __file__,
    "temporary": tempfile.gettempdir(), "interrupt": str(signal.getsignal(signal.SIGINT)),
    "terminate": str(signal.getsignal(signal.SIGTERM)), "threads": threading.active_count(),
    "output": snakemake.output[0], "beside": beside.VALUE, "limit": sys.getrecursionlimit(), "garbage": gc.isenabled(),
    "blas": numpy.show_config("dicts")["Build Dependencies"]["blas"]["name"], "input": sys.stdin.read(),
}
open(snakemake.output[0], "w").write(json.dumps(facts))
"""
WORK = """
import time
held = bytearray(b"x" * 200_000_000)
while time.process_time() < 1.5:
    pass
open(snakemake.output[0], "w").write(open("/proc/self/comm").read().strip())
"""
MANY = """
import sys
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from dmf.cli import forks

def run(number):
    forks._run("job.py", SimpleNamespace(resources={}, jobid=number, bench_record=None))

if __name__ == "__main__":
    forks.ALWAYS = ()
    forks.fork_jobs([("job", "job")])
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(run, range(200)))
"""
SCRIPTS = {
    "look.py": LOOK,
    "work.py": WORK,
    "beside.py": "VALUE = 7\n",
    "fail.py": "import sys\nsys.exit('fail: one line')\n",
    "die.py": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n",
    "crash.py": "raise ValueError('from a script')\n",
}


def run(folder: Path, goal: str, choice: str) -> subprocess.CompletedProcess[str]:
    for name, text in {"Snakefile": SNAKEFILE.format(scripts=str(ROOT / "scripts")), **SCRIPTS}.items():
        (folder / name).write_text(text)
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--config", f"forks={choice}", "--", goal]
    return subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=240)


def test_it_finds_what_a_new_python_finds(in_tmp: Path) -> None:
    found: dict[str, dict[str, Any]] = {}
    for choice in ("no", "yes"):
        done = run(in_tmp, "facts.json", choice)
        assert done.returncode == 0, done.stderr
        found[choice] = json.loads((in_tmp / "facts.json").read_text())
        (in_tmp / "facts.json").unlink()
    assert found["yes"]["beside"] == 7
    new, fork = ({one for one in facts.pop("path") if "runtime-cache" not in one} for facts in found.values())
    assert new <= fork  # modules come from the same places
    assert found["yes"] == found["no"]


@pytest.mark.parametrize(("choice", "name"), [("no", "python"), ("yes", "work")])
def test_what_it_takes_is_measured_as_of_a_new_python(choice: str, name: str, in_tmp: Path) -> None:
    """A rule with a benchmark forks too: its process has the name of its step."""
    done = run(in_tmp, "work.txt", choice)
    assert done.returncode == 0, done.stderr
    assert (in_tmp / "work.txt").read_text().startswith(name)
    names, values = (line.split("\t") for line in (in_tmp / "work.tsv").read_text().splitlines())
    took = dict(zip(names, values, strict=True))
    assert float(took["s"]) >= 1.4
    assert 1.0 <= float(took["cpu_time"]) <= 3.0
    assert 190 <= float(took["max_rss"]) <= 800  # MiB


@pytest.mark.parametrize(
    ("goal", "reason"),
    [
        ("fail.txt", "fail: one line"),
        ("die.txt", "died with <Signals.SIGKILL: 9>"),
        ("crash.txt", "ValueError: from a script"),
    ],
)
def test_it_fails_as_a_new_python_does(goal: str, reason: str, in_tmp: Path) -> None:
    texts = {choice: run(in_tmp, goal, choice) for choice in ("no", "yes")}
    assert [done.returncode for done in texts.values()] == [1, 1]
    for done in texts.values():
        assert reason in done.stderr
        assert f"CalledProcessError in file {in_tmp / 'Snakefile'}" in done.stderr.replace('"', "")


def test_no_job_is_taken_for_failed_where_many_end_at_once(in_tmp: Path) -> None:
    """Python's library reads how processes ended wherever one is started; two threads at once would read that apart."""
    (in_tmp / "job.py").touch()
    (in_tmp / "many.py").write_text(MANY)
    environment = {**ENVIRONMENT, "PYTHONPATH": str(ROOT / "scripts")}
    done = subprocess.run([sys.executable, "many.py"], cwd=in_tmp, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_what_the_main_module_imports_is_there_already() -> None:
    """Every fork imports that module again."""
    [command] = metadata.entry_points(group="console_scripts", name="snakemake")
    assert command.module in forks.ALWAYS


ORPHANED = """
import os, sys
from multiprocessing import Pipe
from dmf.cli.forks import _job

taken, take = Pipe(duplex=False)
taken.close()
_job(sys.argv[1], os.environ.copy(), take)
"""


def test_a_job_of_a_run_that_was_killed_ends_without_a_traceback(tmp_path: Path) -> None:
    script = tmp_path / "x.train.py"
    script.write_text("print('done')")
    result = subprocess.run([sys.executable, "-c", ORPHANED, str(script)], capture_output=True, text=True)
    assert (result.returncode, result.stdout, result.stderr) == (0, "done\n", "")
