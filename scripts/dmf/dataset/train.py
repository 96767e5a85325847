"""Trains the runs of a block of cells and labels them: where configuration, engine and data contract meet."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dmf.dataset.provenance import file_attributes
from dmf.dataset.schema import Block, DataError, runs_dataset
from dmf.grid.cells import Group, Series, StartKey, draw_starts, gradient_scale, lambda_value
from dmf.grid.config import Grid
from dmf.grid.cost import runs_together
from dmf.grid.targets import TargetMatrix
from dmf.grid.tiles import Tile, tile_text, training_fingerprint
from dmf.training.engine import train
from dmf.training.result import Runs, joined
from dmf.training.settings import Optimizer
from dmf.training.tasks import Execution, Tasks

if TYPE_CHECKING:
    from jaxtyping import Float64

Floats = NDArray[np.float64]


def train_tile(
    tile: Tile, targets: Sequence[TargetMatrix], grid: Grid, progress: Callable[[int], None] | None = None
) -> xr.Dataset:
    """Train every run of a tile. `progress` is called with the number of finished runs.

    Raises DataError where a target is no longer the one the tile was planned for.
    """
    by_name = {target.name: target for target in targets}
    members = [by_name[name] for name, _ in tile.targets]
    for target, (name, fingerprint) in zip(members, tile.targets, strict=True):
        if target.fingerprint != fingerprint:
            raise DataError(f"target {name}: its definition or file changed after the run was planned; run again")
    spans = {series: range(tile.first, tile.last) for series in tile.series}
    dataset = train_block(tile.group, members, tile.lambdas, spans, grid, progress)
    dataset.attrs["tile"] = tile_text(tile)
    return dataset


def train_block(
    group: Group,
    targets: Sequence[TargetMatrix],
    labels: Sequence[str],
    spans: dict[Series, range],
    grid: Grid,
    progress: Callable[[int], None] | None = None,
) -> xr.Dataset:
    """Train targets x labels x (series, index) cells of one group with the settings of `grid`."""
    began = time.perf_counter()
    starts = [(series, index) for series, span in spans.items() for index in span]
    norms, lam, tolerance = _scales(group, targets, labels, grid)
    pieces = [
        Piece(target.name, target.values, norms[i], label, lam[i, k], tolerance[i], series, span)
        for (i, target), (k, label), (series, span) in product(enumerate(targets), enumerate(labels), spans.items())
    ]
    parts: list[Runs] = []
    finished = 0

    def note(of_part: int) -> None:
        if progress is not None:
            progress(finished + of_part)

    together = runs_together(group.widths, len(targets) * len(labels) * len(starts), grid.device)
    for some in _cut(pieces, together):
        runs = train_starts(some, group.widths, grid.seed, grid.optimizer, device=grid.device, progress=note)
        parts.append(runs if grid.keep.layers else replace(runs, layers=[]))
        finished += len(runs.status)
    dataset = label_runs(group, targets, labels, starts, joined(parts), grid)
    return dataset.assign_attrs(
        **file_attributes(
            f"Trained factorizations {group.name}", "Runs of L2-regularized deep matrix factorization, one a start"
        ),
        optimizer=json.dumps(grid.optimizer.model_dump()),
        seed=grid.seed,
        device=grid.device,
        threads=1,
        train_seconds=time.perf_counter() - began,
    )


class Piece(NamedTuple):
    """Starts `span` of one series for one target at one lambda."""

    name: str
    values: Float64[Floats, "d_L sample"]
    """(d_L, d_0), or (d_L, n) with inputs"""
    norm: float
    """The spectral norm, which sets the size of starts."""
    label: str
    lam: float
    tolerance: float
    """The gradient norm that ends a run."""
    series: Series
    span: range
    inputs: Float64[Floats, "d_0 sample"] | None = None
    """(d_0, n), of all pieces that train together or of none"""


def train_starts(
    pieces: Sequence[Piece],
    widths: Sequence[int],
    seed: int,
    optimizer: Optimizer,
    *,
    device: str = "cpu",
    progress: Callable[[int], None] | None = None,
) -> Runs:
    """Draw the starts of pieces of one shape and train them together: the runs, piece by piece.

    A run is the same bits whatever trains beside it (see `dmf.training.engine.train`), and a start that of a grid with
    the same seed and coordinates.
    """
    drawn = [
        draw_starts(StartKey(seed, one.name, tuple(widths), one.label, one.series), one.span, one.norm)
        for one in pieces
    ]
    each = [one for one in pieces for _ in one.span]
    inputs = [one.inputs for one in each if one.inputs is not None]
    tasks = Tasks(
        np.stack([one.values for one in each]),
        np.array([one.lam for one in each]),
        np.array([one.tolerance for one in each]),
        np.stack(inputs) if inputs else None,
    )
    starts = [np.concatenate(layer) for layer in zip(*drawn, strict=True)]
    return train(tasks, starts, optimizer, on=Execution(device), progress=progress)


def _cut(pieces: Iterable[Piece], most: int) -> Iterator[list[Piece]]:
    """The pieces in order, in lists of `most` runs; the last may have fewer."""
    some: list[Piece] = []
    room = most
    for piece in pieces:
        span = piece.span
        while span:
            some.append(piece._replace(span=span[:room]))
            span, room = span[room:], room - len(some[-1].span)
            if room == 0:
                yield some
                some, room = [], most
    if some:
        yield some


def label_runs(
    group: Group,
    targets: Sequence[TargetMatrix],
    labels: Sequence[str],
    starts: Sequence[tuple[Series, int]],
    runs: Runs,
    grid: Grid,
) -> xr.Dataset:
    """Runs of targets x labels x starts, in that order, as a dataset that says what they are runs of."""
    _, lam, tolerance = _scales(group, targets, labels, grid)
    block = Block(group, targets, labels, lam, tolerance, starts)
    dataset = runs_dataset(block, runs, layers=grid.keep.layers)
    return dataset.assign_attrs(training=training_fingerprint(grid))


def _scales(
    group: Group, targets: Sequence[TargetMatrix], labels: Sequence[str], grid: Grid
) -> tuple[list[float], Floats, Floats]:
    """Spectral norms (target,), lambdas (target, lam_label) and largest certified gradient norms (target,)."""
    norms = [float(target.singular_values[0]) for target in targets]
    lam = np.array([[lambda_value(label, norm, group.depth) for label in labels] for norm in norms])
    tolerance = np.array([grid.certificate.gradient_norm * gradient_scale(norm, group.depth) for norm in norms])
    return norms, lam, tolerance
