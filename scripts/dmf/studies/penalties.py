"""Extension: other penalties of singular values, and where their minimizer is not unique, by two global searches."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import xarray as xr

from dmf import theory
from dmf.studies import Settings, Study
from dmf.studies._assemble import Row, assembled
from dmf.studies._penalties import MU, PENALTIES, Caps, Function, Jump, exceptional, jumps, local_minima, threshold
from dmf.theory.certificate import ROUNDING

Floats = npt.NDArray[np.float64]
STRENGTHS = (0.3, 0.9, 1 - 1e-3, 1 - 1e-6, 1 - 1e-9, 1 + 1e-9, 1 + 1e-6, 1 + 1e-3, 1.1, 2.0, 7.0)
MOST = 8.0  # minimizers looked for, in units of the largest exceptional scalar or threshold
CONTROLS = ("l_2/3", "log", "SCAD", "two caps")
MOVED = 1e-12  # by which part of itself an exceptional scalar is off in a near control

FIELDS = {
    "control": ("cell", "1 for cells of the control"),
    "jumps": ("cell", "number of exceptional scalars m > 0 that the search found"),
    "known_jumps": ("cell", "number of exceptional scalars m > 0 in closed form"),
    "jump_error": (
        "cell",
        "largest departure of one or of its two minimizers from the closed form, over its tolerance",
    ),
    "moved_error": ("cell", f"the same with the closed forms of the scalars off by {MOVED} of them"),
    "certified": ("cell start", "1 where the minima were bracketed"),
    "exceptional": ("cell start", "1 where m is an exceptional scalar"),
    "m": ("cell start", "the scalar"),
    "found": ("cell start", "the lowest minimum of the grid search"),
    "value": ("cell start", "objective there"),
    "gap": ("cell start", "lead over the next minimum; infinite where there is none"),
    "predicted": ("cell start", "minimizer in closed form"),
    "predicted_value": ("cell start", "objective there"),
    "x_tolerance": ("cell start", "what rounding allows for the minimizer"),
    "value_tolerance": ("cell start", "what rounding allows for the objective"),
    "curve_m": ("cell point", "scalars to draw"),
    "curve_x": ("cell point", "minimizers there, in closed form"),
}
POINTS = 801


def make(settings: Settings) -> xr.Dataset:
    """Cells (penalty, exceptional scalar or threshold), starts by m in units of it. Nothing is drawn at random."""
    rows: list[Row] = []
    for control, chosen in ((0, PENALTIES), (1, {name: PENALTIES[name] for name in CONTROLS})):
        for name, g in chosen.items():
            known = exceptional(g)
            facts = _cell(g, known, control)
            for scalar in [jump.at for jump in known] or [threshold(g)]:
                m = scalar * np.array(STRENGTHS if not control else [1.0] * len(STRENGTHS))
                curve = np.linspace(0, 2.05, POINTS) * max([jump.at for jump in known], default=scalar)
                rows.append(
                    {
                        "penalty": name,
                        "at": scalar,
                        **facts,
                        "curve_m": curve,
                        "curve_x": g.prox(curve, MU),
                        **_cases(g, m, [jump.at for jump in known]),
                    }
                )
    return assembled(FIELDS, rows, {"strength": ("start", STRENGTHS)})


def _cell(g: Function, known: list[Jump], control: int) -> Row:
    """The search over all m against the closed form: how many jumps, where, and between which minimizers."""
    top = max([jump.at for jump in known], default=0.0) or float(g.slope(0.0)) / MU
    found = jumps(g, MOST * top)
    moved = [jump._replace(at=jump.at * (1 + MOVED)) for jump in known]
    return {
        "control": bool(control),
        "jumps": len(found),
        "known_jumps": len(known),
        "jump_error": _jump_errors(g, found, known),
        "moved_error": _jump_errors(g, found, moved),
    }


def _jump_errors(g: Function, found: list[Jump], known: list[Jump]) -> float:
    return max([_jump_error(g, one, other) for one, other in zip(found, known, strict=False)], default=0.0)


def _jump_error(g: Function, found: Jump, known: Jump) -> float:
    """Over tolerance: a scalar errs by the rounding of values over the slope 2 (high - low) of their difference."""
    size = known.at**2 + float(g(known.high))
    at_tolerance = ROUNDING * (size / (2 * (known.high - known.low)) + known.at)
    ends = [
        abs(one - other) / (at_tolerance / _curvature(g, other))
        for one, other in ((found.low, known.low), (found.high, known.high))
    ]
    return max(abs(found.at - known.at) / at_tolerance, *ends)


def _curvature(g: Function, x: float) -> float:
    """1 + g''(x) / 2, by a difference of slopes: how fast the minimizer moves with m is its inverse. 1 at zero."""
    if x == 0:
        return 1.0
    step = 1e-5 * x
    return float(1 + (g.slope(x + step) - g.slope(x - step)) / (4 * step))


def _cases(g: theory.Penalty | Caps, m: Floats, exceptional: list[float]) -> Row:
    """FIELDS over starts of scalars m, (start,)."""
    minima = [local_minima(g, value) for value in m]
    found = np.array([rows[0, 1] for rows in minima])
    predicted = g.prox(m, MU)
    curvature = np.array([_curvature(g, x) for x in predicted])
    return {
        "certified": np.ones(m.size, dtype=bool),
        "exceptional": np.isin(m, exceptional),
        "m": m,
        "found": found,
        "value": np.array([rows[0, 0] for rows in minima]),
        "gap": np.array([rows[1, 0] - rows[0, 0] if len(rows) > 1 else np.inf for rows in minima]),
        "predicted": predicted,
        "predicted_value": (m - predicted) ** 2 + g(predicted),
        "x_tolerance": ROUNDING * m / curvature,
        "value_tolerance": ROUNDING * m**2,
    }


STUDY = Study(
    title="Other penalties of singular values",
    summary=(
        "$(m - x)^2 + g(x)$ for powers, logarithm, Geman's, MCP and SCAD penalties and sums of capped ones, minimized "
        "for scalars $m$ around every exceptional one by two global searches that know no closed form."
    ),
    make=make,
)
