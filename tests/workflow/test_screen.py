"""What the screen says with the profile that make uses: a line for each failure and for Ctrl-C, else nothing.

Snakemake's own quiet modes hide failed jobs and wrong calls, or print lines for every job.
"""

import logging
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from snakemake_interface_logger_plugins.common import LogEvent

from faults.processes import Start, descendants, is_gone, jobs, starting, until, wait
from harness import LOCAL, ROOT, TINY, Workflow
from snakemake_logger_plugin_dmf import GOALS, LONGEST, LogHandler

PROFILE = ("--workflow-profile", LOCAL[1])
AGAIN = "run the same command again: it goes on from here"


def said(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip() and not line.startswith(("Using workflow", "progress:"))]


@pytest.fixture
def start() -> Iterator[Start]:
    with starting() as started:
        yield started


# What is called with a good grid in grid.yaml, what of it is written before, and what the one line says.
WRONG: dict[str, tuple[list[str], dict[str, bytes], str]] = {
    "a goal that is none": (["--", "reprot"], {}, "; did you mean report?"),
    "a file that no rule makes": (["--", "data/tiny/nothing.nc"], {}, "No rule to produce data/tiny/nothing.nc"),
    "no file": (["--configfile", "no.yaml"], {}, "No such file or directory: 'no.yaml'; give --configfile a grid's"),
    "no YAML": (["--configfile", "bad.yaml"], {"bad.yaml": b"grid: x\n  bad: [1,"}, "not valid JSON or YAML"),
    "a list": (["--configfile", "bad.yaml"], {"bad.yaml": b"[1, 2]"}, "with keys at top level; dmf check-grid FILE"),
    "Latin-1": (["--configfile", "bad.yaml"], {"bad.yaml": b"grid: \xf6"}, "can't decode byte 0xf6"),
    "a key without value": (["--config", "nonsense"], {}, "name=value pairs. (Unparsable value: 'nonsense')"),
    "no room for books": (["--", "targets"], {".snakemake": b""}, "make the working directory writable"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_snakemake_refuses_is_one_line(workflow: Workflow, name: str) -> None:
    arguments, files, fragment = WRONG[name]
    workflow.write(TINY)
    for file, content in files.items():
        (workflow.folder / file).write_bytes(content)
    result = workflow(*PROFILE, *arguments)
    assert result.returncode == 1
    [line] = [line for line in said(result.stderr) if not line.startswith("snakemake: Failed to setup log file")]
    assert line.startswith("snakemake: ")
    assert fragment in line
    assert not [path for path in workflow.folder.glob("[dr]*/**/[!.]*") if path.is_file()]  # but the grid's lock


def test_a_home_folder_that_cannot_be_written_is_one_line(workflow: Workflow) -> None:
    workflow.write(TINY)
    nowhere = {key: value for key, value in workflow.environment.items() if not key.startswith("XDG_")}
    elsewhere = Workflow(workflow.folder, environment={**nowhere, "HOME": "/proc/nowhere"})
    result = elsewhere(*PROFILE, "--", "targets")
    assert result.returncode == 1
    [line] = said(result.stderr)
    assert line.endswith("make it writable, or set XDG_CACHE_HOME to a folder that is")


def test_nothing_is_said_while_all_goes_well_and_a_dry_run_says_what_it_would_do(workflow: Workflow) -> None:
    workflow.write(TINY)
    plan = workflow(*PROFILE, "--dry-run", "--", "targets")
    assert plan.returncode == 0
    assert "rule draw_targets:" in plan.stdout
    result = workflow(*PROFILE, "--", "targets")
    assert (result.returncode, result.stdout, said(result.stderr)) == (0, "", [])
    again = workflow(*PROFILE, "--verbose", "--", "targets")
    assert "Nothing to be done" in again.stderr


@pytest.mark.parametrize("step", ["targets", "train", "check"])
def test_a_job_that_is_killed_is_one_line_with_its_log(workflow: Workflow, start: Start, step: str) -> None:
    workflow.write({**TINY, "figures": []})
    process = start(workflow, "verdicts" if step == "check" else "runs" if step == "train" else "targets")

    def job() -> int | None:
        return next(iter(jobs(process.pid, step)), None)

    assert wait(lambda: job() is not None, process)
    os.kill(job() or 0, signal.SIGKILL)
    assert process.wait(240) == 1
    lines = said((workflow.folder / "output.txt").read_text())
    assert len(lines) == 2, lines
    assert f"{step}" in lines[0]
    assert "ended by SIGKILL, as systems do where memory runs out; log: data/tiny/logs/" in lines[0]
    assert lines[0].endswith(AGAIN)
    assert lines[1].startswith("failed for the reasons above; what is done is kept; Snakemake's log: ")


@pytest.mark.parametrize("step", [None, "train"])
def test_ctrl_c_is_one_line_and_ends_all_jobs(workflow: Workflow, start: Start, step: str | None) -> None:
    """A terminal sends it to the whole group, while Snakemake plans or while it has jobs."""
    workflow.write({**TINY, "targets": [{"name": "a", "kind": "gaussian", "shape": [16, 16]}], "depths": [4]})
    process = start(workflow)
    output = workflow.folder / "output.txt"
    if step:
        assert wait(lambda: bool(jobs(process.pid, step)), process)
    else:
        until((workflow.folder / ".snakemake").exists)
    below = descendants(process.pid)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(60) in (1, 130, -signal.SIGINT)
    assert said(output.read_text()) == [f"interrupted; {AGAIN}"]
    until(lambda: all(is_gone(pid) for pid in below))


def test_the_goals_that_a_misspelt_one_may_mean_are_those_of_the_workflow() -> None:
    rules = (ROOT / "workflow" / "rules" / "goals.smk").read_text(encoding="utf-8")
    assert sorted(GOALS) == sorted(["all", *re.findall(r"^rule (\w+):", rules, flags=re.MULTILINE)])


# The plug-in alone, where a run would take too long.


def handler(**settings: Any) -> LogHandler:
    plain = dict.fromkeys(("dryrun", "verbose", "printshellcmds", "debug_dag", "nocolor", "stdout"), False)
    return LogHandler(SimpleNamespace(**plain, quiet=None, show_failed_logs=False, **settings), None)


def shown(one: LogHandler, capsys: pytest.CaptureFixture[str], level: int, text: str | None, **extra: Any) -> list[str]:
    record = logging.LogRecord("snakemake", level, "", 0, text, None, None)
    record.__dict__.update(extra)
    one.emit(record)
    return capsys.readouterr().err.splitlines()


FAILED = {"rule_name": "certify", "output": ["data/x/evidence.nc"], "log": ["certify.log"], "event": LogEvent.JOB_ERROR}
DEATH = "RuleException:\nCalledProcessError in file x.smk, line 3:\nCommand 'x' died with <Signals.SIGBUS: 7>."
STATUS = "RuleException:\nCalledProcessError in file x.smk, line 3:\nCommand 'x' returned non-zero exit status 1."


@pytest.fixture
def quiet(in_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> LogHandler:
    monkeypatch.setattr("sys.excepthook", lambda *_: None)  # to be put back after the test
    return handler()


def test_a_job_that_said_why_gets_no_second_line(quiet: LogHandler, capsys: pytest.CaptureFixture[str]) -> None:
    Path("certify.log").write_text("2026-01-01 INFO started\n2026-01-01 ERROR disk full\n")
    assert shown(quiet, capsys, logging.ERROR, STATUS, event=LogEvent.ERROR, threadName="pool") == []
    assert shown(quiet, capsys, logging.ERROR, "Error in rule", **FAILED) == []


def test_a_job_whose_log_is_of_an_earlier_run_gets_its_line(
    quiet: LogHandler, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("certify.log").write_text("2026-01-01 ERROR disk full\n")
    os.utime("certify.log", (1e9, 1e9))
    shown(quiet, capsys, logging.ERROR, STATUS, event=LogEvent.ERROR, threadName="pool")
    [line] = shown(quiet, capsys, logging.ERROR, "Error in rule", **FAILED)
    where = "certify (data/x/evidence.nc)"
    assert line == f"{where}: failed before its log began; what it printed is above; log: certify.log; {AGAIN}"


def test_of_two_jobs_that_end_together_the_silent_one_gets_the_signal(
    quiet: LogHandler, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("told.log").write_text("2026-01-01 ERROR disk full\n")
    for text in (STATUS, DEATH):
        shown(quiet, capsys, logging.ERROR, text, event=LogEvent.ERROR, threadName="pool")
    assert shown(quiet, capsys, logging.ERROR, "", **{**FAILED, "log": ["told.log"]}) == []
    assert "ended by SIGBUS; log: certify.log" in shown(quiet, capsys, logging.ERROR, "", **FAILED)[0]


def test_a_long_or_hostile_message_stays_one_short_line(quiet: LogHandler, capsys: pytest.CaptureFixture[str]) -> None:
    text = "WorkflowError:\n\x1b[2Jforged\u202e " + "a" * 10**5
    [line] = shown(quiet, capsys, logging.ERROR, text, event=LogEvent.ERROR, threadName="MainThread")
    assert len(line) < LONGEST + 100
    assert line.isprintable()
