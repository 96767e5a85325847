"""`dmf.SchattenShrinkage`: the minimizer's shrinkage of singular values as a transformer of scikit-learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from dmf.api.inputs import lam_label, read_depth, read_lam
from dmf.theory import scalar_minimizer

if TYPE_CHECKING:
    from jaxtyping import Float64

Array = NDArray[np.float64]


class SchattenShrinkage(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    r"""Shrinks data X of n samples to the minimizer of ||X - Z||_F^2 + \alpha L ||Z||_{S_{2/L}}^{2/L} (Theorems 3, 10).

    Args:
        depth: number of layers L, at least 2; at 2 singular values are thresholded softly, above 2 nearly hard.
        alpha: \alpha = \lambda > 0, or text in units of \lambda_c of the data: "0.1c".

    The minimizer has the singular vectors of X. `fit` finds the directions of features and what is left of each,
    `transform` scales new samples along them: of the fitted data it is the minimizer itself. Columns are not centred.
    Attributes: components_ (n, n_features), singular_values_ (n,) of the data, shrunk_ (n,) of the minimizer, rank_.
    All are dimensionless. `fit` raises ValueError and TypeError as `dmf.predict` does.

    >>> import dmf
    >>> shrink = dmf.SchattenShrinkage(depth=2, alpha=0.5)
    >>> shrink.fit_transform([[3.0, 0.0], [0.0, 0.4]]).tolist()
    [[2.5, 0.0], [0.0, 0.0]]
    """

    def __init__(self, depth: int = 2, alpha: float | str = 1.0) -> None:
        """Keep the settings; `fit` checks them."""
        self.depth = depth
        self.alpha = alpha

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find directions and shrinkage of data X (n_samples, n_features); y is ignored."""
        read: Array = validate_data(self, X, dtype=np.float64)
        depth, label = read_depth(self.depth), lam_label(self.alpha, "alpha")
        _, self.singular_values_, self.components_ = np.linalg.svd(read, full_matrices=False)
        sigma_1 = float(self.singular_values_[0])
        if sigma_1 == 0:
            raise ValueError("X: all entries are zero; lambda_c is not defined for a zero target")
        self.shrunk_ = scalar_minimizer(self.singular_values_, depth, read_lam(label, sigma_1, depth))
        self.rank_ = int(np.count_nonzero(self.shrunk_))
        return self

    def transform(self, X: Any) -> Float64[Array, "sample feature"]:
        """Samples X (n_samples, n_features), scaled along the directions of the fitted data."""
        check_is_fitted(self)
        read: Array = validate_data(self, X, dtype=np.float64, reset=False)
        kept = self.components_[: self.rank_]
        scale = self.shrunk_[: self.rank_] / self.singular_values_[: self.rank_]
        return np.asarray((read @ kept.T * scale) @ kept)
