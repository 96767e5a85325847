"""Cells: groups, labels and starts, by their coordinates alone."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dmf.errors import UserError
from dmf.grid.cells import (
    Group,
    Series,
    StartKey,
    draw_starts,
    gradient_scale,
    group_of,
    lambda_labels,
    lambda_value,
    series_of,
)
from dmf.grid.config import Lambdas, validate

POSITIVE = st.floats(min_value=1e-50, max_value=1e50)
SERIES = Series("gaussian", 1.0)


def starts(indices: range, **change: Any) -> list[np.ndarray]:
    sigma_1 = change.pop("sigma_1", 2.0)
    key = {"seed": 0, "target": "t", "widths": (4, 3, 2), "label": "0.5c", "series": SERIES}
    return draw_starts(StartKey(**{**key, **change}), indices, sigma_1)


@pytest.mark.parametrize("scheme", ["gaussian", "orthogonal", "balanced", "identity"])
def test_a_start_is_the_same_whatever_else_is_drawn(scheme: str) -> None:
    series = Series(scheme, 0.5)
    many = starts(range(8), series=series)
    for index in (7, 3, 0):
        for whole, one in zip(many, starts(range(index, index + 1), series=series), strict=True):
            np.testing.assert_array_equal(whole[index], one[0])
    for whole, part in zip(many, starts(range(2, 6), series=series), strict=True):
        np.testing.assert_array_equal(whole[2:6], part)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"target": "u"},
        {"label": "0.6c"},
        {"series": Series("gaussian", 1.5)},
        {"series": Series("identity", 1.0)},
        {"widths": (4, 3, 3, 2)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_coordinate_changes_the_numbers(change: dict[str, Any]) -> None:
    usual, other = starts(range(1))[0], starts(range(1), **change)[0]
    ratio = other.ravel()[:6] / usual.ravel()[:6]
    assert np.ptp(ratio) > 1e-3 * np.abs(ratio).max()  # not even proportional


def test_draws_of_a_series_differ() -> None:
    first, second = starts(range(2))[0]
    assert not np.array_equal(first, second)


def test_shapes_and_size_of_starts() -> None:
    layers = starts(range(5), widths=(4, 3, 6, 2), sigma_1=8.0, series=Series("orthogonal", 0.5))
    assert [layer.shape for layer in layers] == [(5, 3, 4), (5, 6, 3), (5, 2, 6)]
    # orthogonal layers have spectral norm 1, and the size of a layer is scale * sigma_1^(1/L) = 0.5 * 2
    for layer in layers:
        np.testing.assert_allclose(np.linalg.norm(layer, 2, axis=(1, 2)), 1.0, rtol=1e-14)


def test_starts_scale_with_the_target() -> None:
    for small, large in zip(starts(range(2), sigma_1=1.0), starts(range(2), sigma_1=9.0), strict=True):
        np.testing.assert_allclose(large, 3 * small, rtol=1e-15)


@pytest.mark.parametrize(
    ("shape", "depth", "hidden", "widths", "name"),
    [
        ((4, 7), 2, "same", (7, 4, 4), "L2-4x4x7"),
        ((7, 4), 3, "same", (4, 4, 4, 7), "L3-7x4x4x4"),
        ((3, 3), 4, 9, (3, 9, 9, 9, 3), "L4-3x9x9x9x3"),
        ((2, 5), 3, [4, 6], (5, 4, 6, 2), "L3-2x6x4x5"),
    ],
)
def test_widths_run_from_input_to_output_and_names_as_in_the_product(
    shape: tuple[int, int], depth: int, hidden: Any, widths: tuple[int, ...], name: str
) -> None:
    group = group_of(shape, depth, hidden, "here")
    assert (group.widths, group.name, group.depth) == (widths, name, depth)


@pytest.mark.parametrize(("hidden", "narrow"), [(2, 2), ([3, 2], 2)])
def test_a_layer_too_narrow_to_reach_every_matrix_is_refused(hidden: Any, narrow: int) -> None:
    with pytest.raises(UserError, match=rf"^here: hidden_widths: got {narrow}, expected at least min\(d_0, d_L\) = 3"):
        group_of((3, 5), 3, hidden, "here")


@given(relative=st.lists(POSITIVE, unique=True), absolute=st.lists(POSITIVE, min_size=1, unique=True))
@settings(derandomize=True, deadline=None, max_examples=100)
def test_lambda_labels_round_trip_exactly(relative: list[float], absolute: list[float]) -> None:
    labels = lambda_labels(Lambdas(relative=relative, absolute=absolute))
    assert len(set(labels)) == len(labels)
    # lambda_c of depth 2 is sigma_1 itself, so at sigma_1 = 1 both kinds of label are the plain number
    assert [lambda_value(label, 1.0, 2) for label in labels] == relative + absolute


@pytest.mark.parametrize(("depth", "lam_c"), [(2, 5.0), (3, (5 / 2) ** (4 / 3)), (4, (5 * 2 / 3) ** 1.5 / 2)])
def test_a_relative_lambda_is_in_units_of_lambda_c(depth: int, lam_c: float) -> None:
    assert lambda_value("0.7c", 5.0, depth) == pytest.approx(0.7 * lam_c, rel=1e-14)
    assert lambda_value("0.7", 5.0, depth) == 0.7


def test_series_are_every_scheme_with_every_scale(small: dict[str, Any]) -> None:
    small["starts"] = {"schemes": ["identity", "gaussian"], "scales": [2, 1]}
    expected = [("identity", 2.0), ("identity", 1.0), ("gaussian", 2.0), ("gaussian", 1.0)]
    assert [(s.scheme, s.scale) for s in series_of(validate(small, "x"))] == expected


def test_gradient_scale_is_how_the_gradient_scales() -> None:
    # F(c^(1/L) W; cM, c^(2-2/L) lam) = c^2 F(W; M, lam), so the gradient gains c^2 / c^(1/L)
    assert gradient_scale(16.0, 2) == 64.0
    assert gradient_scale(8.0, 3) == pytest.approx(32.0, rel=1e-15)


def test_groups_are_equal_by_their_widths() -> None:
    assert Group((2, 2, 2)) == Group((2, 2, 2)) != Group((2, 2, 2, 2))
