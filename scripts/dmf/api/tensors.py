"""Named matrices as files of weights hold them: safetensors, archives of NumPy, and folders of adapters."""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile, ZipFile, ZipInfo

import numpy as np
from numpy.typing import NDArray

from dmf.dataset.store import replace_file
from dmf.errors import UserError, near, printable, shown
from dmf.grid.readers.npz import ENTRY, MOST_MEMBERS

Array = NDArray[np.float64]
WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"
ARCHIVE, SAFE = ".npz", ".safetensors"
TYPES = {"F16": np.float16, "F32": np.float32, "F64": np.float64}
BRAIN_FLOAT = "BF16"  # the upper half of a float32
MOST_BYTES = 2**32  # of arrays that an archive may unpack to


class Raw(NamedTuple):
    """A tensor as its file has it."""

    kind: str
    """a name of TYPES, BRAIN_FLOAT, or any other"""
    shape: tuple[int, ...]
    bytes: bytes
    """row by row, little-endian; of other types nothing"""
    place: int
    """where it begins in the file"""


@dataclass(frozen=True)
class Tensors:
    """Named tensors of a file, and what it says of adapters."""

    path: Path
    content: bytes
    """of the file of weights"""
    raw: Mapping[str, Raw]
    config: Mapping[str, Any]
    """what an adapter's folder says, or nothing"""

    @property
    def where(self) -> str:
        """What complaints name."""
        return printable(str(self.path))

    def number(self, name: str) -> float | None:
        """The first number of a tensor, such as the alpha beside an adapter; None where there is none."""
        one = self.raw.get(name)
        known = one is not None and one.kind in (*TYPES, BRAIN_FLOAT) and len(one.bytes) > 0
        return float(float64(one.kind, one.bytes)[0]) if one is not None and known else None

    def matrix(self, name: str) -> Array:
        """A tensor as float64. Raises UserError for what is no finite matrix of real numbers."""
        where = f"{self.where}: tensor {shown(name)}"
        if name not in self.raw:
            raise UserError(f"{where}: not in the file{near(name, self.raw)}; it has {listed(self.raw)}")
        kind, shape, content, _ = self.raw[name]
        if kind not in (*TYPES, BRAIN_FLOAT):
            raise UserError(f"{where}: has type {shown(kind)}, expected float16, bfloat16, float32 or float64")
        if len(shape) != 2 or 0 in shape:
            raise UserError(f"{where}: has shape {shape}, expected a matrix; convolutions are not audited")
        values = float64(kind, content).reshape(shape)
        bad = np.argwhere(~np.isfinite(values))
        if len(bad):
            place = tuple(int(i) for i in bad[0])
            more = f", and {len(bad) - 1} more" if len(bad) > 1 else ""
            raise UserError(f"{where}: {values[place]} at {place}{more}; expected finite numbers, save it in float32")
        return values

    def rewrite(self, changed: Mapping[str, bytes], out: Path) -> None:
        """Write the file, or the folder, again with other bytes for some tensors; all others stay as they are.

        Raises UserError where something lies at `out` already, or nothing can be written there.
        """
        if out.exists():
            raise UserError(f"{printable(str(out))}: exists already; choose another name")
        content = self._with(changed)
        if not self.path.is_dir():
            replace_file(out, lambda part: part.write_bytes(content))
            return
        replace_file(out / WEIGHTS, lambda part: part.write_bytes(content))
        replace_file(out / CONFIG, lambda part: part.write_bytes((self.path / CONFIG).read_bytes()))

    def _with(self, changed: Mapping[str, bytes]) -> bytes:
        if self.path.is_dir() or self.path.suffix != ARCHIVE:
            content = bytearray(self.content)
            for name, new in changed.items():
                place = self.raw[name].place
                content[place : place + len(new)] = new
            return bytes(content)
        arrays = _members(self.content)
        for name, new in changed.items():
            arrays[name] = np.frombuffer(new, TYPES[self.raw[name].kind]).reshape(self.raw[name].shape)
        written = io.BytesIO()
        with ZipFile(written, "w") as archive:  # numpy.savez has no room for an array called "file"
            for name, array in arrays.items():
                member = io.BytesIO()
                np.lib.format.write_array(member, array, allow_pickle=False)
                archive.writestr(ZipInfo(f"{name}.npy"), member.getvalue())
        return written.getvalue()


def read_tensors(path: Path) -> Tensors:
    """The tensors of a .safetensors or .npz file, or of an adapter's folder. Raises UserError for any other."""
    folder = path.is_dir()
    file = path / WEIGHTS if folder else path
    try:
        content = file.read_bytes()
        config = json.loads((path / CONFIG).read_text(encoding="utf-8")) if folder else {}
    except OSError as error:
        expected = f"a folder with {WEIGHTS} and {CONFIG}" if folder else "a .safetensors or .npz file"
        reason = error.strerror or str(error)
        raise UserError(f"{printable(str(error.filename or file))}: {reason}; expected {expected}") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{printable(str(path / CONFIG))}: no JSON: {error}; save the adapter again") from None
    if not isinstance(config, dict):
        raise UserError(f"{printable(str(path / CONFIG))}: expected a JSON object, as peft writes it")
    if file.suffix == ARCHIVE:
        return Tensors(path, content, _npz(file, content), config)
    if file.suffix == SAFE:
        return Tensors(path, content, _safetensors(file, content), config)
    raise UserError(f"{printable(str(file))}: has ending {shown(file.suffix or 'none')}, expected .safetensors or .npz")


def _npz(file: Path, content: bytes) -> dict[str, Raw]:
    kinds = {np.dtype(kind): name for name, kind in TYPES.items()}
    try:
        arrays = _members(content)
    except (ValueError, OSError, EOFError, zlib.error, BadZipFile, NotImplementedError, RuntimeError) as error:
        raise UserError(f"{printable(str(file))}: no archive of numpy.savez: {error}; save it again") from None
    found = {}
    for name, array in arrays.items():
        kind = kinds.get(array.dtype, "")
        found[name] = Raw(kind or str(array.dtype), array.shape, array.tobytes() if kind else b"", 0)
    return found


def _members(content: bytes) -> dict[str, NDArray[Any]]:
    """The arrays of an archive of numpy.savez. Raises what reading raises, ValueError where it unpacks to too much."""
    if content.count(ENTRY) > MOST_MEMBERS:  # zipfile would read an entry of its directory each
        raise ValueError(f"has more than {MOST_MEMBERS} members")
    with ZipFile(io.BytesIO(content)) as archive:
        members = [one for one in archive.infolist() if one.filename.endswith(".npy")]
        if (size := sum(one.file_size for one in members)) > MOST_BYTES:  # zipfile reads no more than this says
            raise ValueError(f"unpacks to {size} bytes, expected at most {MOST_BYTES}")
        return {
            one.filename.removesuffix(".npy"): np.lib.format.read_array(
                io.BytesIO(archive.read(one)), allow_pickle=False
            )
            for one in members
        }


def _safetensors(file: Path, content: bytes) -> dict[str, Raw]:
    try:
        from safetensors import SafetensorError, deserialize
    except ModuleNotFoundError:
        raise UserError(
            f"{printable(str(file))}: safetensors is not installed; pip install 'dmf-landscape[audit]' brings it"
        ) from None
    try:
        deserialize(content)  # type: ignore[no-untyped-call]
    except SafetensorError as error:
        raise UserError(f"{printable(str(file))}: no safetensors file: {error}; fetch or save it again") from None
    # What deserialize accepts has a valid header: a length of eight bytes, then JSON with the places of all tensors.
    begin = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:begin])
    found = {}
    for name, one in header.items():
        if name != "__metadata__":
            first, last = one["data_offsets"]
            found[name] = Raw(one["dtype"], tuple(one["shape"]), content[begin + first : begin + last], begin + first)
    return found


def float64(kind: str, content: bytes) -> Array:
    """Numbers of one of TYPES or BRAIN_FLOAT, from bytes as files have them."""
    if kind == BRAIN_FLOAT:
        return (np.frombuffer(content, "<u2").astype(np.uint32) << 16).view(np.float32).astype(np.float64)
    return np.frombuffer(content, np.dtype(TYPES[kind]).newbyteorder("<")).astype(np.float64)


def stored(kind: str, values: Array) -> bytes:
    """Numbers as files have them in one of TYPES or BRAIN_FLOAT, rounded to the nearest; infinite past the largest."""
    if kind == BRAIN_FLOAT:
        with np.errstate(over="ignore"):
            bits = values.astype(np.float32).view(np.uint32)
        return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2").tobytes()
    with np.errstate(over="ignore"):
        return values.astype(np.dtype(TYPES[kind]).newbyteorder("<")).tobytes()


def listed(found: Iterable[str], most: int = 6) -> str:
    """Names as complaints list them.

    >>> listed("abc"), listed("abc", most=2), listed("")
    ('a, b, c', 'a, b, … (3 in all)', 'none')
    """
    known = list(found)
    more = f", … ({len(known)} in all)" if len(known) > most else ""
    return ", ".join(map(shown, known[:most])) + more if known else "none"
