r"""Generalized singular value thresholding: the matrix problem with any concave penalty (eq. 97-99).

argmin over X of \sum_i g(\sigma_i(X)) + \mu/2 ||X - B||_F^2 has the singular vectors of B and the proximal map of g on
its singular values, because that map is monotone (Lu et al. 2015).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from dmf.theory._check import Array, target_matrix
from dmf.theory.penalties import Penalty

if TYPE_CHECKING:
    from jaxtyping import Float64


def gsvt(matrix: npt.ArrayLike, penalty: Penalty, mu: float) -> Float64[Array, "d_L d_0"]:
    """A minimizer of sum_i g(sigma_i(X)) + mu/2 ||X - B||_F^2, B = matrix, of its shape; dimensionless.

    It is the only one unless a singular value of B lies at a tie (`Penalty.tie`); there the smaller one is taken.
    ValueError for bad input.
    """
    left, sigma, right_t = np.linalg.svd(target_matrix(matrix, name="matrix"), full_matrices=False)
    return np.asarray((left * penalty.prox(sigma, mu)) @ right_t)
