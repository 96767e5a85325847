"""What networks on data do beyond the claims on them, in numbers for the page: measured, and of no verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from dmf.studies.contract import halves


@dataclass(frozen=True)
class Misalignment:
    """Certified runs on inputs of one condition number: medians of the misalignment of their singular vectors."""

    inputs: str
    condition: float
    runs: int
    to_target: float
    to_least_squares: float
    to_residual: float


@dataclass(frozen=True)
class Ending:
    """Runs of one method at one lambda: medians over starts, and the least and most singular values kept."""

    method: str
    lam_label: str
    kept: tuple[int, int]
    kept_at_minimum: int
    objective_gap: float
    distance: float
    norm_misfit: float
    effective_lambda: float
    second_moment: float | None
    control: bool


@dataclass(frozen=True)
class Practice:
    """Both tables of the section; either may be empty."""

    misalignments: Sequence[Misalignment]
    endings: Sequence[Ending]


def practice(studies: Mapping[str, xr.Dataset]) -> Practice | None:
    """The section, from the datasets of the studies `networks` and `practice` that a grid has; None for neither."""
    if not studies:
        return None
    return Practice(
        misalignments(studies["networks"]) if "networks" in studies else [],
        endings(studies["practice"]) if "practice" in studies else [],
    )


def misalignments(networks: xr.Dataset) -> list[Misalignment]:
    """The study `networks` by data set, inputs of full rank only, from white to the most correlated."""
    honest, _ = halves(networks)
    rows = []
    for name in dict.fromkeys(honest["target"].values.tolist()):
        cells = honest.isel(cell=np.flatnonzero((honest["target"].values == name) & (honest["deficiency"] == 0).values))
        eligible = ((cells["certified"] == 1) & cells["to_target"].notnull()).transpose("cell", "start").values
        if eligible.any():
            measured = [
                float(np.median(cells[field].transpose("cell", "start").values[eligible]))
                for field in ("to_target", "to_least_squares", "to_residual")
            ]
            rows.append(Misalignment(name, float(cells["condition"].values[0]), int(eligible.sum()), *measured))
    return sorted(rows, key=lambda row: row.condition)


def endings(practice: xr.Dataset) -> list[Ending]:
    """The study `practice`, a row a cell, in its order."""
    rows = []
    for place in range(practice.sizes["cell"]):
        cell = practice.isel(cell=place)
        kept, moment = cell["kept"].values, float(cell["second_moment"].median())
        rows.append(
            Ending(
                method=str(cell["method"].item()),
                lam_label=str(cell["lam_label"].item()),
                kept=(int(kept.min()), int(kept.max())),
                kept_at_minimum=int(cell["kept_at_minimum"]),
                objective_gap=float(cell["objective_gap"].median()),
                distance=float(cell["distance"].median()),
                norm_misfit=float(cell["norm_misfit"].median()),
                effective_lambda=float(cell["effective_lambda"].median()),
                second_moment=None if np.isnan(moment) else moment,
                control=bool(cell["control"] == 1),
            )
        )
    return rows
