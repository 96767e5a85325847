"""Evidence in chunks: read one after the other, so that memory does not grow with the number of runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

import numpy as np
import xarray as xr


def by_cells(chunks: Iterable[xr.Dataset]) -> Iterator[Iterator[xr.Dataset]]:
    """Chunks (cell, start) that share their cells together, in the order given; one chunk is in memory at a time.

    A cell too large for one chunk is alone in each of several that follow one another (`dmf.grid.tiles.split`).
    """
    for _, members in groupby(chunks, _lone_cell):
        yield members


def _lone_cell(chunk: xr.Dataset) -> object:
    """What names the only cell of a chunk; unlike anything else where there are several."""
    if chunk.sizes["cell"] != 1 or "group" not in chunk.coords:
        return object()
    return tuple(chunk[name].item() for name in ("target", "lam_label", "group"))


def joined(chunks: Iterable[xr.Dataset]) -> xr.Dataset:
    """All chunks as one dataset (cell, start); `sigma` is padded with NaN to the longest."""
    cells = [_concatenated(list(members), "start") for members in by_cells(chunks)]
    longest = max(chunk.sizes.get("singular", 0) for chunk in cells)
    if longest:
        cells = [chunk.pad(singular=(0, longest - chunk.sizes["singular"])) for chunk in cells]
    return _concatenated(cells, "cell")


def _concatenated(chunks: Sequence[xr.Dataset], dim: str) -> xr.Dataset:
    if len(chunks) == 1:
        return chunks[0]
    return xr.concat(chunks, dim, data_vars="minimal", coords="minimal", compat="override", join="override")


def thinned(chunks: Iterable[xr.Dataset], draw_step: int, cell_step: int) -> xr.Dataset:
    """Every `draw_step`-th draw of each series in every `cell_step`-th cell, as one dataset (cell, start)."""

    def thin() -> Iterator[xr.Dataset]:
        seen = 0
        for members in by_cells(chunks):
            for chunk in members:
                cells = (seen + np.arange(chunk.sizes["cell"])) % cell_step == 0
                sizes = chunk.sizes["cell"]
                thin = chunk.isel(start=chunk["draw"].values % draw_step == 0, cell=cells)
                if thin["certified"].size:
                    yield thin
            seen += sizes

    return joined(thin() if max(draw_step, cell_step) > 1 else chunks)
