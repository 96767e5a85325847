"""`dmf prove` proves what is stored, from numbers alone, and says in one line what a file lacks."""

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from critical_points import critical
from dmf.cli.main import main
from dmf.dataset.store import write


@pytest.fixture
def layers(tmp_path: Path) -> Path:
    found, _ = critical([3.0, 2.0], (2, 2, 2, 2), 0.5, "LL")
    path = tmp_path / "run.npz"
    named = {f"W_{number}": layer for number, layer in enumerate(found.layers, start=1)}
    np.savez(path, M=found.matrix, lam=0.5, **named)
    return path


def test_layers_of_a_user_are_proved_and_every_statement_is_decided(
    layers: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["prove", str(layers)]) == 0
    text = " ".join(capsys.readouterr().out.split())  # a long path moves the ends of lines
    assert "a local minimizer is proved within the radius" in text
    assert "level 2, a global minimizer" in text
    assert "uniqueness holds" in text
    assert main(["prove", str(layers), "--json"]) == 0
    (raw,) = json.loads(capsys.readouterr().out)
    assert raw["reason"] == "proved"
    assert raw["objective"][0] <= raw["objective"][1]
    assert set(raw["statements"].values()) == {"holds"}


def test_a_saddle_is_not_proved_and_the_reason_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found, _ = critical([2.0], (1, 1, 1, 1), 0.3, "S")
    np.savez(
        tmp_path / "saddle.npz",
        M=found.matrix,
        lam=0.3,
        **{f"W_{number}": layer for number, layer in enumerate(found.layers, start=1)},
    )
    assert main(["prove", str(tmp_path / "saddle.npz")]) == 1
    assert "a saddle is near" in " ".join(capsys.readouterr().out.split())


def test_stored_runs_of_a_grid_are_proved_from_their_file(
    proofs: xr.Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(proofs.assign_attrs(settings=""), tmp_path / "proofs.nc")
    words = ["--target", "b", "--depth", "3", "--lam", "0.3c"]
    assert main(["prove", str(tmp_path / "proofs.nc"), *words, "--json"]) == 0
    raw = json.loads(capsys.readouterr().out)
    assert len(raw) >= 2
    here = [proofs[name].values == value for name, value in (("target", "b"), ("depth", 3), ("lam_label", "0.3c"))]
    (number,) = np.flatnonzero(np.logical_and.reduce(here))
    assert [one["radius"] for one in raw] == proofs["radius"].values[number][: len(raw)].tolist()
    assert main(["prove", str(tmp_path / "proofs.nc"), *words, "--number", "1"]) == 0
    assert capsys.readouterr().out.count("gradient norm <=") == 1
    assert main(["prove", str(tmp_path / "proofs.nc"), "--target", "nobody"]) == 1
    assert "no such run" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ({"M": np.eye(2), "lam": 0.5}, "expected M, lam and two or more layers"),
        ({"M": np.eye(2), "lam": 0.5, "W_1": np.eye(2), "W_3": np.eye(2)}, "expected M, lam and two or more layers"),
        ({"M": np.eye(2), "lam": -1.0, "W_1": np.eye(2), "W_2": np.eye(2)}, "lam: expected one number > 0"),
        ({"M": np.eye(2), "lam": np.ones(2), "W_1": np.eye(2), "W_2": np.eye(2)}, "lam: expected one number > 0"),
        ({"M": np.eye(3), "lam": 0.5, "W_1": np.eye(2), "W_2": np.eye(2)}, "no chain"),
        ({"M": np.eye(2), "lam": 0.5, "W_1": np.ones(2), "W_2": np.eye(2)}, "no chain"),
        ({"M": np.array(["a"]), "lam": 0.5, "W_1": np.eye(2), "W_2": np.eye(2)}, "not a readable"),
    ],
)
def test_a_file_that_lacks_something_is_one_line(
    content: dict[str, np.ndarray], complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.savez(tmp_path / "bad.npz", **content)  # type: ignore[arg-type]
    assert main(["prove", str(tmp_path / "bad.npz")]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert complaint in captured.err
    assert captured.err.count("\n") == 1


def test_no_file_and_no_archive_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "text.npz").write_text("nothing")
    for name in ("text.npz", "absent.npz", "absent.nc"):
        assert main(["prove", str(tmp_path / name)]) == 1
        assert name in capsys.readouterr().err
