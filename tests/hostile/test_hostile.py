"""300 hostile configurations and 150 hostile files, drawn from a seed: each is refused in one line, soon, cheaply.

No traceback, no crash, no hang, nothing on the terminal that steers it, nothing written, and none of it run.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from files import MATRIX, mat, npy
from harness import ENVIRONMENT, ROOT
from hostile import configurations, target_files

SEED = 1
SECONDS, MIB = 2.0, 300.0  # that a refusal may take beyond those of a good file, on one core
ENDLESS = 6.0  # where only the bound on a reader's computing time ends it
GOOD = {"grid": "demo", "targets": [{"name": "g", "kind": "gaussian", "shape": [3, 4]}], "depths": [3]}
GOOD |= {"lambdas": {"relative": [0.5]}}


class Server:
    """Runs `dmf` on a file in a separate folder; see server.py."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process, self._folder, self._number = process, folder, 0

    def __call__(self, *words: str, prepare: Any) -> tuple[dict[str, Any], list[str]]:
        """What came of it, and what is in the folder afterwards that was not there before."""
        self._number += 1
        folder = self._folder / f"case{self._number}"
        folder.mkdir()
        prepare(folder)
        before = listing(folder)
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps([str(folder), words]) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        new = [entry for entry in listing(folder) if entry not in before]
        return answer, new


def listing(folder: Path) -> list[str]:
    return sorted(f"{path.relative_to(folder)} {path.lstat().st_size}" for path in folder.rglob("*"))


@contextmanager
def served(folder: Path) -> Iterator[Server]:
    command = [sys.executable, str(Path(__file__).with_name("server.py"))]
    environment = {**ENVIRONMENT, "PYTHONPATH": str(ROOT / "scripts"), "PYTHONIOENCODING": "utf-8"}
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder
    ) as process:
        yield Server(process, folder)
        assert process.stdin
        process.stdin.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(tmp_path_factory.mktemp("hostile")) as one:
        yield one


def complaints(
    answer: dict[str, Any], new: list[str], good: dict[str, Any], may_pass: bool, seconds: float
) -> list[str]:
    """What is wrong with how a case was handled."""
    lines = answer["stderr"].splitlines()
    wrong = []
    if answer["status"] is None:
        return ["it hung"]
    passed = may_pass and answer["status"] == 0
    if not passed and answer["status"] != 1:
        wrong.append(f"exit status {answer['status']}")
    if len(lines) != (0 if passed else 1):
        wrong.append(f"{len(lines)} lines: {answer['stderr'][:200]!r}")
    if not all(line.isprintable() and len(line) <= 1100 for line in lines):
        wrong.append(f"not printable, or long: {answer['stderr'][:200]!r}")
    if not all(line.isprintable() for line in answer["stdout"].splitlines()) or (answer["stdout"] and not passed):
        wrong.append(f"output {answer['stdout'][:200]!r}")
    if "Traceback" in answer["stderr"]:
        wrong.append("traceback")
    if new:
        wrong.append(f"written: {new}")
    if answer["cpu"] is None or answer["cpu"] - good["cpu"] > seconds:
        wrong.append(f"{answer['cpu']:.1f} s of computing")
    if answer["peak"] is None or answer["peak"] - good["peak"] > MIB:
        wrong.append(f"{answer['peak']:.0f} MiB, a good file takes {good['peak']:.0f}")
    return wrong


def test_hostile_configurations(server: Server) -> None:
    words = ("check-grid", "grid.yaml")
    good, _ = server(*words, prepare=lambda folder: (folder / "grid.yaml").write_text(json.dumps(GOOD)))
    assert (good["status"], good["stderr"]) == (0, "")
    cases = configurations.cases(SEED)
    assert len(cases) >= 300
    wrong = {}
    for name, content in cases:
        answer, new = server(
            *words, prepare=lambda folder, content=content: (folder / "grid.yaml").write_bytes(content)
        )
        if found := complaints(answer, new, good, may_pass=False, seconds=SECONDS):
            wrong[name] = found
    assert not wrong, "\n".join(f"{name}: {found}" for name, found in wrong.items())


def test_hostile_target_files(server: Server, tmp_path: Path) -> None:
    def words(file: str) -> tuple[str, ...]:
        return ("predict", file, "--depth", "3", "--lam", "0.1", "--json")

    good, _ = server(*words("m.mat"), prepare=lambda folder: (folder / "m.mat").write_bytes(mat(m=MATRIX)))
    assert (good["status"], good["stderr"]) == (0, "")
    plain, _ = server(*words("m.npy"), prepare=lambda folder: (folder / "m.npy").write_bytes(npy(MATRIX)))
    assert (plain["status"], plain["stderr"]) == (0, "")
    cases = target_files.cases(SEED, tmp_path)
    assert len(cases) >= 150
    wrong = {}
    for case in cases:
        answer, new = server(*words(case.file), prepare=lambda folder, case=case: case.make(folder / case.file))
        seconds = ENDLESS if case.endless else SECONDS
        if found := complaints(answer, new, good, case.may_pass, seconds):
            wrong[case.name] = found
    assert not wrong, "\n".join(f"{name}: {found}" for name, found in wrong.items())


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        ({"status": None}, "hung"),
        ({"status": 0}, "exit status 0"),
        ({"status": -11}, "exit status -11"),
        ({"stderr": "one\ntwo\n"}, "2 lines"),
        ({"stderr": ""}, "0 lines"),
        ({"stderr": "\x1b[31mred\n"}, "not printable"),
        ({"stderr": "x" * 2000}, "long"),
        ({"stdout": "a\x07b"}, "output"),
        ({"stderr": "Traceback of x"}, "traceback"),
        ({"cpu": 5.0}, "s of computing"),
        ({"peak": 500.0}, "MiB"),
    ],
)
def test_each_kind_of_mishandling_would_be_seen(answer: dict[str, Any], word: str) -> None:
    fine = {"status": 1, "stdout": "", "stderr": "grid.yaml: wrong\n", "cpu": 0.1, "peak": 100.0}
    assert complaints(fine, [], fine, False, SECONDS) == []
    assert any(word in one for one in complaints({**fine, **answer}, [], fine, False, SECONDS))
    assert complaints(fine, ["PWNED 0"], fine, False, SECONDS) == ["written: ['PWNED 0']"]
