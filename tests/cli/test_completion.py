"""Shells complete commands, options, files and names, as the printed script says; bash itself is asked."""

import subprocess
import sys
from pathlib import Path

import pytest

from dmf.cli.completion import SHELLS
from dmf.cli.main import main

ASK = """
source script.bash
COMP_WORDS=({words} "")
COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))
COMP_WORDS[$COMP_CWORD]={last}
compopt() {{ :; }}
_shtab_dmf 2>/dev/null
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("completion")
    call = [sys.executable, "-m", "dmf", "completion", "bash"]
    with (made / "script.bash").open("w") as file:
        subprocess.run(call, stdout=file, check=True, timeout=60)
    (made / "ratings.csv").touch()
    return made


@pytest.mark.parametrize(
    ("words", "last", "some"),
    [
        ("dmf", "ver", {"verdicts", "verify"}),
        ("dmf", "new", {"new-grid"}),
        ("dmf predict", "--de", {"--depth"}),
        ("dmf predict", "rat", {"ratings.csv"}),
        ("dmf explain", "layer", {"layer_norms", "layer_lambdas"}),
        ("dmf study grid.yaml", "pen", {"penalties", "penalized_matrices"}),
        ("dmf predict m.csv --map", "cov", {"covariance"}),
    ],
)
def test_bash_completes(folder: Path, words: str, last: str, some: set[str]) -> None:
    asked = subprocess.run(
        ["bash", "--norc", "-c", ASK.format(words=words, last=last)], cwd=folder, capture_output=True, text=True
    )
    assert set(asked.stdout.split()) == some


@pytest.mark.parametrize("shell", SHELLS)
def test_there_is_a_script_for_every_shell(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert all(word in script for word in ("new-grid", "verdicts", "minimizers_agree"))
