"""Trains the runs of a block of cells and labels them: where configuration, engine and data contract meet."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import product
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dmf.dataset.provenance import file_attributes
from dmf.dataset.schema import DataError, runs_dataset
from dmf.grid.cells import Group, Series, draw_starts, gradient_scale, lambda_value
from dmf.grid.config import Grid
from dmf.grid.cost import runs_together
from dmf.grid.targets import TargetMatrix
from dmf.grid.tiles import Tile, tile_text, training_fingerprint
from dmf.training.engine import train
from dmf.training.result import Runs, joined


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
    cells = list(product(range(len(targets)), range(len(labels))))
    pieces = [Piece(*cell, series, span) for cell in cells for series, span in spans.items()]
    parts: list[Runs] = []
    finished = 0

    def note(of_part: int) -> None:
        if progress is not None:
            progress(finished + of_part)

    for some in _cut(pieces, runs_together(group.widths, len(cells) * len(starts), grid.device)):
        runs = _train_pieces(group, targets, labels, some, grid, note)
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
    """Starts `span` of one series in one cell; target and label by their numbers."""

    target: int
    label: int
    series: Series
    span: range


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


def _train_pieces(
    group: Group,
    targets: Sequence[TargetMatrix],
    labels: Sequence[str],
    pieces: Sequence[Piece],
    grid: Grid,
    progress: Callable[[int], None],
) -> Runs:
    norms, lam, tolerance = _scales(group, targets, labels, grid)
    drawn = [
        draw_starts(
            grid.seed,
            targets[one.target].name,
            group.widths,
            labels[one.label],
            one.series,
            one.span,
            norms[one.target],
        )
        for one in pieces
    ]
    counts = [len(one.span) for one in pieces]
    of_run, lam_of_run = np.repeat([(one.target, one.label) for one in pieces], counts, axis=0).T
    return train(
        np.stack([target.values for target in targets])[of_run],
        lam[of_run, lam_of_run],
        [np.concatenate(layer) for layer in zip(*drawn, strict=True)],
        tolerance[of_run],
        grid.optimizer,
        device=grid.device,
        progress=progress,
        threads=1,
    )


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
    dataset = runs_dataset(
        group,
        [target.name for target in targets],
        [target.fingerprint for target in targets],
        np.stack([target.values for target in targets]),
        labels,
        lam,
        starts,
        tolerance,
        runs,
        layers=grid.keep.layers,
    )
    return dataset.assign_attrs(training=training_fingerprint(grid))


def _scales(
    group: Group, targets: Sequence[TargetMatrix], labels: Sequence[str], grid: Grid
) -> tuple[list[float], NDArray[np.float64], NDArray[np.float64]]:
    """Spectral norms (target,), lambdas (target, lam_label) and largest certified gradient norms (target,)."""
    norms = [float(target.singular_values[0]) for target in targets]
    lam = np.array([[lambda_value(label, norm, group.depth) for label in labels] for norm in norms])
    tolerance = np.array([grid.certificate.gradient_norm * gradient_scale(norm, group.depth) for norm in norms])
    return norms, lam, tolerance
