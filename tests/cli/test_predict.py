"""`dmf predict`: every number against 50 digits or a dense Hessian by autograd; refusals are those of a grid's file."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mpmath as mp
import numpy as np
import pytest
import torch

import exact
from dmf.cli.main import main
from dmf.report.explorer.page import NUMBERS
from dmf.theory.prediction import predict

NAMES = [name for entries in NUMBERS.values() for name, *_ in entries]
Layers = list[torch.Tensor]


def matrix(shape: tuple[int, int], sigma: Sequence[float], seed: int = 5) -> np.ndarray:
    rng = np.random.default_rng(seed)
    left, right = (np.linalg.qr(rng.standard_normal((size, size)))[0] for size in shape)
    middle = np.zeros(shape)
    np.fill_diagonal(middle, sigma)
    return left @ middle @ right.T


def critical_point(target: np.ndarray, widths: Sequence[int], lam: float, kept: int) -> Layers:
    """Layers that keep `kept` singular values, from 50-digit roots; no code of the package is used."""
    depth = len(widths) - 1
    left, sigma, right = np.linalg.svd(target)
    with mp.workdps(50):
        roots = [
            exact.large_root(mp.mpf(m), depth, lam) if depth > 2 else mp.mpf(m) - lam for m in sigma[:kept].tolist()
        ]
        s = np.array([float(mp.root(x, depth)) for x in roots])
    frames = [right.T[:, :kept], *(np.eye(width)[:, :kept] for width in widths[1:-1]), left[:, :kept]]
    return [torch.tensor((frames[layer + 1] * s) @ frames[layer].T) for layer in range(depth)]


def objective(layers: Layers, target: np.ndarray, lam: float) -> torch.Tensor:
    product = layers[0]
    for layer in layers[1:]:
        product = layer @ product
    return ((torch.tensor(target) - product) ** 2).sum() + lam * sum((layer**2).sum() for layer in layers)


def dense_spectrum(layers: Layers, target: np.ndarray, lam: float) -> np.ndarray:
    """Eigenvalues of the Hessian by autograd; the point is first seen to be critical."""
    sizes = [layer.numel() for layer in layers]

    def value(flat: torch.Tensor) -> torch.Tensor:
        parts = [part.reshape(layer.shape) for part, layer in zip(flat.split(sizes), layers, strict=True)]
        return objective(parts, target, lam)

    point = torch.cat([layer.flatten() for layer in layers])
    assert float(torch.func.grad(value)(point).norm()) < 1e-12
    return np.linalg.eigvalsh(torch.autograd.functional.hessian(value, point).numpy())


SETTINGS = [
    ((3, 3), (3.0, 1.5, 0.4), [3, 3, 3, 3], 0.2),
    ((2, 3), (2.0, 0.9), [3, 4, 2, 3, 2], 0.1),
    ((3, 2), (1.5, 0.5), [2, 3, 3], 0.7),
    ((1, 1), (2.0,), [1, 1, 1, 1], 0.3),
    ((2, 2), (0.5, 0.2), [2, 2, 3, 2], 2.0),
]


@pytest.mark.parametrize(("shape", "sigma", "widths", "lam"), SETTINGS)
def test_every_number_is_that_of_a_point_made_without_the_package(
    shape: tuple[int, int], sigma: tuple[float, ...], widths: list[int], lam: float
) -> None:
    target, depth = matrix(shape, sigma), len(widths) - 1
    found = predict(target, widths, lam)
    numbers = found["numbers"]
    assert list(numbers) == NAMES
    with mp.workdps(50):
        collapse, branch = float(exact.collapse_threshold(depth, lam)), float(exact.branch_threshold(depth, lam))
        truth = {
            "collapseThreshold": collapse,
            "branchThreshold": branch,
            "jump": float(exact.jump(depth, lam)),
            "criticalLambda": float(exact.critical_lambda(sigma[0], depth)),
            "branchLambda": float(exact.branch_lambda(sigma[0], depth)),
        }
    rank = sum(value > collapse for value in sigma)
    layers = critical_point(target, widths, lam, rank)
    spectrum = dense_spectrum(layers, target, lam)
    product = torch.linalg.multi_dot(layers[::-1]) if depth > 1 else layers[0]
    alpha_sq, parameters = float((layers[0] ** 2).sum()), sum(layer.numel() for layer in layers)
    norm = float(product.norm())
    bound = 2 * lam * parameters + (2 * depth * norm**2 / alpha_sq if rank else 0)
    truth |= {
        "minimum": float(objective(layers, target, lam)),
        "rank": rank,
        "norm": norm,
        "layerNormSq": alpha_sq,
        "exceptionalDistance": np.inf if depth == 2 else min(abs(value - collapse) for value in sigma) / collapse,
        "parameters": parameters,
        "lambdaRatio": lam / truth["criticalLambda"],
        "lambdaMax": spectrum[-1],
        "largestStep": 2 / spectrum[-1],
        "mu": spectrum[spectrum > 1e-10][0],
        "zeroModes": np.count_nonzero(abs(spectrum) < 1e-10),
        "trace": spectrum.sum(),
        "bound": bound,
        "slack": spectrum.sum() - bound,
    }
    assert numbers == {name: pytest.approx(value, rel=1e-11, abs=1e-11) for name, value in truth.items()}
    assert found["notes"] == []
    for level in found["levels"]:
        layers = critical_point(target, widths, lam, level["kept"])
        spectrum = dense_spectrum(layers, target, lam)
        value = float(objective(layers, target, lam))
        assert level["objective"] == pytest.approx(value, rel=1e-12)
        assert level["excess"] == pytest.approx(value - truth["minimum"], abs=1e-12)
        assert level["morseIndex"] == np.count_nonzero(spectrum < -1e-10)
        assert level["lambdaMax"] == pytest.approx(spectrum[-1], rel=1e-12)
        saddle = "strict saddle" if level["morseIndex"] else "spurious minimum"
        assert level["kind"] == ("global minimum" if level["kept"] == rank else saddle)
    assert len(found["levels"]) == 1 + sum(value > branch for value in sigma)


def test_values_solve_their_equation_and_are_kept_above_the_threshold() -> None:
    found = predict(matrix((4, 4), (4.0, 2.0, 0.7, 0.1)), [4] * 5, 0.2)
    for value, sigma in zip(found["values"], (4.0, 2.0, 0.7, 0.1), strict=True):
        assert value["sigma"] == pytest.approx(sigma, rel=1e-13)
        for root in (value["largeRoot"], value["smallRoot"]):
            assert np.isnan(root) or float(exact.h(mp.mpf(root), 4, 0.2)) == pytest.approx(sigma, rel=1e-12)
        kept = sigma > found["numbers"]["collapseThreshold"]
        assert value["minimizer"] == (value["largeRoot"] if kept else 0)
        assert (value["criticalLambda"] > 0.2) == kept


@pytest.fixture
def file(in_tmp: Path) -> Path:
    path = in_tmp / "target.npy"
    np.save(path, matrix((3, 4), (4.0, 2.0, 0.5)))
    return path


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["predict", *arguments]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    return shown.out


def test_the_command_prints_the_same_as_json_and_for_people(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["target.npy", "--depth", "4", "--lam", "0.1", "--widths", "3", "5", "4"]
    read: dict[str, Any] = json.loads(printed(capsys, *arguments, "--json"))
    direct = predict(np.load(file), [4, 3, 5, 4, 3], 0.1)
    assert read["numbers"] == direct["numbers"]
    assert read["levels"] == direct["levels"]
    assert [row["largeRoot"] for row in read["values"]] == [
        None if np.isnan(row["largeRoot"]) else row["largeRoot"] for row in direct["values"]
    ]
    assert {key: read[key] for key in ("target", "shape", "depth", "lam", "widths", "notes")} == {
        "target": "target.npy", "shape": [3, 4], "depth": 4, "lam": 0.1, "widths": [4, 3, 5, 4, 3], "notes": [],
    }  # fmt: skip
    text = printed(capsys, *arguments)
    assert "target.npy, 3 × 4: depth 4, λ = 0.1, widths 4, 3, 5, 4, 3" in text
    for value in direct["numbers"].values():
        assert f"{value:.10g}" in text
    for level in direct["levels"]:
        assert f"{level['objective']:.10g}" in text
    assert text.count("spurious minimum") == len(direct["levels"]) - 1


def test_lambda_may_be_in_units_of_lambda_c_and_depth_2_has_no_exceptional_set(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    read = json.loads(printed(capsys, "target.npy", "--depth", "2", "--lam", "0.3c", "--json"))
    assert read["lam"] == pytest.approx(0.3 * 4)
    assert read["widths"] == [4, 3, 3]
    assert read["numbers"]["lambdaRatio"] == pytest.approx(0.3, rel=1e-15)
    assert read["numbers"]["exceptionalDistance"] is None
    assert "∞" in printed(capsys, "target.npy", "--depth", "2", "--lam", "0.3c")


def test_at_the_exceptional_set_both_minimizers_are_named(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "target.npy", "--depth", "3", "--lam", "1c")
    assert "Exceptional set: σ_1 at m*" in text
    assert text.count("global minimum") == 2
    read = json.loads(printed(capsys, "target.npy", "--depth", "3", "--lam", "1c", "--json"))
    (note,) = read["notes"]
    # The two minimizers: everything dropped, or sigma_1 = 4 on x_J = 2: equal F, and alpha^2 apart by x_J^(2/3).
    assert "0 or x_J = 2 at the same minimum" in note
    assert f"differs by {2 ** (2 / 3):.6g}" in note
    assert [level["objective"] for level in read["levels"][:2]] == pytest.approx([16 + 4 + 0.25] * 2)
    off = json.loads(printed(capsys, "target.npy", "--depth", "3", "--lam", "0.99999c", "--json"))
    assert off["notes"] == []


def test_a_degenerate_lambda_and_a_hidden_eigenvalue_are_said() -> None:
    lam = float(exact.branch_lambda(2.0, 3))
    (note,) = predict(np.diag([4.0, 2.0]), [2] * 4, lam)["notes"]
    assert note.startswith("Degenerate: σ_2 at m_loc")
    # 4 lambda = 4e-16 is the smallest positive eigenvalue, below the rounding of the largest, 2 L m^(2 - 2/L) or so.
    found = predict(np.diag([4.0, 2.0]), [2] * 4, 1e-16)
    assert found["numbers"]["mu"] > 1
    (note,) = found["notes"]
    assert note.startswith("μ is not the smallest positive eigenvalue")


def test_curvatures_of_levels_are_left_out_where_they_would_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    target = np.diag([4.0, 2.0])
    whole = predict(target, [2] * 4, 0.1)
    monkeypatch.setattr("dmf.theory.prediction.MOST_EIGENVALUES", 12)
    cut = predict(target, [2] * 4, 0.1)
    assert cut["numbers"] == whole["numbers"]
    assert [level["lambdaMax"] for level in cut["levels"]] == [None] * 3
    assert [level["objective"] for level in cut["levels"]] == [level["objective"] for level in whole["levels"]]


REFUSED = {
    "none.npy --depth 3 --lam 0.1": "target: none.npy: no such file",
    "target.xyz --depth 3 --lam 0.1": "target.xyz: no such file",
    "text.npy --depth 3 --lam 0.1": "text.npy: not a readable .npy matrix",
    "zero.npy --depth 3 --lam 0.1": "zero.npy: all entries are zero",
    "target.npy --depth 1 --lam 0.1": "depths.0: got 1: expected a number of at least 2",
    "target.npy --depth 3 --lam 0": "lambdas.absolute.0: got 0: expected a number greater than 0",
    "target.npy --depth 3 --lam much": "lambdas.absolute.0: got 'much': expected a number",
    "target.npy --depth 3 --lam nanc": "lambdas.relative.0: got 'nan': expected a finite number",
    "target.npy --depth 3 --lam 0.1 --widths 2": "hidden_widths: got 2, expected at least min(d_0, d_L) = 3",
    "target.npy --depth 3 --lam 0.1 --widths 3 3 3": "hidden_widths: a list of 3 fits depth 4 only",
    "target.npy --depth 3 --lam 0.1 --widths 0": "hidden_widths: got 0: expected same, a whole number",
    "target.npy --depth 3 --lam 0.1 --header": "header given, but only .csv, .tsv files have one",
    "target.npy --depth 200 --lam 0.1 --widths 4096": "parameters, expected at most 30,000,000",
}


@pytest.mark.parametrize("arguments", REFUSED)
def test_what_a_grid_refuses_is_refused_in_one_line(
    arguments: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.with_name("text.npy").write_text("1, 2\n")
    np.save(file.with_name("zero.npy"), np.zeros((2, 2)))
    assert main(["predict", *arguments.split()]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    assert REFUSED[arguments] in shown.err


def test_tables_and_their_standardisation_are_read_as_in_a_grid(
    in_tmp: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("data.csv").write_text("x,y\n1,2\n3,5\n4,4\n")
    arguments = ["data.csv", "--depth", "3", "--lam", "0.01", "--json", "--map", "covariance", "--header"]
    found = json.loads(printed(capsys, *arguments))
    covariance = np.cov([[1, 3, 4], [2, 5, 4]])  # over n - 1
    sigma = [value["sigma"] for value in found["values"]]
    np.testing.assert_allclose(sigma, np.linalg.svd(covariance, compute_uv=False), rtol=1e-13)
