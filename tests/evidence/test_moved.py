"""Minimizers moved off their places: what a point says of itself, and how far each move takes it."""

import numpy as np
import pytest

from dmf import theory
from dmf.evidence.cells import gradient_norm, minimizer_curvature
from dmf.evidence.moved import MOVES, MOVES_FROM_ZERO, NEAR, UNIT, Point, flat, product
from dmf.theory import certificate

WIDTHS = [(3, 3, 3), (4, 3, 3, 2), (3, 3, 3, 3, 3), (1, 1, 1, 1), (2, 2, 2, 2, 2, 2, 2)]


def minimizer(widths: tuple[int, ...], seed: int = 0) -> Point:
    rng = np.random.default_rng(seed)
    size = min(widths[0], widths[-1])
    left, right = (np.linalg.qr(rng.standard_normal((d, size)))[0] for d in (widths[-1], widths[0]))
    target = (left * np.array([3.0, 1.5, 0.5])[:size]) @ right.T
    lam = 0.3 * float(theory.critical_lambda(3.0, len(widths) - 1))
    return Point(theory.sample_minimizer(target, widths, lam, rng), target, lam, 1e-10)


@pytest.mark.parametrize("widths", WIDTHS)
def test_its_gradient_is_that_of_the_chain_rule_and_its_spectrum_the_closed_form(widths: tuple[int, ...]) -> None:
    point = minimizer(widths)
    elsewhere = flat(point.layers) + 0.1
    assert np.linalg.norm(point.gradient(elsewhere)) == pytest.approx(
        gradient_norm(point.at(elsewhere), point.target, point.lam), rel=1e-12
    )
    spectrum = theory.hessian_spectrum(point.target, widths, point.lam)
    np.testing.assert_allclose(np.linalg.eigvalsh(point.hessian), spectrum, atol=1e-7 * spectrum[-1])
    assert point.modes[0][0] == pytest.approx(minimizer_curvature(point.target, widths, point.lam), rel=1e-5)


@pytest.mark.parametrize("widths", WIDTHS)
def test_polishing_leaves_a_gradient_of_rounding(widths: tuple[int, ...]) -> None:
    point = minimizer(widths)
    rough = Point([layer + 1e-6 for layer in point.layers], point.target, point.lam, point.g)
    assert np.linalg.norm(rough.gradient(flat(rough.layers))) > 1e-7
    polished = rough.polished()
    assert np.linalg.norm(polished.gradient(flat(polished.layers))) < 1e-13


@pytest.mark.parametrize("widths", WIDTHS)
def test_what_a_run_may_depart_by_is_written_twice(widths: tuple[int, ...]) -> None:
    """Here from the run's own layers and Hessian, in the certificate from the closed forms: they must agree."""
    point = minimizer(widths)
    mu, depth = minimizer_curvature(point.target, widths, point.lam), point.depth
    size, energy = float(np.linalg.norm(flat(point.layers))), float(np.sum(point.target**2))
    radius = np.atleast_1d(certificate.radius(point.g, mu, size))
    trace = float(theory.minimizer_hessian_trace(point.target, widths, point.lam))
    expected = {
        "radius": radius,
        "product_may": certificate.distance_tolerance(radius, depth, point.top, point.sigma_1),
        "norm_may": certificate.layer_norm_tolerance(radius, depth, point.alpha, point.sigma_1),
        "trace_may": certificate.trace_tolerance(radius, widths, point.top, trace),
        "value_may": certificate.gap_tolerance(point.g, mu, energy),
    }
    for name, value in expected.items():
        assert getattr(point, name) == pytest.approx(float(np.squeeze(value)), rel=1e-4), name
    assert certificate.SAFETY == 2.0
    assert certificate.ROUNDING == 64 * UNIT


@pytest.mark.parametrize("widths", WIDTHS)
def test_moves_do_what_their_names_say(widths: tuple[int, ...]) -> None:
    point = minimizer(widths)
    here, trace = product(point.layers), theory.hessian_trace(point.layers, point.lam)
    moved = {kind: move.layers(point) for kind, move in MOVES.items() if move.fits(point)}
    objective = {kind: theory.objective(layers, point.target, point.lam) for kind, layers in moved.items()}

    np.testing.assert_array_equal(product(moved["unbalanced"]), here)
    np.testing.assert_allclose(product(moved["near: wasteful"]), here, rtol=1e-12)
    away = np.linalg.norm(product(moved["near: distance"]) - here)
    assert away == pytest.approx(NEAR * point.product_may, rel=1e-4)
    assert np.sum(moved["near: larger norm"][-1] ** 2) - point.alpha**2 == pytest.approx(
        NEAR * point.norm_may, rel=1e-3
    )
    assert point.alpha**2 - np.sum(moved["near: smaller norm"][0] ** 2) == pytest.approx(
        NEAR * point.norm_may, rel=1e-3
    )
    risen = theory.hessian_trace(moved["near: trace"], point.lam) - trace
    assert risen == pytest.approx(NEAR * point.trace_may, rel=1e-3)
    for kind, most in {"near: level": point.value_may, "near: wasteful": point.minimum_may}.items():
        assert objective[kind] - point.value == pytest.approx(NEAR * most, rel=0.05)
    assert np.linalg.norm(product(moved["near: zero"])) == pytest.approx(point.product_may / NEAR, rel=1e-9)


@pytest.mark.parametrize("widths", WIDTHS)
def test_from_zero_a_move_makes_a_product_that_is_just_too_large(widths: tuple[int, ...]) -> None:
    start = minimizer(widths)
    lam = 1.25 * float(theory.critical_lambda(3.0, start.depth))
    zero = Point([0 * layer for layer in start.layers], start.target, lam, 1e-10)
    (move,) = MOVES_FROM_ZERO.values()
    assert np.linalg.norm(product(move.layers(zero))) == pytest.approx(NEAR * zero.product_may, rel=1e-9)
