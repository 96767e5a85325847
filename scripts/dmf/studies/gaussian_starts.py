"""An experiment: on which level gradient descent from Gaussian starts ends, by one number (docs/theory.md, section 15).

No theorem says what the shares are. Entries have the standard deviation c (lambda / sigma_1)^{1/(L-2)}; starts of one
draw differ in this factor only.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from dmf import theory
from dmf.grid.seeds import generator
from dmf.studies import Settings, Study
from dmf.studies._assemble import Row, assembled
from dmf.training.engine import train
from dmf.training.settings import GradientDescent
from dmf.training.tasks import Tasks

DRAWS = 160
SPECTRUM = (2.0, 1.2)
UNITS = (0.4, 0.6, 0.8, 1.0, 1.2, 1.6, 2.2)  # c
LAMBDAS = {3: (0.04, 0.08, 0.16), 4: (0.02, 0.04, 0.08)}
TWO_LAYERS = 0.1  # lambda of the control, which has no such number: every start keeps all
STEP = 0.5  # in units of 1 / lambda_max at the minimum
MOST_STEPS = 20_000
CONVERGED = 1e-6  # gradient norm: far below that of a level's edge

FIELDS = {
    "control": ("cell", "1 for cells of the control"),
    "unit": ("cell", "c: standard deviation of the start's entries over (lambda / sigma_1)^(1/(L-2))"),
    "certified": ("cell start", "1 where the gradient norm fell to 1e-6"),
    "kept": ("cell start", "number of singular values kept"),
}


def make(settings: Settings) -> xr.Dataset:
    """Cells (depth, lambda, c), starts by draw."""
    cells = [(depth, lam, unit) for depth, lams in LAMBDAS.items() for lam in lams for unit in UNITS]
    rows = [_cell(settings, *cell) for cell in [*cells, (2, TWO_LAYERS, 0.4)]]
    return assembled(FIELDS, rows, {"draw": ("start", np.arange(DRAWS))})


def _cell(settings: Settings, depth: int, lam: float, unit: float) -> Row:
    sigma = np.array(SPECTRUM)
    widths = (len(sigma),) * (depth + 1)
    size = unit * (lam / sigma[0]) ** (1 / (depth - 2)) if depth > 2 else unit
    rng = generator(["study", "gaussian_starts", settings.seed, depth])  # the same draws for every lambda and c
    starts = [size * rng.standard_normal((DRAWS, *widths[:2])) for _ in range(depth)]
    target = np.diag(sigma)
    step = STEP / float(theory.hessian_spectrum(target, widths, lam)[-1])
    tasks = Tasks(
        np.broadcast_to(target, (DRAWS, *target.shape)).copy(), np.full(DRAWS, lam), np.full(DRAWS, CONVERGED)
    )
    runs = train(tasks, starts, GradientDescent(name="gd", step=step, max_iterations=MOST_STEPS))
    # Between zero and the large root no local minimum lies: a value beyond the small root stays.
    edge = 0.0 if depth == 2 else 0.5 * np.asarray(theory.large_root(sigma, depth, lam))
    return {
        "depth": depth,
        "lam": lam,
        "control": depth == 2,
        "unit": unit,
        "certified": runs.gradient_norm <= CONVERGED,
        "kept": np.sum(runs.singular_values > edge, axis=1),
    }


STUDY = Study(
    title="Gaussian starts",
    summary=(
        r"A $2 \times 2$ target, gradient descent at depth 3 and 4 from Gaussian starts of seven sizes, for three "
        r"$\lambda$ each; two layers, where every start keeps all, as a control."
    ),
    make=make,
)
