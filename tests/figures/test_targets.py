"""The heat maps show the targets and their minimizers, under the names that the data give."""

from collections.abc import Callable

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from dmf.dataset.targets import targets_dataset
from dmf.figures import _style, load_figure
from dmf.grid.targets import TargetMatrix

SIGMA = [3.0, 1.7, 0.4]
NAMES = ("a", "costs $2", "$x_{$")
TARGET = TargetMatrix("one", "One", "file", "f", np.diag(SIGMA), NAMES, tuple("xyz"))


def heat(axes: Axes) -> np.ndarray:
    return np.asarray(axes.images[0].get_array())


def composed(evidence: xr.Dataset, *targets: TargetMatrix) -> list[Axes]:
    with _style.applied():
        canvas = load_figure("targets").compose(evidence, targets_dataset(targets, seed=0), {"one": "One, $5"})
        canvas.draw_without_rendering()
    return canvas.axes


def test_m_and_both_minimizers(made_up: Callable[..., xr.Dataset]) -> None:
    evidence = made_up({"one": SIGMA}, [2], ["0.1c", "0.2c", "0.6c", "0.8c", "1.5c"])
    target, most, fewest, *_ = composed(evidence, TARGET)
    np.testing.assert_array_equal(heat(target), np.diag(SIGMA))
    # At depth 2 singular values are soft-thresholded by lambda, and lambda_c is sigma_1 = 3 (Corollary 14).
    np.testing.assert_allclose(heat(most), np.diag([2.7, 1.4, 0.1]), atol=1e-14)
    np.testing.assert_allclose(heat(fewest), np.diag([1.2, 0, 0]), atol=1e-14)
    assert "rank 3" in most.get_title(loc="left")
    assert "rank 1" in fewest.get_title(loc="left")
    assert "4 of 4 runs" in most.get_title(loc="left")


def test_of_equal_ranks_it_is_the_deepest(made_up: Callable[..., xr.Dataset]) -> None:
    target = TargetMatrix("one", "One", "file", "f", np.array([[100.0]]))  # at depth 3 its lambda_c is larger
    axes = composed(made_up({"one": [100.0]}, [2, 3], ["0.1c", "0.2c"]), target)
    assert "of rank 1: $L = 3$, $0.1" in axes[1].get_title(loc="left")


def test_names_are_written_as_they_are(made_up: Callable[..., xr.Dataset]) -> None:
    target = composed(made_up({"one": SIGMA}, [2], ["0.1c"]), TARGET)[0]
    assert [label.get_text() for label in target.get_yticklabels()] == [name.replace("$", r"\$") for name in NAMES]
    assert target.get_title(loc="left") == r"One, \$5"


def test_where_everything_is_zero_it_says_so(made_up: Callable[..., xr.Dataset]) -> None:
    axes = composed(made_up({"one": SIGMA}, [2], ["1.5c"]), TARGET)
    assert [axes[i].texts[0].get_text() for i in (1, 2)] == ["zero on this grid"] * 2


def test_long_axes_name_some_evenly_and_many_targets_are_thinned(made_up: Callable[..., xr.Dataset]) -> None:
    names = tuple(f"n{i}" for i in range(50))
    wide = TargetMatrix("one", "One", "file", "f", np.ones((2, 50)), (), names)
    others = [TargetMatrix(f"t{i}", "T", "gaussian", "g", np.eye(2)) for i in range(20)]
    axes = composed(made_up({"one": [10.0]}, [2], ["0.1c"]), wide, *others)
    shown = [label.get_text() for label in axes[0].get_xticklabels()]
    assert len(shown) <= 16
    assert (shown[0], shown[-1]) == ("n0", "n49")
    assert len([place for place in axes if place.images]) <= 8 * 2
