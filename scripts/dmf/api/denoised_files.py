"""A denoised matrix as files: the matrix in a format that people read, and a page."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np

from dmf.api.denoised import MOST_DIRECTIONS, Denoised
from dmf.dataset.store import replace_file, write_text
from dmf.errors import UserError, printable, shown
from dmf.report.tools.page import Picture, Table, ToolPage, drawn, tool_html

KINDS = (".npz", ".csv", ".nc")
LIMITS = (
    "Noise is taken for independent, Gaussian, and of one variance in all entries; rows or columns that are noisier "
    "than others bring directions of noise above the edge.",
    "The risks called asymptotic are those of large matrices with a signal of low rank, at which each singular value "
    "above the edge is a spike; signal below the edge is lost, and in no risk.",
    "Stein's estimate holds for any signal; its jump at the threshold is estimated, and the noise level, where that is "
    "estimated, moves all of its values together.",
    "X* is the minimizer of depth L in closed form. Trained layers of depth 3 and more may end above it.",
)
OF_MISSING = (
    "Entries are taken to be missing at random: not more often where they are large.",
    "Held-out entries choose depth and lambda, so their error is a little too good.",
    "The end is a fixed point of proximal steps, which for depth 3 and more need not be the global minimum.",
)


def check_out(path: Path) -> None:
    """Raise UserError for a name whose ending says no format."""
    if path.suffix not in KINDS:
        raise UserError(f"--out: got {shown(path.name)}, expected a name that ends in {', '.join(KINDS)}")


def write_matrix(found: Denoised, path: Path) -> None:
    """X* with its labels: .csv as people read it, .npz and .nc with the singular values before and after.

    The file is whole or absent. Raises UserError where it cannot be written.
    """
    if path.suffix == ".csv":
        write_text(_csv(found), path)
    elif path.suffix == ".nc":
        replace_file(path, _netcdf(found))
    else:
        arrays = {"minimizer": found.minimizer, "sigma": found.sigma, "singular_values": found.singular_values}
        named = {"rows": np.array(found.rows, dtype=str), "columns": np.array(found.columns, dtype=str)}

        def fill(temporary: Path) -> None:
            with temporary.open("wb") as file:
                np.savez(file, **arrays, **named)  # type: ignore[arg-type]

        replace_file(path, fill)


def _csv(found: Denoised) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    if found.columns:
        table.writerow([*([""] if found.rows else []), *found.columns])
    for at, row in enumerate(found.minimizer.tolist()):
        table.writerow([*([found.rows[at]] if found.rows else []), *map(repr, row)])
    return text.getvalue()


def _netcdf(found: Denoised) -> Callable[[Path], None]:
    import xarray as xr

    labels = {name: list(values) for name, values in (("row", found.rows), ("column", found.columns)) if values}
    made = xr.Dataset(
        {
            "minimizer": (("row", "column"), found.minimizer, {"long_name": "the matrix without its noise"}),
            "sigma": ("value", found.sigma, {"long_name": "singular values before"}),
            "singular_values": ("value", found.singular_values, {"long_name": "singular values after"}),
        },
        labels,
        {"depth": found.depth, "lam": found.lam, "choose": found.choose},
    )
    return lambda temporary: made.to_netcdf(temporary, engine="netcdf4")


def page_html(found: Denoised, name: str) -> str:
    """One self-contained page about the file called `name`."""
    titles = ("Singular values", "Risk by depth" if found.completed is None else "Held-out entries")
    captions = (
        "Points are those of the matrix, disks what is left of those that are kept. What is below the line where noise "
        "ends cannot be told from it."
        if found.completed is None
        else "Points are those of the matrix filled with X*, disks what is left of those that are kept.",
        "What each depth would cost at the lambda that is chosen for it, and the best that is known; in squared units "
        "of the matrix."
        if found.completed is None
        else "Root mean square error of entries that the fit has not seen, by depth and lambda.",
    )
    figures = (drawn(found.plot), drawn(found.plot_risks))
    pictures = [Picture(*one) for one in zip(titles, figures, captions, strict=True)]
    limits = LIMITS if found.completed is None else OF_MISSING
    return tool_html(ToolPage("dmf denoise", printable(name), found.lines(), limits, _tables(found), pictures))


def _tables(found: Denoised) -> list[Table]:
    kept = [
        [str(at + 1), f"{one.observed:.4g}", f"{one.shrunk:.4g}", _listed(one.rows), _listed(one.columns)]
        for at, one in enumerate(found.directions)
    ]
    head = ["Direction", "Singular value", "shrunk to", "rows that load most", "columns that load most"]
    tables = [Table("What is kept", head, kept, "" if kept else "Nothing; the text above says why.")]
    if found.by_depth:
        head = ["Shrinkage", "λ", "threshold", "kept", "degrees of freedom", "asymptotic risk", "risk by Stein"]
        tables.append(Table("Compared with others on this matrix", head, comparison(found)))
    if found.completed is not None:
        rows = [[str(one.depth), f"{one.lam:.4g}", f"{one.error:.4g}"] for one in found.completed.tried]
        tables.append(Table("Held-out entries", ["Depth", "λ", "error"], rows))
    return tables


def comparison(found: Denoised) -> list[list[str]]:
    """A row for each shrinkage, the least risk by Stein first.

    >>> from dmf.api.denoise import denoise
    >>> comparison(denoise([[9.1, 0.2, 4.1], [5.8, -0.1, 3.0], [0.1, 0.2, -0.3]], depth=3, noise=0.2))[0][:4]
    ['best shrinkage', '–', '0.6928', '1']
    """
    return [
        [
            f"{one.name}, chosen" if one.depth == found.depth else one.name,
            f"{one.lam:.4g}" if one.depth else "–",
            f"{one.threshold:.4g}",
            str(one.kept),
            f"{one.degrees:.1f}",
            f"{one.asymptotic:.4g}",
            f"{one.stein:.4g}",
        ]
        for one in found.compare()
    ]


def _listed(names: tuple[tuple[str, float], ...]) -> str:
    return ", ".join(f"{name} {share:+.2f}" for name, share in names)


__all__ = ["KINDS", "MOST_DIRECTIONS", "check_out", "comparison", "page_html", "write_matrix"]
