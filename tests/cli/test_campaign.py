"""Unusual grids are legal and the same everywhere; a fault on one of them is a line and an exit status."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dmf.cli import campaign
from dmf.cli.campaign import FAMILIES, Tally, examine, unusual_grid
from dmf.cli.main import main
from dmf.errors import UserError
from dmf.grid.config import validate

ROUNDS = 20


@pytest.mark.parametrize("number", range(ROUNDS * len(FAMILIES)))
def test_every_grid_is_legal_and_the_same_again(number: int, tmp_path: Path) -> None:
    family, config = unusual_grid(number, tmp_path)
    assert list(FAMILIES).index(family) == number % len(FAMILIES)
    validate(config, "campaign")
    data = {file: file.read_bytes() for file in tmp_path.iterdir()}
    assert unusual_grid(number, tmp_path) == (family, config)
    assert {file: file.read_bytes() for file in tmp_path.iterdir()} == data


def test_families_reach_what_their_names_say(tmp_path: Path) -> None:
    configs: dict[str, list[dict[str, Any]]] = {name: [] for name in FAMILIES}
    for number in range(40 * len(FAMILIES)):
        name, config = unusual_grid(number, tmp_path)
        configs[name].append(config)
    scales = np.log10([config["targets"][0]["scale"] for config in configs["scales 1e-40 to 1e40"]])
    assert scales.min() < -35
    assert scales.max() > 35
    lams = np.log10([config["lambdas"]["absolute"][0] for config in configs["λ 1e-50 to 1e50"]])
    assert lams.min() < -40
    assert lams.max() > 40
    assert max(config["depths"][0] for config in configs["depths 5 to 60"]) > 50
    optimizers = {config["optimizer"]["name"] for config in configs["every optimizer and engine"]}
    assert optimizers == {"lbfgs", "continuation", "gd", "nesterov", "adam"}
    shapes = {tuple(config["targets"][0]["shape"]) for config in configs["one row or column, 2 x 60"]}
    assert {(1, 1), (2, 60), (60, 2)} <= shapes


def test_a_grid_without_faults_adds_to_its_tally(tmp_path: Path) -> None:
    tally = Tally()
    assert examine(0, unusual_grid(0, tmp_path)[1], tally) == []
    assert (tally.grids, tally.runs) == (1, 18)
    assert tally.words["confirmed"] == 12


def test_a_claim_that_is_too_strict_is_a_fault(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("dmf.theory.certificate.distance_tolerance", lambda distance, *_: 1e-30 + 0 * distance)
    assert any("uniqueness violated" in line for line in examine(0, unusual_grid(0, tmp_path)[1], Tally()))


def test_a_claim_that_is_too_loose_is_a_fault(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("dmf.theory.certificate.distance_tolerance", lambda distance, *_: 1e30 + 0 * distance)
    assert any("uniqueness: control missed" in line for line in examine(0, unusual_grid(0, tmp_path)[1], Tally()))


def test_a_crash_is_a_fault_and_a_refusal_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(_: object) -> None:
        raise ZeroDivisionError("one\ntwo")

    def refuse(_: object) -> None:
        raise UserError("no")

    monkeypatch.setattr(campaign, "judge_in_process", crash)
    assert examine(3, {}, Tally()) == ["grid 3: ZeroDivisionError: one two"]
    monkeypatch.setattr(campaign, "judge_in_process", refuse)
    tally = Tally()
    assert examine(3, {}, tally) == []
    assert tally.refused == 1


def test_the_command_writes_its_table_and_fails_where_a_grid_does(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(campaign, "judge_in_process", lambda _: (6, 5, []))
    assert main(["campaign", "--grids", "2", "--markdown", str(tmp_path / "table.md")]) == 0
    assert "2 grids, 0 refused, 0 verdicts, 0 faults." in (tmp_path / "table.md").read_text()
    monkeypatch.setattr(campaign, "judge_in_process", lambda _: 1 // 0)
    assert main(["campaign", "--grids", "1"]) == 1
    assert "fault: grid 0: ZeroDivisionError" in capsys.readouterr().out
    assert main(["campaign", "--grids", "0"]) == 1
