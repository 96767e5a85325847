"""Evidence in parts: read one after the other, so that memory does not grow with the number of runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

import numpy as np
import xarray as xr


def by_cells(parts: Iterable[xr.Dataset]) -> Iterator[Iterator[xr.Dataset]]:
    """Parts (cell, start) that share their cells together, in the order given; one part is in memory at a time.

    A cell too large for one part is alone in each of several that follow one another (`dmf.grid.tiles.split`).
    """
    for _, members in groupby(parts, _lone_cell):
        yield members


def _lone_cell(part: xr.Dataset) -> object:
    """What names the only cell of a part; unlike anything else where there are several."""
    if part.sizes["cell"] != 1 or "group" not in part.coords:
        return object()
    return tuple(part[name].item() for name in ("target", "lam", "group"))


def joined(parts: Iterable[xr.Dataset]) -> xr.Dataset:
    """All parts as one dataset (cell, start); `sigma` is padded with NaN to the longest."""
    cells = [_concatenated(list(members), "start") for members in by_cells(parts)]
    longest = max(part.sizes.get("singular", 0) for part in cells)
    if longest:
        cells = [part.pad(singular=(0, longest - part.sizes["singular"])) for part in cells]
    return _concatenated(cells, "cell")


def _concatenated(parts: Sequence[xr.Dataset], dim: str) -> xr.Dataset:
    if len(parts) == 1:
        return parts[0]
    return xr.concat(parts, dim, data_vars="minimal", coords="minimal", compat="override", join="override")


def thinned(parts: Iterable[xr.Dataset], draw_step: int, cell_step: int) -> xr.Dataset:
    """Every `draw_step`-th draw of each series in every `cell_step`-th cell, as one dataset (cell, start)."""

    def thin() -> Iterator[xr.Dataset]:
        seen = 0
        for members in by_cells(parts):
            for part in members:
                cells = (seen + np.arange(part.sizes["cell"])) % cell_step == 0
                sizes = part.sizes["cell"]
                thin = part.isel(start=part["draw"].values % draw_step == 0, cell=cells)
                if thin["certified"].size:
                    yield thin
            seen += sizes

    return joined(thin() if max(draw_step, cell_step) > 1 else parts)
