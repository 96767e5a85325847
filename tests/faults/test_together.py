"""Several runs in one folder: two grids at once both finish; of one grid, one run at a time."""

import subprocess
from pathlib import Path

from dmf.dataset.locks import hold
from faults.conftest import FEW, trained_here, values
from harness import ENVIRONMENT, LOCAL, Workflow


def test_two_grids_at_once_in_one_folder_both_finish(workflow: Workflow) -> None:
    configurations = [workflow.write({**FEW, "grid": name}, f"{name}.yaml") for name in ("one", "two")]
    processes = [
        subprocess.Popen(
            workflow.command(*LOCAL, "--", "runs", config=configuration),
            cwd=workflow.folder, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True,
        )
        for configuration in configurations
    ]  # fmt: skip
    for process in processes:
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
    assert values(workflow, "one") == values(workflow, "two") == trained_here(FEW, workflow.folder)


def test_a_second_run_of_the_same_grid_is_refused_in_one_line(copy: Workflow) -> None:
    for file in (copy.folder / "data/tiny/runs").iterdir():
        file.unlink()
    with hold(copy.folder / "data/tiny"):
        refused = copy(*LOCAL, "--", "runs")
    assert refused.returncode == 1
    last = refused.stderr.strip().splitlines()[-1]
    assert last.startswith("data/tiny: process "), refused.stderr
    assert last.endswith("is running this grid; expected one run at a time; wait for it or stop it")
    assert not list(Path(copy.folder, "data/tiny/runs").iterdir())
