"""`dmf.denoise`: a matrix without its noise, by the closed form of weight decay at a lambda that the noise chooses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dmf import theory
from dmf.api import risks
from dmf.api.complete import DEPTHS, completed
from dmf.api.denoised import Denoised, Direction, loadings
from dmf.api.inputs import read_depth, read_target
from dmf.api.risks import Noise, Shrinkage
from dmf.errors import shown
from dmf.grid.labelled import LabelledMatrix
from dmf.grid.limits import LARGEST, SMALLEST
from dmf.theory.denoising import noise_level

Array = NDArray[np.float64]
CHOICES = ("edge", "stein")
USUAL = 3  # the depth where nothing is kept: at the edge its worst risk is within 4 % of the least
FEW = 20  # singular values, below which their median says little
MISFIT = 0.03, 2.5  # of white noise, and of a value's share in it: 1 of 1,000 matrices of noise is off by more


def denoise(
    target: Any,
    depth: int | None = None,
    noise: float | None = None,
    choose: str = "edge",
    missing: bool = False,
    seed: int = 0,
) -> Denoised:
    r"""The minimizer X* of a noisy matrix Y = M + s Z at a depth and lambda that its noise chooses. Trains nothing.

    Args:
        target: Y (d_L, d_0), as `dmf.predict` takes it; labels of rows and columns are kept.
        depth: number of layers L, at least 2; by the estimated risk, of 2, 3, 4, 5, 6 and 8, if None.
        noise: s > 0, the standard deviation of the noise in one entry, in the target's unit; if None, estimated from
            the median singular value, for which Y must be white noise and a signal of low rank.
        choose: "edge": lambda keeps what 99 % of matrices of noise alone would not have; "stein": the least of Stein's
            estimates of the risk, with its jump.
        missing: let NaN and masked entries be missing. They are filled; held-out entries choose depth and lambda.
        seed: draws these.

    Risks are in squared units of the target. Derivations: docs/denoise.md. Raises TypeError for what is no number;
    ValueError for numbers and shapes out of range, NaN without `missing`, a matrix of equal entries, and where no noise
    can be estimated.

    >>> import dmf
    >>> found = dmf.denoise([[9.1, 0.2, 4.1], [5.8, -0.1, 3.0], [0.1, 0.2, -0.3]], noise=0.2)
    >>> found
    3 × 3 matrix: depth 6, λ = 0.124491, keeps 1 of 3
      noise: standard deviation 0.2, given; it ends at 0.8227
    ...
    >>> found.minimizer.round(1).tolist()
    [[9.0, 0.1, 4.2], [5.9, 0.1, 2.8], [-0.0, -0.0, -0.0]]
    """
    depth = None if depth is None else read_depth(depth)
    if choose not in CHOICES:
        raise ValueError(f"choose: got {shown(choose, quoted=True)}, expected edge or stein")
    return denoised(read_target(target, missing), depth, noise, choose, seed)


def denoised(
    matrix: LabelledMatrix, depth: int | None = None, noise: float | None = None, choose: str = "edge", seed: int = 0
) -> Denoised:
    """As `denoise`, of a checked matrix in which NaN is missing."""
    y = matrix.values
    if min(y.shape) < 2:
        raise ValueError(f"target: got shape {y.shape}, expected at least two rows and two columns")
    if np.nanmin(y) == np.nanmax(y):
        raise ValueError(f"target: all entries are {y[~np.isnan(y)][0]:g}; expected a matrix that varies")
    level = None if noise is None else _level(noise)
    if np.isnan(y).any():
        if level is not None or choose != "edge":
            raise ValueError(
                f"noise and choose: got {level} and {choose} with missing entries, where held-out entries choose "
                "lambda; leave both out"
            )
        return _filled(matrix, DEPTHS if depth is None else (depth,), seed)
    left, sigma, right_t = np.linalg.svd(y, full_matrices=False)
    try:
        known = Noise(y.shape, noise_level(sigma, y.shape) if level is None else level, estimated=level is None)
    except ValueError as error:
        raise ValueError(f"noise: {error}; give its standard deviation") from None
    depths = risks.DEPTHS if depth is None else tuple(sorted({2, depth}))  # 2: the soft threshold, to compare with
    each = (risks.at_edge if choose == "edge" else risks.by_stein)(sigma, known, depths)
    own = _chosen([one for one in each if depth in (None, one.depth)], choose)
    x = theory.scalar_minimizer(sigma, own.depth, own.lam)
    return Denoised(
        target=y,
        rows=matrix.rows,
        columns=matrix.columns,
        minimizer=np.asarray((left[:, : own.kept] * x[: own.kept]) @ right_t[: own.kept]),
        choose=choose,
        depth=own.depth,
        lam=own.lam,
        threshold=own.threshold,
        sigma=sigma,
        singular_values=x,
        noise=known,
        by_depth=tuple(each),
        peers=tuple(risks.peers(sigma, known)),
        directions=_directions(matrix, (left, sigma, right_t), x),
        completed=None,
        notes=tuple(_notes(sigma, known, own)),
    )


def _level(noise: float) -> float:
    try:
        level = float(noise)
    except (TypeError, ValueError):
        raise TypeError(f"noise: got {shown(noise, quoted=True)}, expected a number > 0") from None
    if not SMALLEST <= level <= LARGEST:
        raise ValueError(f"noise: got {shown(noise)}, expected a number from {SMALLEST:.0e} to {LARGEST:.0e}")
    return level


def _chosen(each: Sequence[Shrinkage], choose: str) -> Shrinkage:
    if all(one.kept == 0 for one in each):
        return next((one for one in each if one.depth == USUAL), each[0])
    return min(each, key=lambda one: one.asymptotic if choose == "edge" else one.stein)


def _filled(matrix: LabelledMatrix, depths: Sequence[int], seed: int) -> Denoised:
    """With missing entries: sigma are the singular values of the target that X* fills, at which X* is a fixed point."""
    done = completed(matrix.values, depths, seed)
    x = done.found.x
    left, sigma, right_t = np.linalg.svd(np.where(done.observed, matrix.values, x), full_matrices=False)
    notes = []
    if not done.found.singular_values.any():
        notes.append(
            "keeps nothing: held-out entries are not predicted better than by zeros, within two standard errors"
        )
    if not done.found.settled:
        notes.append(f"not at a fixed point: the last of {len(done.found.objectives) - 1:,} steps still moved")
    for axis, kind in enumerate(("columns", "rows")):
        if empty := int((~done.observed.any(axis=axis)).sum()):
            notes.append(f"no entry at all in {empty:,} of the {kind}: there X* is zero and says nothing")
    return Denoised(
        target=matrix.values,
        rows=matrix.rows,
        columns=matrix.columns,
        minimizer=x,
        choose="held-out",
        depth=done.chosen.depth,
        lam=done.chosen.lam,
        threshold=float(theory.collapse_threshold(done.chosen.depth, done.chosen.lam)),
        sigma=sigma,
        singular_values=done.found.singular_values,
        noise=None,
        by_depth=(),
        peers=(),
        directions=_directions(matrix, (left, sigma, right_t), done.found.singular_values),
        completed=done,
        notes=tuple(notes),
    )


def _directions(matrix: LabelledMatrix, svd: tuple[Array, Array, Array], x: Array) -> tuple[Direction, ...]:
    """Of each sign that the largest entry of the left vector is positive."""
    left, sigma, right_t = svd
    found = []
    for at in range(int(np.count_nonzero(x))):
        u, v = left[:, at], right_t[at]
        sign = np.sign(u[np.argmax(np.abs(u))])
        rows, columns = loadings(sign * u, matrix.rows, "row"), loadings(sign * v, matrix.columns, "column")
        found.append(Direction(float(sigma[at]), float(x[at]), rows, columns))
    return tuple(found)


def _notes(sigma: Array, noise: Noise, own: Shrinkage) -> list[str]:
    notes, count = [], len(sigma)
    if not own.kept:
        reason = (
            f"the largest singular value, {sigma[0]:.4g}, is not above {noise.edge:.4g}, where noise alone ends"
            if sigma[0] <= noise.edge
            else "by Stein's estimate every direction costs more than it explains"
        )
        notes.append(f"keeps nothing: {reason}")
    if noise.estimated and count < FEW:
        notes.append(f"{count} singular values are few to estimate noise from: give it where it is known")
    above = int(np.count_nonzero(sigma > noise.edge))
    if noise.estimated and above > count / 4:
        notes.append(f"{above} of {count} singular values are above the noise: its level is then estimated too high")
    off = risks.misfit(sigma, noise)
    if off > MISFIT[0] + MISFIT[1] / max(count - above, 1):
        notes.append(
            f"singular values below the edge are not those of white noise (off by {off:.2f}): where noise ends, and "
            "the risks, are in doubt"
        )
    return notes
