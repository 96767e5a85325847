"""`dmf run` and `dmf report` hand words over to Snakemake as they are, and refuse what cannot run in one line."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from dmf.cli import run
from dmf.cli.main import main
from dmf.shared import TOP
from harness import TINY


@pytest.fixture
def called(in_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Snakemake's command lines, which are not run; a grid is in grid.yaml, and every plugin is there."""
    calls: list[list[str]] = []

    class Process:
        def __init__(self, command: list[str]) -> None:
            calls.append(command)

        def __enter__(self) -> Process:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def wait(self) -> int:
            return 0

    monkeypatch.setattr(run.subprocess, "Popen", Process)
    monkeypatch.setattr(run.signal, "signal", lambda *_: None)
    monkeypatch.setattr(run, "find_spec", lambda _: object())
    Path("grid.yaml").write_text(yaml.safe_dump(TINY))
    return calls


def options(command: list[str]) -> dict[str, str]:
    return dict(pairwise(command))


def test_words_after_two_dashes_go_to_snakemake_as_they_are(called: list[list[str]]) -> None:
    words = ["-n", "--config", "title=a b", "--", "verdicts"]
    assert main(["run", "grid.yaml", "--cores", "3", "--", *words]) == 0
    [command] = called
    assert command[-5:] == words
    assert options(command)["--configfile"] == "grid.yaml"
    assert options(command)["--cores"] == "3"
    assert options(command)["--snakefile"] == str(TOP / "Snakefile")


@pytest.mark.parametrize("name", run.names())
def test_every_shipped_profile_is_found_by_its_name(called: list[list[str]], name: str) -> None:
    assert main(["run", "grid.yaml", "--profile", name, "--", "runs"]) == 0
    [command] = called
    profile = Path(options(command)["--workflow-profile"])
    assert (profile.name, profile.parent) == (name, TOP / "workflow/profiles")
    script = options(command).get("--cluster-generic-submit-cmd", str(TOP / "Snakefile")).split()[0]
    assert Path(script).is_relative_to(TOP)  # it is not in the working folder
    assert Path(script).is_file()


def test_a_profile_may_be_a_folder(called: list[list[str]]) -> None:
    Path("site").mkdir()
    Path("site/config.yaml").write_text("executor: slurm\n")
    assert main(["run", "grid.yaml", "--profile", "site", "--", "runs"]) == 0
    assert options(called[0])["--workflow-profile"] == "site"


def test_a_report_is_of_an_archive(called: list[list[str]]) -> None:
    Path("copy").mkdir()
    Path("copy/grid.yaml").write_text(yaml.safe_dump(TINY))
    assert main(["report", "copy", "--incomplete"]) == 0
    [command] = called
    at = command.index("--config")
    assert command[at + 1 : at + 3] == ["archive=copy", "incomplete=true"]


def missing(_: str) -> Any:
    return None


WRONG = {
    "no file": (["run", "no.yaml"], "no.yaml: no such file"),
    "no grid": (["run", "bad.yaml"], "bad.yaml: depth: unknown key"),
    "no profile": (["run", "grid.yaml", "--profile", "slrm"], "did you mean slurm?"),
    "no plugin": (["run", "grid.yaml", "--profile", "slurm"], "pip install 'dmf-landscape[cluster]'"),
    "no pods": (["run", "grid.yaml", "--profile", "kubernetes"], "pip install 'dmf-landscape[kubernetes]'"),
    "no folder": (["report", "nowhere"], "archive: got nowhere, expected a folder"),
    "a number": (["report", "2024"], "rename the folder"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_run_is_one_line(
    name: str, called: list[list[str]], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "find_spec", missing)
    Path("bad.yaml").write_text("grid: x\ndepth: 2\n")
    Path("2024").mkdir()
    Path("2024/grid.yaml").write_text(yaml.safe_dump(TINY))
    words, fragment = WRONG[name]
    assert main(words) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert fragment in line
    assert called == []
