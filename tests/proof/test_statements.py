"""At known minimizers every statement holds; where what it says is false, the same code says so."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from flint import arb

import dmf.claims
from critical_points import critical
from dmf.claims import load_claims
from dmf.proof.balls import in_balls, lower, upper
from dmf.proof.levels import Levels, levels
from dmf.proof.minimizer import prove
from dmf.proof.statements import FAILS, HOLDS, STATEMENTS, UNDECIDED, Minimizer, decide, minimizer, product_distance

CASES = {
    "three layers": ([3.0, 2.0, 0.5], (3, 3, 3, 3), 0.5, "LL0"),
    "two layers": ([3.0, 1.0, 0.25], (4, 3, 3), 0.5, "LL0"),
    "equal values": ([3.0, 2.0, 2.0], (3, 4, 3, 3), 0.5, "LLL"),
    "six layers": ([2.0, 0.2], (2,) * 7, 0.1, "L0"),
    "one number": ([2.0], (1, 1, 1, 1), 0.3, "L"),
    "zero": ([0.5, 0.25], (2, 2, 2, 2), 0.5, "00"),
    "zero, two layers": ([0.4, 0.25], (2, 2, 2), 0.5, "00"),
}


def proved(case: str, seed: int = 0) -> Minimizer:
    sigma, widths, lam, roots = CASES[case]
    found, _ = critical(sigma, widths, lam, roots, seed)
    proof = prove(found.layers, found.matrix, lam)
    assert proof.proved
    return minimizer(found.layers, found.matrix, lam, proof)


def test_every_claim_on_runs_has_a_statement() -> None:
    assert set(STATEMENTS) == {name for name, claim in load_claims().items() if claim.study == "runs"}
    assert Path(dmf.claims.__file__).exists()


@pytest.mark.parametrize("case", CASES)
def test_at_a_known_minimizer_every_statement_holds(case: str) -> None:
    found = proved(case)
    assert found.is_global
    rank = CASES[case][3].count("L")
    assert found.rank == rank
    assert found.proof.orbit == sum(d * rank - rank * (rank + 1) // 2 for d in found.at.widths[1:-1])
    # For 1 x 1 and at zero the bound on the trace is attained: an equation, whose two sides meet.
    assert decide(found) == dict.fromkeys(STATEMENTS, HOLDS)


def test_the_balls_are_narrow() -> None:
    found = proved("three layers")
    for ball in (found.trace, found.schatten, found.alpha_sq, *found.values, *found.layer_norms_sq):
        assert upper(ball) - lower(ball) < 1e-10


def test_a_spurious_minimizer_is_on_its_level_and_nothing_is_said_of_it_as_a_minimizer() -> None:
    found, _ = critical([3.0, 2.0], (2, 2, 2, 2), 0.5, "L0")
    spurious = minimizer(found.layers, found.matrix, 0.5, prove(found.layers, found.matrix, 0.5))
    assert (spurious.level, spurious.is_global) == (1, False)
    words = decide(spurious)
    assert {name for name, word in words.items() if word == HOLDS} == {"balancedness", "schatten", "levels"}
    assert set(words.values()) == {HOLDS, UNDECIDED}


@in_balls
def scaled(forms: Levels, factor: float) -> Levels:
    """Closed forms whose roots are wrong by that factor, with values that are right."""
    return replace(forms, roots=[factor * x for x in forms.roots])


@in_balls
def shifted(forms: Levels, by: float) -> Levels:
    return replace(forms, values=[value + arb(by) for value in forms.values])


FALSE: dict[str, tuple[str, Callable[[Levels], Levels], set[str]]] = {
    "roots too large by 1e-9": (
        "three layers",
        lambda forms: scaled(forms, 1 + 1e-9),
        {"uniqueness", "layer_norms", "trace_attained"},
    ),
    "roots too small by 1e-9": (
        "six layers",
        lambda forms: scaled(forms, 1 - 1e-9),
        {"uniqueness", "layer_norms", "trace_attained"},
    ),
    "levels too high by 1e-11": ("three layers", lambda forms: shifted(forms, 1e-11), {"levels", "schatten"}),
    "a bound on the trace for roots 1.9 times as large": (
        "one number",
        lambda forms: scaled(forms, 1.9),
        {"uniqueness", "layer_norms", "trace_attained", "trace_bound"},
    ),
}


@pytest.mark.parametrize("wrong", FALSE)
def test_a_false_closed_form_fails_by_name(wrong: str) -> None:
    case, change, failing = FALSE[wrong]
    found = proved(case)
    told = replace(found, forms=change(found.forms))
    object.__setattr__(told, "level", told.forms.kept)  # what is to be seen is the statement, not the level
    words = decide(told)
    assert {name for name, word in words.items() if word == FAILS} == failing


def test_a_minimizer_that_is_not_zero_above_the_collapse_fails_and_so_does_zero_below_it() -> None:
    for case, kept in (("three layers", 0), ("zero", 1)):
        found = proved(case)
        told = replace(
            found, forms=replace(found.forms, kept=kept, roots=found.forms.roots or [arb(1)], values=[arb(1)] * 3)
        )
        object.__setattr__(told, "level", kept)
        assert decide(told)["collapse"] == FAILS


def test_unbalanced_layers_fail_and_so_does_a_rotated_target() -> None:
    found = proved("three layers")
    unbalanced = [2 * found.layers[0], found.layers[1], found.layers[2] / 2]
    told = minimizer(unbalanced, found.matrix, found.lam, found.proof)
    assert decide(told)["balancedness"] == FAILS
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))[0]
    told = minimizer(found.layers, turn @ found.matrix, found.lam, found.proof)
    object.__setattr__(told, "level", told.forms.kept)
    assert decide(told)["uniqueness"] == FAILS


def test_vectors_paired_with_other_values_fail() -> None:
    """X with the vectors and values of M but in another order: the bases are shared, the order is not."""
    found = proved("three layers")
    left, _, right = np.linalg.svd(found.matrix)
    crossed = (left[:, [0, 1, 2]] * np.array([2.0, 3.0, 0.5])) @ right
    told = minimizer(found.layers, crossed, found.lam, found.proof)
    object.__setattr__(told, "level", told.forms.kept)
    assert decide(told)["uniqueness"] == FAILS


def test_a_target_on_the_exceptional_set_decides_nothing_on_minimizers() -> None:
    found = proved("three layers")
    told = replace(found, forms=replace(found.forms, exceptional=True))
    assert not told.is_global
    assert decide(told)["uniqueness"] == UNDECIDED
    told = replace(found, forms=replace(found.forms, degenerate=True))
    assert decide(told)["levels"] == UNDECIDED


def test_two_minimizers_of_one_target_agree_within_their_radii_and_of_two_targets_do_not() -> None:
    sigma, widths, lam, roots = CASES["three layers"]
    found, _ = critical(sigma, widths, lam, roots)
    rng = np.random.default_rng(3)
    turns = [np.eye(3), *(np.linalg.qr(rng.standard_normal((3, 3)))[0] for _ in range(2)), np.eye(3)]
    turned = [turns[k + 1] @ layer @ turns[k].T for k, layer in enumerate(found.layers)]
    one, other = (
        minimizer(layers, found.matrix, lam, prove(layers, found.matrix, lam)) for layers in (found.layers, turned)
    )
    distance, allowed = product_distance(one, other)
    assert distance <= allowed < 1e-12
    distance, allowed = product_distance(one, proved("three layers", seed=1))
    assert distance > 1 > allowed


def test_forms_are_computed_once_a_cell() -> None:
    matrix = np.diag([2.0, 1.0])
    assert levels(matrix, 3, 0.5) is levels(matrix.copy(), 3, 0.5)
    assert levels(matrix, 3, 0.5) is not levels(matrix, 3, 0.25)


def test_a_rank_that_the_radius_leaves_open_is_not_proved() -> None:
    found = proved("three layers")
    wide = replace(found, proof=replace(found.proof, radius=0.05))
    assert wide.rank is None
    assert wide.values[-1].contains(0)
    assert upper(wide.values[-1]) > 0
    assert lower(found.least) > 0
