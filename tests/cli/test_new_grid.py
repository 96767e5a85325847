"""`dmf new-grid` writes a file that is read as what was asked for, explains every key, and overwrites nothing."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from pydantic import BaseModel

from dmf.cli.grid_file import grid_text
from dmf.cli.main import main
from dmf.grid.config import load, validate

ROOT = Path(__file__).parents[2]
SHIPPED = [ROOT / "config" / "config.yaml", *sorted((ROOT / "config" / "grids").glob("*.yaml"))]
OUT = Path("config/grids/mine.yaml")


@pytest.fixture(autouse=True)
def checkout(in_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty place for grids, and nobody at the keyboard."""
    OUT.parent.mkdir(parents=True)
    monkeypatch.setattr("sys.stdin", io.StringIO())


def new_grid(*arguments: str) -> int:
    return main(["new-grid", *arguments])


def test_the_file_is_the_grid_that_was_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    Path("sub dir").mkdir()
    np.save("sub dir/my data.npy", np.eye(3))
    asked = ["--targets", "5x4", "4,2,.5", "iris", "sub dir/my data.npy", "5x4", "--depths", "2,3"]
    asked += ["--lams", "0.3c", "1.2c", "1e-2", "--set", "starts.count=4", "studies=[]", "title=One, two", "seed=7"]
    assert new_grid("mine", *asked) == 0
    assert capsys.readouterr().out == f"Grid: {OUT}\nRun it: make GRID={OUT}\n"
    assert load(OUT) == validate(
        {
            "grid": "mine",
            "title": "One, two",
            "seed": 7,
            "targets": [
                {"name": "gaussian-5x4", "kind": "gaussian", "shape": [5, 4]},
                {"name": "spectrum", "kind": "spectrum", "shape": [3, 3], "singular_values": [4, 2, 0.5]},
                {"name": "iris", "kind": "dataset", "dataset": "iris"},
                {"name": "my-data", "kind": "file", "path": "sub dir/my data.npy"},
                {"name": "gaussian-5x4-2", "kind": "gaussian", "shape": [5, 4]},
            ],
            "depths": [2, 3],
            "lambdas": {"relative": [0.3, 1.2], "absolute": [0.01]},
            "starts": {"count": 4},
            "studies": [],
        },
        "test",
    )


def commented(text: str) -> list[tuple[str, str]]:
    """(key, comment) of every key that has a comment above it."""
    found, comment = [], ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("#"):
            comment += f" {line.removeprefix('# ')}"
        else:
            found += [(line.removeprefix("- ").partition(":")[0], comment)] if comment else []
            comment = ""
    return found


def described(value: BaseModel) -> list[tuple[str, str]]:
    """(key, description) of every key of a configuration that has a value, through all of its parts."""
    found = []
    for key, field in type(value).model_fields.items():
        part: Any = getattr(value, key)
        if part is not None:
            found += [(key, field.description)] if field.description else []
            for one in part if isinstance(part, list) else [part]:
                found += described(one) if isinstance(one, BaseModel) else []
    return found


def test_comments_are_the_models_own_descriptions() -> None:
    assert new_grid("mine", "--targets", "4,2", "iris") == 0
    comments, expected = commented(OUT.read_text(encoding="utf-8")), described(load(OUT))
    assert len(expected) > 25
    for key, description in expected:
        assert any(key == place and description in comment for place, comment in comments), key
    told = " ".join(comment for _, comment in comments)
    assert all(told.count(description) == 1 for _, description in expected)  # however many targets there are


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_any_grid_survives_being_written(file: Path) -> None:
    grid = load(file)
    text = grid_text(grid, OUT)
    assert validate(yaml.safe_load(text), "again") == grid
    assert max(map(len, (line for line in text.splitlines() if line.lstrip().startswith("#")))) < 120


def test_editors_are_told_of_the_schema_where_there_is_one() -> None:
    schema = Path("workflow/schemas/config.schema.json")
    assert new_grid("one", "--targets", "2x2") == 0
    assert "$schema" not in Path("config/grids/one.yaml").read_text()
    schema.parent.mkdir(parents=True)
    schema.touch()
    assert new_grid("mine", "--targets", "2x2") == 0
    first = OUT.read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=../../workflow/schemas/config.schema.json"


@pytest.mark.parametrize("there", ["file", "dangling link"])
def test_nothing_is_overwritten_unless_forced(there: str, capsys: pytest.CaptureFixture[str]) -> None:
    if there == "file":
        OUT.write_text("grid: mine\nprecious: true\n")
        before = OUT.read_bytes()
    else:
        OUT.symlink_to("nowhere.yaml")
    assert new_grid("mine", "--targets", "2x2") == 1
    assert "already exists" in capsys.readouterr().err
    assert OUT.is_symlink() or OUT.read_bytes() == before
    assert new_grid("mine", "--targets", "2x2", "--force") == 0
    assert load(OUT).grid == "mine"


def test_the_name_of_another_grid_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert new_grid("mine", "--targets", "2x2") == 0
    assert new_grid("mine", "--targets", "2x2", "--out", "other.yaml") == 1
    assert "mine is the name of config/grids/mine.yaml" in capsys.readouterr().err
    assert not Path("other.yaml").exists()


REFUSED = {
    "": "name and targets missing",
    "mine": "targets missing",
    "mine --targets 0x5": "targets.0.shape.0: got 0: expected a number of at least 1",
    "mine --targets 1,2,x": "target: '1,2,x': no such file",
    "mine --targets -1,2": "targets.0.singular_values.0: got -1",
    "mine --targets 2x2 --depths two": "depths.0: got 'two': expected a whole number",
    "mine --targets 2x2 --depths 2 2": "2 given twice",
    "mine --targets 2x2 --lams 0": "lambdas.absolute.0: got 0: expected a number greater than 0",
    "mine --targets 2x2 --lams c": "lambdas.relative.0: got None: expected a number",
    "mine --targets 5x5 --set hidden_widths=3": "hidden_widths: got 3, expected at least min(d_0, d_L) = 5",
    "mine --targets 2x2 --set colour=red": "colour: unknown key",
    "mine --targets 2x2 --set starts.count": "--set: got 'starts.count', expected KEY=VALUE",
    "mine --targets 2x2 --set grid.name=3": "--set: got 'grid.name=3', but grid has no keys",
    "mine --targets 2x2 --set depths=[2": "got '[2', expected a value as in YAML",
    "../mine --targets 2x2": "grid: got '../mine', expected letters, digits",
}


@pytest.mark.parametrize("arguments", REFUSED)
def test_what_is_wrong_is_one_line_and_nothing_is_written(arguments: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = arguments.replace("--targets -1", "--targets=-1").split()
    assert new_grid(*words) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    assert REFUSED[arguments] in shown.err
    assert list(Path().rglob("*.yaml")) == []


def test_outside_a_checkout_the_file_is_written_here(capsys: pytest.CaptureFixture[str]) -> None:
    OUT.parent.rmdir()
    Path("other.yaml").write_text("no: grid\n")
    assert new_grid("mine", "--targets", "2x2") == 0
    assert capsys.readouterr().out == "Grid: mine.yaml\nRun it: dmf run mine.yaml\n"
    Path("mine.yaml").rename("renamed.yaml")
    assert new_grid("mine", "--targets", "2x2") == 1
    assert "mine is the name of renamed.yaml" in capsys.readouterr().err


class Keyboard(io.StringIO):
    """A terminal with somebody who types these lines."""

    def isatty(self) -> bool:
        return True


def test_at_a_terminal_what_is_missing_is_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", Keyboard("\nmine\n3x2 4,1\n\n0.5c\n"))
    assert new_grid("--set", "seed=3") == 0
    asked = capsys.readouterr().out
    assert asked.count("Name of the grid") == 2  # an empty name is asked for again
    grid = load(OUT)
    assert [target.name for target in grid.targets] == ["gaussian-3x2", "spectrum"]
    assert (grid.depths, grid.lambdas.relative, grid.seed) == ([2, 3, 4], [0.5], 3)


def test_at_a_terminal_each_answer_is_checked_and_asked_for_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("ratings.csv").write_text("1,2\n3,4\n")
    typed = [
        "../mine",
        "other",
        "mine",
        "rating.csv",
        "0x5",
        "ratings.csv 3x2",
        "two",
        "2 2",
        "2 3",
        "fast",
        "0.5c 1e-2",
    ]
    assert new_grid("other", "--targets", "2x2") == 0
    capsys.readouterr()
    monkeypatch.setattr("sys.stdin", Keyboard("\n".join([*typed, ""])))
    assert new_grid() == 0
    asked = capsys.readouterr().out
    for complaint in (
        "grid: got '../mine', expected letters",
        "config/grids/other.yaml: already exists; choose another name",
        "target: rating.csv: no such file; did you mean ratings.csv?",
        "targets.0.shape.0: got 0: expected a number of at least 1",
        "depths.0: got 'two': expected a whole number",
        "2 given twice",
        "lambdas.absolute.0: got 'fast': expected a number",
    ):
        assert complaint in asked, complaint
    grid = load(OUT)
    assert [target.name for target in grid.targets] == ["ratings", "gaussian-3x2"]
    assert (grid.depths, grid.lambdas.relative, grid.lambdas.absolute) == ([2, 3], [0.5], [0.01])


def test_at_a_terminal_options_that_no_answer_mends_are_refused_before_a_question(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", Keyboard("mine\n2x2\n\n\n"))
    assert new_grid("--set", "colour=red") == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "colour: unknown key" in shown.err


def test_an_end_of_answers_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", Keyboard("mine\n"))
    assert new_grid() == 1
    assert capsys.readouterr().err == "new-grid: no answer; give NAME and --targets, or answer every question\n"
    assert not OUT.exists()
    monkeypatch.setattr("sys.stdin", None)  # what Python has where it is closed
    assert new_grid("mine") == 1
    assert "targets missing" in capsys.readouterr().err


class Piped(io.TextIOWrapper):
    """Standard input with these bytes."""

    def __init__(self, content: bytes) -> None:
        super().__init__(io.BytesIO(content))


def test_what_is_on_standard_input_is_kept_in_a_file_next_to_the_grid(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = OUT.with_suffix(".csv")
    monkeypatch.setattr("sys.stdin", Piped(b"1,x\n3,4\n5,y"))
    assert new_grid("mine", "--targets", "-") == 1
    assert not kept.exists()
    monkeypatch.setattr("sys.stdin", Piped(b"1,2\n3,5\n"))
    assert new_grid("mine", "--targets", "2x2", "-") == 0
    assert kept.read_bytes() == b"1,2\n3,5\n"
    assert load(OUT).targets[1].model_dump()["path"] == str(kept)
    monkeypatch.setattr("sys.stdin", Piped(b"1,9\n"))
    OUT.unlink()
    assert new_grid("mine", "--targets", "-") == 1  # the file of another grid, perhaps
    assert kept.read_bytes() == b"1,2\n3,5\n"
    monkeypatch.setattr("sys.stdin", Piped(b"1,9\n"))
    assert new_grid("mine", "--targets", "-", "-") == 1
    assert "got - twice" in capsys.readouterr().err


def test_at_a_terminal_a_complete_command_asks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Keyboard(""))
    assert new_grid("mine", "--targets", "2x2") == 0
    assert load(OUT).lambdas.relative == [0.1, 0.5, 0.9, 1.1]
