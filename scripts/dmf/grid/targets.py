"""Target matrices: drawn from the configuration or read from the user's files."""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dmf.errors import UserError
from dmf.grid.config import LARGEST, MAX_TARGET_BYTES, SMALLEST, FileTarget, GaussianTarget, Grid, SpectrumTarget
from dmf.grid.seeds import digest, generator

Floats = NDArray[np.float64]
Reader = Callable[[bytes, str | None], NDArray[np.generic]]


@dataclass(frozen=True)
class TargetMatrix:
    """One target M (d_L, d_0) with what defines it; equal fingerprints mean equal numbers."""

    name: str
    label: str
    kind: str
    fingerprint: str
    values: Floats

    @property
    def shape(self) -> tuple[int, int]:
        """(d_L, d_0)."""
        rows, columns = self.values.shape
        return rows, columns

    @property
    def singular_values(self) -> Floats:
        """(min(d_L, d_0),), descending."""
        return np.asarray(np.linalg.svd(self.values, compute_uv=False), dtype=np.float64)


def build_targets(grid: Grid, source: str) -> list[TargetMatrix]:
    """Every target of a grid, in its order. `source` is the file to name in a complaint.

    Raises UserError for a file that is missing, malformed or not a finite real matrix of rank >= 1.
    """
    targets = []
    for position, spec in enumerate(grid.targets):
        where = f"{source}: targets.{position} ({spec.name})"
        definition = spec.model_dump(exclude={"label", "path"})
        if isinstance(spec, FileTarget):
            content = _read_bytes(Path(spec.path), where)
            values = _parse(content, Path(spec.path), spec.variable, where)
            definition["sha256"] = hashlib.sha256(content).hexdigest()
            where = f"{where}: {spec.path}"
        elif isinstance(spec, GaussianTarget):
            values = spec.scale * generator(["target", grid.seed, spec.name]).standard_normal(spec.shape)
        else:
            values = with_spectrum(spec, generator(["target", grid.seed, spec.name]))
        _refuse_extreme(values, where)
        fingerprint = digest([definition, grid.seed])
        targets.append(TargetMatrix(spec.name, spec.label or spec.name, spec.kind, fingerprint, values))
    return targets


def _refuse_extreme(values: Floats, where: str) -> None:
    largest = float(np.abs(values).max())
    if not SMALLEST <= largest <= LARGEST:
        raise UserError(
            f"{where}: the largest entry has size {largest:g}, expected {SMALLEST:g} to {LARGEST:g}, where squares "
            "and products stay in float64's range; rescale the target"
        )


def with_spectrum(spec: SpectrumTarget, rng: np.random.Generator) -> Floats:
    """U diag(singular_values) V^T with U, V uniform (Haar) orthonormal bases."""
    rows, columns = spec.shape
    rank = len(spec.singular_values)
    left, right = (_orthonormal(size, rank, rng) for size in (rows, columns))
    matrix: Floats = (left * np.array(spec.singular_values)) @ right.T
    return matrix


def _orthonormal(size: int, rank: int, rng: np.random.Generator) -> Floats:
    q, r = np.linalg.qr(rng.standard_normal((size, rank)))
    basis: Floats = q * np.where(np.diag(r) < 0, -1.0, 1.0)  # fixing the signs makes QR's Q uniform
    return basis


def _read_bytes(path: Path, where: str) -> bytes:
    try:
        if path.stat().st_size > MAX_TARGET_BYTES:
            raise UserError(
                f"{where}: {path} has {path.stat().st_size} bytes, expected at most {MAX_TARGET_BYTES}; "
                "reduce the matrix"
            )
        return path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"{where}: {path}: no such file; paths are relative to the working directory") from None
    except OSError as error:
        raise UserError(f"{where}: {path}: not readable ({error.strerror})") from None


def _parse(content: bytes, path: Path, variable: str | None, where: str) -> Floats:
    readers: dict[str, Reader] = {".npy": _parse_npy, ".csv": _parse_csv, ".nc": _parse_netcdf}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise UserError(f"{where}: {path}: got suffix {path.suffix!r}, expected one of {', '.join(readers)}")
    if variable is not None and reader is not _parse_netcdf:
        raise UserError(f"{where}: variable {variable!r} given for {path}, but only a .nc file has variables")
    try:
        values = reader(content, variable)
    except UserError as error:
        raise UserError(f"{where}: {path}: {error}") from None
    except Exception as error:  # readers raise whatever a malformed file makes them raise
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"{where}: {path}: not a readable {path.suffix} matrix ({reason})") from None
    return _checked(values, f"{where}: {path}")


def _parse_npy(content: bytes, variable: str | None) -> NDArray[np.generic]:
    array = np.load(io.BytesIO(content), allow_pickle=False)
    if not isinstance(array, np.ndarray):
        raise UserError("expected a single array; save the matrix with numpy.save")
    return array


def _parse_csv(content: bytes, variable: str | None) -> NDArray[np.generic]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # numpy only warns about a file without numbers
        return np.loadtxt(io.StringIO(content.decode("utf-8-sig")), delimiter=",", ndmin=2)


def _parse_netcdf(content: bytes, variable: str | None) -> NDArray[np.generic]:
    import netCDF4

    with netCDF4.Dataset("target", memory=content) as file:
        names = list(file.variables)
        if variable is None and len(names) != 1:
            raise UserError(f"has variables {', '.join(names) or '(none)'}; name one with the key variable")
        if variable is not None and variable not in names:
            raise UserError(f"has no variable {variable!r}; it has {', '.join(names) or 'none'}")
        data = file.variables[variable or names[0]][...]
    if np.ma.is_masked(data):
        raise UserError("has missing values; expected a full matrix")
    return np.asarray(data)


def _checked(values: NDArray[np.generic], where: str) -> Floats:
    if values.dtype.kind not in "fiu":
        raise UserError(f"{where}: got entries of type {values.dtype}, expected real numbers")
    if values.ndim != 2 or values.size == 0:
        raise UserError(f"{where}: got shape {values.shape}, expected a matrix with at least one row and column")
    matrix = values.astype(np.float64)
    if not np.isfinite(matrix).all():
        row, column = np.argwhere(~np.isfinite(matrix))[0]
        raise UserError(f"{where}: got {matrix[row, column]} at row {row}, column {column}, expected finite numbers")
    if not matrix.any():
        raise UserError(f"{where}: all entries are zero; lambda_c is not defined for a zero target")
    return matrix
