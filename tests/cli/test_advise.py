"""`dmf advise`: an interval that training confirms, and one line for what cannot be advised on."""

import json
from pathlib import Path

import numpy as np
import pytest

from dmf import theory
from dmf.cli.main import main

SIGMA = [2.0, 1.2, 0.7, 0.7, 0.2]


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A file with a matrix of singular values SIGMA."""
    rng = np.random.default_rng(3)
    left, right = (np.linalg.qr(rng.standard_normal((size, size)))[0][:, :5] for size in (5, 6))
    path = tmp_path / "target.npy"
    np.save(path, (left * SIGMA) @ right.T)
    return path


def asked(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    assert main(["advise", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("depth", [2, 3, 4])
@pytest.mark.parametrize("rank", [0, 1, 2, 4, 5])
def test_runs_end_where_the_advice_says(
    depth: int, rank: int, target: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """At the lambda of the census the minimizer keeps the rank; runs keep no more wherever no local minimum does."""
    found = asked(capsys, str(target), "--depth", str(depth), "--rank", str(rank), "--starts", "12")
    low, high = found["low"], found["high"] or np.inf
    assert low < found["lam"] < high or rank == 0
    matrix = np.load(target)
    for lam in (low * 1.0001 or high / 50, found["lam"], min(high, 1e3) * 0.9999):
        assert theory.kept_at_minimum(matrix, depth, lam) == rank
    kept = [row["kept"] for row in found["ends"] if row["kept"] >= 0]
    assert sum(row["runs"] for row in found["ends"]) == found["runs"] == 12
    if depth == 2:
        assert kept == [rank]
    if found["lam"] > found["more_until"]:
        assert max(kept) <= rank


def test_white_inputs_give_the_lambda_of_the_network_on_the_data(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Against the factorization itself, and against training on the data just inside and outside the interval."""
    from dmf.training.engine import train
    from dmf.training.settings import Lbfgs
    from dmf.training.starts import draw_start
    from dmf.training.tasks import Tasks

    rng = np.random.default_rng(4)
    x = 4 * theory.whitened(rng.standard_normal((3, 10)), 3)
    y = np.diag([2.0, 1.0, 0.3]) @ x / 4 + 0.0
    for name, values in (("x", x), ("y", y)):
        np.save(tmp_path / f"{name}.npy", values)
    files = (str(tmp_path / "y.npy"), "--inputs", str(tmp_path / "x.npy"))
    found = asked(capsys, *files, "--depth", "2", "--rank", "1", "--starts", "3")
    np.testing.assert_allclose([found["low"], found["high"]], [4.0, 8.0], rtol=1e-12)
    start = [layer[None] for layer in draw_start("gaussian", (3, 3, 3), rng)]
    for lam, rank in ((3.9, 2), (4.1, 1), (7.9, 1), (8.1, 0)):
        runs = train(Tasks(y[None], np.array([lam]), np.array([1e-9]), x[None]), start, Lbfgs(name="lbfgs"))
        assert np.count_nonzero(runs.singular_values[0] > 1e-3) == rank, lam


def test_words_name_the_interval_and_what_torch_calls_lambda(target: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["advise", str(target), "--depth", "2", "--rank", "1", "--starts", "3"]) == 0
    out = capsys.readouterr().out
    assert "keeps exactly 1 singular value where 1.2 < lambda < 2." in out
    assert "weight_decay is 2 lambda" in out
    assert "Where 3 runs end at lambda = " in out
    assert max(map(len, out.splitlines())) < 150
    assert main(["advise", str(target), "--depth", "3", "--rank", "2", "--starts", "0"]) == 0
    assert "runs end" not in capsys.readouterr().out


BAD = [
    (["--depth", "3", "--rank", "3"], "rank = 3: singular values 3 and 4 are equal (0.7)"),
    (["--depth", "3", "--rank", "6"], "rank = 6: expected at most 5, the rank of the target"),
    (["--depth", "3", "--rank", "-1"], "rank = -1: expected an integer >= 0"),
    (["--depth", "1", "--rank", "1"], "depths"),
    (["--depth", "3", "--rank", "1", "--starts", "4"], "--starts: got 4, expected 0 or a multiple of 3"),
    (["--depth", "3", "--rank", "1", "--inputs", "MISSING.npy"], "MISSING.npy"),
    (["--depth", "3", "--rank", "1", "--inputs", "OTHER"], "outputs has 6 columns: expected 4, those of inputs"),
    (["--depth", "3", "--rank", "1", "--inputs", "NAN"], "finite"),
    (["--depth", "3", "--rank", "1", "--inputs", "ZERO"], "zero"),
    (["--depth", "3", "--rank", "1", "--inputs", "COLOURED"], "expected white inputs"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD)
def test_what_cannot_be_advised_on_is_one_line_and_leaves_nothing(
    arguments: list[str], message: str, target: Path, in_tmp: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(0)
    nan = np.ones((2, 6))
    nan[1, 2] = np.nan
    files = {"OTHER": np.ones((2, 4)), "NAN": nan, "ZERO": np.zeros((2, 6)), "COLOURED": rng.standard_normal((2, 6))}
    for name, values in files.items():
        np.save(in_tmp / name, values)
    before = sorted(path.name for path in in_tmp.iterdir())
    given = [f"{word}.npy" if word in files else word for word in arguments]
    assert main(["advise", str(target), *given]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert message in captured.err
    assert sorted(path.name for path in in_tmp.iterdir()) == before
