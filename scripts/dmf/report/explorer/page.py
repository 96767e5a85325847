"""The explorer as one HTML file, filled with the targets of a grid."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
import xarray as xr

from dmf.grid.config import Grid
from dmf.grid.targets import TargetMatrix
from dmf.report.directions import directions
from dmf.report.explorer.runs import Runs, trained_runs
from dmf.report.template import environment

MOST_TARGETS = 40
MOST_VALUES = 12  # singular values, and so sliders: MOST_VALUES of setting.js
MOST_DEPTH = 12  # MOST_DEPTH of setting.js
EXAMPLE = {"label": "Example: 4, 2, 1, ½, ¼", "sigma": [4.0, 2.0, 1.0, 0.5, 0.25], "rows": 5, "columns": 5}

NO_RUNS = Runs({})
Hidden = Literal["same"] | int | Sequence[int]  # hidden_widths of a grid

# The numbers of a setting in the order of the page: name in explorer.js, LaTeX, words.
NUMBERS = {
    "Minimizer": (
        ("minimum", "F^*", "the minimum"),
        ("rank", r"\mathrm{rank}\, X^*", "singular values kept"),
        ("norm", r"\|X^*\|_F", "norm of the product"),
        ("layerNormSq", r"\alpha^2 = \|W_l\|_F^2", "of every layer"),
        ("exceptionalDistance", r"\min_i |\sigma_i - m^*| / m^*", "0: minimizers differ"),
        ("parameters", "N", "parameters"),
    ),
    "Thresholds": (
        ("collapseThreshold", "m^*", "kept above it"),
        ("branchThreshold", r"m_{\mathrm{loc}}", "local minima above it"),
        ("jump", "x_J", "height of the jump"),
        ("criticalLambda", r"\lambda_c(\sigma_1)", "all collapses above it"),
        ("branchLambda", r"\lambda_s(\sigma_1)", "local branch ends"),
        ("lambdaRatio", r"\lambda / \lambda_c(\sigma_1)", "strength in its unit"),
    ),
    "Hessian at the minimum": (
        ("lambdaMax", r"\lambda_{\max}", "largest eigenvalue"),
        ("mu", r"\mu", "smallest positive one"),
        ("largestStep", r"2 / \lambda_{\max}", "largest stable step"),
        ("zeroModes", r"\dim\, \ker\, \nabla^2 F", "zero modes of the orbit"),
        ("trace", r"\mathrm{tr}\, \nabla^2 F", "trace, exact"),
        ("bound", r"2L\|X^*\|_F^2 / \alpha^2 + 2\lambda N", "bound on the trace"),
        ("slack", r"\mathrm{tr} - \mathrm{bound}", "slack of the bound"),
    ),
}


def menu(targets: Sequence[TargetMatrix]) -> Sequence[TargetMatrix]:
    """The targets that the explorer offers: the first MOST_TARGETS with at most MOST_VALUES singular values."""
    return [target for target in targets if min(target.shape) <= MOST_VALUES][:MOST_TARGETS]


def drawn_runs(grid: Grid, targets: Sequence[TargetMatrix], evidence: Iterable[xr.Dataset]) -> Runs:
    """The trained runs of the explorer's targets, from evidence in chunks."""
    norms = {
        target.name: float(np.linalg.norm(target.singular_values))
        for target in menu(targets)
        if _hidden_width(target, grid.hidden_widths)
    }
    depths = [depth for depth in grid.depths if depth <= MOST_DEPTH]
    return trained_runs(evidence, norms, depths, len(grid.lambdas.relative) + len(grid.lambdas.absolute))


def explorer_html(grid: Grid, targets: Sequence[TargetMatrix], runs: Runs = NO_RUNS) -> str:
    """The page for a grid, its targets, and runs of theirs.

    Its menu has those of `menu`, and an example. Depth starts at the grid's smallest above 2, which has spurious
    minima, or at 2.
    """
    labels = {target.name: target.label or target.name for target in grid.targets}
    offered = menu(targets)
    entries = [_entry(target, labels.get(target.name, target.name), grid, runs) for target in offered]
    return (
        environment()
        .get_template("explorer/explorer.html.j2")
        .render(
            title=grid.title or grid.grid,
            targets={
                "targets": [*entries, EXAMPLE],
                "depth": min((d for d in grid.depths if d > 2), default=2),
                "step": runs.step,
            },
            left_out=len(targets) - len(offered),
            numbers=NUMBERS,
        )
    )


def _entry(target: TargetMatrix, label: str, grid: Grid, runs: Runs) -> dict[str, Any]:
    """A target as explorer.js reads it: `runs` are cells by depth, `names` what loads most on each direction."""
    rows, columns = target.shape
    cells = {
        depth: [cell.as_json() for cell in found] for (name, depth), found in runs.cells.items() if name == target.name
    }
    return {
        "label": label,
        "sigma": target.singular_values.tolist(),
        "rows": rows,
        "columns": columns,
        "hidden": _hidden_width(target, grid.hidden_widths) or min(target.shape),
        "runs": cells,
        "names": [[one.rows, one.columns] for one in directions(target, ())],
    }


def _hidden_width(target: TargetMatrix, hidden: Hidden) -> int | None:
    """The one width of all hidden layers, None where they have several or one that the explorer cannot take."""
    least = min(target.shape)
    widths = {least} if hidden == "same" else {hidden} if isinstance(hidden, int) else set(hidden)
    return widths.pop() if len(widths) == 1 and min(widths) >= least else None


def link(target: TargetMatrix, depth: int, lam: float, hidden: Hidden) -> str | None:
    """The explorer's address at a setting, relative to the report; None for one that the explorer cannot take.

    `hidden` is what a grid says of hidden widths. The explorer takes at most MOST_VALUES singular values, MOST_DEPTH
    layers, and hidden layers of one width.
    """
    width = _hidden_width(target, hidden)
    if min(target.shape) > MOST_VALUES or depth > MOST_DEPTH or width is None:
        return None
    sigma = ",".join(repr(float(value)) for value in target.singular_values)
    rows, columns = target.shape
    return f"explorer.html#depth={depth}&lam={lam!r}&sigma={sigma}&shape={rows}x{columns}&hidden={width}"
