"""A finished report becomes an RO-Crate whose every file is there with its hash; no other report does."""

import hashlib
import json
import shutil
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from rocrate.rocrate import ROCrate

from dmf import __version__
from dmf.cli.main import main
from harness import TINY, Workflow


@pytest.fixture
def finished(trained: Workflow, in_tmp: Path) -> Path:
    shutil.copytree(trained.folder, in_tmp, dirs_exist_ok=True)
    return in_tmp


def refused(capsys: pytest.CaptureFixture[str], *options: str) -> str:
    assert main(["crate", "grid.yaml", "out.zip", *options]) == 1
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert not Path("out.zip").exists()
    return line


def listed(crate: ROCrate) -> dict[str, dict[str, Any]]:
    entities = [one.properties() for one in crate.get_entities()]
    return {one["@id"]: one for one in entities if "File" in one["@type"]}


def test_every_file_is_listed_with_its_hash_and_what_made_it(finished: Path) -> None:
    assert main(["crate", "grid.yaml", "out.zip", "--runs"]) == 0
    with zipfile.ZipFile("out.zip") as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    crate = ROCrate("out.zip")
    files = listed(crate)
    assert files.keys() == contents.keys() - {"ro-crate-metadata.json"}
    for name, one in files.items():
        assert one["sha256"] == hashlib.sha256(contents[name]).hexdigest(), name
        assert one["contentSize"] == str(len(contents[name]))
        assert "/" in one["encodingFormat"]
    reports = {f"reports/tiny/{path.relative_to('reports/tiny')}" for path in Path("reports/tiny").rglob("*.*")}
    assert {name for name in reports if Path(name).is_file()} <= files.keys()
    assert {
        f"data/tiny/{name}" for name in ("evidence.nc", "controls.nc", "targets.nc", "tiles.jsonl", "grid.yaml")
    } <= files.keys()
    assert {name for name in files if name.startswith("data/tiny/runs/")}
    made = json.loads(contents["reports/tiny/provenance.json"])
    (action,) = [one for one in crate.get_entities() if one.type == "CreateAction"]
    assert action in crate.root_dataset["mentions"]
    assert action["instrument"] is crate.mainEntity
    assert [one.id for one in action["object"]] == ["reports/tiny/grid.yaml"]
    assert {one.id for one in action["result"]} == {name for name in files if name.startswith(("reports/", "data/"))}
    assert action["endTime"] == made["report"]["date_created"]
    workflow = crate.mainEntity
    assert workflow["programmingLanguage"].name == "Snakemake"
    assert (workflow["version"], workflow["identifier"]) == (
        __version__,
        f"git commit {made['report']['git_revision']}",
    )
    assert {one.id.rsplit("/", 2)[-2] for one in crate.root_dataset["conformsTo"]} == {
        "process",
        "workflow",
        "workflow-ro-crate",
    }
    assert crate.license.id == "https://spdx.org/licenses/MIT"
    assert [one.get("name") for one in crate.root_dataset["author"]] == ["The dmf-landscape developers"]


def test_two_crates_of_one_report_have_the_same_bytes(finished: Path) -> None:
    assert main(["crate", "grid.yaml", "one.zip"]) == 0
    time.sleep(2.1)  # an archive knows times to two seconds
    assert main(["crate", "grid.yaml", "two.zip"]) == 0
    assert Path("one.zip").read_bytes() == Path("two.zip").read_bytes()
    assert main(["crate", "grid.yaml", "folder"]) == 0
    with zipfile.ZipFile("one.zip") as archive:
        names = archive.namelist()
        assert not any(name.startswith("data/tiny/runs/") for name in names)
        assert all(Path("folder", name).read_bytes() == archive.read(name) for name in names)


def test_a_report_that_is_not_finished_is_refused(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("reports/tiny/verified.txt").unlink()
    assert refused(capsys).startswith("reports/tiny: no verified.txt here; expected a finished report; ")


def test_a_report_that_was_changed_is_refused(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = Path("reports/tiny/index.html")
    page.write_text(page.read_text().replace("confirmed", "Confirmed", 1))
    line = refused(capsys)
    assert line.startswith("reports/tiny/index.html: ")
    assert "dmf verify reports/tiny --data data/tiny says all that is wrong" in line


def test_a_report_of_an_earlier_state_is_refused(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("grid.yaml").write_text(yaml.safe_dump({**TINY, "depths": [2]}))
    assert "is of another configuration than the grid's file says now" in refused(capsys)


def test_what_is_there_is_not_written_over(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("there").mkdir()
    assert main(["crate", "grid.yaml", "there"]) == 1
    assert capsys.readouterr().err == "there: exists; expected a new folder, or a new file that ends in .zip\n"


def test_the_package_that_it_needs_is_named(
    in_tmp: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "rocrate.rocrate", None)
    Path("grid.yaml").write_text(yaml.safe_dump(TINY))
    assert refused(capsys) == "rocrate is not installed, which writes RO-Crates; pip install 'dmf-landscape[crate]'\n"
