"""A grid larger than a chunk is assembled, certified and judged in chunks, with the verdicts of the whole."""

import json
import shutil
from copy import deepcopy
from pathlib import Path

from harness import TINY, Workflow

VERDICT = "reports/tiny/verdicts/collapse.json"


def test_a_grid_in_chunks_has_the_verdict_of_the_whole(trained: Workflow, tmp_path: Path) -> None:
    shutil.copytree(trained.folder / "data/tiny/tiles", tmp_path / "data/tiny/tiles")
    for name in ("tiles.jsonl", "controls.nc"):
        shutil.copy(trained.folder / "data/tiny" / name, tmp_path / "data/tiny" / name)
    workflow = Workflow(tmp_path)
    # The runs of a group of 3 x 3 targets at depth 3 take 3 KiB of values, those of 2 x 3 targets less.
    workflow.write({**deepcopy(TINY), "tiles": {"chunk_mib": 1 / 512}})
    only = ("--rerun-triggers", "params", "--allowed-rules", "assemble", "certify", "check")
    result = workflow("--quiet", "rules", "progress", *only, "--", VERDICT)
    assert result.returncode == 0, result.stderr
    chunks = sorted(path.stem for path in (tmp_path / "data/tiny/runs").glob("*.nc"))
    assert {"L3-3x3x3x3-0", "L3-3x3x3x3-1"} <= set(chunks)
    assert len(list((tmp_path / "data/tiny/evidence").glob("*.nc"))) > 1
    whole, found = (json.loads((folder / VERDICT).read_text()) for folder in (trained.folder, tmp_path))
    assert found == whole
