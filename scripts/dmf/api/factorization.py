"""`dmf.DeepFactorization`: the minimizing layers of deep matrix factorization as an estimator of scikit-learn."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from dmf.api.inputs import lam_label, read_depth, read_lam
from dmf.theory import scalar_minimizer

if TYPE_CHECKING:
    from jaxtyping import Float64

Array = NDArray[np.float64]


class DeepFactorization(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    r"""Factorizes data X of n samples as W_L ... W_1, the minimum of ||X - W_L ... W_1||^2 + \alpha \sum_l ||W_l||^2.

    Args:
        depth: number of layers L, at least 2.
        alpha: \alpha = \lambda > 0, or text in units of \lambda_c of the data: "0.1c". It decides how many components
            are kept: those of singular values above m* (Theorem 5).

    The minimum has a closed form (Theorems 3 and 10), so nothing is trained, and no start can miss it. Of all
    minimizers, which differ by orthogonal matrices between the layers, it is the one whose hidden layers are diagonal.
    Codes of samples are rows of W_L, components those of W_(L-1) ... W_1; `inverse_transform` multiplies them. Columns
    are not centred. Attributes: layers_ [W_1, ..., W_L], components_ (n_components_, n_features),
    singular_values_ (n_components_,) of the product, n_components_, objective_ (the minimum). All are dimensionless.
    `fit` raises ValueError and TypeError as `dmf.predict` does, and warns where alpha leaves no component.

    >>> import dmf
    >>> deep = dmf.DeepFactorization(depth=3, alpha="0.01c")
    >>> codes = deep.fit_transform([[4.0, 0.0], [0.0, 1.0], [4.0, 0.0]])
    >>> codes.shape, [layer.shape for layer in deep.layers_]
    ((3, 2), [(2, 2), (2, 2), (3, 2)])
    >>> deep.inverse_transform(codes).round(2).tolist()
    [[3.98, 0.0], [0.0, 0.96], [3.98, 0.0]]
    """

    def __init__(self, depth: int = 2, alpha: float | str = "0.1c") -> None:
        """Keep the settings; `fit` checks them."""
        self.depth = depth
        self.alpha = alpha

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find the layers for data X (n_samples, n_features); y is ignored."""
        self.fit_transform(X)
        return self

    def fit_transform(self, X: Any, y: Any = None) -> Float64[Array, "sample component"]:
        """Find the layers for data X (n_samples, n_features), and return W_L, their codes; y is ignored."""
        read: Array = validate_data(self, X, dtype=np.float64)
        depth, label = read_depth(self.depth), lam_label(self.alpha, "alpha")
        left, sigma, right_t = np.linalg.svd(read, full_matrices=False)
        if sigma[0] == 0:
            raise ValueError("X: all entries are zero; lambda_c is not defined for a zero target")
        alpha = read_lam(label, float(sigma[0]), depth)
        x = scalar_minimizer(sigma, depth, alpha)
        kept = x > 0
        if not kept.any():
            message = f"alpha = {self.alpha}: at least lambda_c of these data, so that no component is left"
            warnings.warn(message, UserWarning, stacklevel=2)
        root = x[kept] ** (1 / depth)
        middle = [np.diag(root) for _ in range(depth - 2)]
        self.layers_ = [root[:, None] * right_t[kept], *middle, left[:, kept] * root]
        self.components_ = (root ** (depth - 1))[:, None] * right_t[kept]
        self.singular_values_ = x[kept]
        self.objective_ = float(np.sum((sigma - x) ** 2) + alpha * depth * np.sum(root**2))
        self.n_components_ = len(root)
        self._encoder = right_t[kept].T * (root / sigma[kept])
        return np.asarray(self.layers_[-1])

    def transform(self, X: Any) -> Float64[Array, "sample component"]:
        """Codes of samples X (n_samples, n_features), scaled as those of the fitted data: of these it is W_L."""
        check_is_fitted(self)
        read: Array = validate_data(self, X, dtype=np.float64, reset=False)
        return np.asarray(read @ self._encoder)

    def inverse_transform(self, X: Any) -> Float64[Array, "sample feature"]:
        """Samples of codes X (n_samples, n_components_); of the fitted data's codes, the minimizing product."""
        check_is_fitted(self)
        codes = check_array(X, dtype=np.float64, ensure_min_features=0)
        if codes.shape[1] != self.n_components_:
            raise ValueError(f"X: got {codes.shape[1]} columns, expected {self.n_components_}, one a component")
        return np.asarray(codes @ self.components_)

    @property
    def _n_features_out(self) -> int:
        """What scikit-learn names the components by."""
        return self.n_components_
