"""Beyond the paper: minimizers are one orbit, and the gradient bounds the distance to it."""

import xarray as xr

from dmf.evidence.claim import Arm, Claim
from dmf.evidence.controls import Declared, Off, Value, ValueOf, declared
from dmf.evidence.eligibility import everywhere, is_certified


def orbit_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Distance from the orbit over its tolerance, (cell, start)."""
    return evidence["orbit_gap"] / evidence["orbit_tolerance"]


def flat_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """The largest change of F along the orbit over its tolerance, (cell, start)."""
    return (abs(evidence["path"]).max("t") / evidence["path_tolerance"]).fillna(0)


def line_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """The largest misfit of F on the straight line over its tolerance, (cell, start)."""
    misfit = abs(evidence["line"] - evidence["line_predicted"]).max("t") / evidence["line_tolerance"]
    return misfit.fillna(0)


def barrier_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """The tolerance over the barrier on the straight line, (cell, start)."""
    return evidence["line_tolerance"] / evidence["line"].max("t").clip(min=0)


def is_pair(evidence: xr.Dataset) -> xr.DataArray:
    """Pairs of certified global minimizers, (cell, start)."""
    return ((evidence["minimal"] == 1) & (evidence["pair_certified"] == 1)).transpose("cell", "start")


def on_other_levels(**fields: Value) -> Declared:
    """Pairs of runs that ended on different levels, declared to be global minimizers."""
    return declared(minimal=ValueOf("pair_certified"), **fields)


# What is to be seen: parts of the gradient norm, and digits. F is compared along lines as long as the layers, where
# the gradient is that of no minimizer.
APART = {"gradient_norm": 20.0, "1": 1e-11}
HIGHER = {"gradient_norm": 5000.0, "1": 1e-8}
NO_HIGHER = {"gradient_norm": 500.0, "1": 1e-12}

ORBIT = Claim(
    title="Minimizers are one orbit, with a barrier on every straight line between two",
    source="Beyond Theorem 2",
    statements=("Beyond the paper: orbit",),
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
    control=(
        r"pairs of runs that ended on different levels $k$, declared to be global minimizers; and the straight line, "
        "declared to be the path along the rotations"
    ),
    scope=everywhere,
    arms=(
        Arm("orbit", orbit_ratio, on_other_levels(), on_other_levels(orbit_gap=Off(0, APART))),
        Arm("flat", flat_ratio, on_other_levels(path=ValueOf("line")), on_other_levels(path=Off(0, HIGHER))),
        Arm(
            "line",
            line_ratio,
            on_other_levels(line_predicted=0),
            on_other_levels(line_predicted=Off("line", HIGHER)),
        ),
        Arm("barrier", barrier_ratio, on_other_levels(line=0), on_other_levels(line=Off(0, NO_HIGHER))),
    ),
    study="orbit",
    eligible=is_pair,
)


def distance_over_bound(evidence: xr.Dataset) -> xr.DataArray:
    """Distance to the minimizers over 2 ||grad F|| / mu, (cell, start)."""
    return evidence["distance"] / evidence["bound"]


def flat_along_the_orbit_only(evidence: xr.Dataset) -> xr.DataArray:
    """Cells whose minimizers have no zero modes but the orbit's, (cell,)."""
    return evidence["extra_zero_modes"] == 0


DISTANCE_BOUND = Claim(
    title="The gradient bounds the distance to the minimizers",
    source="Beyond Theorem 6",
    statements=("Beyond the paper: distance bound",),
    statement=(
        r"Let the minimizers be flat along their orbit only, $\mu$ their smallest positive Hessian eigenvalue and $C$ "
        r"the Lipschitz constant of the Hessian. Then every $\theta$ at a distance of at most $\mu / C$ from them "
        r"is at most $2\,\|\nabla F(\theta)\| / \mu$ away. Every certificate rests on this."
    ),
    statistic=(
        "largest distance to the minimizers, found by alternating Procrustes steps over the orbit, in units of the "
        "bound"
    ),
    tolerance=(
        r"$2\,\|\nabla F\| / \mu$: with the nearest minimizer at a distance $r$ across the orbit, "
        r"$\|\nabla F\| \geq \mu r - C r^2 / 2 \geq \mu r / 2$; and 64 rounding units of $\|\theta\|$"
    ),
    refuted_by="a point near the minimizers that is farther from them than its gradient allows",
    control=(
        r"depth 2 with $\lambda$ equal to a singular value, where $F$ grows only quartically along one direction more "
        r"than the orbit's, declared to be flat along its orbit only"
    ),
    scope=flat_along_the_orbit_only,
    arms=(
        Arm(
            "distance over bound",
            distance_over_bound,
            declared(extra_zero_modes=0),
            # Curvatures are of the size of singular values here: a distance is some gradient norms.
            declared(extra_zero_modes=0, distance=Off(0, {"gradient_norm": 10})),
        ),
    ),
    study="distances",
    eligible=is_certified,
    basis="formula",
)
