"""Hostile configurations, drawn by families from a seed; every one must be refused."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

EVIL = [
    "\x1b[2J\x1b[1;32mverified\x1b[0m", "a\nall confirmed", "a\rb", "\u202eabc", "\u200e\u200f", "\u061cx",
    "z\u200bero", "\u2066x\u2069", "line\u2028line", "\x00", "\x07" * 40, "\ufeffx",
    "\x9b31m", "\U000e0041x", "\xadx", "x" * 10_000,
]  # fmt: skip
VALID: dict[str, Any] = {
    "grid": "demo",
    "title": "Title",
    "seed": 1,
    "targets": [
        {"name": "g", "label": "G", "kind": "gaussian", "shape": [3, 4], "scale": 2.0},
        {"name": "s", "kind": "spectrum", "shape": [3, 3], "singular_values": [2, 1]},
        {"name": "d", "kind": "dataset", "dataset": "iris", "map": "cross", "center": "both", "scale": "spectral"},
    ],
    "depths": [3],
    "hidden_widths": [4, 4],
    "lambdas": {"relative": [0.5], "absolute": [0.1]},
    "starts": {"schemes": ["gaussian"], "scales": [1.0], "count": 4},
    "optimizer": {"name": "lbfgs", "memory": 3},
    "device": "cpu",
    "certificate": {"gradient_norm": 1e-9, "runs_per_cell": 2, "cells": 0.5},
    "keep": {"layers": True},
    "tiles": {"seconds": 20.0, "chunk_mib": 100},
    "refute": {"runs": 0},
    "minimum_search": {"runs": 0},
    "figures": ["census"],
    "studies": [],
}
Place = tuple[str | int, ...]
Case = tuple[str, bytes]


def leaves(value: Any, at: Place = ()) -> Iterator[Place]:
    """Places of all plain values."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if items is None or not value:
        yield at
        return
    for key, inner in items:
        yield from leaves(inner, (*at, key))


def mappings(value: Any, at: Place = ()) -> Iterator[Place]:
    """Places of all mappings."""
    if isinstance(value, dict):
        yield at
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from mappings(inner, (*at, key))


def put(place: Place, value: Any) -> bytes:
    """VALID with one value changed or added, as JSON, which is YAML."""
    raw = deepcopy(VALID)
    inner: Any = raw
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return json.dumps(raw).encode()


def evil_keys(rng: random.Random) -> Iterator[Case]:
    places = list(mappings(VALID))
    while True:
        key = rng.choice(EVIL) + rng.choice(["", "key", "grid"])
        yield f"key {key[:9]!r}", put((*rng.choice(places), key), rng.choice([1, "x", [], {}]))


TEXTS: list[Place] = [("title",), ("grid",), ("device",), ("targets", 0, "label"), ("targets", 0, "name")]
TEXTS += [("targets", 2, "dataset"), ("optimizer", "name"), ("starts", "schemes", 0), ("figures", 0), ("studies",)]


def evil_texts(rng: random.Random) -> Iterator[Case]:
    while True:
        place, text = rng.choice(TEXTS), rng.choice(EVIL)
        yield f"{'.'.join(map(str, place))} {text[:9]!r}", put(place, text)


def wrong_types(rng: random.Random) -> Iterator[Case]:
    places = list(leaves(VALID))
    wrong = [{"x": 1}, {EVIL[0]: EVIL[1]}, [[[[]]]], [{"a": [1]}] * 3]
    while True:
        place, value = rng.choice(places), rng.choice(wrong)
        yield f"{'.'.join(map(str, place))} {str(value)[:12]}", put(place, value)


NUMBERS: list[Place] = [
    ("seed",), ("depths", 0), ("lambdas", "relative", 0), ("lambdas", "absolute", 0), ("starts", "scales", 0),
    ("starts", "count"), ("optimizer", "memory"), ("certificate", "gradient_norm"), ("certificate", "runs_per_cell"),
    ("certificate", "cells"), ("tiles", "seconds"), ("tiles", "chunk_mib"), ("refute", "runs"),
    ("minimum_search", "runs"), ("targets", 0, "shape", 0), ("targets", 0, "scale"),
    ("targets", 1, "singular_values", 0), ("hidden_widths", 0),
]  # fmt: skip


def wrong_numbers(rng: random.Random) -> Iterator[Case]:
    wrong = [-1, "-0x1", 10**60, -(10**30), float("nan"), float("-inf"), "1e999", True, "one"]
    while True:
        place, value = rng.choice(NUMBERS), rng.choice(wrong)
        yield f"{'.'.join(map(str, place))} {value}", put(place, value)


def sizes(rng: random.Random) -> Iterator[Case]:
    """Each is small to write and would be large to do."""
    gaussian, wide = ({"kind": "gaussian", "shape": [size, size]} for size in (2, 4096))
    while True:
        many = rng.randint(1001, 3000)
        lambdas = [i + 1 for i in range(many)]
        raw = deepcopy(VALID)
        del raw["hidden_widths"]
        raw["targets"] = [{"name": "g", **gaussian}]
        changes: dict[str, Any] = rng.choice(
            [
                {"starts": {"count": 10 ** rng.randint(8, 12)}},
                {"starts": {"count": 10**7}, "lambdas": {"absolute": lambdas}},
                {"tiles": {"seconds": 10.0 ** -rng.randint(7, 30)}, "starts": {"count": 10**6}},
                {"tiles": {"chunk_mib": 10.0 ** -rng.randint(7, 30)}, "starts": {"count": 10**6}},
                {"targets": [{"name": f"g{i}", **gaussian} for i in range(10 * many)]},
                {"targets": [{"name": f"g{i}", **gaussian} for i in range(4000)], "lambdas": {"absolute": lambdas}},
                {"targets": [{"name": "g", **wide}], "depths": [rng.randint(50, 200)]},
                {"targets": [{"name": "g", "kind": "gaussian", "shape": [10**rng.randint(4, 18), 2]}]},
                {"targets": [{"name": f"g{i}", **wide} for i in range(many)]},
                {"targets": [{"name": "s", "kind": "spectrum", "shape": [2, 2], "singular_values": lambdas * 50}]},
                {"starts": {"scales": lambdas, "schemes": ["gaussian", "balanced"]}, "lambdas": {"absolute": lambdas}},
                {"figures": [f"{EVIL[0]}{i}" for i in range(many * 10)]},
                {"depths": list(range(2, 2 + 50 * many))},
                {"depths": [10 ** rng.randint(3, 300)]},
                {"hidden_widths": [2] * 50_000},
                {"targets": [{"name": "f", "kind": "file", "path": "m.csv", "rows": ["x"] * 100_000}]},
                {"targets": [{"name": "x" * 10**5, **gaussian}]},
                {"title": "\u202e" * 9_000},
            ]
        )  # fmt: skip
        yield f"size {str(changes)[:40]}", json.dumps({**raw, **changes}).encode()


def yaml_tricks(rng: random.Random) -> Iterator[Case]:
    good = json.dumps(VALID)[1:-1]
    while True:
        deep, wide = rng.randint(8, 60), rng.randint(6, 12)
        aliases = ", ".join(["*b{0}"] * wide)
        bomb = "b0: &b0 [x]\n" + "".join(f"b{i}: &b{i} [{aliases.format(i - 1)}]\n" for i in range(1, deep))
        merged = "b0: &b0 {x: 1}\n" + "".join(
            f"b{i}: &b{i} {{<<: [{aliases.format(i - 1)}]}}\n" for i in range(1, deep)
        )
        key = rng.choice(list(VALID))
        yield rng.choice(
            [
                ("bomb", f"{bomb}{key}: *b{deep - 1}\n".encode()),
                ("merge bomb", f"{merged}{key}: *b{deep - 1}\n".encode()),
                ("merge bomb at the top", f"{merged}<<: *b{deep - 1}\n".encode()),
                ("deep", rng.choice([b"[", b"{a: ", b"- ", b"? "]) * rng.randint(100, 100_000)),
                ("twice", f"{{{good}, {key}: {json.dumps(VALID[key])}}}".encode()),
                ("alias as key", f"z: &z {key}\n*z : 1\n{{}}".encode()),
                ("itself", f"{key}: &a [1, *a]\n".encode()),
                ("itself, merged", f"{key}: &a {{<<: *a}}\n".encode()),
                ("python", f"{key}: !!python/object/apply:os.system [touch PWNED]\n".encode()),
                ("python name", b"grid: !!python/name:os.system\n"),
                ("python new", b"grid: !!python/object/new:subprocess.Popen [[touch, PWNED]]\n"),
                ("template", f"__use_yte__: true\n? open('PWNED', 'w')\n: {{{good}}}\n".encode()),
                ("template variables", b"__use_yte__: true\n__variables__:\n  x: ?open('PWNED', 'w')\ngrid: ?x\n"),
                ("tag", f"{key}: !evil{'x' * rng.randint(1, 9000)} 1\n".encode()),
                ("two documents", f"--- {{{good}}}\n--- {{{good}}}\n".encode()),
                ("cut", f"{{{good}}}".encode()[: rng.randint(1, len(good))]),
                ("bytes", rng.randbytes(rng.randint(1, 5000))),
                ("utf-16", f"{{{good}, x: 1}}".encode("utf-16")),
                ("long number", b"seed: " + b"9" * rng.randint(100, 9000)),
                ("long hexadecimal", b"seed: 0x" + b"f" * rng.randint(100, 9000)),
                ("base 60", b"seed: 1" + b":59" * rng.randint(100, 200_000)),
                ("long text", b"title: " + b"x" * rng.randint(10_001, 3_000_000)),
                ("large file", b"# " + b"x" * (5 * 2**20)),
                ("many values", b"x: [" + b"1," * rng.randint(200_000, 2_000_000) + b"]"),
                ("many anchors", b"".join(b"a%d: &a%d x\n" % (i, i) for i in range(rng.randint(10, 90_000)))),
                ("many keys", b"".join(b"k%d: 1\n" % i for i in range(rng.randint(10, 90_000)))),
                ("key as mapping", b"? {a: 1}\n: 2\n"),
                ("key as list", b"? [a, b]\n: 2\n"),
                ("a date", b"grid: 2026-13-45\n"),
                ("a set", f"{key}: !!set {{a, b}}\n".encode()),
                ("binary", f"{key}: !!binary aGVsbG8=\n".encode()),
                ("ordered", f"{key}: !!omap [a: 1]\n".encode()),
                ("directive", b"%YAML 9.9\n---\ngrid: a\n"),
                ("percent", b"%" * rng.randint(1, 10_000)),
                ("json infinity", put(("starts", "count"), float("inf"))),
                ("archive text", b"\x1f\x8b\x08" + rng.randbytes(100)),
                ("nothing", b" " * rng.randint(0, 1000)),
            ]
        )


FAMILIES: dict[Callable[[random.Random], Iterator[Case]], int] = {
    evil_keys: 40, evil_texts: 40, wrong_types: 50, wrong_numbers: 50, sizes: 50, yaml_tricks: 110,
}  # fmt: skip


def cases(seed: int) -> list[Case]:
    """Different ones, as many of each family as FAMILIES says."""
    found: list[Case] = []
    for family, count in FAMILIES.items():
        rng, some = random.Random(f"{seed} {family.__name__}"), dict[bytes, str]()
        for name, content in family(rng):
            some.setdefault(content, f"{family.__name__}: {name}")
            if len(some) == count:
                break
        found += [(name, content) for content, name in some.items()]
    return found
