"""Factored layers among the tensors of a file: low-rank adapters, and queries, keys, values and outputs of heads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dmf.api.tensors import CONFIG, Tensors, float64, listed, stored
from dmf.errors import UserError, printable, shown

Array = NDArray[np.float64]
# What the lower and the upper factor of an adapter are called: by peft, by peft for embeddings, by kohya-ss, by people.
ADAPTERS = (("lora_A", "lora_B"), ("lora_embedding_A", "lora_embedding_B"), ("lora_down", "lora_up"), ("A", "B"))


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
        raise UserError(f"{tensors.where}: {shown(alone[0])} has no counterpart; save both factors")
    if not pairs:
        raise UserError(
            f"{tensors.where}: no adapters, whose names have lora_A and lora_B; it has "
            f"{listed(tensors.raw)}; name two tensors with --pair B A, or heads with --qk or --ov"
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
                f"{tensors.where}: {shown(first)} has {len(outer)} and {shown(second)} {len(other)} "
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
    changed, worst = {}, 0.0
    for pair, b, a in pairs:
        rounded = []
        for name, values in ((pair.b_name, b), (pair.a_name, a)):
            kind = tensors.raw[name].kind
            changed[name] = stored(kind, values)
            rounded.append(float64(kind, changed[name]).reshape(values.shape))
            if not np.isfinite(rounded[-1]).all():
                raise UserError(f"{printable(str(out))}: {shown(name)} does not fit {kind}; save the file in F32 first")
        product = pair.b @ pair.a
        size = float(np.linalg.norm(product))
        worst = max(worst, float(np.linalg.norm(rounded[0] @ rounded[1] - product)) / size if size else 0.0)
    tensors.rewrite(changed, out)
    return worst


def _paired(tensors: Tensors, name: str, b: Array, a: Array, scale: float, b_name: str, a_name: str) -> Pair:
    if b.shape[1] != len(a):
        raise UserError(
            f"{tensors.where}: {shown(b_name)} has shape {b.shape} and {shown(a_name)} {a.shape}; "
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
    config, rank_stable = tensors.config, given.rank_stable
    alpha = tensors.number(f"{a_name.partition('.lora_down')[0]}.alpha")
    if "lora_alpha" in config:
        patterns = config.get("alpha_pattern") or {}
        if not isinstance(patterns, Mapping):
            raise UserError(f"{tensors.where}: alpha_pattern in {CONFIG} is no mapping; save the adapter again")
        own = [value for key, value in patterns.items() if re.fullmatch(rf"(.*\.)?{re.escape(key)}", module)]
        alpha, rank_stable = [*own, config["lora_alpha"]][0], rank_stable or config.get("use_rslora") is True
    if alpha is None:
        return given
    if isinstance(alpha, bool) or not isinstance(alpha, int | float) or not (np.isfinite(alpha) and alpha > 0):
        raise UserError(f"{tensors.where}: alpha is {shown(alpha)}, expected a number > 0")
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
        raise UserError(f"{tensors.where}: no tensor is called {shown(first)}; it has {listed(tensors.raw)}")
    for match in found:
        yield match.group(0), second.replace("*", match.group(1))
