"""`dmf.SchattenShrinkage` is a transformer as scikit-learn has them, and gives the minimizer of 50 digits."""

import warnings

import mpmath as mp
import numpy as np
import pytest
from sklearn.exceptions import SkipTestWarning
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

import dmf
import exact


@pytest.mark.parametrize("depth", [2, 4])
@pytest.mark.parametrize("alpha", [0.1, "0.5c"])
def test_it_passes_the_checks_of_scikit_learn(depth: int, alpha: float | str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SkipTestWarning)
        check_estimator(dmf.SchattenShrinkage(depth, alpha))


@pytest.mark.parametrize("depth", [2, 3, 5])
def test_of_the_fitted_data_it_is_the_minimizer(depth: int) -> None:
    data = np.random.default_rng(3).standard_normal((30, 4)) * [3, 2, 1, 0.1]
    left, sigma, right = np.linalg.svd(data, full_matrices=False)
    lam = 0.4 * float(exact.critical_lambda(float(sigma[0]), depth))
    with mp.workdps(50):
        x = [float(exact.minimizer(mp.mpf(m), depth, lam)) for m in sigma.tolist()]
    shrink = dmf.SchattenShrinkage(depth, "0.4c")
    found = shrink.fit_transform(data)
    assert 0 < shrink.rank_ < 4
    assert found == pytest.approx((left * x) @ right, abs=1e-11)
    assert found == pytest.approx(dmf.predict(data, depth, lam).minimizer, abs=1e-11)
    assert np.linalg.matrix_rank(shrink.transform(data[:3] + 1)) <= shrink.rank_


def test_it_works_in_a_pipeline() -> None:
    data = np.random.default_rng(4).standard_normal((50, 3))
    model = make_pipeline(dmf.SchattenShrinkage(3, "0.01c"), LinearRegression()).fit(data, data @ [1, 2, 3])
    assert model.score(data, data @ [1, 2, 3]) > 0.999


@pytest.mark.parametrize(
    ("settings", "kind", "line"),
    [
        ({"depth": 1}, ValueError, "depth: got 1, expected at least 2 layers"),
        ({"depth": 2.5}, TypeError, "depth: got '2.5', expected a whole number"),
        ({"alpha": 0}, ValueError, "alpha: got 0, expected a number > 0"),
        ({"alpha": "x"}, ValueError, "alpha: got 'x', expected a number > 0"),
    ],
)
def test_wrong_settings_are_refused_by_fit(settings: dict[str, object], kind: type[Exception], line: str) -> None:
    with pytest.raises(kind, match=f"^{line}"):
        dmf.SchattenShrinkage(**settings).fit([[1.0, 2.0]])
    with pytest.raises(ValueError, match="X: all entries are zero"):
        dmf.SchattenShrinkage().fit([[0.0, 0.0]])
