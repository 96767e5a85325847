"""The names and arguments that other code relies on: changing one is a breaking change."""

import inspect

import pytest

from dmf import theory

SIGNATURES = {
    "scalar_minimizer": ["m", "depth", "lam"],
    "collapse_threshold": ["depth", "lam"],
    "jump": ["depth", "lam"],
    "branch_threshold": ["depth", "lam"],
    "critical_lambda": ["sigma", "depth"],
    "branch_lambda": ["sigma", "depth"],
    "end_to_end_minimizer": ["target", "depth", "lam"],
    "minimum_value": ["target", "depth", "lam"],
    "layer_norm_sq": ["target", "depth", "lam"],
    "sample_minimizer": ["target", "widths", "lam", "rng"],
    "hessian_trace": ["layers", "lam"],
    "minimizer_hessian_trace": ["target", "widths", "lam"],
    "trace_lower_bound": ["target", "widths", "lam"],
    "hessian_spectrum": ["target", "widths", "lam"],
    "critical_levels": ["target", "depth", "lam"],
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_a_public_function_takes_these_arguments_in_this_order_and_needs_no_more(name: str) -> None:
    function = getattr(theory, name)
    assert name in theory.__all__
    assert function.__doc__
    parameters = inspect.signature(function).parameters
    assert [key for key, one in parameters.items() if one.default is one.empty] == SIGNATURES[name]
    assert list(parameters)[: len(SIGNATURES[name])] == SIGNATURES[name]
