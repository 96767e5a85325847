"""Every claim is confirmed by honest runs, detects its control, and is violated by evidence with one false run."""

import re
from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr

from dmf.claims import claim_names, load_claim, load_claims
from dmf.evidence.cases import cell_table
from dmf.evidence.claim import Claim
from dmf.evidence.controls import HONEST, declared, where
from dmf.evidence.judge import find, judge
from dmf.grid.config import Certificate
from small import Trained

CERTIFICATE = Certificate()
Corruption = Callable[[xr.Dataset, int, int], None]


def test_claims_are_listed_by_name_and_loaded_in_the_order_of_the_paper() -> None:
    assert {"uniqueness", "layer_norms", "collapse", "trace_bound"} <= set(claim_names())
    assert claim_names() == sorted(claim_names())
    claims = load_claims()
    assert sorted(claims) == claim_names()
    numbers = [re.match(r"Theorem (\d+)|Corollary (\d+)", claim.statements[0]) for claim in claims.values()]
    paper = [int(number[1] or number[2]) for number in numbers[: list(claims).index("levels")] if number]
    appendix = [22, 22]  # of Theorem 22, right after Theorem 3, whose inequality it is
    assert len(paper) > 15
    assert [number for number in paper if number != 22] == sorted(number for number in paper if number != 22)
    assert [number for number in paper if number == 22] == appendix
    assert all(isinstance(claim, Claim) for claim in claims.values())


@pytest.mark.parametrize("name", ["nothing", "__init__", "", "../evidence/claim", "os"])
def test_an_unknown_claim_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(KeyError, match=r"known claims: .*collapse, .*uniqueness"):
        load_claim(name)


Halves = tuple[xr.Dataset, xr.Dataset]
OF_RUNS = [name for name, claim in load_claims().items() if claim.study == "runs"]


@pytest.mark.parametrize("name", claim_names())
def test_honest_runs_confirm_it_and_its_control_is_detected(
    name: str, trained: Trained, controls: xr.Dataset, study: Callable[[str], Halves]
) -> None:
    claim = load_claim(name)
    evidence, false = (trained.evidence, controls) if claim.study == "runs" else study(claim.study)
    verdict = judge(name, claim, cell_table(claim, [evidence], CERTIFICATE), false, CERTIFICATE)
    assert verdict.finding.word == "confirmed", verdict.finding
    assert verdict.missed == ()
    assert not verdict.fails
    assert verdict.finding.cells >= (3 if name == "stein" else 4)  # its cells are three depths of many draws each


@pytest.mark.parametrize("name", OF_RUNS)
def test_the_control_violates_only_because_its_hypothesis_is_false(name: str, controls: xr.Dataset) -> None:
    """Untouched, the control cells are honest evidence: nothing but the counterexample makes them contradict."""
    honest = declared(where(kind=HONEST))(controls)
    assert find(load_claim(name), honest, CERTIFICATE).word != "violated"


@pytest.mark.parametrize("name", claim_names())
def test_every_text_is_there(name: str) -> None:
    claim = load_claim(name)
    for field in ("title", "source", "statement", "statistic", "tolerance", "refuted_by", "control"):
        text = getattr(claim, field)
        assert len(text) > 5, field
        assert text.count("$") % 2 == 0, field


def add(name: str, amount: float) -> Corruption:
    def corrupt(evidence: xr.Dataset, cell: int, start: int) -> None:
        evidence[name].values[cell, start] += amount

    return corrupt


def put(name: str, value: float) -> Corruption:
    def corrupt(evidence: xr.Dataset, cell: int, start: int) -> None:
        evidence[name].values[cell, start] = value

    return corrupt


def below_bound(evidence: xr.Dataset, cell: int, start: int) -> None:
    evidence["hessian_trace"].values[cell, start] = evidence["trace_bound"].values[cell] * (1 - 1e-6)


def misses_the_closed_form(evidence: xr.Dataset, cell: int, start: int) -> None:
    evidence["hessian_trace"].values[cell, start] *= 1 + 1e-6


def drops_below_its_schatten_objective(evidence: xr.Dataset, cell: int, start: int) -> None:
    evidence["objective"].values[cell, start] -= 1e-9


CORRUPTIONS: list[tuple[str, str, Corruption]] = [
    ("uniqueness", "below", add("distance", 1e-6)),
    ("uniqueness", "above", add("distance", 1e-6)),
    ("uniqueness", "below", put("distance", np.nan)),
    ("layer_norms", "below", add("layer_norm_sq_max", 1e-6)),
    ("layer_norms", "below", add("layer_norm_sq_min", -1e-6)),
    ("layer_norms", "above", add("layer_norm_sq_max", 1e-6)),
    ("collapse", "above", add("end_to_end_norm", 1e-6)),
    ("collapse", "below", put("end_to_end_norm", 1e-14)),
    ("collapse", "below", put("end_to_end_norm", 0.0)),
    ("trace_bound", "below", below_bound),
    ("trace_bound", "above", below_bound),
    ("trace_attained", "below", misses_the_closed_form),
    ("trace_attained", "above", misses_the_closed_form),
    ("trace_attained", "below", below_bound),
    ("uniqueness", "below", add("misalignment", 1e-6)),
]
# Of claims on every certified run, minimizer or not.
ON_CRITICAL_POINTS: list[tuple[str, str, Corruption]] = [
    ("balancedness", "below", add("imbalance", 1e-6)),
    ("balancedness", "above", add("imbalance", 1e-6)),
    ("balancedness", "below", add("singular_value_gap", 1e-6)),
    ("balancedness", "below", put("singular_value_gap", np.nan)),
    ("schatten", "below", add("objective", 1e-9)),
    ("schatten", "below", drops_below_its_schatten_objective),
    ("schatten", "above", add("schatten", 1e-9)),
    ("schatten", "below", put("schatten", np.nan)),
    ("levels", "below", add("level_gap", 1e-9)),
    ("levels", "above", add("level_gap", -1e-9)),
    ("levels", "below", put("level_gap", np.nan)),
]


@pytest.mark.parametrize(("name", "side", "corrupt"), [*CORRUPTIONS, *ON_CRITICAL_POINTS])
@pytest.mark.parametrize("depth", [2, 3])
def test_one_false_run_among_honest_ones_is_found_and_named(
    name: str, side: str, corrupt: Corruption, depth: int, trained: Trained
) -> None:
    evidence = trained.evidence.copy(deep=True)
    on_side = (evidence["relative"].values < 1) == (side == "below")
    eligible = (evidence["minimal"].values == 1) & (on_side & (evidence["depth"].values == depth))[:, None]
    cell, start = np.argwhere(eligible)[-1]
    corrupt(evidence, cell, start)
    found = find(load_claim(name), evidence, CERTIFICATE)
    assert found.word == "violated"
    run = evidence.isel(cell=cell, start=start)
    assert found.worst == {
        key: run[key].item() for key in ("target", "depth", "lam_label", "scheme", "scale", "draw")
    }  # fmt: skip


@pytest.mark.parametrize(("name", "side", "corrupt"), CORRUPTIONS)
def test_the_same_falsehood_in_a_run_without_certificate_is_not_heard(
    name: str, side: str, corrupt: Corruption, trained: Trained
) -> None:
    evidence = trained.evidence.copy(deep=True)
    on_side = (evidence["relative"].values < 1) == (side == "below")
    cell, start = np.argwhere((evidence["minimal"].values == 1) & on_side[:, None])[0]
    corrupt(evidence, cell, start)
    evidence["minimal"].values[cell, start] = 0
    assert find(load_claim(name), evidence, CERTIFICATE).word == "confirmed"


@pytest.mark.parametrize(
    ("name", "corrupt"),
    [
        ("balancedness", add("imbalance", 1e-6)),
        ("schatten", drops_below_its_schatten_objective),
        ("levels", add("level_gap", 1e-9)),
    ],
)
def test_a_false_run_in_a_spurious_minimum_is_heard_and_an_uncertified_one_is_not(
    name: str, corrupt: Corruption, trained: Trained
) -> None:
    evidence = trained.evidence.copy(deep=True)
    cell, start = np.argwhere((evidence["kept"].values >= 0) & (evidence["minimal"].values == 0))[0]
    corrupt(evidence, cell, start)
    assert find(load_claim(name), evidence, CERTIFICATE).word == "violated"
    evidence["certified"].values[cell, start] = 0
    assert find(load_claim(name), evidence, CERTIFICATE).word == "confirmed"


@pytest.mark.parametrize("field", ["factorized", "factorized_gradient"])
def test_a_factorization_of_the_schatten_minimizer_that_is_no_minimizer_is_found(field: str, trained: Trained) -> None:
    evidence = trained.evidence.copy(deep=True)
    evidence[field].values[-2] += 1e-9
    found = find(load_claim("schatten"), evidence, CERTIFICATE)
    assert found.word == "violated"
    assert found.worst is not None
    assert [found.worst[key] for key in ("target", "depth", "lam_label")] == [
        evidence[key].values[-2] for key in ("target", "depth", "lam_label")
    ]


def test_a_saddle_of_depth_two_is_no_level(trained: Trained) -> None:
    """Every critical value of depth 2 below the top one belongs to a strict saddle; a run there contradicts."""
    evidence = trained.evidence.copy(deep=True)
    cell = int(np.flatnonzero((evidence["depth"].values == 2) & (evidence["relative"].values < 1))[0])
    evidence["kept"].values[cell, 0] -= 1
    assert find(load_claim("levels"), evidence, CERTIFICATE).word == "violated"


def test_cells_near_a_degenerate_lambda_say_nothing_of_levels(trained: Trained) -> None:
    evidence = trained.evidence.copy(deep=True)
    evidence["gradient_separation"].values[:3] = 50 * evidence["gradient_tolerance"].values[:3]
    assert find(load_claim("levels"), evidence, CERTIFICATE).cells == evidence.sizes["cell"] - 3


def test_a_bound_attained_where_it_should_not_be_is_found(trained: Trained) -> None:
    """The trace agrees with the closed form, but the bound was not as low as it must be."""
    evidence = trained.evidence.copy(deep=True)
    cell = int(np.flatnonzero(evidence["attains"].values == 0)[0])
    evidence["trace_bound"].values[cell] = evidence["predicted_trace"].values[cell]
    assert find(load_claim("trace_attained"), evidence, CERTIFICATE).word == "violated"


@pytest.mark.parametrize("name", ["uniqueness", "layer_norms", "collapse", "trace_bound", "trace_attained"])
def test_cells_at_the_exceptional_set_are_out_of_scope(name: str, trained: Trained) -> None:
    evidence = trained.evidence.copy(deep=True)
    evidence["exceptional_distance"].values[:3] = 1e-13
    assert find(load_claim(name), evidence, CERTIFICATE).cells == evidence.sizes["cell"] - 3


def test_a_slack_below_the_tolerance_is_not_taken_for_an_attained_bound(trained: Trained) -> None:
    """L = 2 just below the collapse: the search for refutations found the tolerance four times the slack there."""
    evidence = trained.evidence.copy(deep=True)
    cell = int(np.flatnonzero((evidence["attains"] == 0) & (evidence["depth"] == 2))[0])
    slack = float(evidence["predicted_trace"][cell] - evidence["trace_bound"][cell])
    evidence["trace_tolerance"].values[cell] = 4 * slack
    assert find(load_claim("trace_attained"), evidence, CERTIFICATE).word == "confirmed"
    evidence["hessian_trace"].values[cell] += 5 * slack
    assert find(load_claim("trace_attained"), evidence, CERTIFICATE).word == "violated"


def test_the_slack_is_at_least_what_the_claim_says(trained: Trained) -> None:
    evidence = trained.evidence
    missed = (evidence["attains"] == 0).values
    slack = (evidence["predicted_trace"] - evidence["trace_bound"]).values
    least = 2 * (evidence["predicted_layer_norm_sq"] / evidence["kept_at_minimum"]) ** (evidence["depth"] - 1)
    assert missed.any()
    assert (slack[missed] >= least.values[missed] * (1 - 1e-12)).all()
