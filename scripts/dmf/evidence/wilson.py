"""Wilson's interval: how well a number of runs determines the share of them that ended somewhere."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

QUANTILE = 1.959963984540054  # of the normal distribution, for 95 %


def wilson(count: ArrayLike, total: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lower and upper end of Wilson's 95 % interval for a probability that gave `count` out of `total` > 0 runs.

    All p with |count / total - p| <= z sqrt(p (1 - p) / total) (Wilson 1927). Runs pooled over cells of different
    probability scatter less than a binomial count of their mean, so that for them the interval is rather too wide.
    """
    n = np.asarray(total, dtype=np.float64)
    share, z_sq = np.asarray(count, dtype=np.float64) / n, QUANTILE**2
    middle = (share + z_sq / (2 * n)) / (1 + z_sq / n)
    half = np.sqrt(z_sq * share * (1 - share) / n + z_sq**2 / (4 * n**2)) / (1 + z_sq / n)
    return np.clip(middle - half, 0, 1), np.clip(middle + half, 0, 1)
