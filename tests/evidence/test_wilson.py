"""Wilson's interval is the set of probabilities that its definition names, and covers what it promises."""

from math import comb

import numpy as np
import pytest

from dmf.evidence.wilson import QUANTILE, wilson


@pytest.mark.parametrize(("count", "total"), [(0, 5), (1, 5), (17, 40), (40, 40), (500, 102_400)])
def test_both_ends_are_as_far_from_the_share_as_the_definition_allows(count: int, total: int) -> None:
    for end in wilson(count, total):
        allowed = QUANTILE * np.sqrt(end * (1 - end) / total)
        assert abs(count / total - end) == pytest.approx(allowed, abs=1e-12)


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    """Mean coverage over probabilities, from the binomial distribution itself."""
    n = 40
    counts = np.arange(n + 1)
    low, high = wilson(counts, n)
    ways = np.array([comb(n, int(k)) for k in counts], dtype=float)
    covered = [
        np.sum((ways * p**counts * (1 - p) ** (n - counts))[(low <= p) & (p <= high)]) for p in np.linspace(0, 1, 401)
    ]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.01)
