"""Start schemes: shapes, the property each is named after, and no randomness but the generator's."""

from itertools import pairwise

import numpy as np
import pytest

from dmf.grid.seeds import generator, generators
from dmf.training.starts import SCHEMES, draw_stacked, draw_start

WIDTHS = [(1, 1, 1), (4, 4, 4, 4), (3, 5, 7), (7, 5, 3), (2, 6, 2, 6, 3)]


@pytest.mark.parametrize("widths", WIDTHS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_layers_have_the_shapes_of_the_widths(scheme, widths):
    layers = draw_start(scheme, widths, np.random.default_rng(0))
    assert [w.shape for w in layers] == list(zip(widths[1:], widths[:-1], strict=True))
    assert all(w.dtype == np.float64 for w in layers)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_draw_depends_on_the_generator_alone(scheme):
    np.random.seed(1)  # noqa: NPY002  the global generator must make no difference
    first = draw_start(scheme, (4, 5, 3), np.random.default_rng(7))
    np.random.seed(2)  # noqa: NPY002
    again = draw_start(scheme, (4, 5, 3), np.random.default_rng(7))
    other = draw_start(scheme, (4, 5, 3), np.random.default_rng(8))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert all(not np.allclose(a, b) for a, b in zip(first, other, strict=True))


@pytest.mark.parametrize("widths", WIDTHS)
def test_orthogonal_layers_are_semi_orthogonal(widths):
    for w in draw_start("orthogonal", widths, np.random.default_rng(0)):
        gram = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
        np.testing.assert_allclose(gram, np.eye(len(gram)), atol=1e-14)


def test_orthogonal_layers_favour_no_sign():
    rng = np.random.default_rng(0)
    entries = [draw_start("orthogonal", (3, 3), rng)[0] for _ in range(4000)]
    assert np.abs(np.mean(entries, axis=0)).max() < 5 / np.sqrt(3 * 4000)


@pytest.mark.parametrize("widths", [*WIDTHS, (5, 2, 5)])
def test_balanced_layers_are_balanced_and_of_unit_product(widths):
    layers = draw_start("balanced", widths, np.random.default_rng(0))
    for below, above in pairwise(layers):
        np.testing.assert_allclose(above.T @ above, below @ below.T, atol=1e-14)
    product = layers[0]
    for w in layers[1:]:
        product = w @ product
    assert np.linalg.norm(product, 2) == pytest.approx(1, abs=1e-13)
    assert np.linalg.matrix_rank(product) == min(widths)
    drawn = np.random.default_rng(0).standard_normal((widths[-1], widths[0]))
    if min(widths) == min(drawn.shape):
        np.testing.assert_allclose(product, drawn / np.linalg.norm(drawn, 2), atol=1e-13)


def test_gaussian_entries_have_variance_one_over_the_input_width():
    first, second = draw_start("gaussian", (50, 200, 100), np.random.default_rng(0))
    assert np.var(first) * 50 == pytest.approx(1, abs=0.06)
    assert np.var(second) * 200 == pytest.approx(1, abs=0.06)


def test_identity_starts_lie_around_the_identity():
    rng = np.random.default_rng(0)
    mean = np.mean([draw_start("identity", (3, 4), rng)[0] for _ in range(2000)], axis=0)
    np.testing.assert_allclose(mean, np.eye(4, 3), atol=0.01)


@pytest.mark.parametrize(("scheme", "widths"), [("he", (2, 2, 2)), ("gaussian", (3,)), ("gaussian", (3, 0, 3))])
def test_unknown_schemes_and_widths_are_refused(scheme, widths):
    with pytest.raises(ValueError, match=r"^(scheme|widths): .*expected"):
        draw_start(scheme, widths, np.random.default_rng(0))


@pytest.mark.parametrize("scheme", sorted(SCHEMES))
@pytest.mark.parametrize("widths", [(2, 3), (4, 2, 4), (5, 4, 7, 2), (8, 8, 8, 8)])
def test_a_start_drawn_among_many_has_the_bits_of_one_drawn_alone(scheme, widths):
    many = draw_stacked(scheme, widths, generators("key", [0, 3, 2**40]))
    alone = [draw_start(scheme, widths, generator("key", counter)) for counter in (0, 3, 2**40)]
    for layer, ones in zip(many, zip(*alone, strict=True), strict=True):
        assert layer.tobytes() == np.stack(ones).tobytes()
        assert len({one.tobytes() for one in ones}) == 3
