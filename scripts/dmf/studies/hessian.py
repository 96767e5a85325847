"""Hessian spectra of trained minimizers by complex steps, beside the closed form in blocks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dmf import theory
from dmf.grid.cells import Series
from dmf.grid.seeds import generator
from dmf.studies import Settings, Study
from dmf.studies._assemble import assembled
from dmf.studies._derivatives import Objective
from dmf.studies._trained import Cell, TrainedCell, train_cells
from dmf.theory import certificate
from dmf.training.lanczos import extreme_eigenvalues

Floats = NDArray[np.float64]
MOST_DENSE = 1500  # parameters; above, only both ends of the spectrum are computed
# The small starts end at zero, in a spurious minimum where one exists: the controls need these, the claims do not.
STARTS = {Series("gaussian", scale): range(draws) for scale, draws in ((0.2, 1), (2.0, 4), (3.0, 3))}
CELLS = (
    Cell("square", (4, 4), None, 3, "0.3c"),
    Cell("wide", (3, 5), None, 3, "0.2c"),
    Cell("tall", (5, 3), [3, 2.5, 2], 4, "0.2c"),
    Cell("deficient", (4, 4), [3, 1.5], 3, "0.2c"),
    Cell("repeated", (3, 3), [2, 2, 1], 4, "0.1c"),
    Cell("wide-layers", (4, 4), [3, 2, 1, 0.4], 3, "0.2c", [6, 5]),
    Cell("narrow-ends", (2, 3), [2, 1], 4, "0.2c", 5),
    Cell("two-layers", (5, 5), None, 2, "0.3c"),
    Cell("two-layers-wide", (3, 6), None, 2, "0.2c", 7),
    Cell("five-layers", (3, 3), [2, 1.5, 1], 5, "0.1c"),
    Cell("scalar", (1, 1), [1.5], 4, "0.4c"),
    Cell("scalar-wide", (1, 1), [2], 3, "0.4c", 4),
    Cell("near-collapse", (3, 3), [2, 1.5, 1], 3, "0.999c"),
    Cell("collapsed", (3, 4), None, 3, "1.3c"),
    Cell("collapsed-two-layers", (3, 4), None, 2, "1.3c"),
    Cell("ten", (10, 10), [4, 3.5, 3, 2.6, 2.2, 1.8, 1.5, 1.2, 0.9, 0.5], 3, "0.1c"),
    Cell("thousands", (32, 32), [4, 3.8, 3.6, 3.4, 3.2, 3], 4, "0.1c"),
)
M_STAR = float(theory.collapse_threshold(3, 0.5))
CONTROLS = (
    Cell("spurious", (3, 3), [3, 1.5, 0.5], 3, "0.8c"),
    Cell("exceptional", (3, 3), [3 * M_STAR, M_STAR, 0.4 * M_STAR], 3, "0.5"),
)


FIELDS = {
    "control": ("cell", "1 for cells of the control"),
    "dense": ("cell", "1 where all N eigenvalues were computed"),
    "orbit_dimension": ("cell", "dimension of the orbit of minimizers"),
    "predicted_spectrum": ("cell eigen", "Hessian eigenvalues in closed form"),
    "spectrum": ("cell start eigen", "Hessian eigenvalues by complex steps"),
    "spectrum_tolerance": ("cell start", "what radius and rounding allow for an eigenvalue"),
}


def make(settings: Settings) -> xr.Dataset:
    """Evidence as of `dmf.evidence.certify`, with measured and predicted eigenvalues (cell, [start,] eigen).

    A row of eigenvalues is ascending and ends in NaN. It holds all N of them, or in cells with `dense` 0 the smallest
    and the largest.
    """
    evidence, trained = train_cells([*CELLS, *CONTROLS], STARTS, settings)
    rows = []
    for place, one in enumerate(trained):
        of_cell = evidence.isel(cell=place)
        spectra = _spectra(one, of_cell["radius"].values, settings.seed)
        rows.append(
            {
                "control": one.cell in CONTROLS,
                "dense": _is_dense(one),
                "orbit_dimension": theory.zero_modes(one.cell.group.widths, int(of_cell["kept_at_minimum"])),
                "predicted_spectrum": spectra.predicted,
                "spectrum": spectra.measured,
                "spectrum_tolerance": spectra.tolerance,
            }
        )
    return evidence.assign(assembled(FIELDS, rows))


@dataclass(frozen=True)
class Spectra:
    """Eigenvalues of one cell, predicted (eigen,) and measured (start, eigen), with a tolerance (start,)."""

    predicted: Floats
    measured: Floats
    tolerance: Floats


def _spectra(trained: TrainedCell, radius: Floats, seed: int) -> Spectra:
    predicted = theory.hessian_spectrum(trained.target, trained.cell.group.widths, trained.lam)
    value = Objective(trained.target, trained.cell.group.widths, trained.lam)
    # Weyl: no eigenvalue moves by more than the norm of the Hessian's change. The rest is the solver's backward error.
    tolerance = certificate.eigenvalue_tolerance(_turning(trained, radius), predicted.size, predicted[-1])
    if _is_dense(trained):
        dense = np.linalg.eigvalsh(value.hessians(trained.parameters)).astype(np.float64, copy=False)
        return Spectra(predicted, dense, tolerance)
    start = generator(["lanczos", seed, trained.cell.name]).standard_normal(predicted.size)
    ends = [extreme_eigenvalues(value.hessian_product(point), start) for point in trained.parameters]
    measured, residual = (np.stack(part) for part in zip(*ends, strict=True))
    return Spectra(predicted[[0, -1]], measured, tolerance + residual.max(axis=1))


def _is_dense(trained: TrainedCell) -> bool:
    return bool(trained.parameters.shape[1] <= MOST_DENSE)


def _turning(trained: TrainedCell, radius: Floats) -> Floats:
    """How far eigenvalues can be from those of the nearest minimizer (Weyl), (start,); infinite where `radius` is."""
    depth = trained.cell.depth
    sigma = np.linalg.svd(trained.target, compute_uv=False)
    x = theory.scalar_minimizer(sigma, depth, trained.lam)
    return certificate.turning(radius, depth, *certificate.reach(x, sigma, depth))


STUDY = Study(
    title="Hessian spectra of trained minimizers",
    summary=(
        r"All $N$ eigenvalues by complex steps, or for large $N$ both ends of the spectrum by Lanczos on "
        "Hessian-vector products, at minimizers trained from several starts, beside the closed form in blocks."
    ),
    make=make,
)
