"""A job puts a file in place only while its run is the last one that began in the grid's folder."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from dmf.dataset import owner
from dmf.dataset.locks import hold
from dmf.dataset.owner import (
    VARIABLE,
    RunEnded,
    begin_run,
    check_package,
    check_run,
    end_run,
    environment,
    owned,
    run_of,
)
from dmf.dataset.store import replace_file, set_aside, write_text
from dmf.errors import UserError
from dmf.step import step


@pytest.fixture
def job(in_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A grid's folder; this process is a job of a run that has just begun in it."""
    folder = in_tmp / "data"
    with hold(folder):
        monkeypatch.setenv(VARIABLE, environment([run_of(folder, here=False)])[VARIABLE])
        yield folder


def test_a_job_writes_while_its_run_goes_on(job: Path) -> None:
    check_run()
    write_text("new", job / "file")
    assert (job / "file").read_text() == "new"


@pytest.mark.parametrize("what", ["another began", "it ended", "the folder is gone"])
def test_a_job_of_a_run_that_has_ended_writes_and_moves_nothing(job: Path, what: str) -> None:
    (job / "file").write_text("later")
    if what == "another began":
        begin_run(job)
    elif what == "it ended":
        end_run(run_of(job, here=False))
    else:
        (job / owner.MARK).unlink()
    for attempt in (check_run, lambda: write_text("earlier", job / "file"), lambda: set_aside(job / "file")):
        with pytest.raises(RunEnded, match="the run that started this job has ended"):
            attempt()
    assert (job / "file").read_text() == "later"
    assert not list(job.glob(".file*"))


def test_a_job_that_imports_other_code_than_planned_its_run_is_refused(
    job: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_of(job, here=False)
    for package, code in (("/other/dmf", run.code), (run.package, "edited since")):  # a copy; a run that goes on
        monkeypatch.setenv(VARIABLE, environment([replace(run, package=package, code=code)])[VARIABLE])
        check_package()
    monkeypatch.setenv(VARIABLE, environment([replace(run, package="/other/dmf", code="another")])[VARIABLE])
    with (
        pytest.raises(
            SystemExit, match=r"^check: .*dmf: this job would run the code here, but .*planned by /other/dmf"
        ),
        step(str(job / "logs/check.log"), "check"),
    ):
        raise AssertionError("must not begin")


def test_a_job_of_two_grids_in_one_snakefile_writes_while_both_runs_go_on(
    job: Path, in_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = in_tmp / "other"
    with hold(other):
        monkeypatch.setenv(VARIABLE, environment(run_of(folder, here=False) for folder in (job, other))[VARIABLE])
        write_text("new", job / "file")
        begin_run(other)
        with pytest.raises(RunEnded, match="other: the run that started this job has ended"):
            write_text("newer", job / "file")
    assert (job / "file").read_text() == "new"


def test_a_run_that_begins_while_a_job_writes_is_noticed_before_the_rename(job: Path) -> None:
    def fill(temporary: Path) -> None:
        temporary.write_text("earlier")
        begin_run(job)

    with pytest.raises(RunEnded):
        replace_file(job / "file", fill)
    assert not (job / "file").exists()


def test_no_run_begins_while_a_file_is_renamed(job: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owner, "PATIENCE", 0.1)
    before = owner.last_token(job)
    with owned(), pytest.raises(UserError, match=r"\.run: held for 0 s by a process that renames a file"):
        begin_run(job)
    assert owner.last_token(job) == before
    begin_run(job)
    assert owner.last_token(job) != before


def test_the_end_of_an_earlier_run_is_not_that_of_a_later_one(job: Path) -> None:
    earlier = run_of(job, here=False)
    begin_run(job)
    end_run(earlier)
    assert owner.last_token(job) not in ("", earlier.token)


def test_a_process_of_no_run_writes_at_any_time(in_tmp: Path) -> None:
    assert VARIABLE not in os.environ
    check_run()
    write_text("any", in_tmp / "file")


JOB = """
import sys, time
from dmf.dataset.owner import end_with_run
end_with_run()
print("began", flush=True)
while True:
    time.sleep(0.01)
"""


STEP = """
import sys
from pathlib import Path
from dmf.dataset.owner import end_run, run_of
from dmf.dataset.store import write_text
from dmf.step import step
with step("log", "job"):
    end_run(run_of(Path(sys.argv[1]), here=False))
    write_text("late", Path("file"))
"""


def test_a_step_of_a_run_that_was_interrupted_says_so_in_its_log_alone(job: Path) -> None:
    """Whoever interrupts a run has one line on the screen; a step that was about to write adds none."""
    steps = str(Path(owner.__file__).parents[2])
    result = subprocess.run(
        [sys.executable, "-c", STEP, str(job)],
        env={**os.environ, "PYTHONPATH": steps},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stdout, result.stderr) == (1, "", "")
    assert ": the run that started this job has ended" in Path("log").read_text()
    assert not Path("file").exists()


@contextmanager
def begun(run: owner.Run) -> Iterator[subprocess.Popen[str]]:
    """A job of a run, which is killed where it does not end by itself."""
    with subprocess.Popen(
        [sys.executable, "-c", JOB], env={**os.environ, **environment([run])}, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_job_ends_soon_after_its_run_even_if_it_only_computes(in_tmp: Path) -> None:
    begin_run(in_tmp)
    run = run_of(in_tmp, here=True)
    with begun(run) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "began\n"
        time.sleep(2 * owner.LOOK_SECONDS)
        assert process.poll() is None
        end_run(run)
        assert process.wait(timeout=20) == 1


def test_a_job_that_starts_after_its_run_was_killed_ends_at_once(in_tmp: Path) -> None:
    begin_run(in_tmp)
    with subprocess.Popen(["sleep", "60"]) as killed:
        killed.send_signal(signal.SIGKILL)
    with begun(replace(run_of(in_tmp, here=True), process=killed.pid)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == ""
        assert process.wait(timeout=20) == 1
