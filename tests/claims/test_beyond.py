"""Claims beyond the paper: one corrupted case among honest ones is found and named."""

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr

from dmf.claims import load_claim
from dmf.evidence.judge import find
from dmf.grid.config import Certificate

Halves = Callable[[str], tuple[xr.Dataset, xr.Dataset]]
Corruption = Callable[[xr.Dataset, int, int], None]


def move(place: int, amount: float) -> Corruption:
    """Change one eigenvalue."""

    def corrupt(evidence: xr.Dataset, cell: int, start: int) -> None:
        evidence["spectrum"].values[cell, start, place] += amount

    return corrupt


def lose(evidence: xr.Dataset, cell: int, start: int) -> None:
    evidence["spectrum"].values[cell, start, 3] = np.nan


def forget_gradient(evidence: xr.Dataset, cell: int, start: int) -> None:
    evidence["bound"].values[cell, start] *= 1e-6


def sharpen(evidence: xr.Dataset, cell: int, start: int) -> None:
    evidence["end_sharpness"].values[cell, start] *= 1 + 1e-6


CORRUPTIONS: list[tuple[str, str, Corruption]] = [
    ("hessian_spectrum", "square", move(-1, 1e-5)),
    ("hessian_spectrum", "five-layers", move(0, -1e-5)),
    ("hessian_spectrum", "collapsed", move(5, 1e-5)),
    ("hessian_spectrum", "ten", move(150, 1e-5)),
    ("hessian_spectrum", "thousands", move(1, 1e-4)),
    ("hessian_spectrum", "square", lose),
    ("zero_modes", "square", move(0, 1e-5)),
    ("zero_modes", "square", move(0, -1e-5)),
    ("zero_modes", "collapsed", move(0, -100.0)),
    ("zero_modes", "square", lose),
    ("morse_index", "large small zero", move(0, 1e-6)),
    ("morse_index", "zero zero zero", lose),
    ("morse_index", "large large large", move(3, 1e-6)),
    ("strict_saddles", "large zero zero", move(0, -1e-6)),
    ("strict_saddles", "zero large zero", move(0, 100.0)),
    ("distance_bound", "square", forget_gradient),
    ("sharpness", "deep", sharpen),
]


@pytest.mark.parametrize(("name", "cell", "corrupt"), CORRUPTIONS)
def test_one_false_case_among_honest_ones_is_found_and_named(
    name: str, cell: str, corrupt: Corruption, study: Halves
) -> None:
    claim = load_claim(name)
    evidence = study(claim.study)[0].copy(deep=True)
    label = "roots" if "roots" in evidence.coords else "target"
    place = int(np.flatnonzero(evidence[label].values == cell)[0])
    start = int(np.flatnonzero(claim.eligible(evidence).values[place])[-1])
    corrupt_in_place(evidence, corrupt, place, start)
    found = find(claim, evidence, Certificate())
    assert found.word == "violated"
    assert found.worst is not None
    assert found.worst[label] == cell
    for coordinate in evidence["start"].coords if "start" in evidence.coords else []:
        assert found.worst[coordinate] == evidence[coordinate].values[start]


def corrupt_in_place(evidence: xr.Dataset, corrupt: Corruption, cell: int, start: int) -> None:
    """Eigenvalues are counted from the ends of the row, whose rest is NaN."""
    if "spectrum" not in evidence:
        corrupt(evidence, cell, start)
        return
    count = int(evidence["predicted_spectrum"][cell].notnull().sum())
    row = evidence.isel(eigen=slice(0, count))
    corrupt(row, cell, start)
    evidence["spectrum"].values[cell, start, :count] = row["spectrum"].values[cell, start]


def test_the_same_spectrum_at_every_minimizer_needs_no_closed_form(study: Halves) -> None:
    """Trained minimizers of one cell agree with each other as they do with the formula."""
    evidence = study("hessian")[0]
    eligible = load_claim("hessian_spectrum").eligible(evidence).values
    for cell in range(evidence.sizes["cell"]):
        spectra = evidence["spectrum"].values[cell][eligible[cell]]
        assert len(spectra) >= 2
        tolerance = 2 * evidence["spectrum_tolerance"].values[cell][eligible[cell]].max()
        assert np.nanmax(np.ptp(spectra, axis=0)) <= tolerance


def test_shapes_and_depths_that_the_study_covers(study: Halves) -> None:
    evidence = study("hessian")[0]
    assert set(evidence["depth"].values.tolist()) == {2, 3, 4, 5}
    counts = evidence["parameters"].values
    dense = evidence["dense"].values == 1
    assert counts[dense].max() >= 300
    assert counts[~dense].min() > 1500
    np.testing.assert_array_equal(evidence["predicted_spectrum"].notnull().sum("eigen").values[dense], counts[dense])


def test_every_combination_of_roots_is_a_cell(study: Halves) -> None:
    evidence = study("critical_points")[0]
    counts = {str(name): int(np.sum(evidence["problem"].values == name)) for name in evidence["problem"].values}
    assert sorted(counts.values()) == [4, 8, 9, 9, 9, 9, 27, 27]
    assert (evidence["certified"] == 1).all()
