"""What a claim makes of every run or case, and of every cell: the material of its verdict, and its table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dmf.dataset.coordinates import COORDINATES
from dmf.evidence.chunks import by_cells, joined
from dmf.evidence.claim import EDGE, Claim
from dmf.grid.config import Certificate

FOLLOW = ("group", "lam", "relative")  # coordinates that follow from others, where there is a lam_label
CONFIRMS, VIOLATES, TOO_FEW, OUTSIDE = range(4)
ALL_CELLS, IN_SCOPE = "all cells", "cells in scope"  # of which a share must count
SAYS = ("confirms", "violates", "too few counted", "outside the hypotheses")
ENDS = ("objective", "gradient_norm")
SMALL = 2**13  # bytes; a filter costs some kB by itself
OF_CELLS = ("runs", "certified")  # columns that no claim changes
TABLE_TEXTS = {
    "runs": "runs or cases of the cell",
    "certified": "runs or cases that have a certificate",
    "counted": "runs or cases that the claim counts",
    "distinct": "different end points of these",
    "statistic": "largest departure of a counted one, in units of what its own certificate allows: 1 is the edge",
    "says": "what the cell contributes to the verdict",
}
MOST_ROWS = 200  # of a table for spreadsheets; the dataset has all


def names_of(evidence: xr.Dataset, *dims: str) -> list[str]:
    """Names of the coordinates that tell the members of `dims`, such as cell and start, apart."""
    named = [str(n) for n, value in evidence.coords.items() if value.dims in [(d,) for d in dims]]
    return [name for name in named if not (name in FOLLOW and "lam_label" in evidence.coords)]


def weigh(claim: Claim, chunk: xr.Dataset) -> xr.Dataset:
    """`scope` (cell,), `certified`, `eligible`, `ratio` and `ending` (cell, start) of a claim.

    No ratio (NaN) is infinite. Runs with the same `ending` ended at the same point, to the last bit.
    """
    scope = claim.scope(chunk)
    ratio = claim.ratio(chunk).transpose("cell", "start").values
    values = {
        "certified": chunk["certified"].transpose("cell", "start").values == 1,
        "eligible": (claim.eligible(chunk) & scope).transpose("cell", "start").values,
        "ratio": np.where(np.isnan(ratio), np.inf, ratio),
        "ending": _endings(chunk),
    }
    weighed = xr.Dataset({name: (("cell", "start"), value) for name, value in values.items()})
    named = {name: value.variable for name, value in chunk.coords.items() if value.dims in (("cell",), ("start",))}
    return weighed.assign(scope=("cell", scope.values)).assign_coords(named)


def _endings(chunk: xr.Dataset) -> NDArray[np.uint64]:
    """A number for the end of each run, (cell, start), from the bits of its objective and gradient norm.

    Cases of a study that has neither are all different.
    """
    shape = chunk["certified"].transpose("cell", "start").shape
    ends = [chunk[name] for name in ENDS if name in chunk and set(chunk[name].dims) == {"cell", "start"}]
    if len(ends) < len(ENDS):
        return np.broadcast_to(np.arange(shape[1], dtype=np.uint64), shape)
    values = [np.ascontiguousarray(end.transpose("cell", "start").values, dtype=np.float64) for end in ends]
    bits = [value.view(np.uint64) for value in values]
    return bits[0] * np.uint64(0x9E3779B97F4A7C15) ^ bits[1]


def cell_table(claim: Claim, chunks: Iterable[xr.Dataset], certificate: Certificate) -> xr.Dataset:
    """What every cell contributes to the verdict, over (cell,), from evidence in chunks, each (cell, start).

    `runs`, `certified`, `counted` and `distinct` are numbers, the last of the different end points of those counted;
    `statistic` is the largest ratio of the counted, NaN where none is;
    `worst_*` are the coordinates of the run that has it, and mean nothing where none counted; `says` is an index of
    SAYS.
    """
    cells = (joined(weigh(claim, chunk) for chunk in members) for members in by_cells(chunks))
    table = joined(_cells(weighed, certificate) for weighed in cells)
    return _described(table.drop_vars("group", errors="ignore"), claim.noun).assign_attrs(
        share_of=ALL_CELLS if claim.study == "runs" else IN_SCOPE
    )


def _cells(weighed: xr.Dataset, certificate: Certificate) -> xr.Dataset:
    eligible, scope = weighed["eligible"].values, weighed["scope"].values
    ratio = np.where(eligible, weighed["ratio"].values, -np.inf)
    counted, worst = eligible.sum(axis=1), ratio.argmax(axis=1)
    statistic = np.where(counted > 0, ratio.max(axis=1), np.nan)
    endings = zip(weighed["ending"].values, eligible, strict=True)
    distinct = np.array([len(np.unique(ends[own])) for ends, own in endings], dtype=np.int32)
    few = distinct < certificate.runs_per_cell
    says = np.select([~scope, statistic > EDGE, few], [OUTSIDE, VIOLATES, TOO_FEW], CONFIRMS)
    columns = {
        "runs": np.full(counted.shape, eligible.shape[1], dtype=np.int32),
        "certified": weighed["certified"].values.sum(axis=1).astype(np.int32),
        "counted": counted.astype(np.int32),
        "distinct": distinct,
        "statistic": statistic,
        "says": says.astype(np.int8),
        **{f"worst_{name}": weighed[name].values[worst] for name in names_of(weighed, "start")},
    }
    named = {name: value.variable for name, value in weighed.coords.items() if value.dims == ("cell",)}
    return xr.Dataset({name: ("cell", value) for name, value in columns.items()}, coords=named)


def _described(table: xr.Dataset, noun: str) -> xr.Dataset:
    texts = {name: text.replace("runs or cases", f"{noun}s") for name, text in TABLE_TEXTS.items()}
    for name, variable in table.variables.items():
        coordinate = str(name).removeprefix("worst_")
        of = "of the one that has the statistic: " if coordinate != name else ""
        variable.attrs = {"long_name": texts.get(str(name), of + COORDINATES.get(coordinate, coordinate)), "units": "1"}
    meanings = " ".join(word.replace(" ", "_") for word in SAYS)
    table["says"].attrs |= {"flag_values": np.arange(len(SAYS), dtype=np.int8), "flag_meanings": meanings}
    return _encoded(table.assign_attrs(tolerance=EDGE))


def _encoded(table: xr.Dataset) -> xr.Dataset:
    for variable in table.variables.values():
        # Text as fixed characters takes a tenth of the bytes of netCDF's strings.
        fixed = {"dtype": "S1", "zlib": True} if variable.dtype.kind in "OUT" else {}
        variable.encoding = fixed or {"zlib": variable.nbytes > SMALL, "complevel": 4}
    return table


def shared_table(tables: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """The tables of claims on the same cells, by name, as one over (claim, cell): half the bytes of one file a claim.

    What the cells have for every claim stays over (cell,). Raises ValueError where the cells differ.
    """
    first, *others = tables.values()
    if not all(first.coords.equals(table.coords) for table in others):
        raise ValueError(f"the claims {', '.join(tables)} do not share their cells")
    shared = xr.Dataset(coords={name: value.variable for name, value in first.coords.items()}, attrs=first.attrs)
    shared = shared.assign_coords(claim=("claim", list(tables), {"long_name": "name of the claim", "units": "1"}))
    for name, variable in first.data_vars.items():
        rows = [table[name].values for table in tables.values()]
        values = rows[0] if name in OF_CELLS else np.stack(rows)
        shared[name] = (("cell",) if name in OF_CELLS else ("claim", "cell"), values, variable.attrs)
    return _encoded(shared)


def shown(value: float, digits: int = 3) -> str:
    """A finite number to some digits; to more where rounding would put it on an edge, 0, 1 or -1, or across.

    >>> shown(0.99999655), shown(1.0000001), shown(0.12345)
    ('0.999997', '1.0000001', '0.123')
    """
    return f"{value:.{enough_digits(value, digits)}g}"


def enough_digits(value: float, digits: int = 3) -> int:
    """How many significant digits leave a finite number on its side of the edges 0, 1 and -1: `digits` or more."""

    def side(number: float) -> tuple[bool, ...]:
        return tuple(compared for edge in (-1, 0, 1) for compared in (number < edge, number > edge))

    return next((n for n in range(digits, 17) if side(float(f"{value:.{n}g}")) == side(value)), 17)


def table_csv(table: xr.Dataset) -> str:
    """The MOST_ROWS cells nearest to the edge or beyond it, worst first, as CSV; cells where none counted come last."""
    place = np.argsort(-np.nan_to_num(table["statistic"].values, nan=-1.0), kind="stable")[:MOST_ROWS]
    rows = table.isel(cell=place).to_dataframe()
    worst = [name for name in rows.columns if name.startswith("worst_")]
    for name in worst:
        rows[name] = rows[name].astype(object).where(rows["counted"] > 0, "")
    rows = rows.assign(tolerance=1, says=[SAYS[index] for index in rows["says"]])
    order = [
        *names_of(table, "cell"),
        "runs",
        "certified",
        "counted",
        "distinct",
        "statistic",
        "tolerance",
        "says",
        *worst,
    ]
    rows["statistic"] = [shown(value, 6) if np.isfinite(value) else value for value in rows["statistic"]]
    return str(rows[order].to_csv(index=False, float_format="%.6g", lineterminator="\n"))
