"""Shapes in annotations are checked, and public functions have them."""

import importlib
from typing import Any, get_args, get_origin

import numpy as np
import pytest
from jaxtyping import Float64, TypeCheckError

import shapes
from dmf import theory
from dmf.evidence import runs as evidence_runs
from dmf.theory import certificate, matrix, spectrum
from dmf.training.result import Array, Runs


def lying(target: Array, count: int) -> tuple[Array, Array]:
    """As many rows and columns as `count` says, even where the annotations do not."""
    return np.zeros((count, target.shape[1])), np.zeros(count)


HINTS: dict[str, Any] = {
    "target": Float64[Array, "d_L d_0"],
    "count": int,
    "return": tuple[Float64[Array, "d_L d_0"], Float64[Array, " d_L"]],
}


def test_a_wrongly_shaped_return_or_argument_is_refused() -> None:
    honest = shapes.checked(lying, HINTS)
    assert honest(np.zeros((3, 2)), 3)[0].shape == (3, 2)
    with pytest.raises(TypeCheckError, match="return value"):
        honest(np.zeros((3, 2)), 4)
    with pytest.raises(TypeCheckError, match="parameters"):
        honest(np.zeros((3, 2, 2)), 3)
    with pytest.raises(TypeCheckError, match="parameters"):
        honest(np.zeros((3, 2), dtype=np.float32), 3)


def test_a_function_that_refuses_its_arguments_does_so_in_its_words() -> None:
    with pytest.raises(IndexError, match="tuple index out of range"):
        shapes.checked(lying, HINTS)(np.zeros(3), 3)


def test_shapes_are_checked_wherever_a_function_is_bound() -> None:
    for function in (theory.hessian_spectrum, spectrum.hessian_spectrum, theory.Power.prox):
        assert function.__wrapped__ is not None  # type: ignore[attr-defined]
    assert spectrum.singular_values is matrix.singular_values
    assert evidence_runs.gap_tolerance is certificate.gap_tolerance
    one, three = np.ones(1), np.ones(3)
    with pytest.raises(TypeCheckError, match="imbalance_tolerance"):  # which would broadcast
        certificate.imbalance_tolerance((2, 2, 2), 0.1, np.ones((3, 2)), one, three)


def test_they_are_checked_in_some_tests_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shapes.SWITCH, "on", True)  # restored at the end
    for place in shapes.WHERE:
        assert (shapes.TESTS / place).exists()
        shapes.SWITCH.set_for(shapes.TESTS / place)
        assert shapes.SWITCH.on
    shapes.SWITCH.set_for(shapes.TESTS / "studies" / "test_bottleneck.py")
    assert shapes.checked(lying, HINTS)(np.zeros((3, 2)), 4)[0].shape == (4, 2)


def test_a_record_of_runs_has_one_number_of_runs() -> None:
    floats = ("objective", "gradient_norm", "imbalance", "hessian_trace", "singular_value_gap", "layer_spectral_norm")
    fields: dict[str, Any] = dict.fromkeys(floats, np.zeros(3))
    fields |= dict.fromkeys(("iterations", "evaluations"), np.zeros(3, np.int64)) | {"status": np.zeros(3, np.int8)}
    fields |= {"end_to_end": np.zeros((3, 2, 4)), "singular_values": np.zeros((3, 2)), "layers": []}
    assert Runs(**fields, layer_norm_sq=np.zeros((3, 5))).layer_norm_sq.shape == (3, 5)
    with pytest.raises(TypeCheckError, match="layer_norm_sq"):
        Runs(**fields, layer_norm_sq=np.zeros((4, 5)))


def arrays_without_shape(hint: Any) -> bool:
    return get_origin(hint) is np.ndarray or any(map(arrays_without_shape, get_args(hint)))


def test_every_array_that_a_public_function_of_the_theory_returns_has_a_shape() -> None:
    found = 0
    for name in shapes.THEORY:
        module = importlib.import_module(name)
        for _, place, function in shapes.public_functions(module):
            hint = shapes.hints_of(function, module)["return"]
            assert not arrays_without_shape(hint), f"{name}.{place}"
            found += shapes.has_shape(hint)
    assert found >= 40
