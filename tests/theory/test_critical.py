"""Every critical point of small problems: spectrum, Morse index and zero modes against complex steps."""

from itertools import pairwise, product

import numpy as np
import pytest

from dmf import theory
from dmf.studies._derivatives import Objective, flat
from dmf.theory.critical import ROOTS

LAM = 0.1
PROBLEMS = [
    ([3, 3, 3, 3], [2.0, 1.3, 0.9]),
    ([3, 4, 5, 3], [2.0, 1.3, 0.9]),
    ([2, 3, 4, 3], [1.3, 0.9]),
    ([4, 3, 3, 3, 3], [2.0, 1.3, 0.9]),
    ([2, 2, 2, 2, 2, 2], [2.0, 1.3]),
    ([1, 1, 1, 1], [0.9]),
    ([3, 4, 3], [2.0, 1.3, 0.9]),
    ([4, 3, 3], [2.0, 1.3, 0.05]),
]


def combinations(widths: list[int], sigma: list[float]) -> list[tuple[str, ...]]:
    """Every choice of roots that exist, by brute force: those that the package does not refuse."""
    found = []
    for roots in product(ROOTS, repeat=len(sigma)):
        try:
            theory.critical_singular_values(sigma, len(widths) - 1, LAM, roots)
        except ValueError:
            continue
        found.append(roots)
    return found


@pytest.mark.parametrize(("widths", "sigma"), PROBLEMS, ids=str)
def test_every_combination_of_roots_is_critical_and_has_the_predicted_hessian(aligned_layers, widths, sigma) -> None:
    target = np.zeros((widths[-1], widths[0]))
    np.fill_diagonal(target, sigma)
    choices = combinations(widths, sigma)
    depth = len(widths) - 1
    assert len(choices) == np.prod([1 if value < LAM else (2 if depth == 2 else 3) for value in sigma])
    x = [theory.critical_singular_values(sigma, depth, LAM, roots) for roots in choices]
    points = np.stack([flat(aligned_layers(target, widths, one)) for one in x])
    value = Objective(target, widths, LAM)
    np.testing.assert_allclose(value.gradients(points), 0, atol=1e-13)
    for roots, measured in zip(choices, np.linalg.eigvalsh(value.hessians(points)), strict=True):
        edge = 1e-12 * np.abs(measured).max()
        computed = theory.critical_hessian_spectrum(sigma, widths, LAM, roots)
        np.testing.assert_allclose(computed, measured, rtol=0, atol=edge)
        assert theory.morse_index(sigma, widths, LAM, roots) == np.count_nonzero(measured < -edge), roots
        rank = sum(root != "zero" for root in roots)
        assert theory.zero_modes(widths, rank) == np.count_nonzero(np.abs(measured) <= edge), roots


@pytest.mark.parametrize(("widths", "sigma"), PROBLEMS, ids=str)
def test_the_index_vanishes_exactly_on_prefixes_of_large_roots(widths, sigma) -> None:
    most = np.count_nonzero(np.array(sigma) > theory.branch_threshold(len(widths) - 1, LAM))
    least = most if len(widths) == 3 else 0
    minima = {("large",) * k + ("zero",) * (len(sigma) - k) for k in range(least, most + 1)}
    found = {roots for roots in combinations(widths, sigma) if theory.morse_index(sigma, widths, LAM, roots) == 0}
    assert found == minima


def test_large_roots_on_a_prefix_are_the_known_levels() -> None:
    sigma, widths = np.array([3.0, 2.0, 1.0]), [3, 4, 3, 3]
    for kept in range(4):
        roots = ["large"] * kept + ["zero"] * (3 - kept)
        level = theory.hessian_spectrum(np.diag(sigma), widths, LAM, kept)
        np.testing.assert_array_equal(theory.critical_hessian_spectrum(sigma, widths, LAM, roots), level)


def test_the_morse_inequality_of_a_scalar_problem() -> None:
    """On the half line of products x > 0: one maximum between the minima at zero and at the large root."""
    counts = [theory.morse_index([2.0], [1, 1, 1, 1], LAM, [root]) for root in ROOTS]
    assert counts == [0, 1, 0]


@pytest.mark.parametrize(
    ("sigma", "widths", "roots", "complaint"),
    [
        ([2.0, 1.0], [2, 2, 2, 2], ["large"], "roots: got 1 names, expected one for each of the 2"),
        ([2.0, 1.0], [2, 2, 2, 2], ["large", "big"], r"roots\[1\] = 'big': expected one of zero, small, large"),
        ([2.0, 1.0], [2, 2, 2], ["large", "small"], r"roots\[1\] = 'small': .* depth 2 has no small root"),
        ([2.0, 0.01], [2, 2, 2, 2], ["large", "large"], r"roots\[1\] = 'large': sigma = 0.01 is not above"),
        ([1.0, 2.0], [2, 2, 2, 2], ["large", "large"], r"sigma\[1\] = 2.0: expected non-increasing"),
    ],
)
@pytest.mark.parametrize("function", [theory.morse_index, theory.critical_hessian_spectrum])
def test_bad_input_is_named(function, sigma, widths, roots, complaint) -> None:
    with pytest.raises(ValueError, match=complaint):
        function(sigma, widths, LAM, roots)


def test_a_sigma_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match=r"sigma has 1 values: expected min\(d_0, d_L\) = 2"):
        theory.critical_hessian_spectrum([2.0], [2, 2, 2, 2], LAM, ["large"])


@pytest.mark.parametrize("widths", [[3, 3, 3], [2, 3, 3, 2], [2, 2, 2, 2, 2], [1, 1, 1, 1, 1, 1]], ids=str)
@pytest.mark.parametrize("size", [0.0, 0.3, 2.0])
def test_the_hessian_turns_no_faster_than_its_lipschitz_constant(widths, size) -> None:
    rng = np.random.default_rng(0)
    depth, target = len(widths) - 1, rng.standard_normal((widths[-1], widths[0]))
    value = Objective(target, widths, LAM)
    shares = []
    for _ in range(20):
        here = [size * rng.standard_normal((rows, columns)) for columns, rows in pairwise(widths)]
        there = [layer + 1e-2 * rng.standard_normal(layer.shape) for layer in here]
        top = max(np.linalg.norm(layer, 2) for layer in [*here, *there])
        residual = np.linalg.norm(theory.end_to_end(here) - target, 2)
        turn = np.linalg.norm(np.subtract(*value.hessians(np.stack([flat(here), flat(there)]))), 2)
        moved = np.linalg.norm(flat(here) - flat(there))
        shares.append(turn / (theory.hessian_lipschitz(depth, top, residual) * moved))
    assert max(shares) <= 1


def test_the_lipschitz_constant_is_attained_where_all_layers_of_a_scalar_problem_move_alike() -> None:
    """L = 3 at zero, F = m^2 - 2 m w_1 w_2 w_3 + ...: the Hessian turns by 4 / sqrt(3) m a unit of distance."""
    m, step = 1.7, 1e-6
    points = np.array([[0.0, 0.0, 0.0], [step, step, step]])
    turn = np.linalg.norm(np.subtract(*Objective(np.array([[m]]), [1, 1, 1, 1], LAM).hessians(points)), 2)
    assert turn / (np.sqrt(3) * step) == pytest.approx(theory.hessian_lipschitz(3, step, m), rel=1e-5)


@pytest.mark.parametrize(
    ("arguments", "complaint"), [((3, -1.0, 1.0), "top = -1.0"), ((3, 1.0, -2.0), "residual = -2")]
)
def test_the_lipschitz_constant_refuses_negative_norms(arguments, complaint) -> None:
    with pytest.raises(ValueError, match=complaint):
        theory.hessian_lipschitz(*arguments)


def test_a_layer_beyond_every_bound_makes_the_constant_infinite():
    assert theory.hessian_lipschitz(30, 1e6, 0.0) == np.inf
    assert theory.hessian_lipschitz(200, 1e2, 1.0) == np.inf
