import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest


@pytest.fixture(scope="session")
def oracle() -> dict[str, Any]:
    """Values computed with 50 digits by code that shares nothing with the package; numbers are strings."""
    return json.loads((Path(__file__).parent / "oracle.json").read_text())


@pytest.fixture(scope="session")
def draw_target() -> Callable[..., np.ndarray]:
    """Gaussian target of a given rank (full if None) for given widths, with largest singular value 3."""

    def draw(widths: list[int], rank: int | None = None, seed: int = 0) -> np.ndarray:
        rng = np.random.default_rng(seed)
        rank = min(widths[0], widths[-1]) if rank is None else rank
        target = rng.standard_normal((widths[-1], rank)) @ rng.standard_normal((rank, widths[0]))
        return 3 * target / np.linalg.norm(target, 2)

    return draw


@pytest.fixture(scope="session")
def aligned_layers() -> Callable[..., list[np.ndarray]]:
    """Layers diag(x^{1/L}) in the singular bases of a target, so that their product has singular values x."""

    def build(target: np.ndarray, widths: list[int], x: np.ndarray) -> list[np.ndarray]:
        depth = len(widths) - 1
        left, _, right_t = np.linalg.svd(target)
        layers = [np.zeros((widths[k + 1], widths[k])) for k in range(depth)]
        for layer in layers:
            np.fill_diagonal(layer[: len(x), : len(x)], x ** (1 / depth))
        layers[0], layers[-1] = layers[0] @ right_t, left @ layers[-1]
        return layers

    return build
