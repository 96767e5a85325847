"""Beyond the paper: all minimizers are one orbit, flat along it, with a barrier on every line between two of them."""

import xarray as xr

from dmf.evidence.claim import Claim
from dmf.evidence.eligibility import everywhere


def orbit_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Distance from the orbit, change of F along it, misfit or lack of the barrier; the worst one, (cell, start)."""
    gap = evidence["orbit_gap"] / evidence["orbit_tolerance"]
    flat = (abs(evidence["path"]).max("t") / evidence["path_tolerance"]).fillna(0)
    tolerance = evidence["line_tolerance"]
    misfit = (abs(evidence["line"] - evidence["line_predicted"]).max("t") / tolerance).fillna(0)
    lacking = tolerance / evidence["line"].max("t").clip(min=0)
    ratio: xr.DataArray = xr.concat([gap, flat, misfit, lacking], "part").max("part", skipna=False)
    return ratio


def is_pair(evidence: xr.Dataset) -> xr.DataArray:
    """Pairs of certified global minimizers, (cell, start)."""
    return ((evidence["minimal"] == 1) & (evidence["pair_certified"] == 1)).transpose("cell", "start")


def pretend_minimal(controls: xr.Dataset) -> xr.Dataset:
    """Pairs of runs on different levels, declared to be global minimizers."""
    return controls.assign(minimal=controls["pair_certified"])


CLAIM = Claim(
    order=19,
    title="Minimizers are one orbit, with a barrier on every straight line between two",
    source="Beyond Theorem 2",
    statement=(
        r"Any two minimizers differ by orthogonal matrices, $W_l' = Q_l W_l Q_{l-1}^\top$; $F$ is constant along "
        r"rotations from one to the other, and above its minimum everywhere strictly between them on the line. "
        r"For $L = 2$ it is $F^* + t^2(1-t)^2 \|(W_2' - W_2)(W_1' - W_1)\|_F^2$ there."
    ),
    statistic=(
        "over pairs of trained minimizers, the largest of: distance of one from the orbit of the other; change of $F$ "
        r"along the rotations; misfit of $F$ on the line ($L = 2$); all in units of tolerance; and the tolerance in "
        "units of the barrier"
    ),
    tolerance=(
        r"for distances $\delta = 2(\|\nabla F\| + \|\nabla F'\|) / \mu$, for $F$ $\delta$ times a bound on its "
        "gradient along the line; and rounding"
    ),
    refuted_by="a minimizer off the orbit, or a line between two minimizers without a barrier",
    control=r"pairs of runs that ended on different levels $k$, declared to be global minimizers",
    scope=everywhere,
    ratio=orbit_ratio,
    counterexample=pretend_minimal,
    study="orbit",
    eligible=is_pair,
)
