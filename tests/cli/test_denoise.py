"""`dmf denoise` as people call it: files with labels and gaps, what it prints and writes, and wrong input in a line."""

import csv
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import dmf
from dmf.cli.main import main
from html_reader import Reader


def table(share: float = 0.0) -> str:
    """A planted block of plants and sites in a table with labels; a share of the cells is empty or NA."""
    rng = np.random.default_rng(1)
    seen = 0.5 * rng.standard_normal((40, 25))
    seen[:8, 3:9] += 2.5
    lines = [",".join(["", *(f"site {j}" for j in range(25))])]
    for i, row in enumerate(seen.tolist()):
        cells = [rng.choice(["", "NA", "?"]) if rng.random() < share else repr(one) for one in row]
        lines.append(",".join([f"plant {i}", *cells]))
    return "\n".join(lines) + "\n"


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("full.csv").write_text(table())
    Path("gaps.csv").write_text(table(0.2))


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return " ".join(capsys.readouterr().out.split())


def values(path: str, labels: bool = True) -> np.ndarray:
    rows = list(csv.reader(io.StringIO(Path(path).read_text())))
    return np.array([row[1:] for row in rows[1:]] if labels else rows, dtype=float)


def test_a_planted_block_is_found_by_name(capsys):
    assert main(["denoise", "full.csv", "--compare"]) == 0
    text = said(capsys)
    assert "full.csv: 40 × 25 matrix: depth" in text
    assert "keeps 1 of 25" in text
    assert "standard deviation 0.4869, estimated" in text
    assert re.search(r"risk: [\d.]+ \(best shrinkage [\d.]+, best hard threshold [\d.]+\); by Stein -?[\d.]+ ± ", text)
    named = re.findall(r"(plant|site) (\d+) \+0\.[34]", text)
    assert {int(number) for kind, number in named if kind == "plant"} <= set(range(8))
    assert {int(number) for kind, number in named if kind == "site"} <= set(range(3, 9))
    assert named
    for name in (
        "best shrinkage",
        "best hard threshold",
        "truncated SVD at the edge",
        "soft threshold, depth 2",
        "none",
    ):
        assert name in text


@pytest.mark.parametrize("ending", [".csv", ".npz", ".nc"])
def test_the_matrix_is_written_with_its_labels_and_read_again(ending, capsys):
    assert main(["denoise", "full.csv", "--out", f"out{ending}", "--json", "found.json"]) == 0
    found = json.loads(Path("found.json").read_text())
    expected = np.array(found["minimizer"])
    assert found["rows"][3] == "plant 3"
    if ending == ".csv":
        np.testing.assert_array_equal(values("out.csv"), expected)
    elif ending == ".npz":
        with np.load("out.npz") as arrays:
            np.testing.assert_array_equal(arrays["minimizer"], expected)
            assert arrays["columns"][2] == "site 2"
    else:
        with xr.open_dataset("out.nc") as made:
            np.testing.assert_array_equal(made.minimizer.values, expected)
            assert made.sel(row="plant 3", column="site 4").minimizer.item() == expected[3, 4]
    capsys.readouterr()
    variable = ["--variable", "minimizer"] if ending != ".csv" else []
    assert main(["denoise", f"out{ending}", "--noise", "0.1", "--json", *variable]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["kept"] == 1
    assert again["rows"][:1] == (["plant 0"] if ending != ".npz" else [])
    assert sorted(path.name for path in Path().iterdir()) == sorted(
        ["full.csv", "gaps.csv", "found.json", f"out{ending}"]
    )


def test_it_is_what_python_says(capsys):
    assert main(["denoise", "full.csv", "--depth", "4", "--noise", "0.5", "--choose", "stein", "--json"]) == 0
    found = dmf.denoise(values("full.csv"), depth=4, noise=0.5, choose="stein")
    read = json.loads(capsys.readouterr().out)
    assert read["lam"] == found.lam
    assert read["by_depth"] == found.to_dict()["by_depth"]


def test_empty_cells_are_filled_only_if_they_may_be_missing(capsys):
    assert main(["denoise", "gaps.csv"]) == 1
    line = capsys.readouterr().err
    assert line.startswith("gaps.csv: line 2, column ")
    assert line.endswith("; --missing fills cells that are empty or NaN\n")
    assert main(["denoise", "gaps.csv", "--missing", "--out", "filled.csv", "--page", "page.html"]) == 0
    text = said(capsys)
    assert "of 1,000 entries; held-out ones are predicted to 0." in text
    assert "proximal steps, none of which rose" in text
    assert np.isfinite(values("filled.csv")).all()
    assert "Held-out entries" in Path("page.html").read_text()


def test_nan_in_arrays_and_netcdf_may_be_missing_too(capsys):
    seen = values("full.csv")
    seen[3, 4] = np.nan
    np.save("m.npy", seen)
    xr.Dataset({"m": (("row", "column"), seen)}).to_netcdf("m.nc")
    filled = []
    for name in ("m.npy", "m.nc"):
        assert main(["denoise", name]) == 1
        line = capsys.readouterr().err
        assert line.count("\n") == 1
        assert "--missing fills" in line
        assert main(["denoise", name, "--missing", "--depth", "3", "--json"]) == 0
        filled.append(json.loads(capsys.readouterr().out)["minimizer"][3][4])
    assert filled[0] == filled[1]
    whole = np.full((9, 8), 2**53 + 1)
    whole[0, 0] = -1
    xr.Dataset({"m": (("row", "column"), whole, {"missing_value": -1})}).to_netcdf("w.nc")
    assert main(["denoise", "w.nc", "--missing"]) == 1
    assert "w.nc: has whole numbers beyond 2^53" in capsys.readouterr().err
    assert abs(filled[0] - 2.5) < 0.8


def test_noise_alone_keeps_nothing_and_says_why_on_the_page_too(capsys):
    np.save("noise.npy", np.random.default_rng(0).standard_normal((50, 60)))
    assert main(["denoise", "noise.npy", "--page", "noise.html"]) == 0
    reason = "keeps nothing: the largest singular value"
    assert reason in said(capsys)
    assert reason in Path("noise.html").read_text()


def test_the_page_is_one_file_and_escapes_what_a_file_says(capsys):
    Path("full.csv").write_text(table().replace("plant ", "plant <script>x</script> "))
    Path("full.csv").rename("a<b.csv")
    assert main(["denoise", "a<b.csv", "--page", "page.html"]) == 0
    page = Path("page.html").read_text()
    assert "Content-Security-Policy" in page
    assert not re.search(r"(src|href)=\"(?!data:|#)", page)
    assert page.count("data:image/png;base64,") == 2
    read = Reader(page)
    assert (read.unbalanced, read.open) == ([], [])
    assert "<script" not in page
    assert "&lt;script&gt;x" in page
    assert "a&lt;b.csv" in page


def test_a_matrix_comes_on_standard_input(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(table().encode())))
    assert main(["denoise", "-"]) == 0
    assert "standard input: 40 × 25 matrix" in said(capsys)


NUMBERS = "1,2,3.5\n4,5,6.5\n7,8,10.5\n"


@pytest.mark.parametrize(
    ("content", "words", "says"),
    [
        ("", [], "m.csv: is empty"),
        ("1,2,3\n", [], "m.csv: got shape (1, 3), expected at least two rows and two columns"),
        ("2,2\n2,2\n", ["--noise", "1"], "m.csv: all entries are 2; expected a matrix that varies"),
        ("0,0\n0,0\n", [], "m.csv: all entries are zero"),
        ("1,2\n3,1+2j\n", [], "m.csv: line 2, column 2: got '1+2j', expected a number"),
        ("1,2\n3,inf\n", ["--missing"], "m.csv: line 2, column 2: got 'inf', expected a number"),
        (NUMBERS, ["--noise", "0"], "--noise: got 0.0, expected a number > 0"),
        (NUMBERS, ["--noise", "-1"], "--noise: got -1.0, expected a number > 0"),
        (NUMBERS, ["--noise", "inf"], "--noise: got inf, expected a number > 0"),
        (NUMBERS, ["--noise", "nan"], "--noise: got nan, expected a number > 0"),
        (NUMBERS, ["--noise", "1e300"], "m.csv: noise: got 1e+300, expected a number from 1e-50 to 1e+50"),
        (NUMBERS, ["--depth", "1"], "--depth: got 1, expected at least 2 layers"),
        (NUMBERS, ["--out", "o.exe"], "--out: got o.exe, expected a name that ends in .npz, .csv, .nc"),
        (NUMBERS, ["--compare", "--missing"], "--compare: got --missing too"),
        (NUMBERS, ["--seed", "-1"], "--seed: got -1, expected a number >= 0"),
        (NUMBERS, ["--variable", "x"], "m.csv: variable given, but only"),
        (NUMBERS, ["--page", "m.csv/page.html", "--noise", "1"], "Not a directory"),
    ],
)
def test_wrong_input_is_one_line_and_writes_nothing(content, words, says, capsys):
    Path("m.csv").write_text(content)
    assert main(["denoise", "m.csv", *words]) == 1
    printed = capsys.readouterr()
    assert (printed.out, printed.err.count("\n")) == ("", 1)
    assert says in printed.err
    assert sorted(path.name for path in Path().iterdir()) == ["full.csv", "gaps.csv", "m.csv"]


def test_a_complex_array_and_a_file_that_is_not_there_are_one_line(capsys):
    np.save("c.npy", np.eye(3) + 1j)
    assert main(["denoise", "c.npy"]) == 1
    assert main(["denoise", "none.csv"]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "c.npy: got entries of type complex128, expected real numbers"
    assert lines[1].startswith("none.csv: no such file")
    with pytest.raises(SystemExit) as ended:
        main(["denoise", "full.csv", "--choose", "best"])
    assert ended.value.code == 2
