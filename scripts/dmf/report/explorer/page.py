"""The explorer as one HTML file, filled with the targets of a grid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from dmf.grid.config import Grid
from dmf.grid.targets import TargetMatrix
from dmf.report.template import environment

MOST_TARGETS = 40
MOST_VALUES = 12  # singular values, and so sliders: MOST_VALUES of setting.js
MOST_DEPTH = 12  # MOST_DEPTH of setting.js
EXAMPLE = {"label": "Example: 4, 2, 1, ½, ¼", "sigma": [4.0, 2.0, 1.0, 0.5, 0.25], "rows": 5, "columns": 5}

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
        ("zeroModes", r"\dim\, \ker\, \nabla^2 F", "zero modes of the orbit"),
        ("trace", r"\mathrm{tr}\, \nabla^2 F", "trace, exact"),
        ("bound", r"2L\|X^*\|_F^2 / \alpha^2 + 2\lambda N", "bound on the trace"),
        ("slack", r"\mathrm{tr} - \mathrm{bound}", "slack of the bound"),
    ),
}


def explorer_html(grid: Grid, targets: Sequence[TargetMatrix]) -> str:
    """The page for a grid and its targets.

    The menu has the first MOST_TARGETS of the targets with at most MOST_VALUES singular values, and an example. Depth
    starts at the grid's smallest above 2, which has spurious minima, or at 2.
    """
    labels = {target.name: target.label or target.name for target in grid.targets}
    fitting = [target for target in targets if min(target.shape) <= MOST_VALUES]
    menu = [_entry(target, labels.get(target.name, target.name)) for target in fitting[:MOST_TARGETS]]
    return (
        environment()
        .get_template("explorer/explorer.html.j2")
        .render(
            title=grid.title or grid.grid,
            targets={"targets": [*menu, EXAMPLE], "depth": min((d for d in grid.depths if d > 2), default=2)},
            left_out=len(targets) - len(menu),
            numbers=NUMBERS,
        )
    )


def _entry(target: TargetMatrix, label: str) -> dict[str, Any]:
    rows, columns = target.shape
    return {"label": label, "sigma": target.singular_values.tolist(), "rows": rows, "columns": columns}


def link(target: TargetMatrix, depth: int, lam: float, hidden: Literal["same"] | int | Sequence[int]) -> str | None:
    """The explorer's address at a setting, relative to the report; None for one that the explorer cannot take.

    `hidden` is what a grid says of hidden widths. The explorer takes at most MOST_VALUES singular values, MOST_DEPTH
    layers, and hidden layers of one width.
    """
    least = min(target.shape)
    widths = {least} if hidden == "same" else {hidden} if isinstance(hidden, int) else set(hidden)
    if least > MOST_VALUES or depth > MOST_DEPTH or len(widths) != 1 or min(widths) < least:
        return None
    sigma = ",".join(repr(float(value)) for value in target.singular_values)
    rows, columns = target.shape
    return f"explorer.html#depth={depth}&lam={lam!r}&sigma={sigma}&shape={rows}x{columns}&hidden={widths.pop()}"
