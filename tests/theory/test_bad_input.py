"""Bad arguments are refused with one line that names the argument and what was expected."""

import numpy as np
import pytest

from dmf import theory

M = np.array([[2.0, 0.5, 0.0], [0.1, 1.0, 0.3]])
WIDTHS = [3, 4, 2]
LAYERS = [np.ones((4, 3)), np.ones((2, 4))]
RNG = np.random.default_rng(0)

ON_SCALARS = {
    "scalar_objective": lambda m=1.0, depth=3, lam=0.1: theory.scalar_objective(0.5, m, depth, lam),
    "scalar_minimizer": lambda m=1.0, depth=3, lam=0.1: theory.scalar_minimizer(m, depth, lam),
    "large_root": lambda m=1.0, depth=3, lam=0.1: theory.large_root(m, depth, lam),
    "small_root": lambda m=1.0, depth=3, lam=0.1: theory.small_root(m, depth, lam),
    "scalar_hessian_spectrum": lambda m=1.0, depth=3, lam=0.1: theory.scalar_hessian_spectrum(m, depth, lam),
}
ON_LAMBDA = {
    "collapse_threshold": theory.collapse_threshold,
    "jump": theory.jump,
    "branch_threshold": theory.branch_threshold,
}
ON_SIGMA = {"critical_lambda": theory.critical_lambda, "branch_lambda": theory.branch_lambda}
ON_DEPTH = {
    "end_to_end_minimizer": theory.end_to_end_minimizer,
    "minimum_value": theory.minimum_value,
    "layer_norm_sq": theory.layer_norm_sq,
    "kept_at_minimum": theory.kept_at_minimum,
    "max_kept": theory.max_kept,
    "critical_levels": theory.critical_levels,
    "exceptional_distance": theory.exceptional_distance,
    "schatten_objective": lambda target, depth, lam: theory.schatten_objective(np.eye(2, 3), target, depth, lam),
}
ON_WIDTHS = {
    "sample_minimizer": lambda target, widths, lam: theory.sample_minimizer(target, widths, lam, RNG),
    "minimizer_hessian_trace": theory.minimizer_hessian_trace,
    "trace_lower_bound": theory.trace_lower_bound,
    "hessian_spectrum": theory.hessian_spectrum,
}
ON_LAYERS = {
    "objective": lambda layers, lam=0.1: theory.objective(layers, M, lam),
    "end_to_end": lambda layers: theory.end_to_end(layers),
    "hessian_trace": lambda layers, lam=0.1: theory.hessian_trace(layers, lam),
}

NOT_FINITE_REAL = [np.nan, np.inf, -np.inf, 1 + 2j, "one", None, True]
BAD_DEPTHS = [1, 0, -3, 3.0, 2.5, np.nan, "3", None, True, np.True_]
BAD_LAMBDAS = [0.0, -1.0, np.nan, np.inf, 1j, "0.1", None, True]
BAD_TARGETS = [
    np.full((2, 3), np.nan),
    np.full((2, 3), np.inf),
    M + 1j,
    M[0],
    M[None],
    2.0,
    np.empty((0, 3)),
    [[1.0, 2.0, 3.0], [1.0]],
    [["a", "b", "c"], ["d", "e", "f"]],
]
BAD_WIDTHS = [
    [3, 2],
    [3],
    [],
    3,
    [3, 4, 3],
    [2, 4, 2],
    [3, 0, 2],
    [3, 4.0, 2],
    [3, 1, 2],
    [2, 4, 3],
    [3, True, 2],
]


def refused(match, call, *args, **kwargs):
    with pytest.raises(ValueError, match=match) as caught:
        call(*args, **kwargs)
    message = str(caught.value)
    assert "\n" not in message
    assert "expected" in message


@pytest.mark.parametrize("call", ON_SCALARS.values(), ids=ON_SCALARS)
def test_scalar_functions_refuse_bad_arguments(call):
    call()
    for m in NOT_FINITE_REAL:
        refused(r"^m\b", call, m=m)
    for depth in BAD_DEPTHS:
        refused(r"^depth", call, depth=depth)
    for lam in BAD_LAMBDAS:
        refused(r"^lam", call, lam=lam)


@pytest.mark.parametrize("call", ON_LAMBDA.values(), ids=ON_LAMBDA)
def test_thresholds_refuse_bad_arguments(call):
    call(3, 0.1)
    for depth in BAD_DEPTHS:
        refused(r"^depth", call, depth, 0.1)
    for lam in [*BAD_LAMBDAS, [0.1, -0.2]]:
        refused(r"^lam", call, 3, lam)


@pytest.mark.parametrize("call", ON_SIGMA.values(), ids=ON_SIGMA)
def test_lambda_thresholds_refuse_bad_arguments(call):
    call(1.0, 3)
    for sigma in NOT_FINITE_REAL:
        refused(r"^sigma", call, sigma, 3)
    for depth in BAD_DEPTHS:
        refused(r"^depth", call, 1.0, depth)


@pytest.mark.parametrize("call", ON_DEPTH.values(), ids=ON_DEPTH)
def test_matrix_functions_refuse_bad_arguments(call):
    call(M, 3, 0.1)
    for target in BAD_TARGETS:
        refused(r"^target", call, target, 3, 0.1)
    for depth in BAD_DEPTHS:
        refused(r"^depth", call, M, depth, 0.1)
    for lam in [*BAD_LAMBDAS, [0.1, 0.2]]:
        refused(r"^lam", call, M, 3, lam)


@pytest.mark.parametrize("call", ON_WIDTHS.values(), ids=ON_WIDTHS)
def test_functions_of_widths_refuse_bad_arguments(call):
    call(M, WIDTHS, 0.1)
    for target in BAD_TARGETS:
        refused(r"^target", call, target, WIDTHS, 0.1)
    for widths in BAD_WIDTHS:
        refused(r"^widths", call, M, widths, 0.1)
    for lam in [*BAD_LAMBDAS, [0.1, 0.2]]:
        refused(r"^lam", call, M, WIDTHS, lam)


@pytest.mark.parametrize("call", ON_LAYERS.values(), ids=ON_LAYERS)
def test_functions_of_layers_refuse_bad_arguments(call):
    call(LAYERS)
    first, second = LAYERS
    bad = [
        [],
        [first],
        [second, first @ first.T],
        [first * np.nan, second],
        [first, second + 1j],
        [first[0], second],
        7,
    ]
    for layers in bad:
        refused(r"^layers", call, layers)


def test_objectives_refuse_a_product_of_another_shape():
    refused(r"shape \(2, 3\): expected \(2, 2\)", theory.objective, LAYERS, np.eye(2), 0.1)
    refused(r"^x has shape", theory.schatten_objective, np.eye(2), M, 3, 0.1)
    refused(r"^x", theory.schatten_objective, np.full((2, 3), np.nan), M, 3, 0.1)


def test_a_narrow_hidden_width_is_refused_with_the_reason():
    refused(r"widths\[1\] = 1: .*exceptional", theory.hessian_spectrum, M, [3, 1, 2], 0.1)
    refused(r"exceptional", theory.parameter_count, [3, 1, 2])


def test_the_offending_entry_is_named():
    refused(
        r"target\[1, 2\] = nan: expected a finite number",
        theory.max_kept,
        [[1, 2, 3], [4, 5, np.nan]],
        3,
        0.1,
    )
    refused(r"lam\[1\] = -0.2", theory.jump, 3, [0.1, -0.2])


def test_arrays_that_do_not_broadcast_are_refused():
    refused(r"m \(3,\), lam \(4,\)", theory.scalar_minimizer, np.ones(3), 3, np.ones(4))
    refused(r"broadcast", theory.scalar_objective, np.ones(2), np.ones(3), 3, 0.1)


def test_kept_out_of_range_is_refused():
    most = theory.max_kept(M, 3, 0.1)
    sigma = np.linalg.svd(M, compute_uv=False)
    theory.hessian_spectrum(M, WIDTHS, 0.1, kept=0)
    for kept in [-1, 3, 1.0, "1", True]:
        refused(r"^kept", theory.hessian_spectrum, M, WIDTHS, 0.1, kept=kept)
        refused(r"^kept", theory.level_singular_values, sigma, 3, 0.1, kept)
    refused(rf"^kept = {most + 1}: expected at most {most}", theory.level_singular_values, sigma, 3, 0.1, most + 1)
    # the second singular value is under m_loc: it cannot be kept
    refused(r"^kept = 2: expected at most 1", theory.level_singular_values, [2.0, 0.01], 3, 0.1, 2)


def test_singular_values_must_be_a_sorted_nonnegative_vector():
    for sigma in [[1.0, 2.0], [1.0, -0.5], [[1.0]], [np.nan], 1.0]:
        refused(r"^sigma", theory.level_singular_values, sigma, 3, 0.1, 0)


def test_spectrum_without_a_positive_eigenvalue_has_no_smallest_one():
    for spectrum in [[0.0, 0.0], [-1.0, 0.0], [-1.0, 1e-15], []]:
        refused(r"^spectrum", theory.smallest_positive_eigenvalue, spectrum)
    for spectrum in [[np.nan, 1.0], [[1.0]], 1.0]:
        refused(r"^spectrum", theory.smallest_positive_eigenvalue, spectrum)


def test_zero_modes_refuses_an_impossible_rank():
    refused(r"^rank = 3", theory.zero_modes, WIDTHS, 3)
    refused(r"^rank", theory.zero_modes, WIDTHS, -1)
    refused(r"^widths", theory.zero_modes, [3, 1, 2], 1)
