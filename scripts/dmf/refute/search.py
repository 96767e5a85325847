"""The search: random candidates first, then relatives of those nearest to refuting each claim."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle, islice

import numpy as np
import xarray as xr

from dmf.dataset.schema import Block, runs_dataset
from dmf.dataset.train import Piece, train_starts
from dmf.evidence.certify import certify
from dmf.evidence.claim import Claim
from dmf.grid.cells import Group, Series, gradient_scale
from dmf.grid.config import Grid
from dmf.grid.seeds import generator
from dmf.refute.candidate import MOST_RANK, MOST_WIDER, Candidate, mutated, random_candidate, random_shape

GENERATIONS = 8  # or more, where each would be larger than LARGEST
SMALLEST, LARGEST = 24, 256  # candidates of a generation; many of one shape train faster side by side
RANDOM_SHARE = 0.3  # of all candidates, before the first is bred
STRANGERS = 0.2  # of a bred generation
SHAPES = 4  # of the random candidates of one generation
PARENTS = 2  # nearest to refuting a claim, that may have children
# Both basins of a cell: small starts fall to zero, large ones keep what can be kept.
SERIES = (
    *(Series("gaussian", scale) for scale in (0.1, 0.5, 1.0, 2.0, 4.0)),
    *(Series("balanced", scale) for scale in (0.3, 1.0, 2.0)),
)


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


def train_candidates(candidates: Mapping[str, Candidate], grid: Grid) -> xr.Dataset:
    """Evidence (cell, start) of named candidates, in their order, trained with the settings of `grid`."""
    groups: dict[Group, list[str]] = {}
    for name, candidate in candidates.items():
        groups.setdefault(candidate.shape.group, []).append(name)
    runs: dict[str, xr.Dataset] = {}
    for group, names in groups.items():
        runs |= _train_group(group, {name: candidates[name] for name in names}, grid)
    evidence = certify(runs[name] for name in candidates)
    # One width for all generations, so that they can be joined.
    return evidence.pad(singular=(0, MOST_RANK + MOST_WIDER - evidence.sizes["singular"]), constant_values=np.nan)


def _train_group(group: Group, candidates: Mapping[str, Candidate], grid: Grid) -> dict[str, xr.Dataset]:
    """Runs of each candidate, all of one shape and trained in one batch."""
    targets = [candidate.target(name, grid.seed) for name, candidate in candidates.items()]
    lams = [candidate.lam for candidate in candidates.values()]
    norms = [float(candidate.singular_values[0]) for candidate in candidates.values()]
    tolerances = [grid.certificate.gradient_norm * gradient_scale(norm, group.depth) for norm in norms]
    pieces = [
        Piece(target.name, target.values, norm, repr(lam), lam, tolerance, series, range(1))
        for target, norm, lam, tolerance in zip(targets, norms, lams, tolerances, strict=True)
        for series in SERIES
    ]
    runs = train_starts(pieces, group.widths, grid.seed, grid.optimizer)
    count, starts = len(SERIES), [(series, 0) for series in SERIES]
    return {
        target.name: runs_dataset(
            Block(group, [target], [repr(lam)], np.array([[lam]]), np.array([tolerance]), starts),
            runs.take(slice(place * count, (place + 1) * count)),
        )
        for place, (target, lam, tolerance) in enumerate(zip(targets, lams, tolerances, strict=True))
    }
