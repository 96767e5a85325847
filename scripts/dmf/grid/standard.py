"""What may be done to data before they are factorized: a map to second moments, centring, scaling, in that order."""

from __future__ import annotations

from typing import Literal

import numpy as np

from dmf.errors import UserError
from dmf.grid.labelled import Floats, LabelledMatrix
from dmf.theory.certificate import rank_rounding

Map = Literal["none", "covariance", "correlation", "cross"]
Center = Literal["none", "rows", "columns", "both"]
Scale = Literal["none", "frobenius", "spectral", "rows", "columns"]

WORDS = {
    ("map", "covariance"): "covariance of the columns",
    ("map", "correlation"): "correlation of the columns",
    ("map", "cross"): "covariance of outcomes with features",
    ("center", "rows"): "rows centred",
    ("center", "columns"): "columns centred",
    ("center", "both"): "rows and columns centred",
    ("scale", "frobenius"): "Frobenius norm 1",
    ("scale", "spectral"): "spectral norm 1",
    ("scale", "rows"): "rows of norm 1",
    ("scale", "columns"): "columns of norm 1",
}


def in_words(map: str, center: str, scale: str) -> str:
    """What was done to a target, for a reader; empty where nothing was."""
    steps = {"map": map, "center": center, "scale": scale}
    return ", ".join(WORDS[step] for step in steps.items() if step[1] != "none")


@np.errstate(over="ignore", invalid="ignore")
def standardised(
    data: LabelledMatrix, outcome: LabelledMatrix | None, map: Map, center: Center, scale: Scale
) -> LabelledMatrix:
    """`data` after the three steps, labelled; `outcome` (n, q) of its n rows is needed by the map "cross" alone.

    Raises UserError where a step is undefined or leaves zero. Entries too large for a step become infinite.
    """
    values, rows, columns = data.values, data.rows, data.columns
    if map == "covariance":
        values, rows = covariance(values, values), columns
    elif map == "correlation":
        values, rows = correlation(values, columns), columns
    elif map == "cross":
        if outcome is None:
            raise UserError("map: cross needs outcomes, and these data have none")
        values, rows = covariance(outcome.values, values), outcome.columns
    return LabelledMatrix(scaled(centred(values, center), scale), rows, columns)


def covariance(one: Floats, other: Floats) -> Floats:
    """Sample covariance (p, q) of the columns of `one` (n, p) with those of `other` (n, q). UserError for n < 2."""
    if len(one) < 2:
        raise UserError("has one row; a covariance needs at least two observations")
    # Not by BLAS, whose last bits depend on the number of threads.
    moments: Floats = np.einsum("ni,nj->ij", centred(one, "columns"), centred(other, "columns")) / (len(one) - 1)
    return moments


def correlation(values: Floats, names: tuple[str, ...] = ()) -> Floats:
    """Sample correlation (p, p) of the columns of `values` (n, p). Raises UserError for a column that is constant."""
    moments = covariance(values, values)
    flat = np.flatnonzero(np.ptp(values, axis=0) == 0)
    if flat.size:
        shown = names[flat[0]] if names else flat[0]
        raise UserError(f"column {shown} is constant, so its correlation is undefined; leave it out or use covariance")
    deviation = np.sqrt(np.diag(moments))
    found: Floats = moments / np.outer(deviation, deviation)
    np.fill_diagonal(found, 1.0)
    return found


def centred(values: Floats, center: Center) -> Floats:
    """`values` less the means of rows, columns or both. UserError where that leaves nothing but rounding."""
    if center == "none":
        return values
    moved = values
    if center in ("columns", "both"):
        moved = moved - moved.mean(axis=0, keepdims=True)
    if center in ("rows", "both"):
        moved = moved - moved.mean(axis=1, keepdims=True)
    if np.abs(moved).max() <= rank_rounding(values.shape) * np.abs(values).max():
        raise UserError("nothing is left after centring; lambda_c is not defined for a zero target")
    return moved


def scaled(values: Floats, scale: Scale) -> Floats:
    """`values` divided by their Frobenius or spectral norm, or each row or column by its own; one of zeros stays so."""
    if scale == "none":
        return values
    # Squares of large or small entries leave float64's range; those of entries of size 1 do not.
    values = values / np.abs(values).max()
    if scale in ("rows", "columns"):
        norms = np.linalg.norm(values, axis=1 if scale == "rows" else 0, keepdims=True)
        return np.asarray(values / np.where(norms > 0, norms, 1.0))
    return np.asarray(values / np.linalg.norm(values, "fro" if scale == "frobenius" else 2))
