"""The workflow in an empty folder, and one that has run to its end."""

from pathlib import Path

import pytest

from harness import TINY, Workflow
from shared import shared


@pytest.fixture
def workflow(tmp_path: Path) -> Workflow:
    """The workflow in an empty folder."""
    return Workflow(tmp_path)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """The tiny grid, run once to the end. Tests that change it must copy it."""

    def run(folder: Path) -> Path:
        workflow = Workflow(folder)
        workflow.write(TINY)
        result = workflow("--quiet", "rules", "progress")
        assert result.returncode == 0, result.stderr
        return folder

    return Workflow(shared(tmp_path_factory, "workflow", run))
