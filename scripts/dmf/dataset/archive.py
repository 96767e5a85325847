"""Data from elsewhere in place of training: a copied data folder, held against the configuration before it is used."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import yaml

from dmf.dataset.ledger import LEDGER, read_tiles
from dmf.dataset.project import CONFIGURATION, Project
from dmf.dataset.schema import SCHEMA_VERSION, DataError
from dmf.dataset.stamps import IDENTITY
from dmf.dataset.store import read, read_header
from dmf.dataset.targets import targets_from_dataset
from dmf.errors import UserError, printable
from dmf.grid.config import validate
from dmf.grid.kinds import GaussianTarget, SpectrumTarget
from dmf.grid.targets import TargetMatrix, build_targets
from dmf.grid.tiles import Tile, lay

DRAWN = (GaussianTarget, SpectrumTarget)  # kinds whose numbers follow from the configuration alone
ASKED = ("archive", "incomplete")  # keys that are no part of a grid
CONTROLS = "controls.nc"
LONGEST = 60  # characters of a value in a complaint
UNSAFE = re.compile(r"""["'$`\\{}]""")  # Snakemake starts its jobs in a shell with such a path between double quotes
REMEDY = f"report this data with its own {CONFIGURATION}, or train what the configuration asks for"


def asked(config: Mapping[str, Any]) -> tuple[str, bool]:
    """What is asked of one run in Snakemake's configuration: the archive ("" for none), and whether `incomplete`.

    Raises UserError for an archive that is no folder, or has a name that could be run, or has no configuration where
    `config` has none either, and for another value of `incomplete` than true or false.
    """
    for key in ASKED:  # a list or mapping may stand for a billion values, so it is not written out
        if not isinstance(config.get(key, ""), str | int | float):
            raise UserError(f"{key}: got no text, expected {'a folder' if key == 'archive' else 'true or false'}")
    archive, text = str(config.get("archive", "")), str(config.get("incomplete", False)).lower()
    if UNSAFE.search(archive) or not archive.isprintable():
        raise _renamed(archive)
    if archive and not Path(archive).is_dir():
        raise UserError(f"archive: got {_short(archive)}, expected a folder copied from one such as data/default")
    if archive and "grid" not in config and not Path(configuration_of(archive)).is_file():
        raise UserError(
            f"archive: got {archive}, which has no {CONFIGURATION}; expected a folder copied from one such as "
            "data/default, or give its configuration with --configfile"
        )
    if text not in ("true", "false"):
        raise UserError(f"incomplete: got {_short(repr(config['incomplete']))}, expected true or false")
    return archive, text == "true"


def check_name(archive: str) -> None:
    """Raise UserError where Snakemake would take the name of an archive for another, a number or a list, or a shell
    for a command: it reads values of --config as YAML, whatever quotes are around them, and so does each of its jobs.
    """
    try:
        kept = yaml.BaseLoader(archive).get_single_data() == archive
    except yaml.YAMLError:
        kept = False
    try:
        float(archive)
    except ValueError:
        number = False
    else:
        number = True
    if number or not kept or UNSAFE.search(archive) or not archive.isprintable():
        raise _renamed(archive)


def _renamed(archive: str) -> UserError:
    return UserError(
        f"archive: got {_short(printable(archive))}, expected a name that is no number, and without quotes, braces, "
        "$, `, \\, ' #' and ': '; rename the folder"
    )


def configuration_of(archive: str) -> str:
    """Where the configuration of an archive lies."""
    return str(Path(archive) / CONFIGURATION)


def open_archive(raw: Any, source: str, archive: Path) -> Project:
    """The project of a copied data folder: its targets come from its own file, so the user's files are not needed.

    `source` is the file to name in a complaint. Raises UserError where the configuration is wrong, or the archive's
    targets are not those it asks for. Writes nothing.
    """
    grid = validate(raw, source)
    path = archive / "targets.nc"
    held = {target.name: target for target in targets_from_dataset(read(path))}
    drawn = grid.model_copy(update={"targets": [one for one in grid.targets if isinstance(one, DRAWN)]})
    expected = {target.name: target.fingerprint for target in build_targets(drawn, source)}
    targets = [
        replace(_target(one.name, one.kind, held, expected, path), label=one.label or one.name) for one in grid.targets
    ]
    ledger = read_tiles(archive / LEDGER)
    return Project(grid, targets, lay(grid, targets, ledger, source), ledger, archive / LEDGER)


def _target(
    name: str, kind: str, held: Mapping[str, TargetMatrix], expected: Mapping[str, str], path: Path
) -> TargetMatrix:
    if name not in held:
        raise DataError(f"{path}: target {name} is missing, it has {_short(', '.join(held))}; {REMEDY}")
    found = held[name]
    wanted = expected.get(name, found.fingerprint)
    if (found.kind, found.fingerprint) != (kind, wanted):
        raise DataError(
            f"{path}: target {name}: found {found.kind} with fingerprint {found.fingerprint}, expected {kind} with "
            f"{wanted}; {REMEDY}"
        )
    return found


def check_archive(project: Project, archive: Path, settings: Mapping[str, str], incomplete: bool = False) -> list[str]:
    """Hold every file of an archive against the configuration; values are held against their fingerprint when read.

    `settings` maps the files that are not runs to what they must have been made with. Returns those that are not there,
    none unless `incomplete`, which also lets runs be missing, but no controls: without them no check proves anything.
    Raises DataError naming the first file that disagrees.
    """
    identity_of(archive / "targets.nc")
    for chunk in chain.from_iterable(project.chunks()):
        _hold_runs(archive / "runs" / f"{chunk.name}.nc", chunk.block, incomplete)
    absent = []
    for name, expected in settings.items():
        path = archive / name
        if incomplete and not path.exists() and name != CONTROLS:
            absent.append(name)
            continue
        found = str(_head(path).attrs.get("settings", "not recorded"))
        if found != expected:
            raise DataError(f"{path}: settings: found {_short(found)}, expected {_short(expected)}; {REMEDY}")
    return absent


def _hold_runs(path: Path, block: Tile, incomplete: bool) -> None:
    if incomplete and not path.exists():
        return
    head = _head(path, ("target", "target_fingerprint", "lam_label", "scheme", "scale", "draw"))
    found, expected = _identity(head, block), _wanted(block)
    if incomplete:  # what it holds must be of this grid; it need not hold all of it
        known = dict(block.targets)
        held = [name for name in _names(head) if name in known]
        found["targets"] = [one for one in found["targets"] if one[0] in held]
        expected["targets"] = [(name, known[name]) for name in held]
    for key in ("schema", "widths", "training", "targets", *([] if incomplete else ["lambdas", "starts"])):
        if found[key] != expected[key]:
            raise DataError(f"{path}: {key}: {_difference(found[key], expected[key])}; {REMEDY}")


def identity_of(path: str | Path) -> str:
    """What a file of an archive is of, as it says itself. Raises DataError for a file that does not say it."""
    return str(_head(Path(path)).attrs[IDENTITY])


def _head(path: Path, names: Sequence[str] = ()) -> xr.Dataset:
    if not path.exists():
        raise DataError(f"{path}: no such file; copy it too, or report what there is with --config incomplete=true")
    head = read_header(path, names)
    if not head.attrs.get(IDENTITY):
        raise DataError(
            f"{path}: does not say what it is of, as files of earlier versions; report it with the version that made "
            "it, or train what its configuration asks for"
        )
    return head


def _wanted(block: Tile) -> dict[str, Any]:
    return {
        "schema": SCHEMA_VERSION,
        "widths": list(block.group.widths),
        "training": block.training,
        "targets": list(block.targets),
        "lambdas": list(block.lambdas),
        "starts": [(s.scheme, s.scale, block.first, block.last) for s in block.series],
    }


def _identity(head: xr.Dataset, block: Tile) -> dict[str, Any]:
    schemes, scales, draws = (head[name].values.tolist() for name in ("scheme", "scale", "draw"))
    spans: dict[tuple[str, float], list[int]] = {}
    for scheme, scale, draw in zip(schemes, scales, draws, strict=True):
        spans.setdefault((scheme, scale), []).append(draw)
    return {
        "schema": int(head.attrs.get("schema_version", 0)),
        "widths": [int(d) for d in np.atleast_1d(head.attrs.get("widths", []))],
        "training": str(head.attrs.get("training", "not recorded")),
        "targets": list(zip(_names(head), head["target_fingerprint"].values.tolist(), strict=True)),
        "lambdas": head["lam_label"].values.tolist(),
        "starts": [(*series, min(held), max(held) + 1) for series, held in spans.items()],
    }


def _names(head: xr.Dataset) -> list[str]:
    names: Sequence[str] = head["target"].values.tolist()
    return list(names)


def _difference(found: Any, expected: Any) -> str:
    """What is found and what is expected; of lists, the entries that the other has not."""
    if isinstance(found, list) and isinstance(expected, list):
        more, fewer = [one for one in found if one not in expected], [one for one in expected if one not in found]
        if more or fewer:
            found, expected = more or "none", fewer or "none"
    return f"found {_short(found)}, expected {_short(expected)}"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
