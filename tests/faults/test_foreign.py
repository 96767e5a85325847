"""Files that are damaged, of another seed or of another version: none is used, all are mended by one run."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from dmf.cli.main import main
from dmf.dataset.manifest import MANIFEST, record
from dmf.dataset.stamps import Stamp, expecting
from dmf.dataset.store import read, read_bytes, values_fingerprint, write
from dmf.errors import UserError
from dmf.plan import WorkflowPlan, plan_workflow
from dmf.step import step
from harness import LOCAL, TINY, Workflow
from signed import sign

SMALL: dict[str, Any] = {**TINY, "depths": [2], "figures": ["kept", "targets"], "refute": {"runs": 240}}

# One file of every kind that a grid consists of, tiles aside.
KINDS = [
    "data/tiny/targets.nc",
    "data/tiny/controls.nc",
    "data/tiny/refute.nc",
    "data/tiny/runs/L2-3x3x3.nc",
    "data/tiny/evidence.nc",
    "data/tiny/cells/collapse.nc",
    "reports/tiny/verdicts/collapse.json",
    "reports/tiny/verdicts/collapse.csv",
    "reports/tiny/refute.json",
    "reports/tiny/figures/kept.svg",
    "reports/tiny/figures/kept.png",
    "reports/tiny/index.html",
    "reports/tiny/explorer.html",
    "reports/tiny/verdicts.csv",
    "reports/tiny/census.csv",
    "reports/tiny/provenance.json",
    "reports/tiny/grid.yaml",
    "reports/tiny/cells/runs.nc",
    "reports/tiny/verified.txt",
]


def run_of(folder: Path, **changes: Any) -> Workflow:
    workflow = Workflow(folder)
    workflow.write({**deepcopy(SMALL), **changes})
    result = workflow(*LOCAL)
    assert result.returncode == 0, result.stderr
    return workflow


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A grid run to its end. Copy it to change it."""
    return run_of(tmp_path_factory.mktemp("mine")).folder


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same grid with another seed, run to its end."""
    return run_of(tmp_path_factory.mktemp("other"), seed=8).folder


@pytest.fixture
def copy(mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the grid, as working directory."""
    folder = tmp_path / "copy"
    subprocess.run(["cp", "--archive", str(mine), str(folder)], check=True)
    monkeypatch.chdir(folder)
    return folder


def plan(**changes: Any) -> WorkflowPlan:
    return plan_workflow({**deepcopy(SMALL), **changes}, "grid.yaml")


def swept(**changes: Any) -> list[str]:
    lines: list[str] = []
    plan(**changes).sweep(lines.append)
    return lines


def files() -> set[str]:
    """The files of the grid that are there."""
    return {path for path in plan().products.paths if Path(path).exists()}


def flip(path: Path) -> None:
    """One bit of a value or a text."""
    content = bytearray(path.read_bytes())
    place = len(content) // 2
    if path.suffix == ".nc":
        name = next(name for name in ("objective", "sigma", "matrix", "statistic") if name in read(path))
        values = read(path)[name].values.ravel()
        value = next(one for one in values if one.tobytes() in content)
        place = content.index(value.tobytes())
    content[place] ^= 1
    path.write_bytes(content)


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def test_the_kinds_are_all_kinds(mine: Path) -> None:
    """A file of every rule's output is among those that the tests below damage and swap."""
    kinds = {(Path(path).parent.as_posix(), Path(path).suffix) for path in KINDS}
    named = set(KINDS)
    for path in plan().products.paths:
        if not path.startswith("reports/tiny/paper"):
            assert (mine / path).is_file()
            assert path in named or (Path(path).parent.as_posix(), Path(path).suffix) in kinds, path


def test_a_sound_grid_is_left_as_it_is(copy: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in copy.rglob("*") if path.is_file()}
    assert swept() == []
    after = {path: path.stat().st_mtime_ns for path in copy.rglob("*") if path.is_file()}
    assert after == before


@pytest.mark.parametrize("damage", [flip, truncate, empty], ids=lambda damage: damage.__name__)
def test_every_kind_of_damaged_file_is_named_and_moved_all_in_one_sweep(
    copy: Path, damage: Callable[[Path], None]
) -> None:
    for path in KINDS:
        damage(Path(path))
    lines = swept()
    assert [line for line in lines if line.count("\n")] == []
    for path in KINDS:
        (line,) = (line for line in lines if line.startswith(f"{path}: "))
        moved = Path(path).parent / "damaged" / f"{Path(path).stem}-1{Path(path).suffix}"
        assert line.endswith(f"; moved to {moved}; a run that needs it makes it again")
        assert moved.exists()
        assert not Path(path).exists()
    assert len(lines) == len(KINDS)
    assert swept() == []


@pytest.mark.parametrize("path", KINDS)
def test_a_damaged_file_leaves_no_page_and_nothing_verified(copy: Path, path: str) -> None:
    truncate(Path(path))
    assert len(swept()) == 1
    if path != "reports/tiny/verified.txt":
        assert not Path("reports/tiny/verified.txt").exists()
    made_from = set(plan().products.outdated([path]))
    assert {one for one in made_from if one.startswith("reports/")} & files() == set()


@pytest.mark.parametrize("path", [path for path in KINDS if path.startswith("reports/")])
def test_a_lost_file_of_the_report_leaves_no_page_that_shows_it(copy: Path, path: str) -> None:
    Path(path).unlink()
    assert swept() == []
    assert {one for one in plan().products.outdated([path]) if one.startswith("reports/")} & files() == set()
    assert "reports/tiny/verified.txt" not in files()


def test_a_lost_file_of_a_paper_takes_no_other_along(copy: Path) -> None:
    """The next run makes no paper unless somebody asks."""
    table = plan().products
    (kept, *_) = next(product for product in table.all if product.step == "paper").outputs
    Path(kept).parent.mkdir(parents=True)
    Path(kept).write_bytes(b"a figure")
    record(Path(table.record_of(kept)), {Path(kept): table.identity(kept)})
    before = files()
    assert kept in before
    assert swept() == []
    assert files() == before


def test_data_of_a_report_may_be_removed(copy: Path) -> None:
    shutil.rmtree("data/tiny/runs")
    before = files()
    assert swept() == []
    assert files() == before


@pytest.mark.parametrize("path", KINDS)
def test_a_file_of_another_seed_is_named_and_moved(copy: Path, other: Path, path: str) -> None:
    same = Path(path).read_bytes() == (other / path).read_bytes()
    shutil.copyfile(other / path, path)
    if same:  # as verified.txt, where the words are the same; its record says of what it is
        assert not path.endswith((".nc", ".html", ".json"))
        return
    (line,) = swept()
    assert line.startswith(f"{path}: ")
    assert "another state" in line or "does not match its fingerprint" in line
    assert not Path(path).exists()


@pytest.mark.parametrize("path", [path for path in KINDS if path.endswith(".nc")])
def test_a_job_refuses_a_file_of_another_seed_that_comes_after_the_sweep(copy: Path, other: Path, path: str) -> None:
    shutil.copyfile(other / path, path)
    with (
        expecting({Path(path): Stamp(plan().products.identity(path))}),
        pytest.raises(UserError, match="another state"),
    ):
        read(path)


@pytest.mark.parametrize("path", ["reports/tiny/verdicts/collapse.json", "reports/tiny/provenance.json"])
@pytest.mark.parametrize("whole", [False, True], ids=["the file", "the file and its record"])
def test_a_job_refuses_a_text_of_another_seed_that_comes_after_the_sweep(
    copy: Path, other: Path, path: str, whole: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copyfile(other / path, path)
    if whole:
        own = plan().products.record_of(path)
        shutil.copyfile(other / own, own)
    identities = plan().products.identities("reports/tiny/verified.txt")
    with pytest.raises(SystemExit) as ended, step("data/tiny/logs/verify.log", "verify", [], identities):
        read_bytes(path)
    (named,) = re.findall(r"^verify: (\S+): .*(?:another state|does not match).*; moved to ", str(ended.value))
    assert named == path or whole
    assert not Path(named).exists()


def test_a_file_of_another_version_is_removed_with_all_that_shows_it(copy: Path) -> None:
    """It and its record are whole, as another version of the code left them: no damage, but an earlier state."""
    path = "data/tiny/evidence.nc"
    record_file = Path(plan().products.record_of(path))
    dataset = read(path)
    with expecting({Path(path): Stamp("0123456789abcdef")}):
        write(dataset, path)
    record(record_file, {Path(path): "0123456789abcdef"})
    assert swept() == []
    assert not Path(path).exists()
    assert not {"reports/tiny/verified.txt", "reports/tiny/index.html", "reports/tiny/verdicts.csv"} & files()


def test_a_file_and_its_record_put_in_place_by_hand_are_foreign_too(copy: Path, other: Path) -> None:
    path = "data/tiny/evidence.nc"
    own = plan().products.record_of(path)
    for one in (path, own):
        shutil.copyfile(other / one, one)
    swept()
    assert not Path(path).exists()


def test_a_whole_folder_of_another_seed_is_not_this_grid(copy: Path, other: Path) -> None:
    for top in ("data", "reports"):
        shutil.rmtree(top)
        shutil.copytree(other / top, top)
    swept()
    assert files() == set()
    assert list(Path("data/tiny/tiles").glob("L*.nc"))  # tiles have names that say what they hold


def test_what_the_grid_no_longer_wants_goes_with_the_state_that_wanted_it(copy: Path) -> None:
    assert swept(figures=["kept"]) == []
    assert not Path("reports/tiny/figures/targets.svg").exists()
    assert Path("reports/tiny/figures/kept.svg").exists()


def test_files_of_a_user_stay(copy: Path) -> None:
    notes = [Path(name) for name in ("reports/tiny/notes.txt", "data/tiny/mine.nc", "reports/tiny/figures/own.png")]
    for path in notes:
        path.write_text("mine")
    assert swept() == swept(seed=9) == []
    assert all(path.read_text() == "mine" for path in notes)


def test_a_damaged_record_is_named_and_what_it_recorded_is_made_again(copy: Path) -> None:
    path = Path(plan().products.record_of("reports/tiny/figures/kept.svg"))
    flip(path)
    lines = swept()
    assert lines[0].startswith(f"{path}: not a readable record of a job")
    assert {"reports/tiny/figures/kept.svg", "reports/tiny/verified.txt"} & files() == set()


FORGED: list[dict[str, Any]] = [
    *({"word": word} for word in ("violated", "certain", ["confirmed"], None)),
    *({"statistic": statistic} for statistic in (float("nan"), 2.0, True, "0.5")),
    *({"margin": 0.5}, {"cells": "4"}, {"cells_counted": 0}, {"runs": -1}),
]


def test_no_word_is_read_that_can_be_derived(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = Path("reports/tiny/verdicts/collapse.json")
    for change in FORGED:
        whole = path.read_bytes()
        raw = json.loads(whole)
        raw["finding"].update(change)
        path.write_text(json.dumps(raw))
        sign(Path("reports/tiny"))
        assert main(["verdicts", "reports/tiny"]) == 1
        captured = capsys.readouterr()
        assert (captured.out, captured.err.count("\n")) == ("", 1)
        assert f"{path}: not a readable verdict" in captured.err
        path.write_bytes(whole)


# Runs of the workflow.


def test_one_run_mends_any_number_of_damaged_files(copy: Path) -> None:
    values = {path: values_fingerprint(read(path)) for path in KINDS if path.endswith(".nc")}
    verdicts = {path: path.read_bytes() for path in Path("reports/tiny/verdicts").glob("*.json")}
    for number, path in enumerate(KINDS):
        (truncate, empty, Path.unlink)[number % 3](Path(path))
    Path("data/tiny/tiles.jsonl").write_text("")
    result = Workflow(copy)(*LOCAL)
    assert result.returncode == 0, result.stderr
    assert files() >= set(KINDS)
    assert {path: values_fingerprint(read(path)) for path in values} == values
    assert {path: path.read_bytes() for path in verdicts} == verdicts
    assert "data/tiny/tiles.jsonl: does not match" in result.stderr
    assert swept() == []


def test_a_run_makes_what_is_lost_of_a_report_and_nothing_else(copy: Path) -> None:
    lost = ("reports/tiny/figures/kept.png", "reports/tiny/census.csv", "reports/tiny/cells/runs.nc")
    evidence = Path("data/tiny/evidence.nc").stat().st_mtime_ns
    for path in lost:
        Path(path).unlink()
    result = Workflow(copy)(*LOCAL)
    assert result.returncode == 0, result.stderr
    assert files() >= set(KINDS)
    assert Path("data/tiny/evidence.nc").stat().st_mtime_ns == evidence


@pytest.mark.parametrize("option", ["--dry-run", "--touch", "--summary"])
def test_a_look_changes_no_file(copy: Path, option: str) -> None:
    truncate(Path("data/tiny/evidence.nc"))
    before = {path: path.read_bytes() for top in ("data", "reports") for path in Path(top).rglob("*") if path.is_file()}
    Workflow(copy)("--quiet", "rules", "progress", option)
    after = {path: path.read_bytes() for top in ("data", "reports") for path in Path(top).rglob("*") if path.is_file()}
    assert after == before


def test_a_run_of_another_seed_that_makes_no_page_leaves_none(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workflow = Workflow(copy)
    workflow.write({**deepcopy(SMALL), "seed": 8})
    result = workflow(*LOCAL, "--", "targets")
    assert result.returncode == 0, result.stderr
    assert {
        path.name for path in Path("reports/tiny").rglob("*") if path.is_file() and MANIFEST not in path.parts
    } == set()
    assert main(["verdicts", "--grid", "grid.yaml"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "no verdicts here" in captured.err


# The table of products is what the workflow does.


def test_every_rule_that_makes_files_says_of_what_they_are() -> None:
    for file in sorted(Path(__file__).parents[2].joinpath("workflow/rules").glob("*.smk")):
        for rule in file.read_text(encoding="utf-8").split("\nrule ")[1:]:
            if "    output:" in rule and not rule.startswith("train:"):
                assert "identities=lambda wildcards, output: plan.identities(output[0])," in rule, rule


def test_the_table_names_inputs_and_outputs_as_the_rules_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    workflow = Workflow(tmp_path)
    everything = {
        key: value for key, value in SMALL.items() if key in ("grid", "targets", "depths", "lambdas", "starts")
    }
    workflow.write(everything)
    planned = workflow("--dry-run", "--", "all", "paper")
    assert planned.returncode == 0, planned.stderr
    _, *parts = re.split(r"^ *(?:local)?rule (\w+):\n", planned.stdout + planned.stderr, flags=re.M)
    jobs = zip(parts[::2], parts[1::2], strict=True)
    table, seen = plan_workflow(everything, "grid.yaml").products, set[str]()
    for rule, text in jobs:
        told = {key: value.split(", ") for key, value in re.findall(r"^ +(input|output): (.*)$", text, re.M)}
        if "output" not in told or rule == "train":
            continue
        product = table.product_of(told["output"][0])
        seen.add(product.job)
        assert set(product.outputs) == set(told["output"]), rule
        read_here = {path for path in told.get("input", []) if "/tiles/" not in path}
        assert read_here <= set(product.inputs), rule
        assert rule == "write_paper" or read_here == set(product.inputs), rule
    assert seen == {product.job for product in table.all}


def test_identities_differ_wherever_a_file_could(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All files of one plan have distinct identities, and another seed shares none with it."""
    monkeypatch.chdir(tmp_path)
    one, same, seed = (plan(**change).products for change in ({}, {}, {"seed": 8}))
    identities = {path: one.identity(path) for path in one.paths}
    assert len(set(identities.values())) == len(identities)
    assert {path: same.identity(path) for path in same.paths} == identities
    assert set(identities.values()).isdisjoint(seed.identity(path) for path in seed.paths)
    title = plan(title="another").products
    changed = {path for path in one.paths if title.identity(path) != identities[path]}
    assert changed == {path for path in one.paths if one.product_of(path).step in ("report", "paper", "verify")}
    strict = plan(certificate={"runs_per_cell": 3}).products
    kept = {path for path in one.paths if strict.identity(path) == identities[path]}
    assert {one.product_of(path).step for path in kept} == {
        "targets",
        "controls",
        "refute",
        "assemble",
        "certify",
        "draw",
    }


def test_identities_are_those_of_the_code_and_of_all_that_a_file_is_made_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another version of one step is another identity of its files and of all that follows from them, and no other."""
    monkeypatch.chdir(tmp_path)
    one = plan().products
    before = {path: one.identity(path) for path in one.paths}
    honest = WorkflowPlan.code
    monkeypatch.setattr(
        WorkflowPlan, "code", lambda self, step, *of: honest(self, step, *of) + "+" * (step == "certify")
    )
    other = plan().products
    changed = {path for path in one.paths if other.identity(path) != before[path]}
    assert changed == set(one.outdated(["data/tiny/evidence.nc"]))
    assert "reports/tiny/verified.txt" in changed
    assert "data/tiny/controls.nc" not in changed
