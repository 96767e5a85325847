"""`dmf prove`: proves a minimizer near stored layers, and decides the claims on runs there."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Sequence
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from zipfile import ZipFile

import numpy as np
from numpy.typing import NDArray

from dmf.cli.grammar import LAM, lam_label
from dmf.cli.output import console, print_json
from dmf.errors import UserError, printable
from dmf.grid.readers import npz
from dmf.grid.readers._contract import MAX_BYTES, Options
from dmf.grid.user_files import regular_file

if TYPE_CHECKING:
    import xarray as xr

Floats = NDArray[np.float64]
LARGEST_DEPTH = 200  # as in a grid


class Stored(NamedTuple):
    """Layers as they are stored, with their target and lambda."""

    name: str
    layers: list[Floats]
    matrix: Floats
    lam: float


def add_command(commands: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "prove", help="prove a minimizer near stored layers in ball arithmetic, and decide every claim on runs there"
    )
    parser.add_argument(
        "file",
        type=Path,
        help="data/NAME/proofs.nc, or an .npz file with the target M, the number lam and the layers W_1, ..., W_L",
    )
    parser.add_argument("--target", help="only runs of this target")
    parser.add_argument("--depth", type=int)
    parser.add_argument("--lam", help=LAM)
    parser.add_argument("--number", type=int, help="only this run of each cell, counted from 0")
    parser.add_argument("--json", action="store_true", help="print JSON with every digit")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Prove and print; exit status 1 where something is not proved or a statement fails. Raises UserError."""
    from dmf.proof.minimizer import prove
    from dmf.proof.statements import FAILS, SAYS, decide, minimizer

    found = []
    for one in stored(options.file, options):
        proof = prove(one.layers, one.matrix, one.lam)
        says: dict[str, int] = {}
        place: dict[str, Any] = {}
        if proof.proved:
            there = minimizer(one.layers, one.matrix, one.lam, proof)
            says, place = decide(there), {"level": there.level, "rank": there.rank, "global": there.is_global}
        words = {name: SAYS[word] for name, word in says.items()}
        found.append((one.name, proof, place, words, FAILS not in says.values()))
    if options.json:
        print_json(
            [
                {"run": name, **asdict(proof), "reason": proof.reason.name.lower(), **place, "statements": words}
                for name, proof, place, words, _ in found
            ]
        )
    else:
        _print(found)
    return 0 if all(proof.proved and good for _, proof, _, _, good in found) else 1


def _print(found: Sequence[tuple[str, Any, dict[str, Any], dict[str, str], bool]]) -> None:
    screen = console(sys.stdout)
    for name, proof, place, words, _ in found:
        screen.print(f"{name}: {proof.reason.value}", markup=False)
        if not proof.proved:
            screen.print(f"  gradient norm <= {proof.gradient_norm:.6g}; {proof.detail}", markup=False)
            continue
        low, high = proof.objective
        soft, stiff = proof.curvature
        level = "not decided" if place["level"] is None else place["level"]
        screen.print(
            f"  gradient norm <= {proof.gradient_norm:.6g}, distance <= {proof.radius:.6g}\n"
            f"  F in [{low!r}, {high!r}]\n"
            f"  smallest positive Hessian eigenvalue in [{soft:.12g}, {stiff:.12g}], orbit of dimension {proof.orbit}\n"
            f"  level {level}, {'a global minimizer' if place['global'] else 'not proved to be a global minimizer'}\n"
            f"  {', '.join(f'{claim} {word}' for claim, word in words.items())}",
            markup=False,
        )


def stored(file: Path, options: argparse.Namespace) -> list[Stored]:
    """The layers in a file that are asked for. Raises UserError for a file that has none, or is damaged."""
    found = _from_npz(file) if file.suffix == ".npz" else _from_proofs(file, options)
    if not found:
        raise UserError(f"{printable(str(file))}: no such run; leave out --target, --depth, --lam or --number")
    return found


def _from_npz(file: Path) -> list[Stored]:
    where = printable(str(file))
    try:
        content = regular_file(file, MAX_BYTES, "save fewer arrays")
        with ZipFile(io.BytesIO(content)) as archive:
            names = [name.removesuffix(npz.MEMBER) for name in archive.namelist()[: LARGEST_DEPTH + 2]]
        arrays = {name: npz.read(content, ".npz", Options(variable=name)).values for name in names}
        held = {name: np.asarray(array, dtype=np.float64) for name, array in arrays.items()}
    except UserError as error:
        raise UserError(f"{where}: {error}") from None
    except Exception as error:  # zipfile and NumPy raise many kinds for a damaged file
        raise UserError(f"{where}: not a readable .npz file ({' '.join(str(error).split())})") from None
    depth = sum(name.startswith("W_") for name in held)
    wanted = ["M", "lam", *(f"W_{number}" for number in range(1, depth + 1))]
    missing = [name for name in wanted if name not in held]
    if depth < 2 or missing:
        raise UserError(
            f"{where}: got {printable(', '.join(sorted(held)))}, expected M, lam and two or more layers W_1, ..., W_L"
        )
    if held["lam"].size != 1 or not float(held["lam"].ravel()[0]) > 0:
        raise UserError(f"{where}: lam: expected one number > 0")
    layers = [held[name] for name in wanted[2:]]
    ends = [one.shape for one in layers]
    chained = all(len(shape) == 2 for shape in [*ends, held["M"].shape]) and all(
        b[1] == a[0] for a, b in pairwise(ends)
    )
    if not chained or (ends[-1][0], ends[0][1]) != held["M"].shape:
        raise UserError(
            f"{where}: layers of shapes {', '.join(map(str, ends))} are no chain W_L ... W_1 of the shape of M, "
            f"{held['M'].shape}"
        )
    return [Stored(where, layers, held["M"], float(held["lam"].ravel()[0]))]


def _from_proofs(file: Path, options: argparse.Namespace) -> list[Stored]:
    from dmf.dataset.store import read
    from dmf.studies.contract import check_study

    data = read(file, check_study)
    if not {"layers", "first_value", "matrix", "first_entry", "widths"} <= set(data.variables):
        raise UserError(f"{printable(str(file))}: no layers here; expected a file such as data/default/proofs.nc")
    label = options.lam and lam_label(options.lam)
    asked = {"target": options.target, "depth": options.depth, "lam_label": label}
    found = []
    for number in range(data.sizes["cell"]):
        cell = data.isel(cell=number)
        if options.target is None and int(cell["control"]) == 1:
            continue  # controls are shown to those who ask for them by name
        if all(value is None or cell[name].item() == value for name, value in asked.items()):
            places = range(data.sizes["start"]) if options.number is None else [options.number]
            found += [one for place in places if (one := _run(data, cell, place)) is not None]
    return found


def _run(data: xr.Dataset, cell: xr.Dataset, place: int) -> Stored | None:
    """The run at a place of a cell, None where there is none."""
    if not 0 <= place < cell.sizes["start"] or int(cell["first_value"][place]) < 0:
        return None
    widths = [int(d) for d in str(cell["widths"].item()).split()]
    first, begin = int(cell["first_entry"]), int(cell["first_value"][place])
    matrix = data["matrix"].values[first : first + widths[0] * widths[-1]].reshape(widths[-1], widths[0])
    layers = []
    for columns, rows in pairwise(widths):
        layers.append(data["layers"].values[begin : begin + rows * columns].reshape(rows, columns))
        begin += rows * columns
    coordinates = f"target {cell['target'].item()}, depth {cell['depth'].item()}, lambda {cell['lam_label'].item()}"
    run = cell.isel(start=place)
    start = f"start {run['scheme'].item()} x {float(run['scale']):g} no. {int(run['draw'])}"
    return Stored(f"{coordinates}, {start}", layers, matrix, float(cell["lam"]))
