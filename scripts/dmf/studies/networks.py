"""Deep linear networks trained on inputs and outputs: white, correlated and rank-deficient ones, and digits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dmf import theory
from dmf.grid.cells import Series
from dmf.grid.datasets import digits
from dmf.grid.kinds import SpectrumTarget, with_spectrum
from dmf.grid.seeds import generator
from dmf.studies import Settings, Study
from dmf.studies._assemble import assembled
from dmf.studies._networks import Data, network_evidence, train_networks
from dmf.studies._trained import LBFGS
from dmf.theory import haar
from dmf.training.settings import GradientDescent, Optimizer

Floats = NDArray[np.float64]
STARTS = {Series("gaussian", scale): range(2) for scale in (0.5, 1.0, 2.0)}
DEPTHS = (2, 3, 4)
LAMBDAS = ("0.1c", "0.45c")  # at no depth degenerate
SHAPE = (4, 5)  # of Y X^T
SPECTRUM = (2.0, 1.4, 0.8, 0.5)
SAMPLES = 9
CONDITIONS = (1.0, 3.0, 10.0, 30.0, 100.0)  # of X X^T, with one Y X^T for all
COMPONENTS, EVERY = 16, 6  # of the digits' pixels; every sixth digit
DIGITS_DEPTH = 3
DIGITS_LAMBDAS = ("0.05c", "0.2c", "0.4c", "0.8c")
EARLY = GradientDescent(name="gd", step=2e-3, max_iterations=100)  # far from any critical point


FIELDS = {"control": ("cell", "1 for cells of the control")}


@dataclass(frozen=True)
class Block:
    """Data of one shape and depth that train together; `kinds` names what the inputs of each are."""

    kinds: Sequence[str]
    data: Sequence[Data]
    depth: int
    labels: Sequence[str]
    control: bool = False
    optimizer: Optimizer = LBFGS


def make(settings: Settings) -> xr.Dataset:
    """Evidence of `dmf.studies._networks`, of white, correlated and deficient inputs (coordinate `inputs`).

    The control: correlated inputs, on which a network is no factorization of Y X^T, and training stopped early.
    """
    blocks = _blocks(settings.seed)
    pairs = [
        (train_networks(block.data, block.depth, block.labels, STARTS, settings, block.optimizer), block.data)
        for block in blocks
    ]
    rows = [
        {"inputs": kind, "control": block.control} for block in blocks for kind in block.kinds for _ in block.labels
    ]
    return network_evidence(pairs).assign(assembled(FIELDS, rows))


def _blocks(seed: int) -> list[Block]:
    white, correlated, deficient = _synthetic(seed)
    kinds = ["white"] * len(white) + ["correlated"] * len(correlated) + ["deficient"]
    most = correlated[-1:]
    return [
        *(Block(kinds, [*white, *correlated, deficient], depth, LAMBDAS) for depth in DEPTHS),
        Block(["white"], [digits_data(white=True)], DIGITS_DEPTH, DIGITS_LAMBDAS),
        Block(["correlated"], [digits_data(white=False)], DIGITS_DEPTH, DIGITS_LAMBDAS[1:2]),
        Block(["correlated"], most, 3, LAMBDAS, control=True),
        Block(["stopped"], most, 3, LAMBDAS, control=True, optimizer=EARLY),
    ]


def digits_data(white: bool) -> Data:
    """Every sixth handwritten digit: its leading principal components, and its class as centered indicators.

    White, each component has norm 1; otherwise they keep their shares of the variance, and X X^T the trace d_0.
    """
    source = digits()
    assert source.outcome is not None  # it is a data set with classes
    pixels, classes = (matrix.values[::EVERY].T for matrix in (source.matrix, source.outcome))
    pixels, classes = (values - values.mean(axis=1, keepdims=True) for values in (pixels, classes))
    inputs = theory.whitened(pixels, COMPONENTS)
    if not white:
        sizes = np.linalg.norm(pixels @ inputs.T, axis=0)[:, None]
        inputs = inputs * sizes * np.sqrt(COMPONENTS / np.sum(sizes**2))
    return Data("digits-white" if white else "digits-correlated", inputs, classes)


def _synthetic(seed: int) -> tuple[list[Data], list[Data], Data]:
    """Data with one Y X^T: by white inputs, by inputs of CONDITIONS, and one by inputs of rank 3 with less of it.

    A second white data set has another Y X^T.
    """
    rng = generator(["study", "networks", seed])
    spec = SpectrumTarget(name="networks", kind="spectrum", shape=SHAPE, singular_values=list(SPECTRUM), label=None)
    target, other = with_spectrum(spec, rng), with_spectrum(spec, rng)
    basis = haar.orthogonal(SAMPLES, rng, fixed_signs=False).T
    samples, rest = basis[: SHAPE[1]], basis[SHAPE[1] :]
    axes = haar.orthogonal(SHAPE[1], rng, fixed_signs=False)
    noise = 0.3 * rng.standard_normal((SHAPE[0], len(rest))) @ rest  # out of reach: orthogonal to all inputs

    def data(name: str, goal: Floats, variances: Floats) -> Data:
        root = np.sqrt(variances * SHAPE[1] / variances.sum())
        inverse = np.divide(1, root, out=np.zeros_like(root), where=root > 0)
        outputs = goal @ (axes * inverse) @ axes.T @ samples + noise
        return Data(name, (axes * root) @ axes.T @ samples, outputs)

    one, *others = (
        data(f"condition-{condition:g}", target, np.geomspace(1, 1 / condition, SHAPE[1])) for condition in CONDITIONS
    )
    deficient = data("rank-3", target, np.array([1.0, 0.6, 0.3, 0, 0]))
    return [one, data("other-white", other, np.ones(SHAPE[1]))], others, deficient


STUDY = Study(
    title="Deep linear networks on data",
    summary=(
        r"Networks trained with weight decay on inputs $X$ and outputs $Y$, by the grid's optimizer and to its "
        r"certificate: white inputs, where $Y X^\top$ decides everything; correlated ones with the same $Y X^\top$; "
        "inputs of deficient rank; and 300 handwritten digits, whitened and not."
    ),
    make=make,
)
