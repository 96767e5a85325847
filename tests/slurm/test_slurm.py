"""The smoke grid through a real Slurm: the same values as a local run, to the last bit, however jobs are grouped."""

import re
from pathlib import Path

from slurm.runs import Submitted, stored


def submissions(text: str) -> int:
    """How many jobs of Snakemake were submitted; one that the queue lost, on a busy machine, is submitted once more."""
    return len(set(re.findall(r"Job (\S+) has been submitted with SLURM jobid", text)))


def test_every_value_is_that_of_a_local_run(single: Submitted, grouped: Submitted, local: Path) -> None:
    text = single.finish()
    patterns = ("data/smoke/**/*.nc", "reports/smoke/verdicts/*.json")
    expected = stored(local, *patterns)
    assert len(expected) > 50
    assert stored(single.folder, *patterns) == expected
    assert (single.folder / "reports/smoke/verified.txt").exists()
    # Two tiles, the controls, two files of runs, their certificates, the proofs, and one for all the rest.
    assert submissions(text) == 8


def test_tiles_that_share_a_job_have_the_same_values(grouped: Submitted, local: Path) -> None:
    text = grouped.finish()
    tiles = list((grouped.folder / "data/smoke/tiles").glob("*.nc"))
    assert len(tiles) > 2
    runs = "data/smoke/runs/*.nc"
    # Two tiles a job, and the runs of each shape put together.
    assert submissions(text) == (len(tiles) + 1) // 2 + len(list(grouped.folder.glob(runs)))
    assert stored(grouped.folder, runs) == stored(local, runs)
