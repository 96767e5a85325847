"""A disk that is full or may not be written: one clear line, no half file, and the next run goes on."""

import re
from pathlib import Path

import pytest

from dmf.dataset.store import read
from faults.conftest import FEW, journal, trained_here, values
from harness import LOCAL, Workflow

# A shell line in which "$@" is the run. A tile's file has 30 kB.
TMPFS = 'mkdir data; mount -t tmpfs -o size=100k none data; "$@" || status=$?; cp -r data left; exit $status'
LIMIT = 'ulimit -f 40; "$@"'  # blocks of 512 bytes; needs no rights
READ_ONLY = 'mkdir data; mount --bind data data; mount -o remount,ro,bind data; "$@"'


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip() and not line.startswith(("Using workflow", "progress:"))]


def whole_files_only(data: Path) -> int:
    """Hold every file under a final name to be whole; the number of files of runs."""
    assert not list(data.rglob(".L*")), "a temporary file is left"
    files = list(data.rglob("L*.nc"))
    for file in files:
        read(file)
    return len(files)


@pytest.mark.parametrize("fault", ["tmpfs", "limit"])
def test_a_full_disk_ends_in_a_clear_line_and_no_half_file(
    workflow: Workflow, fault: str, request: pytest.FixtureRequest
) -> None:
    workflow.write(FEW)
    shell = ["sh", "-e", "-c", LIMIT] if fault == "limit" else [*request.getfixturevalue("mounts"), TMPFS]
    full = workflow(*LOCAL, "--", "runs", within=[*shell, "sh"])
    assert full.returncode == 1
    data = workflow.folder / ("data" if fault == "limit" else "left") / "tiny"
    said = re.findall(
        r"^train: (data/tiny/\S+): cannot be written \(.*; [\d,]+ bytes are free there\); make room,", full.stderr, re.M
    )
    assert said, full.stderr
    assert "Traceback" not in full.stderr
    found = whole_files_only(data)
    assert found == 0 if fault == "limit" else found > 0
    again = workflow(*LOCAL, "--", "runs")
    assert again.returncode == 0, again.stderr
    assert values(workflow) == trained_here(FEW, workflow.folder)


def test_data_that_may_not_be_written_stop_a_run_before_its_first_job(workflow: Workflow, mounts: list[str]) -> None:
    result = workflow(*LOCAL, "--", "runs", within=[*mounts, READ_ONLY, "sh"])
    assert result.returncode == 1
    assert len(lines(result.stderr)) == 1, result.stderr
    assert lines(result.stderr)[0].startswith("data/tiny: cannot be written (Read-only file system; ")
    assert not list((workflow.folder / "data").iterdir())
    assert journal(workflow, "began") == []
