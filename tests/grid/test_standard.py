"""Standardised data are what statistics says, against numpy's own and scikit-learn's."""

from typing import Any

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler, normalize

from dmf.errors import UserError
from dmf.grid import standard
from dmf.grid.labelled import LabelledMatrix

DATA = np.random.default_rng(5).standard_normal((9, 4)) @ np.diag([1, 10, 0.1, 3]) + [5, 0, -1, 100]
OUTCOME = np.random.default_rng(6).standard_normal((9, 2))
NAMED = LabelledMatrix(DATA, tuple("abcdefghi"), tuple("wxyz"))


def after(**steps: Any) -> LabelledMatrix:
    chosen: Any = {"map": "none", "center": "none", "scale": "none", **steps}
    return standard.standardised(NAMED, LabelledMatrix(OUTCOME, (), ("p", "q")), **chosen)


def test_nothing_is_done_unasked() -> None:
    np.testing.assert_array_equal(after().values, DATA)
    assert (after().rows, after().columns) == (NAMED.rows, NAMED.columns)
    assert standard.in_words("none", "none", "none") == ""


def test_covariance_and_correlation_of_columns() -> None:
    np.testing.assert_allclose(after(map="covariance").values, np.cov(DATA.T), rtol=1e-12)
    np.testing.assert_allclose(after(map="correlation").values, np.corrcoef(DATA.T), rtol=1e-12, atol=1e-14)
    assert after(map="correlation").rows == after(map="covariance").columns == NAMED.columns
    assert (np.diag(after(map="correlation").values) == 1).all()


def test_cross_is_the_covariance_of_outcomes_with_features() -> None:
    both = np.cov(np.hstack([OUTCOME, DATA]).T)
    np.testing.assert_allclose(after(map="cross").values, both[:2, 2:], rtol=1e-12, atol=1e-14)
    assert (after(map="cross").rows, after(map="cross").columns) == (("p", "q"), NAMED.columns)


@pytest.mark.parametrize(("center", "axes"), [("columns", [0]), ("rows", [1]), ("both", [0, 1])])
def test_centring_takes_the_means_away_and_nothing_else(center: str, axes: list[int]) -> None:
    values = after(center=center).values
    for axis in axes:
        np.testing.assert_allclose(values.mean(axis=axis), 0, atol=1e-13)
    # differences of differences are free of row and column means
    mixed = [m[:-1, :-1] - m[1:, :-1] - m[:-1, 1:] + m[1:, 1:] for m in (values, DATA)]
    np.testing.assert_allclose(*mixed, rtol=1e-10)
    if center == "columns":
        np.testing.assert_allclose(values, StandardScaler(with_std=False).fit_transform(DATA), atol=1e-13)


def test_scaling() -> None:
    assert np.sum(after(scale="frobenius").values ** 2) == pytest.approx(1, rel=1e-14)
    assert np.linalg.svd(after(scale="spectral").values)[1][0] == pytest.approx(1, rel=1e-14)
    np.testing.assert_allclose(after(scale="columns").values, normalize(DATA, axis=0), rtol=1e-14)
    np.testing.assert_allclose(after(scale="rows").values, normalize(DATA, axis=1), rtol=1e-14)


@pytest.mark.parametrize("size", [1e200, 1e-200])
@pytest.mark.parametrize("scale", ["frobenius", "spectral", "rows", "columns"])
def test_scaling_brings_back_what_squares_would_lose(size: float, scale: Any) -> None:
    np.testing.assert_allclose(standard.scaled(size * DATA, scale), standard.scaled(DATA, scale), rtol=1e-14)


def test_a_row_of_zeros_stays_one() -> None:
    np.testing.assert_array_equal(standard.scaled(np.array([[0.0, 0.0], [3.0, 4.0]]), "rows"), [[0, 0], [0.6, 0.8]])


def test_steps_follow_each_other_in_the_stated_order() -> None:
    values = np.corrcoef(DATA.T)
    values = values - values.mean(axis=1, keepdims=True)
    steps = {"map": "correlation", "center": "rows", "scale": "spectral"}
    np.testing.assert_allclose(after(**steps).values, values / np.linalg.norm(values, 2), rtol=1e-11, atol=1e-13)
    assert standard.in_words(**steps) == "correlation of the columns, rows centred, spectral norm 1"


def test_every_step_has_its_words() -> None:
    for step, choices in (("map", standard.Map), ("center", standard.Center), ("scale", standard.Scale)):
        assert {choice for name, choice in standard.WORDS if name == step} == set(choices.__args__) - {"none"}


@pytest.mark.parametrize("center", ["rows", "columns", "both"])
def test_what_only_rounding_is_left_of_is_refused(center: Any) -> None:
    constant = np.full((5, 7), 0.1)
    assert (constant - constant.mean() != 0).any()  # not exactly zero: it must be told from rounding
    with pytest.raises(UserError, match="nothing is left after centring"):
        standard.centred(constant, center)
