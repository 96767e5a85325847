"""The target of a network is the least-squares map on whitened inputs; data that do not match are one line."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression

from dmf.errors import UserError
from dmf.grid.config import validate
from dmf.grid.targets import TargetMatrix, build_targets


def build(**keys: Any) -> TargetMatrix:
    target = {"name": "net", "kind": "network", "inputs": "x.npy", "outputs": "y.npy", **keys}
    grid = {"grid": "x", "targets": [target], "depths": [2], "lambdas": {"relative": [1]}}
    return build_targets(validate(grid, "x.yaml"), "x.yaml")[0]


@pytest.fixture
def data(in_tmp: Path) -> tuple[np.ndarray, np.ndarray]:
    """Inputs (30, 4) and outputs (30, 3) in files, samples in rows."""
    rng = np.random.default_rng(1)
    x = 5 + rng.standard_normal((30, 4)) * [4.0, 2.0, 1.0, 0.5]
    y = x @ rng.standard_normal((4, 3)) + rng.standard_normal((30, 3))
    np.save("x.npy", x)
    np.save("y.npy", y)
    return x, y


@pytest.mark.parametrize("components", [None, 2])
def test_it_is_the_regression_on_whitened_principal_components(
    components: int | None, data: tuple[np.ndarray, np.ndarray]
) -> None:
    x, y = data
    target = build(components=components)
    white = PCA(components, whiten=True, svd_solver="full").fit_transform(x) / np.sqrt(len(x) - 1)
    expected = LinearRegression().fit(white, y).coef_
    signs = np.sign(np.sum(expected * target.values, axis=0))
    np.testing.assert_allclose(target.values, expected * signs, rtol=1e-9)
    assert target.columns == tuple(f"component {k}" for k in range(1, (components or 4) + 1))
    assert "x.npy, SHA-256" in target.origin
    assert "y.npy, SHA-256" in target.origin
    assert target.standardisation == f"inputs whitened to {components or 4} principal components, outputs centred"


def test_labels_of_outputs_are_its_rows_and_values_alone_define_it(data: tuple[np.ndarray, np.ndarray]) -> None:
    plain = build()
    rows = [["a", "b", "c"], *([repr(value) for value in row] for row in data[1].tolist())]
    Path("y.csv").write_text("\n".join(",".join(row) for row in rows))
    labelled = build(outputs="y.csv")
    assert labelled.rows == ("a", "b", "c")
    assert labelled.fingerprint == plain.fingerprint
    assert build(components=3).fingerprint != plain.fingerprint
    np.save("y.npy", data[1] * 2)
    assert build().fingerprint != plain.fingerprint


def test_inputs_of_deficient_rank_keep_their_rank(data: tuple[np.ndarray, np.ndarray]) -> None:
    x, _ = data
    np.save("x.npy", np.column_stack([x[:, :2], x[:, 0] + x[:, 1]]))
    assert build().shape == (3, 2)


def test_keys_say_what_is_labels_in_both_files_or_in_each(data: tuple[np.ndarray, np.ndarray]) -> None:
    plain = build()
    x, y = (pandas.DataFrame(values, columns=list("abcd")[: values.shape[1]]) for values in data)
    x.to_csv("x.csv")
    y.to_csv("y.csv")
    files = {"inputs": "x.csv", "outputs": "y.csv"}
    assert build(**files).fingerprint == build(**files, index=True).fingerprint == plain.fingerprint
    y.to_csv("y.csv", index=False)
    assert build(**files, index=[True, False], header=[None, True]).fingerprint == plain.fingerprint
    assert build(inputs="x.csv", index=[True, None]).fingerprint == plain.fingerprint
    np.savez("both.npz", x=data[0], y=data[1])
    assert build(inputs="both.npz", outputs="both.npz", variable=["x", "y"]).fingerprint == plain.fingerprint


BAD = [
    (
        "y",
        np.arange(87.0).reshape(29, 3),
        {},
        "outputs have 29 rows, expected 30, those of inputs; a sample is a row of both",
    ),
    ("x", np.full((30, 4), np.nan), {}, "got nan at row 0, column 0"),
    ("x", np.zeros((30, 4)), {}, "all entries are zero"),
    ("x", np.ones((30, 4)), {}, "nothing is left after centring"),
    ("y", np.full((30, 3), 0.1), {}, "nothing is left after centring"),
    ("x", None, {"components": 5}, "kept = 5: expected at most 4, the rank of inputs"),
    ("x", None, {"components": 0}, "targets.0.components"),
    ("x", None, {"inputs": "none.npy"}, "none.npy"),
    ("x", None, {"map": "covariance"}, "targets.0.map"),
    ("x", None, {"index": [True]}, "targets.0.index: got [True]: expected one value for both files, or a list of two"),
    ("x", None, {"header": "yes"}, "targets.0.header: got 'yes': expected one value for both files, or a list of two"),
    ("x", None, {"index": [None, True]}, "outputs: index given, but only .csv, .tsv files have one; leave it out"),
]


@pytest.mark.parametrize(("name", "values", "keys", "message"), BAD)
def test_data_that_do_not_match_are_one_line(
    name: str, values: np.ndarray | None, keys: dict[str, Any], message: str, data: tuple[np.ndarray, np.ndarray]
) -> None:
    if values is not None:
        np.save(f"{name}.npy", values)
    with pytest.raises(UserError) as refusal:
        build(**keys)
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert str(refusal.value).startswith("x.yaml: targets.0")
