"""Chosen runs are trained to the stored bits and proved; what is said of them is true, and false numbers are seen."""

from collections.abc import Callable
from copy import deepcopy
from itertools import pairwise

import numpy as np
import pytest
import xarray as xr

from dmf.claims import load_claim, load_claims
from dmf.evidence.cases import cell_table, weigh
from dmf.evidence.choose import MEASURED, OF_EACH, Choice, choose
from dmf.evidence.eligibility import is_certified, is_eligible
from dmf.evidence.judge import find, judge
from dmf.evidence.measured import measured_again
from dmf.evidence.proofs import proofs_dataset
from dmf.evidence.prove import EXCEPTIONAL, ORDINARY, prove_cells
from dmf.grid.config import Certificate
from dmf.proof.minimizer import Reason, prove
from dmf.proof.statements import FAILS, HOLDS
from dmf.studies.contract import check_study, halves
from small import Trained

OF_RUNS = {name: claim for name, claim in load_claims().items() if claim.study == "runs"}
OF_PROOFS = [name for name, claim in load_claims().items() if claim.study == "proofs"]
CERTIFICATE = Certificate()


@pytest.fixture(scope="module")
def choice(trained: Trained) -> Choice:
    return choose([trained.evidence], OF_RUNS, 4000, trained.evidence.sizes["cell"])


def test_two_eligible_runs_of_every_cell_and_the_worst_of_every_claim_are_chosen(
    trained: Trained, choice: Choice
) -> None:
    evidence = trained.evidence
    assert len(choice.chosen) == choice.cells == evidence.sizes["cell"]
    eligible, certified = is_eligible(evidence).values, is_certified(evidence).values
    starts = [evidence[name].values.tolist() for name in ("scheme", "scale", "draw")]
    names = list(zip(*starts, strict=True))
    for cell in choice.chosen:
        here = [evidence[name].values == getattr(cell, name) for name in ("target", "depth", "lam_label")]
        (number,) = np.flatnonzero(np.logical_and.reduce(here))
        chosen = [names.index(start) for start in cell.runs]
        assert len(chosen) >= OF_EACH
        lowest = evidence["objective"].values[number][eligible[number]].min()
        assert evidence["objective"].values[number][chosen[0]] == lowest
        assert eligible[number][chosen].sum() >= min(OF_EACH, eligible[number].sum())
        assert certified[number][chosen].all()
    for name, claim in OF_RUNS.items():
        weighed = weigh(claim, evidence)
        ratio = np.where(weighed["eligible"].values, weighed["ratio"].values, -np.inf)
        number, start = np.unravel_index(ratio.argmax(), ratio.shape)
        (cell,) = [
            one
            for one in choice.chosen
            if all(getattr(one, key) == evidence[key].values[number] for key in ("target", "depth", "lam_label"))
        ]
        assert names[start] in cell.runs, name
        assert choice.counted[name] == weighed["eligible"].values.sum()


def test_a_choice_depends_on_no_order_and_not_on_how_evidence_is_cut(trained: Trained, choice: Choice) -> None:
    evidence = trained.evidence
    parts = [evidence.isel(cell=slice(3, None)), evidence.isel(cell=slice(0, 3))]
    again = choose(parts, OF_RUNS, 4000, evidence.sizes["cell"])
    assert [(cell.target, cell.depth, cell.lam_label) for cell in again.chosen] == [
        (cell.target, cell.depth, cell.lam_label) for cell in choice.chosen
    ]
    one = evidence.isel(cell=[0])
    halved = [one.isel(start=slice(0, 3)), one.isel(start=slice(3, None))]
    whole, cut = (choose(chunks, OF_RUNS, 4000, 1) for chunks in ([one], halved))
    assert [list(cell.runs) for cell in whole.chosen] == [list(cell.runs) for cell in cut.chosen]


def test_with_fewer_proofs_than_cells_some_cells_are_drawn_and_the_worst_runs_stay(trained: Trained) -> None:
    cells = trained.evidence.sizes["cell"]
    few = choose([trained.evidence], OF_RUNS, len(OF_RUNS) + 4, cells)
    assert 0 < len(few.chosen) < cells
    assert few.cells == cells
    none = choose([trained.evidence], OF_RUNS, 0, cells)
    assert sum(len(cell.runs) for cell in none.chosen) <= len(OF_RUNS)
    assert {name for cell in none.chosen for run in cell.runs.values() for name in run.counts} == set(OF_RUNS)


def test_training_again_gives_the_stored_bits_and_every_chosen_run_is_proved(proofs: xr.Dataset) -> None:
    check_study(proofs, "proofs")
    honest, _ = halves(proofs)
    there = honest["draw"].values >= 0
    assert (honest["same"].values == there).all()
    assert (honest["certified"].values == there).all()
    assert (honest["reason"].values[there] == list(Reason).index(Reason.PROVED)).all()
    assert (honest["statements"].values[:, there] != FAILS).all()
    at_minimum = honest["at_minimum"].values == 1
    assert at_minimum.sum() >= OF_EACH * honest.sizes["cell"]
    assert (honest["statements"].values[:, at_minimum] == HOLDS).all()


def test_the_stored_layers_are_enough_to_prove_a_run_again(proofs: xr.Dataset) -> None:
    for number in range(proofs.sizes["cell"]):
        cell = proofs.isel(cell=number)
        widths = [int(d) for d in str(cell["widths"].item()).split()]
        size = widths[0] * widths[-1]
        first = int(cell["first_entry"])
        matrix = proofs["matrix"].values[first : first + size].reshape(widths[-1], widths[0])
        begin = int(cell["first_value"][0])
        layers = []
        for columns, rows in pairwise(widths):
            layers.append(proofs["layers"].values[begin : begin + rows * columns].reshape(rows, columns))
            begin += rows * columns
        proof = prove(layers, matrix, float(cell["lam"]))
        assert proof.radius == float(cell["radius"][0])
        assert proof.objective == (float(cell["objective_low"][0]), float(cell["objective_high"][0]))


def test_a_run_that_trains_to_other_bits_is_not_proved_and_is_named(trained: Trained, choice: Choice) -> None:
    cell = deepcopy(choice.chosen[0])
    run = next(iter(cell.runs.values()))
    run.measured["objective"] = np.nextafter(run.measured["objective"], np.inf)
    (tried,) = prove_cells([cell], trained.project.grid, trained.project.targets)
    assert [one.same for one in tried.runs] == [False, *[True] * (len(tried.runs) - 1)]
    assert tried.runs[0].proof.reason is Reason.NOT_REPRODUCED
    assert not proofs_dataset([tried], choice)["certified"].values[0, 0]


@pytest.mark.parametrize("name", OF_PROOFS)
def test_honest_proofs_confirm_and_the_control_is_detected_for_its_own_reason(name: str, proofs: xr.Dataset) -> None:
    claim = load_claim(name)
    honest, control = halves(proofs)
    verdict = judge(name, claim, cell_table(claim, [honest], CERTIFICATE), control, CERTIFICATE)
    assert verdict.finding.word == "confirmed"
    assert verdict.finding.statistic is not None
    assert verdict.finding.statistic <= 1
    assert verdict.control_detected
    assert [arm.near for arm in claim.arms if arm.near is None] == []
    assert [detection.name for detection in verdict.missed] == []
    untouched = control.isel(cell=np.isin(control["target"].values, [EXCEPTIONAL, ORDINARY]))
    assert find(claim, untouched, CERTIFICATE).word != "violated"


FALSE: dict[str, tuple[str, Callable[[xr.Dataset], xr.Dataset]]] = {
    "mu a hundredth": ("curvature", lambda data: data.assign(mu=data["mu"] / 100)),
    "mu four times": ("curvature", lambda data: data.assign(mu=data["mu"] * 4)),
    "mu off by 1e-4": ("curvature", lambda data: data.assign(mu=data["mu"] * (1 + 1e-4))),
    "gradient norm a tenth": ("measurements", lambda data: data.assign(gradient_norm=data["gradient_norm"] / 10)),
    "objective off by 1e-12": ("measurements", lambda data: data.assign(objective=data["objective"] * (1 + 1e-12))),
    "trace off by 1e-11": ("measurements", lambda data: data.assign(hessian_trace=data["hessian_trace"] * (1 + 1e-11))),
    "imbalance zero": ("measurements", lambda data: data.assign(imbalance=0 * data["imbalance"])),
    "largest layer norm of another layer": (
        "measurements",
        lambda data: data.assign(layer_norm_sq_max=data["layer_norm_sq_max"] * (1 - 1e-11)),
    ),
    "a number that is missing": ("measurements", lambda data: data.assign(imbalance=np.nan * data["imbalance"])),
    "a statement that fails": ("balls", lambda data: data.assign(statements=0 * data["statements"])),
    "products apart": ("minimizers_agree", lambda data: data.assign(disagreement=data["disagreement"] + 1)),
}


@pytest.mark.parametrize("what", FALSE)
def test_a_false_number_is_violated(what: str, proofs: xr.Dataset) -> None:
    name, change = FALSE[what]
    honest, _ = halves(proofs)
    assert find(load_claim(name), honest, CERTIFICATE).word == "confirmed"
    assert find(load_claim(name), change(honest), CERTIFICATE).word == "violated"


def test_the_two_minimizers_of_the_exceptional_control_are_on_two_levels_of_one_value(proofs: xr.Dataset) -> None:
    _, control = halves(proofs)
    cell = control.isel(cell=0)
    low, high = cell["objective_low"].values[:2], cell["objective_high"].values[:2]
    assert abs(high[1] - low[0]) < 1e-13 * high[0]
    assert (cell["at_minimum"].values == 0).all()  # m* and sigma_2 cannot be told apart
    assert cell["disagreement"].values[:2].max() > 1e6


def test_measurements_are_those_of_the_layers() -> None:
    rng = np.random.default_rng(1)
    layers = [rng.standard_normal(shape) for shape in ((3, 2), (3, 3), (2, 3))]
    matrix = rng.standard_normal((2, 2))
    found = measured_again(layers, matrix, 0.3)
    assert set(found) == set(MEASURED)
    first, second, third = layers
    x = third @ second @ first
    sizes = [np.sum(layer**2) for layer in layers]
    gaps = [np.linalg.norm(b.T @ b - a @ a.T) for a, b in pairwise(layers)]
    gradient = [
        2 * (third @ second).T @ (x - matrix) + 0.6 * first,
        2 * third.T @ (x - matrix) @ first.T + 0.6 * second,
        2 * (x - matrix) @ (second @ first).T + 0.6 * third,
    ]
    ends = [np.sum((third @ second) ** 2) * 2, np.sum(third**2) * np.sum(first**2), 2 * np.sum((second @ first) ** 2)]
    expected = {
        "objective": np.sum((matrix - x) ** 2) + 0.3 * sum(sizes),
        "gradient_norm": np.sqrt(sum(np.sum(part**2) for part in gradient)),
        "layer_norm_sq_min": min(sizes),
        "layer_norm_sq_max": max(sizes),
        "imbalance": max(gaps),
        "hessian_trace": 2 * sum(ends) + 2 * 0.3 * 21,
        "end_to_end_norm": np.linalg.norm(x),
    }
    for name, (value, tolerance) in found.items():
        assert value == pytest.approx(expected[name], rel=1e-13)
        assert 0 < tolerance < 1e-10 * max(1, value)


def test_disagreement_is_with_the_lowest_runs_and_counts_for_these_only(trained: Trained) -> None:
    """A run on a higher level is far from the lowest ones and does not count; declared lowest, it does."""
    evidence = trained.evidence
    eligible, certified = is_eligible(evidence).values, is_certified(evidence).values
    number = int(np.flatnonzero(eligible.any(axis=1) & (certified & ~eligible).any(axis=1))[0])
    starts = [int(np.flatnonzero(mask[number])[0]) for mask in (eligible, certified & ~eligible)]
    choice = choose([evidence.isel(cell=[number], start=starts)], OF_RUNS, 4000, 1)
    tried = list(prove_cells(choice.chosen, trained.project.grid, trained.project.targets))
    honest, _ = halves(proofs_dataset(tried, choice))
    lowest, higher = (honest["lowest"].values == 1, (honest["certified"].values == 1) & (honest["lowest"].values == 0))
    assert higher.sum() >= 1
    assert honest["disagreement"].values[higher].min() > 1e6
    assert honest["disagreement"].values[lowest].max() < 1
    told = honest.assign(lowest=honest["certified"])
    assert find(load_claim("minimizers_agree"), told, CERTIFICATE).word == "violated"


def test_a_norm_whose_squares_are_lost_is_allowed_to_be_zero_and_no_more() -> None:
    layers = [np.full((2, 2), 1e-60) for _ in range(3)]  # its product is 4e-180, the square of that is lost
    value, tolerance = measured_again(layers, np.eye(2), 1e300)["end_to_end_norm"]
    product = layers[2] @ layers[1] @ layers[0]
    naive = np.sqrt(np.sum(product**2))
    assert naive == 0 < value
    assert abs(naive - value) < tolerance < 1e-150
