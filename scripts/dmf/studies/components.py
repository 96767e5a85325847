"""Beyond the paper: into how many pieces the minimizers fall, and how high the pass between two is (section 15).

Trained minimizers are joined by rotations where these exist; between pieces strings are relaxed over the pass.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from dmf import theory
from dmf.grid.cells import Series
from dmf.grid.seeds import generator
from dmf.studies import Settings, Study
from dmf.studies._assemble import Row, assembled
from dmf.studies._derivatives import Floats, Objective
from dmf.studies._layers import layers_of, product_of
from dmf.studies._paths import IMAGES, Pass, joining, lowest_pass, turned
from dmf.studies._trained import Cell, TrainedCell, train_cells
from dmf.theory import certificate
from dmf.theory.certificate import ROUNDING_PATHS

DRAWS = 96
STARTS = {Series("gaussian", 1.0): range(DRAWS)}
SPECTRUM = (2.0, 1.5)
PARTS = (0.25, 0.5, 0.75, 1.0)
STRINGS = 5  # between two pieces, with different bulges
BULGE = 0.4  # of a string, in units of the layers' norm
CELLS = (
    Cell("two-layers", (2, 2), SPECTRUM, 2, "0.2c"),
    Cell("two-layers-wide", (2, 2), SPECTRUM, 2, "0.2c", 3),
    Cell("three-layers", (2, 2), SPECTRUM, 3, "0.15c"),
    Cell("three-layers-one-wide", (2, 2), SPECTRUM, 3, "0.15c", (3, 2)),
    Cell("three-layers-rectangular", (2, 3), SPECTRUM, 3, "0.1c"),
    Cell("one-direction-kept", (2, 2), (2.0, 0.4), 3, "0.3c"),
    Cell("four-layers", (2, 2), SPECTRUM, 4, "0.1c"),
)
CONTROLS = (Cell("spare-neurons", (2, 2), SPECTRUM, 3, "0.15c", 3), Cell("no-spare", (2, 2), SPECTRUM, 3, "0.15c"))

FIELDS = {
    "control": ("cell", "1 for cells of the control"),
    "pieces": ("cell", "pieces into which rotations join the trained minimizers"),
    "signs": ("cell", "different signs of the determinants of the layers that the kept directions fill"),
    "predicted_pieces": ("cell", "2 to the number of hidden layers that the kept directions fill"),
    "if_all_filled": ("cell", "2 to the number of hidden layers"),
    "piece_tolerance": ("cell", "a quarter: numbers of pieces are whole"),
    "barrier": ("cell", "closed form of the pass between two pieces, above the minimum; NaN where there is one piece"),
    "level_difference": ("cell", "F without the smallest kept value, above the minimum"),
    "highest_barrier": ("cell", "the same closed form for the largest value"),
    "lowest_pass": ("cell", "the lowest pass that a string of the cell found, above the minimum"),
    "in_piece": ("cell start", "1 for minimizers that rotations join to the first one of their piece"),
    "start_gap": ("cell start", "distance of the two minimizers"),
    "end_gap": ("cell start", "distance of the end of these rotations from the minimizer"),
    "end_tolerance": ("cell start", "what both gradient norms and rounding allow for it"),
    "path": ("cell start", "largest departure of F from the minimum along the rotations"),
    "path_tolerance": ("cell start", "what the gradient norm and rounding allow for it: F does not change"),
    "line": ("cell start", "largest F above the minimum on the straight line to the same minimizer"),
    "string_certified": ("cell string", "1 where a string's pass is critical and has one negative eigenvalue"),
    "string_pass": ("cell string", "F at the pass of a string, above the minimum"),
    "string_tolerance": ("cell string", "what the gradient norm and rounding allow for it"),
    "string_values": ("cell string image", "F at the images of a string, above the minimum"),
    "below": ("cell", "how far the lowest pass found is below the closed form"),
    "pass_tolerance": ("cell", "the largest tolerance of the cell's passes"),
}


class Valued(Objective):
    """F with its values, for strings."""

    def values(self, points: Floats) -> Floats:
        """F (...) at points (..., N)."""
        x = product_of(layers_of(points, self.widths))
        return np.asarray(np.sum((x - self.target) ** 2, axis=(-2, -1)) + self.lam * np.sum(points**2, axis=-1))


def make(settings: Settings) -> xr.Dataset:
    """Evidence of `dmf.evidence.certify` and FIELDS, over (cell, start), strings over (cell, string)."""
    evidence, trained = train_cells([*CELLS, *CONTROLS], STARTS, settings)
    rows = [
        _cell(evidence.isel(cell=place), cell, settings.seed) | {"control": place >= len(CELLS)}
        for place, cell in enumerate(trained)
    ]
    others = {"string": ("string", np.arange(STRINGS)), "image": ("image", np.arange(IMAGES))}
    return evidence.assign(assembled(FIELDS, rows, others))


def _cell(evidence: xr.Dataset, trained: TrainedCell, seed: int) -> Row:
    depth, lam, target = trained.cell.depth, trained.lam, trained.target
    widths = trained.cell.group.widths
    sigma = np.linalg.svd(target, compute_uv=False)
    x = np.asarray(theory.scalar_minimizer(sigma, depth, lam))
    kept = int(np.count_nonzero(x))
    right = np.linalg.svd(target)[2][:kept].T
    filled = [place for place, width in enumerate(widths[1:-1]) if width == kept]
    minimal = np.flatnonzero((evidence["minimal"].values == 1) & np.isfinite(evidence["radius"].values))
    runs = {start: layers_of(trained.parameters[start], widths) for start in minimal}
    pieces, facts = _joined(evidence, trained, runs, right)
    signs = {
        tuple(np.sign(np.linalg.det(product_of(run[: place + 1]) @ right)) for place in filled) for run in runs.values()
    }
    passes = _passes(trained, [trained.parameters[first] for first in pieces[:2]], seed)
    lowest = theory.minimum_value(target, depth, lam)
    barrier = [height_of_pass(value, depth, lam) for value in sigma[:kept]]
    found = _strings(passes, lowest, float(np.sum(sigma**2)))
    certified = found["string_certified"] == 1
    least = found["string_pass"][certified].min() if certified.any() else np.nan
    split = bool(filled)
    return {
        "pieces": len(pieces),
        "signs": len(signs),
        "predicted_pieces": 2 ** len(filled),
        "if_all_filled": 2 ** (depth - 1),
        "piece_tolerance": 0.25,
        "barrier": barrier[-1] if split else np.nan,
        "highest_barrier": barrier[0] if split else np.nan,
        "level_difference": sigma[kept - 1] ** 2
        - float(theory.scalar_objective(x[kept - 1], sigma[kept - 1], depth, lam)),
        "lowest_pass": least,
        "below": barrier[-1] - least if split else np.nan,
        "pass_tolerance": found["string_tolerance"][certified].max() if certified.any() else np.nan,
        **facts,
        **found,
    }


def height_of_pass(sigma: float, depth: int, lam: float) -> float:
    """F at the pass over which a kept value changes its sign, above the minimum: at the small root, 0 for L = 2."""
    top = 0.0 if depth == 2 else float(theory.small_root(sigma, depth, lam))
    best = float(theory.scalar_minimizer(sigma, depth, lam))
    above, below = (float(theory.scalar_objective(x, sigma, depth, lam)) for x in (top, best))
    return above - below


def _joined(
    evidence: xr.Dataset, trained: TrainedCell, runs: dict[Any, list[Floats]], right: Floats
) -> tuple[list[Any], dict[str, Floats]]:
    """The first run of each piece, and fields of all runs: each is joined to the first that rotations take to it."""
    depth, lam, target = trained.cell.depth, trained.lam, trained.target
    count, mu, energy = evidence.sizes["start"], float(evidence["mu"]), float(np.sum(target**2))
    lowest = theory.minimum_value(target, depth, lam)
    names = ("in_piece", "start_gap", "end_gap", "end_tolerance", "path", "path_tolerance", "line")
    fields = {name: np.zeros(count) if name == "in_piece" else np.full(count, np.nan) for name in names}
    firsts: list[Any] = []
    for start, run in runs.items():
        for first in firsts:
            rotations = joining(runs[first], run, right)
            if rotations is None:
                continue
            paths = turned(runs[first], rotations, PARTS)
            gradients = evidence["gradient_norm"].values[[first, start]].sum()
            size = float(np.sqrt(sum(np.sum(layer**2) for layer in run)))
            away = float(certificate.gradient_distance(gradients, mu)) + ROUNDING_PATHS * size
            values = [theory.objective(layers, target, lam) - lowest for layers in paths]
            middle = [(a + b) / 2 for a, b in zip(runs[first], run, strict=True)]
            fields["in_piece"][start] = 1
            fields["start_gap"][start] = np.sqrt(
                sum(np.sum((a - b) ** 2) for a, b in zip(runs[first], run, strict=True))
            )
            fields["end_gap"][start] = np.sqrt(sum(np.sum((a - b) ** 2) for a, b in zip(paths[-1], run, strict=True)))
            fields["end_tolerance"][start] = away
            fields["path"][start] = np.abs(values).max()
            fields["path_tolerance"][start] = float(
                certificate.gradient_gap(evidence["gradient_norm"].values[first], mu) + ROUNDING_PATHS * energy
            )
            fields["line"][start] = theory.objective(middle, target, lam) - lowest
            break
        else:
            firsts.append(start)
    return firsts, fields


def _passes(trained: TrainedCell, ends: list[Floats], seed: int) -> list[Pass]:
    """Passes of strings between two minimizers of different pieces; none where there is one piece."""
    if len(ends) < 2:
        return []
    function = Valued(trained.target, trained.cell.group.widths, trained.lam)
    rng = generator(["study", "components", seed, trained.cell.name])
    step = 0.5 / float(np.linalg.eigvalsh(function.hessians(ends[0][None]))[0, -1])
    size = float(np.linalg.norm(ends[0])) / np.sqrt(ends[0].size)
    return [
        lowest_pass(function, (ends[0], ends[1]), BULGE * size * rng.standard_normal(ends[0].size), step)
        for _ in range(STRINGS)
    ]


def _strings(passes: list[Pass], lowest: float, energy: float) -> dict[str, Floats]:
    if not passes:
        nothing = np.full(STRINGS, np.nan)
        return {
            "string_certified": np.zeros(STRINGS),
            "string_pass": nothing,
            "string_tolerance": nothing,
            "string_values": np.full((STRINGS, IMAGES), np.nan),
        }
    norms, curvature = (np.array([getattr(one, name) for one in passes]) for name in ("gradient_norm", "smallest"))
    tolerance = np.asarray(certificate.gap_tolerance(norms, curvature, energy))
    index = np.array([one.negative for one in passes])
    return {
        "string_certified": ((index == 1) & (norms < 1e-10)).astype(np.float64),
        "string_pass": np.array([one.value for one in passes]) - lowest,
        "string_tolerance": tolerance,
        "string_values": np.array([one.string for one in passes]) - lowest,
    }


STUDY = Study(
    title="Pieces of the set of minimizers",
    summary=(
        r"$2 \times 2$ and $2 \times 3$ targets trained from 96 starts at depths 2 to 4, with and without spare "
        "neurons; rotations between minimizers, and strings over the pass between two pieces."
    ),
    make=make,
)
