"""The search: random candidates first, then relatives of those nearest to refuting each claim."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle, islice

import numpy as np
import xarray as xr

from dmf.evidence.claim import Claim
from dmf.grid.config import Grid
from dmf.grid.seeds import generator
from dmf.refute.candidate import Candidate, mutated, random_candidate, random_shape
from dmf.refute.train import SERIES, train_candidates

GENERATIONS = 8  # or more, where each would be larger than LARGEST
SMALLEST, LARGEST = 24, 256  # candidates of a generation; many of one shape train faster side by side
RANDOM_SHARE = 0.3  # of all candidates, before the first is bred
STRANGERS = 0.2  # of a bred generation
SHAPES = 4  # of the random candidates of one generation
PARENTS = 2  # nearest to refuting a claim, that may have children


def search(grid: Grid, claims: Mapping[str, Claim]) -> xr.Dataset:
    """Evidence (cell, start) of every candidate tried, within `grid.refute.runs` runs and at least one candidate.

    A function of the grid's seed, optimizer, certificate and budget, and of the claims' code: nothing else, and no
    clock. Claims must read runs.
    """
    most = max(1, grid.refute.runs // len(SERIES))
    tried: list[Candidate] = []
    scores: dict[str, list[float]] = {name: [] for name in claims}
    chunks: list[xr.Dataset] = []
    while len(tried) < most:
        rng = generator(["falsifier", grid.seed, "generation"], counter=len(chunks))
        size = min(int(np.clip(most // GENERATIONS, SMALLEST, LARGEST)), most - len(tried))
        strangers = size if len(tried) < RANDOM_SHARE * most else int(STRANGERS * size)
        young = _strangers(strangers, rng) + _bred(tried, scores, size - strangers, rng)
        names = [f"candidate-{len(tried) + place}" for place in range(size)]
        chunks.append(train_candidates(dict(zip(names, young, strict=True)), grid))
        tried += young
        for name, claim in claims.items():
            scores[name] += worst_ratios(claim, chunks[-1]).tolist()
    return xr.concat(chunks, "cell")


def worst_ratios(claim: Claim, evidence: xr.Dataset) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The worst ratio of the eligible runs of each cell, (cell,); -inf where there is none."""
    eligible = (claim.eligible(evidence) & claim.scope(evidence)).transpose("cell", "start").values
    ratio = claim.ratio(evidence).transpose("cell", "start").values
    ratio = np.where(np.isnan(ratio), np.inf, ratio)
    worst: np.ndarray[tuple[int], np.dtype[np.float64]] = np.where(eligible, ratio, -np.inf).max(axis=1)
    return worst


def _strangers(count: int, rng: np.random.Generator) -> list[Candidate]:
    """Random candidates of few shapes."""
    shapes = [random_shape(rng) for _ in range(SHAPES)]
    return [random_candidate(shapes[place % SHAPES], rng) for place in range(count)]


def _bred(
    tried: list[Candidate], scores: Mapping[str, list[float]], size: int, rng: np.random.Generator
) -> list[Candidate]:
    """Children of the PARENTS nearest to refuting each claim, in turn; of any candidate where no run has spoken yet."""
    young = []
    for name in islice(cycle(scores), size):
        ranked = np.argsort(scores[name], kind="stable")[::-1][:PARENTS]
        young.append(mutated(tried[int(rng.choice(ranked))], rng))
    return young
