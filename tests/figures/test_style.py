"""The style: depths that can be told apart, settings that are given back, files named by their format."""

from itertools import combinations, pairwise

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from dmf.figures import _style

DEPTHS = range(2, 9)


def lightness(colour: str) -> float:
    """CIE L* of an sRGB colour: what remains of it in print and for colour-blind eyes."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return 116 * float(np.dot([0.2126, 0.7152, 0.0722], linear)) ** (1 / 3) - 16


def test_depths_have_distinct_colours_and_markers() -> None:
    assert len({_style.depth_marker(depth) for depth in DEPTHS}) == len(DEPTHS)
    for one, other in combinations([*map(_style.depth_colour, DEPTHS), _style.CONTROL], 2):
        assert np.linalg.norm(np.subtract(to_rgb(one), to_rgb(other))) > 0.05


def test_deeper_is_lighter_but_never_lost_on_white() -> None:
    steps = [lightness(_style.depth_colour(depth)) for depth in [*DEPTHS, 16, 64, 1000]]
    assert all(low < high for low, high in pairwise(steps))
    assert lightness(_style.depth_colour(16)) < 85


def test_settings_of_the_caller_come_back() -> None:
    before = dict(mpl.rcParams)
    with _style.applied():
        assert mpl.rcParams["mathtext.fontset"] == "stix"
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize(("count", "most", "expected"), [(3, 5, [0, 1, 2]), (9, 3, [0, 4, 8]), (100, 2, [0, 99])])
def test_a_selection_keeps_both_ends(count: int, most: int, expected: list[int]) -> None:
    assert _style.evenly(range(count), most) == expected


def test_a_dollar_sign_in_a_label_is_no_formula() -> None:
    assert _style.label_of({"a": "costs $2"}, "a") == r"costs \$2"
    assert _style.label_of({}, "bare") == "bare"


@pytest.mark.parametrize(
    ("value", "expected"), [(0.0, "0"), (3.2e-15, r"3 \times 10^{-15}"), (2e4, r"2 \times 10^{4}")]
)
def test_power_of_ten(value: float, expected: str) -> None:
    assert _style.power_of_ten(value) == expected
