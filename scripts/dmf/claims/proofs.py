"""What proved minimizers say: of each other, of the closed forms, and of what training measured."""

from collections.abc import Callable

import numpy as np
import xarray as xr

from dmf.evidence.choose import MEASURED
from dmf.evidence.claim import Arm, Claim
from dmf.evidence.controls import declared, where
from dmf.evidence.eligibility import everywhere, is_certified, outside_exceptional_set
from dmf.evidence.prove import EXCEPTIONAL, NEAR_LAMBDA, NEAR_RUN, ORDINARY, SHIFTED
from dmf.proof.statements import FAILS
from dmf.theory.certificate import ROUNDING


def is_lowest(evidence: xr.Dataset) -> xr.DataArray:
    """Proved minimizers that no other proved one of their cell is proved to lie below, (cell, start)."""
    return ((evidence["certified"] == 1) & (evidence["lowest"] == 1)).transpose("cell", "start")


def with_several_lowest(evidence: xr.Dataset) -> xr.DataArray:
    """Cells outside the exceptional set with two or more such minimizers, (cell,)."""
    return outside_exceptional_set(evidence) & (is_lowest(evidence).sum("start") > 1)


def disagreement(evidence: xr.Dataset) -> xr.DataArray:
    """Largest distance of X from that of another lowest minimizer, over the sum of both radii, (cell, start)."""
    return evidence["disagreement"].transpose("cell", "start")


MINIMIZERS_AGREE = Claim(
    title="The lowest proved minimizers of a target have one product",
    source="Theorem 10",
    statements=("Theorem 10",),
    statement=(
        r"If no singular value of $M$ equals $m^*(L, \lambda)$, all minimizers of one target, depth and $\lambda$ that "
        "are proved, and of which none is proved to be higher than another, have the same product $X$ within the sum "
        "of their proved radii. No closed form of $X^*$ is used."
    ),
    statistic=(
        r"largest $\|X - X'\|_F$ over pairs of lowest proved runs of a cell, in units of the sum of the distances that "
        "their proofs allow"
    ),
    tolerance=(
        r"$\sqrt{L}\, t^{L-1} \rho$ of either run, $\rho$ its proved distance to a minimizer and $t$ a bound on the "
        "spectral norms of its layers, all in ball arithmetic"
    ),
    refuted_by="two proved minimizers of one value and one target with products that are farther apart",
    control=(
        r"a $3 \times 3$ target with $\sigma_2 = m^*$ and a proved minimizer of either kind, both declared lowest "
        "(their values differ by rounding of the target only) and the target unexceptional; near the edge, a run at a "
        r"$\lambda$ that differs by so little that $X$ moves by three times the sum of the radii, declared lowest"
    ),
    scope=with_several_lowest,
    arms=(
        Arm(
            "product",
            disagreement,
            declared(where(target=EXCEPTIONAL), lowest=1, exceptional_distance=np.inf),
            declared(where(target=NEAR_RUN), lowest=1),
        ),
    ),
    study="proofs",
    eligible=is_lowest,
)


def is_at_minimum(evidence: xr.Dataset) -> xr.DataArray:
    """Minimizers that are proved to be global ones, (cell, start)."""
    return ((evidence["certified"] == 1) & (evidence["at_minimum"] == 1)).transpose("cell", "start")


def curvature_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Distance of the closed form's mu from the middle of the proved interval, over its half and rounding."""
    low, high = evidence["curvature_low"], evidence["curvature_high"]
    allowed = (high - low) / 2 + ROUNDING * evidence["predicted_trace"]
    ratio: xr.DataArray = abs(evidence["mu"] - (high + low) / 2) / allowed
    return ratio.transpose("cell", "start")


def four_times(cells: xr.Dataset, field: xr.DataArray) -> xr.DataArray:
    """four times what it is."""
    return 4 * field


def a_hundredth(cells: xr.Dataset, field: xr.DataArray) -> xr.DataArray:
    """a hundredth of what it is."""
    return field / 100


def just_above(cells: xr.Dataset, field: xr.DataArray) -> xr.DataArray:
    """above every proved interval by a quarter of its width, and by rounding."""
    low, high = cells["curvature_low"], cells["curvature_high"]
    return (high + (high - low) / 4).max("start") + 2 * ROUNDING * cells["predicted_trace"]


CURVATURE = Claim(
    title="Minimizers have the curvature that every certificate uses",
    source="Beyond the paper",
    statements=("Beyond the paper: Hessian spectrum",),
    statement=(
        r"The smallest positive Hessian eigenvalue at a global minimizer is the closed form's $\mu$. It lies in the "
        "interval that a run's own Hessian proves, by a verified Cholesky decomposition from below and by Rayleigh "
        r"quotients from above. All radii $\delta = 2\|\nabla F\|/\mu$ rest on this number."
    ),
    statistic=r"largest distance of $\mu$ from the middle of the proved interval, in units of its half",
    tolerance=r"$C\rho$ and the rounding of an eigenvalue: what the proof of the run leaves open",
    refuted_by=r"a proved minimizer whose curvature is proved to be above or below $\mu$",
    control=(
        r"two proved minimizers of a $3 \times 3$ target, with $\mu$ declared to be four times and a hundredth of what "
        "it is; near the edge, above both intervals by a quarter of their width"
    ),
    scope=everywhere,
    arms=(
        Arm(
            "curvature",
            curvature_ratio,
            declared(where(target=ORDINARY), mu=four_times) + declared(where(target=ORDINARY), mu=a_hundredth),
            declared(where(target=ORDINARY), mu=just_above),
        ),
    ),
    study="proofs",
    eligible=is_at_minimum,
)


def is_same(evidence: xr.Dataset) -> xr.DataArray:
    """Runs whose training was repeated to the last bit, proved or not, (cell, start)."""
    return (evidence["same"] == 1).transpose("cell", "start")


def measurement(name: str) -> Callable[[xr.Dataset], xr.DataArray]:
    """The arm's ratio for one measured number."""

    def ratio(evidence: xr.Dataset) -> xr.DataArray:
        """Distance of a measured number from the exact one of the same layers, over what rounding allows."""
        away: xr.DataArray = abs(evidence[name] - evidence[f"exact_{name}"]) / evidence[f"tolerance_{name}"]
        return away.transpose("cell", "start")

    return ratio


def a_tenth(cells: xr.Dataset, field: xr.DataArray) -> xr.DataArray:
    """a tenth of what it is."""
    return field / 10


def beyond_rounding(cells: xr.Dataset, field: xr.DataArray) -> xr.DataArray:
    """twice what rounding allows away from the exact one."""
    return cells[f"exact_{field.name}"] + 2 * cells[f"tolerance_{field.name}"]


MEASUREMENTS = Claim(
    title="What training measured is true of its layers",
    source="Beyond the paper",
    statements=("Beyond the paper: proofs",),
    statement=(
        r"$F$, $\|\nabla F\|$, the smallest and largest layer norm, the imbalance, the Hessian trace and $\|X\|_F$ of "
        "a run are those of its layers, up to rounding."
    ),
    statistic=(
        "largest distance of a stored number from that of the run's own layers in ball arithmetic, in units of what "
        "rounding allows"
    ),
    tolerance=(
        r"$L (d + 2) \epsilon$ of the size of each number, and for $\|\nabla F\|$ the bound on the error of a computed "
        "gradient: what the other claims add to their tolerances for rounding"
    ),
    refuted_by="a stored number that its layers do not have",
    control=(
        "two runs, each number of which is declared to be a tenth of what it is; near the edge, twice what rounding "
        "allows away from it"
    ),
    scope=everywhere,
    arms=tuple(
        Arm(
            name.replace("_", " "),
            measurement(name),
            declared(where(target=ORDINARY), **{name: a_tenth}),
            declared(where(target=ORDINARY), **{name: beyond_rounding}),
        )
        for name in MEASURED
    ),
    study="proofs",
    eligible=is_same,
    basis="identity",
)


def failing(evidence: xr.Dataset) -> xr.DataArray:
    """Infinite where a statement fails at the proved minimizer, else 0, (cell, start)."""
    fails = (evidence["statements"] == FAILS).any("claim")
    ratio = xr.zeros_like(evidence["radius"]).where(~fails, np.inf)
    return ratio.transpose("cell", "start")


BALLS = Claim(
    title="Every claim on runs holds at proved minimizers, decided on balls",
    source="Beyond the paper",
    statements=("Beyond the paper: proofs",),
    statement=(
        "At each proved minimizer the statements of all claims on runs hold or cannot be decided: of equations the "
        "balls of both sides meet, of inequalities none is proved to be the other way."
    ),
    statistic="infinite if a statement fails at a proved minimizer, else 0",
    tolerance="none: the widths of the balls, which enclose every error",
    refuted_by="a proved minimizer at which both sides of a statement are proved to differ",
    control=(
        r"proved minimizers, decided with the closed forms of a $\lambda$ that is 2 % larger; near the edge, one part "
        r"in $10^9$ larger"
    ),
    scope=everywhere,
    arms=(Arm("statements", failing, declared(where(target=SHIFTED)), declared(where(target=NEAR_LAMBDA))),),
    study="proofs",
    eligible=is_certified,
)
