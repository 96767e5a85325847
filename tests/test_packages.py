"""The lock with hashes and the table of licences say what the pinned installation is."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import dmf
from dmf.cli import conda
from dmf.cli.licences import FILE, closure, licence, page, requirements
from harness import ROOT

PIN = re.compile(
    r"^([a-z0-9][a-z0-9._-]*)==([^ ;\\]+)( ; [^\\]+)? \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.M
)


def locked() -> dict[str, str]:
    """Version by package, of the lock."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert PIN.sub("", re.sub(r"^#.*\n", "", text, flags=re.M)) == ""  # nothing in it is without a hash
    return {canonicalize_name(name): version for name, version, *_ in PIN.findall(text)}


def pinned() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {canonicalize_name(name): version for name, version in pairs}


def test_every_package_that_an_installation_brings_is_locked_at_its_pin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    lock, pins = locked(), pinned()
    needed = closure(requirements())
    assert len(needed) > 60
    assert needed.keys() <= lock.keys()
    assert {name: lock[name] for name in needed} == {name: pins[name] for name in needed}


def test_the_lock_has_nothing_else_but_what_other_platforms_need(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    windows = {"colorama", "pyreadline3", "pywin32", "tzdata"}
    assert locked().keys() - closure(requirements()).keys() <= windows


def test_all_places_give_one_version() -> None:
    """The workflow refuses a package of another version than the one that its rules name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["version"]
    rules = re.findall(r'^VERSION = "(.+)"', (ROOT / "workflow/rules/common.smk").read_text(encoding="utf-8"), re.M)
    assert [project, citation, *rules] == [dmf.__version__] * 3


def test_the_table_of_licences_is_that_of_the_installed_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert Path(FILE).read_text(encoding="utf-8") == page()


def test_every_licence_is_known_and_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    known = re.compile("MIT|BSD|Apache|MPL|PSF|Python Software Foundation|Zlib|0BSD|CC0|BSL")
    assert [name for name in closure(requirements()) if not known.search(licence(name))] == []


def test_the_closure_follows_requirements_of_requirements() -> None:
    found = closure([Requirement("jinja2>=3")])
    assert found == {"jinja2": {""}, "markupsafe": {"jinja2"}}


def test_condas_environment_has_the_pins_in_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Snakemake reads a copy of the file, beside which no other lies."""
    monkeypatch.chdir(ROOT)
    text = conda.FILE.read_text(encoding="utf-8")
    assert text == conda.environment(), "run: python -m dmf.cli.conda"
    (pip,) = [item["pip"] for item in yaml.safe_load(text)["dependencies"] if isinstance(item, dict)]
    found = dict(item.split("==") for item in pip)
    assert {canonicalize_name(name) for name in found} == closure(requirements()).keys()
    assert all(pinned()[canonicalize_name(name)] == version for name, version in found.items())
