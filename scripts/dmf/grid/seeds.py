"""Random numbers that belong to a thing, not to the order in which things are drawn."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator

import numpy as np


def digest(value: object, length: int = 16) -> str:
    """Hexadecimal fingerprint of a JSON value: the same on every machine and in every session."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.blake2b(text.encode(), digest_size=32).hexdigest()[:length]


def generator(key: object, counter: int = 0) -> np.random.Generator:
    """Random numbers for the thing named by the JSON value `key`, draw number `counter`.

    Philox is counter-based: the key names a stream and the counter a place in it, so neither the extent of
    a grid nor its order changes any number (Salmon et al. 2011). Each counter owns 2^192 numbers.
    """
    return next(generators(key, [counter]))


def generators(key: object, counters: Iterable[int]) -> Iterator[np.random.Generator]:
    """`generator(key, counter)` for every counter, each until the next is asked for: one object, set to each in turn.

    Hashing the key once and making no new object makes drawing many starts much cheaper.
    """
    words = np.frombuffer(bytes.fromhex(digest(key, 32)), dtype=np.uint64)
    stream = np.random.Philox(key=words)
    drawing, state = np.random.Generator(stream), stream.state  # which has drawn nothing
    for counter in counters:
        state["state"]["counter"] = np.array([0, 0, 0, counter], dtype=np.uint64)
        stream.state = state
        yield drawing
