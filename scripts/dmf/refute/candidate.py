"""A cell that might refute a claim, as numbers that a search can vary."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dmf import theory
from dmf.grid.cells import Group
from dmf.grid.kinds import SpectrumTarget, with_spectrum
from dmf.grid.seeds import digest, generator
from dmf.grid.targets import TargetMatrix

Floats = NDArray[np.float64]
DEPTHS = (2, 3, 4, 5, 6)
MOST_RANK = 4
MOST_WIDER = 2
RANGES = {"scale": (-2.0, 2.0), "nearness": (-8.0, -0.15)}  # decades
SPREAD = 2.0  # decades that the nonzero singular values of one target may range over


@dataclass(frozen=True)
class Shape:
    """What candidates trained in one batch share: the depth, and how many singular values are not zero.

    `wider` says by how much d_0 (first) and d_L (last) exceed `rank`, and the hidden widths (middle) min(d_0, d_L).
    """

    depth: int
    rank: int
    wider: tuple[int, int, int]

    @property
    def group(self) -> Group:
        """Depth and widths."""
        first, last = (self.rank + self.wider[end] for end in (0, 2))
        return Group((first, *[min(first, last) + self.wider[1]] * (self.depth - 1), last))


@dataclass(frozen=True)
class Candidate:
    """One target, depth and lambda.

    The target has singular values 10^(scale + falls[i]), falls[0] = 0, and zeros. lambda lies the share 10^nearness
    above (side 1) or below (side -1) the lambda_c of singular value `rival`, or its lambda_s with `branch`.
    """

    shape: Shape
    falls: tuple[float, ...]
    scale: float
    rival: int
    branch: bool
    side: int
    nearness: float

    @property
    def singular_values(self) -> Floats:
        """Singular values of the target, non-increasing."""
        values: Floats = 10 ** (self.scale + np.array(self.falls))
        return values

    @property
    def lam(self) -> float:
        """lambda."""
        threshold = theory.branch_lambda if self.branch else theory.critical_lambda
        edge = float(threshold(self.singular_values[self.rival], self.shape.depth))
        return float(edge * (1 + self.side * 10**self.nearness))

    def target(self, name: str, seed: int) -> TargetMatrix:
        """The target between random bases that belong to `name` and `seed`."""
        widths = self.shape.group.widths
        shape = widths[-1], widths[0]
        values = self.singular_values.tolist()
        spec = SpectrumTarget(name=name, kind="spectrum", shape=shape, singular_values=values, label=None)
        key = ["falsifier", seed, name]  # the name of old: another one would draw other numbers
        return TargetMatrix(name, name, "refute", digest(key), with_spectrum(spec, generator(key)))


def random_shape(rng: np.random.Generator) -> Shape:
    """Any shape; half of the widths are the narrowest that the theory allows."""
    first, hidden, last = (rng.integers(0, MOST_WIDER + 1, size=3) * rng.integers(0, 2, size=3)).tolist()
    return Shape(int(rng.choice(DEPTHS)), int(rng.integers(1, MOST_RANK + 1)), (first, hidden, last))


def random_candidate(shape: Shape, rng: np.random.Generator) -> Candidate:
    """A candidate of that shape from anywhere in the space; most lie near the collapse of the largest value."""
    return Candidate(
        shape,
        falls=_ordered(-SPREAD * rng.random(shape.rank)),
        scale=float(rng.uniform(*RANGES["scale"])),
        rival=0 if rng.random() < 0.6 else int(rng.integers(shape.rank)),
        branch=bool(rng.random() < 0.2),
        side=int(rng.choice([-1, 1])),
        nearness=float(rng.uniform(*RANGES["nearness"])),
    )


def mutated(parent: Candidate, rng: np.random.Generator) -> Candidate:
    """A relative of `parent` of its shape: its numbers moved, and now and then a choice that is a stranger's.

    Steps have any size between a thousandth and the whole of a number's range, so that no schedule is needed.
    """
    step = 10 ** rng.uniform(-3, 0)
    stranger = random_candidate(parent.shape, rng)
    rival, branch, side = (parent if rng.random() < 0.85 else stranger for _ in range(3))
    falls = np.array(parent.falls) + step * SPREAD * rng.standard_normal(len(parent.falls))
    return Candidate(
        parent.shape,
        falls=_ordered(falls),
        scale=_moved(parent.scale, "scale", step, rng),
        rival=rival.rival,
        branch=branch.branch,
        side=side.side,
        nearness=_moved(parent.nearness, "nearness", step, rng),
    )


def _ordered(falls: Floats) -> tuple[float, ...]:
    """Non-increasing from 0, none below -SPREAD."""
    ranked = np.sort(falls)[::-1]
    return tuple(np.maximum(ranked - ranked[0], -SPREAD).tolist())


def _moved(value: float, gene: str, step: float, rng: np.random.Generator) -> float:
    low, high = RANGES[gene]
    return float(np.clip(value + step * (high - low) * rng.standard_normal(), low, high))
