"""Every file says what it is and where it came from."""

import json
import re
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from dmf.dataset import provenance
from dmf.dataset.provenance import file_attributes, git_revision, package_versions
from small import Trained

# ACDD-1.3 "highly recommended" and "recommended" attributes that apply here, and CF-1.11 section 2.6.2
WANTED = ["Conventions", "title", "summary", "source", "history", "references", "date_created"]


def test_a_file_has_the_attributes_of_cf_and_acdd() -> None:
    pytest.importorskip("torch")  # whose version is among them
    attributes = file_attributes("T", "S", datetime(2026, 3, 27, 1, 2, 3, tzinfo=UTC))
    assert all(attributes[name] for name in WANTED)
    assert attributes["Conventions"] == "CF-1.11, ACDD-1.3"
    assert (attributes["title"], attributes["summary"]) == ("T", "S")
    assert attributes["date_created"] == "2026-03-27T01:02:03+00:00"
    assert attributes["history"].startswith("2026-03-27T01:02:03+00:00 ")
    assert f"torch {metadata.version('torch')}" in attributes["package_versions"]
    assert "arXiv:2603.27072" in attributes["references"]
    assert re.fullmatch(r"\w+ \w+, \d+ cores, Python 3\.\d+\.\d+", attributes["machine"])


def test_a_file_is_stamped_with_the_time_in_utc() -> None:
    stamp = datetime.fromisoformat(file_attributes("T", "S")["date_created"])
    assert abs((datetime.now(UTC) - stamp).total_seconds()) < 60


def test_a_tile_carries_its_settings(trained: Trained) -> None:
    project = trained.project
    for tile in project.plan.wanted:
        attributes = trained.tiles[tile.name].attrs
        assert all(attributes[name] for name in WANTED)
        assert (attributes["seed"], attributes["device"], attributes["threads"]) == (3, "cpu", 1)
        assert json.loads(attributes["optimizer"]) == {"name": "lbfgs", "memory": 3, "max_iterations": 5000}
        assert json.loads(attributes["tile"]) == tile.as_json()
        assert attributes["training"] == project.training
        assert 0 < attributes["train_seconds"] < 60


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=n", "-c", "user.email=e@e"]
    return subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


def test_the_revision_is_the_commit_and_a_plus_where_files_differ(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "provenance.py"
    source.write_text("a")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "m")
    monkeypatch.setattr(provenance, "__file__", str(source))
    commit = git(tmp_path, "rev-parse", "HEAD")
    assert re.fullmatch("[0-9a-f]{40}", commit)
    assert git_revision() == commit
    (tmp_path / "notes.txt").write_text("untracked files do not count")
    assert git_revision() == commit
    source.write_text("b")
    assert git_revision() == f"{commit}+"


def test_outside_a_checkout_the_revision_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "provenance.py"))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert git_revision() == "unknown"


def test_in_a_checkout_that_does_not_track_the_package_the_revision_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(tmp_path, "init", "-q")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "of somebody else")
    (tmp_path / "provenance.py").touch()
    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "provenance.py"))
    assert git_revision() == "unknown"


def test_without_git_the_revision_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(*arguments: Any, **options: Any) -> None:
        raise FileNotFoundError("git")

    monkeypatch.setattr(subprocess, "run", absent)
    assert git_revision() == "unknown"


def test_a_package_that_is_absent_is_named_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "PACKAGES", ("numpy", "no-such-package-here"))
    assert package_versions() == {"numpy": metadata.version("numpy"), "no-such-package-here": "not installed"}
