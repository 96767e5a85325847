"""Does raising lambda from a small value find the global minimum more often than training at lambda at once?"""

from __future__ import annotations

import xarray as xr

from dmf import theory
from dmf.grid.cells import Series
from dmf.studies import Settings, Study
from dmf.studies._assemble import assembled
from dmf.studies._trained import LBFGS, Cell, train_cells
from dmf.training.settings import Continuation, Optimizer

DEPTHS = (2, 3, 4, 6)
RELATIVE = (0.1, 0.3, 0.5, 0.7, 0.9)
SCALES = (0.25, 0.5, 1.0, 2.0)
DRAWS = 6
TARGETS = 4  # Gaussian, drawn separately for each depth and lambda
STARTS = {Series("gaussian", scale): range(DRAWS) for scale in SCALES}
ANNEALED = Continuation(name="continuation")
# The control: continuation that begins at lambda itself, or nearly. It is plain training by another name.
IDLE = Continuation(name="continuation", first=0.999, stages=2)


FIELDS = {
    "control": ("cell", "1 for cells of the control"),
    "most_kept": ("cell", "singular values that the highest local minimum keeps"),
}


def make(settings: Settings) -> xr.Dataset:
    """Evidence as of `dmf.evidence.certify` of both optimizers from the same starts, and of the control's."""
    cells = [
        Cell(f"gaussian-{depth}-{ratio!r}-{number}", (4, 4), None, depth, f"{ratio!r}c")
        for depth in DEPTHS
        for ratio in RELATIVE
        for number in range(TARGETS)
    ]
    few = [cell for cell in cells if cell.depth == 3]
    parts = [
        _trained(cells, "lbfgs", LBFGS, False, settings),
        _trained(cells, "continuation", ANNEALED, False, settings),
        _trained(few, "idle continuation", IDLE, True, settings),
    ]
    return xr.concat(parts, "cell")


def _trained(cells: list[Cell], name: str, optimizer: Optimizer, control: bool, settings: Settings) -> xr.Dataset:
    evidence, trained = train_cells(cells, STARTS, settings, optimizer)
    rows = [
        {
            "optimizer": name,
            "control": control,
            "most_kept": theory.max_kept(one.target, one.cell.depth, one.lam),
        }
        for one in trained
    ]
    return evidence.assign(assembled(FIELDS, rows))


STUDY = Study(
    title="Continuation in λ against plain starts",
    summary=(
        r"The same starts trained by L-BFGS at $\lambda$ at once, and by L-BFGS at eight values of $\lambda$ from a "
        "hundredth of it upwards, each from where the last ended."
    ),
    make=make,
)
