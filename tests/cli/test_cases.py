"""`dmf cell` and `dmf study` print what was stored, with the statistic that the verdict has."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from dmf.claims import load_claim
from dmf.cli.main import main
from dmf.evidence.cases import cell_table
from dmf.evidence.judge import finding
from dmf.grid.config import Certificate
from small import SMALL, Trained

CERTIFICATE = Certificate(runs_per_cell=2, cells=0.5)


@pytest.fixture
def grid(tmp_path: Path) -> Path:
    path = tmp_path / "grid.yaml"
    path.write_text(yaml.safe_dump(SMALL), encoding="utf-8")
    return path


def worst_of(name: str, evidence: Any) -> tuple[dict[str, Any], float | None]:
    found = finding(cell_table(load_claim(name), [evidence], CERTIFICATE), CERTIFICATE)
    assert found.worst is not None
    return found.worst, found.statistic


def test_the_worst_run_of_a_verdict_has_its_statistic_when_it_is_trained_again(
    grid: Path, trained: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    worst, statistic = worst_of("uniqueness", trained.evidence)
    options = [word for name, value in worst.items() for word in (f"--{name.removesuffix('_label')}", str(value))]
    assert main(["cell", str(grid), *options, "--claim", "uniqueness", "--json"]) == 0
    (record,) = json.loads(capsys.readouterr().out)
    assert {name: record[name] for name in worst} == worst
    assert record["statistic"] == statistic
    assert record["is_eligible"] == 1


def test_the_table_has_a_row_a_start_and_fits_the_terminal(
    grid: Path, trained: Trained, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = trained.evidence.isel(cell=0)
    cell = [
        "--target",
        first["target"].item(),
        "--depth",
        str(first["depth"].item()),
        "--lam",
        first["lam_label"].item(),
    ]
    assert main(["cell", str(grid), *cell]) == 0
    printed = capsys.readouterr().out
    assert printed.count("converged") == int(np.sum(first["status"].values == 0))
    assert "gradient" in printed
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["cell", str(grid), *cell]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.startswith(f"target {cell[1]}, lambda {cell[5]}, depth {cell[3]}")  # what all rows share, said once
    assert all(len(line) <= 80 and "…" not in line for line in lines if line[0] in "┏┃┡│└")
    counts = [int(first[name].values.sum()) for name in ("certified", "minimal")]
    assert f"{first.sizes['start']} runs: {counts[0]} certified, {counts[1]} minimal" in lines
    assert main(["cell", str(grid), *cell, "--scale", "2", "--draw", "0"]) == 0
    alone = capsys.readouterr().out
    assert "│ objective " in alone  # one run goes down the screen
    assert "distance" in alone


def test_the_worst_case_of_a_study_has_its_statistic_when_it_is_made_again(
    grid: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["study", str(grid), "measure_zero", "--claim", "measure_zero", "--json"]
    assert main(arguments) == 0
    every = json.loads(capsys.readouterr().out)
    worst = max((case for case in every if case["is_eligible"]), key=lambda case: case["statistic"])
    case = [f"{name}={worst[name]}" for name in ("shape", "depth", "lam", "m_star")]
    assert main([*arguments, "--case", *case]) == 0
    again = json.loads(capsys.readouterr().out)
    assert worst in again
    assert len(again) < len(every)
    assert all(str(one["shape"]) == str(worst["shape"]) for one in again)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["cell", "--target", "none", "--depth", "2", "--lam", "0.5c"], "target: got none"),
        (["study", "no_study"], "study: got no_study"),
        (["study", "measure_zero", "--claim", "nothing"], "--claim: got nothing"),
        (["study", "measure_zero", "--claim", "collapse"], "use dmf cell"),
        (["study", "two_minimizers", "--case", "colour=red"], "KEY=VALUE"),  # a study that takes no time
        (["study", "two_minimizers", "--case", "depth=99"], "no case has depth=99"),
    ],
)
def test_a_wrong_name_is_one_line(
    grid: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], complaint: str
) -> None:
    command, *rest = arguments
    assert main([command, str(grid), *rest]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert complaint in shown.err
    assert len(shown.err.strip().splitlines()) == 1
