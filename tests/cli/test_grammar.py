"""Every command takes targets and lambdas in the same short forms, and reads the same matrix for the same words."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dmf.cli.grammar import lam_label, lambdas, named, target
from dmf.cli.main import main
from dmf.errors import UserError
from dmf.grid.config import load
from dmf.grid.targets import build_targets


def stdin(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))


def sigma(capsys: pytest.CaptureFixture[str], text: str, *options: str) -> list[float]:
    """The singular values that `dmf predict` finds."""
    assert main(["predict", text, "--depth", "3", "--lam", "0.5c", "--json", *options]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert found["numbers"]["lambdaRatio"] == pytest.approx(0.5, rel=1e-12)
    return [value["sigma"] for value in found["values"]]


MATRIX = np.array([[5.0, 4, 1], [4, 4, 2], [1, 2, 5], [2, 1, 4]])
LINES = [",".join(f"{value:g}" for value in row) for row in MATRIX]


@pytest.mark.parametrize("form", ["file", "csv", "tsv", "npy"])
def test_a_matrix_from_a_file_or_from_standard_input_is_that_matrix(
    form: str, in_tmp: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "\n".join(LINES) + "\n"
    binary = io.BytesIO()
    np.save(binary, MATRIX)
    Path("m.csv").write_text(text)
    contents = {"csv": text.encode(), "tsv": text.replace(",", "\t").encode(), "npy": binary.getvalue(), "file": b""}
    stdin(monkeypatch, contents[form])
    found = sigma(capsys, "m.csv" if form == "file" else "-")
    np.testing.assert_allclose(found, np.linalg.svd(MATRIX, compute_uv=False), rtol=1e-14)
    assert [path.name for path in in_tmp.iterdir()] == ["m.csv"]


def test_singular_values_and_data_sets_are_taken_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    from sklearn.datasets import load_iris

    np.testing.assert_allclose(sigma(capsys, "4,2,.5"), [4, 2, 0.5], rtol=1e-13)
    np.testing.assert_allclose(
        sigma(capsys, "iris", "--center", "columns"),
        np.linalg.svd(load_iris().data - load_iris().data.mean(axis=0), compute_uv=False),
        rtol=1e-10,
    )


def test_a_gaussian_target_is_the_one_of_the_grid_with_the_same_words(
    in_tmp: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = sigma(capsys, "5x4")
    assert main(["new-grid", "mine", "--targets", "5x4", "--out", "mine.yaml"]) == 0
    (drawn,) = build_targets(load("mine.yaml"), "mine.yaml")
    np.testing.assert_array_equal(found, drawn.singular_values)
    capsys.readouterr()
    assert main(["advise", "5x4", "--depth", "2", "--rank", "1", "--starts", "0", "--json"]) == 0
    advice = json.loads(capsys.readouterr().out)
    np.testing.assert_allclose([advice["low"], advice["high"]], [found[1], found[0]], rtol=1e-12)  # at depth 2


@pytest.mark.parametrize("command", ["predict", "advise"])
@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "standard input is empty; expected a matrix in CSV, or the path of a file in place of -"),
        (b"1,2\n3,x\n", "standard input: "),
        (None, "standard input is closed; expected a matrix in CSV, or the path of a file in place of -"),
    ],
)
def test_what_is_wrong_on_standard_input_is_one_line(
    command: str,
    content: bytes | None,
    complaint: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if content is None:
        monkeypatch.setattr("sys.stdin", None)
    else:
        stdin(monkeypatch, content)
    options = ["--lam", "1"] if command == "predict" else ["--rank", "1"]
    assert main([command, "-", "--depth", "3", *options]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert complaint in captured.err
    assert "/tmp" not in captured.err


def test_a_misspelt_name_is_refused_with_the_one_that_was_meant(in_tmp: Path) -> None:
    Path("ratings.csv").touch()
    for text, hint in (("iri", "iris"), ("rating.csv", "ratings.csv"), ("./rattings.csv", "ratings.csv")):
        with pytest.raises(UserError, match=f"no such file; did you mean {hint}"):
            target(text)
    with pytest.raises(UserError, match="no such file; expected a file in any format"):
        target("nothing like it")


def test_names_are_names_of_a_grid_however_long_the_file_is(in_tmp: Path) -> None:
    Path("x" * 200 + ".csv").touch()
    Path("...csv").touch()
    names = [one["name"] for one in named([target("x" * 200 + ".csv")] * 2 + [target("...csv")])]
    assert names == ["x" * 60, "x" * 60 + "-2", "file"]


@pytest.mark.parametrize(
    ("text", "label"),
    [("0.5c", "0.5c"), ("0.50c", "0.5c"), (".5c", "0.5c"), ("5e-1c", "0.5c"), ("1", "1.0"), ("1e-2", "0.01")],
)
def test_a_lambda_is_the_same_however_it_is_written(text: str, label: str) -> None:
    assert lam_label(text) == label


def test_lambdas_that_end_in_c_are_relative() -> None:
    assert lambdas(["0.5c", "2", "1.5c"]) == {"relative": [0.5, 1.5], "absolute": [2]}
    for text in ("c", "much", "0.5cc"):
        with pytest.raises(UserError, match=f"--lam: got '?{text}'?, expected 0.9c for"):
            lam_label(text)
