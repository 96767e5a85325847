"""`dmf.DeepFactorization` is an estimator as scikit-learn has them, at the minimum that the theory and autograd say."""

import warnings

import mpmath as mp
import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.exceptions import SkipTestWarning
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

import dmf
import exact

DATA = np.random.default_rng(3).standard_normal((30, 4)) * [3, 2, 1, 0.1]


@pytest.mark.parametrize("depth", [2, 3, 5])
@pytest.mark.parametrize("alpha", [0.01, "0.1c"])
def test_it_passes_the_checks_of_scikit_learn(depth, alpha):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SkipTestWarning)
        check_estimator(dmf.DeepFactorization(depth, alpha))


@pytest.mark.parametrize("depth", [2, 3, 5])
def test_layers_are_a_minimizer(depth):
    deep = dmf.DeepFactorization(depth, "0.4c").fit(DATA)
    left, sigma, right_t = np.linalg.svd(DATA, full_matrices=False)
    lam = 0.4 * float(exact.critical_lambda(float(sigma[0]), depth))
    with mp.workdps(50):
        x = [exact.minimizer(mp.mpf(m), depth, lam) for m in sigma.tolist()]
        least = sum(
            (m - one) ** 2 + lam * depth * one ** (mp.mpf(2) / depth) for m, one in zip(sigma.tolist(), x, strict=True)
        )
    assert 0 < deep.n_components_ < 4
    assert deep.objective_ == pytest.approx(float(least), rel=1e-12)
    layers = [torch.from_numpy(np.ascontiguousarray(layer)).requires_grad_() for layer in deep.layers_]
    product = layers[0]
    for layer in layers[1:]:
        product = layer @ product
    value = (torch.from_numpy(DATA) - product).square().sum() + lam * sum(layer.square().sum() for layer in layers)
    assert value.item() == pytest.approx(float(least), rel=1e-12)
    for slope in torch.autograd.grad(value, layers):
        assert slope.abs().max().item() < 1e-12
    expected = (left * np.array(x, dtype=float)) @ right_t
    np.testing.assert_allclose(product.detach().numpy(), expected, atol=1e-12)
    norms = [np.sum(layer**2) for layer in deep.layers_]
    np.testing.assert_allclose(norms, norms[0], rtol=1e-12)


@pytest.mark.parametrize("depth", [2, 4])
def test_codes_and_components_are_those_of_the_layers(depth):
    deep = dmf.DeepFactorization(depth, "0.2c")
    codes = deep.fit_transform(DATA)
    np.testing.assert_array_equal(codes, deep.layers_[-1])
    np.testing.assert_allclose(deep.transform(DATA), codes, atol=1e-13)
    rest = np.linalg.multi_dot([*deep.layers_[-2::-1], np.eye(4)]) if depth > 2 else deep.layers_[0]
    np.testing.assert_allclose(deep.components_, rest, atol=1e-13)
    minimizer = dmf.predict(DATA, depth, "0.2c").minimizer
    np.testing.assert_allclose(deep.inverse_transform(codes), minimizer, atol=1e-12)
    other = dmf.SchattenShrinkage(depth, "0.2c").fit(DATA).transform(DATA[:5] + 1)
    np.testing.assert_allclose(deep.inverse_transform(deep.transform(DATA[:5] + 1)), other, atol=1e-12)
    assert list(deep.get_feature_names_out()) == [f"deepfactorization{i}" for i in range(deep.n_components_)]


def test_it_works_in_a_pipeline():
    pixels, digits = load_digits(return_X_y=True)
    model = make_pipeline(dmf.DeepFactorization(3, "0.003c"), LogisticRegression(max_iter=2000))
    model.fit(pixels[:1000], digits[:1000])
    assert 5 < model[0].n_components_ < 64
    assert model.score(pixels[1000:], digits[1000:]) > 0.85


def test_where_nothing_is_left_it_warns_and_codes_are_empty():
    with pytest.warns(UserWarning, match="alpha = 1.5c: at least lambda_c of these data, so that no component is left"):
        deep = dmf.DeepFactorization(3, "1.5c").fit(DATA)
    assert deep.transform(DATA).shape == (30, 0)
    assert not deep.inverse_transform(deep.transform(DATA)).any()
    assert deep.objective_ == pytest.approx(np.sum(DATA**2), rel=1e-12)


@pytest.mark.parametrize(
    ("settings", "kind", "line"),
    [
        ({"depth": 1}, ValueError, "depth: got 1, expected at least 2 layers"),
        ({"depth": 2.5}, TypeError, "depth: got '2.5', expected a whole number"),
        ({"alpha": 0}, ValueError, "alpha: got 0, expected a number > 0"),
        ({"alpha": "x"}, ValueError, "alpha: got 'x', expected a number > 0"),
    ],
)
def test_wrong_settings_are_refused_by_fit(settings, kind, line):
    with pytest.raises(kind, match=f"^{line}"):
        dmf.DeepFactorization(**settings).fit([[1.0, 2.0]])
    with pytest.raises(ValueError, match="X: all entries are zero"):
        dmf.DeepFactorization().fit([[0.0, 0.0]])
    with pytest.raises(ValueError, match="X: got 3 columns, expected 4, one a component"):
        dmf.DeepFactorization(2, 1e-6).fit(DATA).inverse_transform(np.ones((2, 3)))
