"""The style: depths that can be told apart, settings that are given back, files named by their format."""

import os
import re
import subprocess
import sys
from itertools import combinations, pairwise
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

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


# Machado, Oliveira and Fernandes (2009), severity 1: linear sRGB as each kind of colour-blind reader sees it.
VISION = {
    "any": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}
XYZ = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
WHITE = [0.9505, 1, 1.089]


def seen(colour: str, vision: str) -> np.ndarray:
    """CIE L*a*b* of a colour as seen."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    x, y, z = (
        t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116
        for t in np.divide(np.asarray(XYZ) @ np.clip(np.asarray(VISION[vision]) @ linear, 0, 1), WHITE)
    )
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("vision", VISION)
def test_the_usual_depths_are_far_apart_to_every_reader(vision: str) -> None:
    """A difference of 2.3 can just be noticed (Mahy et al., 1994)."""
    colours = [_style.depth_colour(depth) for depth in (2, 3, 4, 6)]
    assert min(float(np.linalg.norm(seen(a, vision) - seen(b, vision))) for a, b in combinations(colours, 2)) > 15
    for depth in (2, 3, 4, 5, 6, 8):
        assert np.linalg.norm(seen(_style.depth_colour(depth), vision) - seen(_style.CONTROL, vision)) > 7


def test_a_png_is_1600_pixels_wide(tmp_path: Path) -> None:
    with _style.applied():
        canvas, _ = _style.blank(2.5)
        _style.save(canvas, tmp_path / "blank.png")
    with Image.open(tmp_path / "blank.png") as image:
        assert image.width == 1600


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


def test_no_figure_uses_a_part_of_seaborn_that_asks_for_more_of_scipy_than_jobs_import() -> None:
    """`dmf.figures._lean` leaves out what estimates densities and sorts by likeness."""
    sources = [path.read_text(encoding="utf-8") for path in Path(_style.__file__).parent.glob("*.py")]
    used = {name for source in sources for name in re.findall(r"\bsns\.(\w+)", source)}
    assert used == {"axes_style", "plotting_context", "heatmap", "ecdfplot"}
    assert not any("from seaborn" in source for source in sources)


def test_a_lean_import_of_seaborn_hides_nothing_from_later_ones() -> None:
    code = (
        "import sys, dmf.figures._lean, seaborn; assert 'scipy.stats' not in sys.modules; "
        "import scipy.stats, scipy.cluster; print(scipy.stats.norm.cdf(0.0))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    asked = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert asked.stdout == "0.5\n"
