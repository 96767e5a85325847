"""Factored layers as files hold them: low-rank adapters, and the query, key, value and output of attention heads."""

from __future__ import annotations

import io
import json
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile, ZipFile, ZipInfo

import numpy as np
from numpy.typing import NDArray

from dmf.errors import UserError, near, printable, shown

Array = NDArray[np.float64]
WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"
# What the lower and the upper factor of an adapter are called: by peft, by peft for embeddings, by kohya-ss, by people.
ADAPTERS = (("lora_A", "lora_B"), ("lora_embedding_A", "lora_embedding_B"), ("lora_down", "lora_up"), ("A", "B"))
TYPES = {"F16": np.float16, "F32": np.float32, "F64": np.float64}
MOST_BYTES = 2**32  # of arrays that an archive may unpack to
BRAIN_FLOAT = "BF16"  # the upper half of a float32


@dataclass(frozen=True)
class Pair:
    """Two factors of one product. Dimensionless."""

    name: str
    b: Array
    """(d_out, r)"""
    a: Array
    """(r, d_in)"""
    scale: float
    """c of X = c B A"""
    b_name: str
    a_name: str


class Scaling(NamedTuple):
    """What is known of c in X = c B A but what a file says."""

    scale: float | None = None
    """c itself"""
    alpha: float | None = None
    """c is alpha / r"""
    rank_stable: bool = False
    """c is alpha / sqrt(r)"""

    def of(self, rank: int) -> float:
        """c at a rank r; 1 where nothing is known.

        >>> Scaling(alpha=16.0).of(8), Scaling(alpha=16.0, rank_stable=True).of(64), Scaling().of(8)
        (2.0, 2.0, 1.0)
        """
        if self.scale is not None or self.alpha is None:
            return 1.0 if self.scale is None else self.scale
        return float(self.alpha / (np.sqrt(rank) if self.rank_stable else rank))


@dataclass(frozen=True)
class Heads:
    """Tensors whose blocks of rows or columns belong to attention heads: query and key, or output and value."""

    first: str
    """name of the query (heads x size, d_in), or of the output (d_out, heads x size) where `outputs`"""
    second: str
    """name of the key or value (heads x size, d_in), perhaps with fewer heads, each shared by several"""
    count: int
    outputs: bool = False


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

    def matrix(self, name: str) -> Array:
        """A tensor as float64. Raises UserError for what is no finite matrix of real numbers."""
        where = f"{printable(str(self.path))}: tensor {shown(name)}"
        if name not in self.raw:
            raise UserError(f"{where}: not in the file{near(name, self.raw)}; it has {_listed(list(self.raw))}")
        kind, shape, content, _ = self.raw[name]
        if kind not in (*TYPES, BRAIN_FLOAT):
            raise UserError(f"{where}: has type {shown(kind)}, expected float16, bfloat16, float32 or float64")
        if len(shape) != 2 or 0 in shape:
            raise UserError(f"{where}: has shape {shape}, expected a matrix; convolutions are not audited")
        values = _float64(kind, content).reshape(shape)
        bad = np.argwhere(~np.isfinite(values))
        if len(bad):
            place = tuple(int(i) for i in bad[0])
            more = f", and {len(bad) - 1} more" if len(bad) > 1 else ""
            raise UserError(f"{where}: {values[place]} at {place}{more}; expected finite numbers, save it in float32")
        return values


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
    except ValueError as error:
        raise UserError(f"{printable(str(path / CONFIG))}: no JSON: {error}; save the adapter again") from None
    if not isinstance(config, dict):
        raise UserError(f"{printable(str(path / CONFIG))}: expected a JSON object, as peft writes it")
    if file.suffix == ".npz":
        return Tensors(path, content, _npz(file, content), config)
    if file.suffix == ".safetensors":
        return Tensors(path, content, _safetensors(file, content), config)
    raise UserError(f"{printable(str(file))}: has ending {shown(file.suffix or 'none')}, expected .safetensors or .npz")


def adapters(tensors: Tensors, scaling: Scaling) -> list[Pair]:
    """Every pair whose names are those of an adapter's factors; its c is what the file says unless it is given.

    Raises UserError for a factor without the other, and where there are no adapters.
    """
    pairs = []
    for a_name in tensors.raw:
        b_name = _counterpart(a_name, 0, 1)
        if b_name is not None:
            name = _module(a_name)
            a, b = tensors.matrix(a_name), tensors.matrix(b_name)
            c = _scaling(tensors, name, a_name, scaling).of(len(a))
            pairs.append(_paired(tensors, name, b, a, c, b_name, a_name))
    alone = [name for name in tensors.raw if (other := _counterpart(name, 1, 0)) and other not in tensors.raw]
    if alone:
        raise UserError(f"{printable(str(tensors.path))}: {shown(alone[0])} has no counterpart; save both factors")
    if not pairs:
        raise UserError(
            f"{printable(str(tensors.path))}: no adapters, whose names have lora_A and lora_B; it has "
            f"{_listed(list(tensors.raw))}; name two tensors with --pair B A, or heads with --qk or --ov"
        )
    return pairs


def named(tensors: Tensors, b_name: str, a_name: str, scaling: Scaling) -> list[Pair]:
    """The pairs of two names, in which one * stands for any text, the same in both. Raises UserError."""
    pairs = []
    for b, a in _matched(tensors, b_name, a_name):
        lower = tensors.matrix(a)
        pairs.append(_paired(tensors, f"{b} {a}", tensors.matrix(b), lower, scaling.of(len(lower)), b, a))
    return pairs


def heads(tensors: Tensors, wanted: Heads) -> list[Pair]:
    """A pair for each head: Q_h^T K_h, or O_h V_h. Raises UserError where rows are not shared out evenly."""
    pairs = []
    for first, second in _matched(tensors, wanted.first, wanted.second):
        one, other = tensors.matrix(first), tensors.matrix(second)
        outer = one.T if wanted.outputs else one  # (heads x size, .)
        size, left = divmod(len(outer), wanted.count)
        shared, rest = divmod(len(outer), len(other))
        if left or rest or len(other) % size:
            raise UserError(
                f"{printable(str(tensors.path))}: {shown(first)} has {len(outer)} and {shown(second)} {len(other)} "
                f"rows of heads; expected multiples of one size, {wanted.count} heads in the first"
            )
        for head in range(wanted.count):
            b, at = outer[head * size : (head + 1) * size].T, head // shared * size
            pairs.append(Pair(f"{first} head {head}", b, other[at : at + size], 1.0, first, second))
    return pairs


def write_balanced(tensors: Tensors, pairs: Sequence[tuple[Pair, Array, Array]], out: Path) -> float:
    """Write the file again with other factors, in the types that it has; every other byte stays as it is.

    Returns the largest change of a product that rounding to these types makes, in units of the product's norm. Raises
    UserError where something lies at `out` already.
    """
    if out.exists():
        raise UserError(f"{printable(str(out))}: exists already; choose another name")
    changed, worst = {}, 0.0
    for pair, b, a in pairs:
        stored = []
        for name, values in ((pair.b_name, b), (pair.a_name, a)):
            kind = tensors.raw[name].kind
            changed[name] = _stored(kind, values)
            stored.append(_float64(kind, changed[name]).reshape(values.shape))
            if not np.isfinite(stored[-1]).all():
                raise UserError(f"{printable(str(out))}: {shown(name)} does not fit {kind}; save the file in F32 first")
        product = pair.b @ pair.a
        size = float(np.linalg.norm(product))
        worst = max(worst, float(np.linalg.norm(stored[0] @ stored[1] - product)) / size if size else 0.0)
    part = out.with_name(f"{out.name}.part")
    if tensors.path.is_dir():
        part.mkdir()
        (part / CONFIG).write_bytes((tensors.path / CONFIG).read_bytes())
    (part / WEIGHTS if tensors.path.is_dir() else part).write_bytes(_changed(tensors, changed))
    part.replace(out)
    return worst


def _changed(tensors: Tensors, changed: Mapping[str, bytes]) -> bytes:
    """The file's content with other bytes for some tensors."""
    if tensors.path.suffix != ".npz":
        content = bytearray(tensors.content)
        for name, new in changed.items():
            place = tensors.raw[name].place
            content[place : place + len(new)] = new
        return bytes(content)
    arrays = _members(tensors.content)
    for name, new in changed.items():
        arrays[name] = np.frombuffer(new, TYPES[tensors.raw[name].kind]).reshape(tensors.raw[name].shape)
    written = io.BytesIO()
    with ZipFile(written, "w") as archive:  # numpy.savez has no room for an array called "file"
        for name, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, array, allow_pickle=False)
            archive.writestr(ZipInfo(f"{name}.npy"), member.getvalue())
    return written.getvalue()


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


def _float64(kind: str, content: bytes) -> Array:
    """Numbers of one of TYPES or BRAIN_FLOAT, from bytes as files have them."""
    if kind == BRAIN_FLOAT:
        return (np.frombuffer(content, "<u2").astype(np.uint32) << 16).view(np.float32).astype(np.float64)
    return np.frombuffer(content, np.dtype(TYPES[kind]).newbyteorder("<")).astype(np.float64)


def _stored(kind: str, values: Array) -> bytes:
    """Numbers as files have them in one of TYPES or BRAIN_FLOAT, rounded to the nearest; infinite past the largest."""
    if kind == BRAIN_FLOAT:
        with np.errstate(over="ignore"):
            bits = values.astype(np.float32).view(np.uint32)
        return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2").tobytes()
    with np.errstate(over="ignore"):
        return values.astype(np.dtype(TYPES[kind]).newbyteorder("<")).tobytes()


def _paired(tensors: Tensors, name: str, b: Array, a: Array, scale: float, b_name: str, a_name: str) -> Pair:
    if b.shape[1] != len(a):
        raise UserError(
            f"{printable(str(tensors.path))}: {shown(b_name)} has shape {b.shape} and {shown(a_name)} {a.shape}; "
            "expected (d_out, r) and (r, d_in)"
        )
    return Pair(name, b, a, scale, b_name, a_name)


def _counterpart(name: str, mine: int, other: int) -> str | None:
    """The name of an adapter's other factor, None for a name that is no factor's; 0 is the lower one, 1 the upper."""
    words = name.split(".")
    for names in ADAPTERS:
        if names[mine] in words:
            return ".".join(names[other] if word == names[mine] else word for word in words)
    return None


def _module(a_name: str) -> str:
    """What the adapter is on: its name without the factor's."""
    factors = {one for names in ADAPTERS for one in names}
    words = [word for word in a_name.removesuffix(".weight").split(".") if word not in factors]
    return ".".join(words).removeprefix("base_model.model.") or "BA"


def _scaling(tensors: Tensors, module: str, a_name: str, given: Scaling) -> Scaling:
    """What is given, else what an adapter's folder says of a module, else the alpha that lies beside its factors."""
    if given.scale is not None or given.alpha is not None:
        return given
    config, alpha, rank_stable = tensors.config, None, given.rank_stable
    beside = f"{a_name.partition('.lora_down')[0]}.alpha"
    if "lora_alpha" in config:
        patterns = config.get("alpha_pattern") or {}
        own = [value for key, value in patterns.items() if re.fullmatch(rf"(.*\.)?{re.escape(key)}", module)]
        alpha, rank_stable = [*own, config["lora_alpha"]][0], rank_stable or config.get("use_rslora") is True
    elif beside in tensors.raw and tensors.raw[beside].kind in (*TYPES, BRAIN_FLOAT) and tensors.raw[beside].bytes:
        alpha = float(_float64(tensors.raw[beside].kind, tensors.raw[beside].bytes)[0])
    if alpha is None:
        return given
    if isinstance(alpha, bool) or not isinstance(alpha, int | float) or not (np.isfinite(alpha) and alpha > 0):
        raise UserError(f"{printable(str(tensors.path))}: alpha is {shown(alpha)}, expected a number > 0")
    return Scaling(None, float(alpha), rank_stable)


def _matched(tensors: Tensors, first: str, second: str) -> Iterator[tuple[str, str]]:
    """Names that fit, the text for * in both alike."""
    if first.count("*") != second.count("*") or first.count("*") > 1:
        raise UserError(f"names {shown(first)} and {shown(second)}: expected one * in each, or none")
    if "*" not in first:
        yield first, second
        return
    before, after = map(re.escape, first.split("*"))
    found = [match for name in tensors.raw if (match := re.fullmatch(f"{before}(.*){after}", name))]
    if not found:
        raise UserError(
            f"{printable(str(tensors.path))}: no tensor is called {shown(first)}; it has {_listed(list(tensors.raw))}"
        )
    for match in found:
        yield match.group(0), second.replace("*", match.group(1))


def _listed(names: Sequence[str], most: int = 6) -> str:
    more = f", … ({len(names)} in all)" if len(names) > most else ""
    return ", ".join(map(shown, names[:most])) + more if names else "none"
