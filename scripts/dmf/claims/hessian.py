"""Beyond Theorem 6: Hessian eigenvalues at minimizers, at all critical points and at the ends of runs."""

from collections.abc import Mapping
from itertools import product

import numpy as np
import xarray as xr

from dmf.evidence.claim import Arm, Claim
from dmf.evidence.controls import Declared, Off, Value, ValueOf, declared, where
from dmf.evidence.eligibility import everywhere, is_certified, outside_exceptional_set
from dmf.theory.certificate import RESOLUTION
from dmf.theory.critical import ROOTS


def departure_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """The eigenvalue farthest from its prediction, over its tolerance, (cell, start); NaN where one is missing."""
    predicted = evidence["predicted_spectrum"]
    away = abs(evidence["spectrum"] - predicted).where(predicted.notnull(), 0)
    return away.max("eigen", skipna=False) / evidence["spectrum_tolerance"]


def zeros_ratio(evidence: xr.Dataset, negative: xr.DataArray, zero: xr.DataArray) -> xr.DataArray:
    """The largest |e| over its tolerance of the eigenvalues that should be zero, (cell, start).

    `negative` and `zero` (cell,) are the predicted numbers of such eigenvalues.
    """
    level, values = _level(evidence, negative, zero)
    return _largest(evidence, abs(values).where(level, 0))


def others_ratio(evidence: xr.Dataset, negative: xr.DataArray, zero: xr.DataArray) -> xr.DataArray:
    """The largest tolerance over |e| of all other eigenvalues, (cell, start), infinite for those with a wrong sign."""
    level, values = _level(evidence, negative, zero)
    place = xr.DataArray(np.arange(evidence.sizes["eigen"]), dims="eigen")
    return _largest(evidence, clearance(values.where(place >= negative, -values)).where(~level, 0))


def _level(evidence: xr.Dataset, negative: xr.DataArray, zero: xr.DataArray) -> tuple[xr.DataArray, xr.DataArray]:
    """Whether an eigenvalue should be zero, (cell, eigen), and all of them in units of tolerance."""
    place = xr.DataArray(np.arange(evidence.sizes["eigen"]), dims="eigen")
    level = (place >= negative) & (place < negative + zero)
    return level, evidence["spectrum"] / evidence["spectrum_tolerance"]


def _largest(evidence: xr.Dataset, ratio: xr.DataArray) -> xr.DataArray:
    return ratio.where(evidence["predicted_spectrum"].notnull(), 0).max("eigen", skipna=False)


def clearance(values: xr.DataArray) -> xr.DataArray:
    """The inverse of values that should be positive, in units of their tolerance: infinite where they are not."""
    return (1 / values).where((values > 0) | values.isnull(), np.inf)


def other_minimizers(**fields: Value) -> Declared:
    """Certified points that are minimizers of another kind than the closed form's, declared to be of its kind."""
    return declared(minimal=ValueOf("certified"), exceptional_distance=np.inf, **fields)


# What an eigenvalue is off by in near controls: the Hessian turns by some hundred gradient norms within the radius, and
# eleven digits are to be seen. Or so little that it is zero.
SEEN: Mapping[str, float] = {"gradient_norm": 1000, "sigma_1": 1e-11}
UNSEEN: Mapping[str, float] = {"gradient_norm": 10, "sigma_1": 1e-13}

HESSIAN_SPECTRUM = Claim(
    title="All minimizers have the same Hessian spectrum, known in closed form",
    source="Beyond Theorem 6",
    statements=(
        "Open question",
        "Beyond the paper: Hessian spectrum",
    ),
    statement=(
        r"If no singular value of $M$ equals $m^*(L, \lambda)$, all $N$ eigenvalues of $\nabla^2 F$ are the same at "
        r"every minimizer, also in the matrix case: those of one block of at most $2L$ rows for each pair of singular "
        r"directions. In particular $\lambda_{\max}$ and the smallest positive eigenvalue $\mu$ are known."
    ),
    statistic=(
        r"largest difference between an eigenvalue of the Hessian at a trained minimizer and the closed form "
        r"(all $N$ up to $N = 1500$, the smallest and the largest by Lanczos above), in units of tolerance"
    ),
    tolerance=(
        r"Weyl: $C\delta + (64 + N)\,\varepsilon\,\lambda_{\max}$ with $\delta = 2\|\nabla F\| / \mu$, $\varepsilon$ "
        r"the rounding unit and $C$ the Lipschitz constant of the Hessian, "
        r"$C = 6\sqrt{L}\,(L-1)\,t^{2L-3} + 2\frac{(L-1)(L-2)}{\sqrt{L}} \|X^* - M\|_2\, t^{L-3}$, $t = s_1 + \delta$; "
        r"and the residual of the Ritz values"
    ),
    refuted_by="a certified minimizer with one eigenvalue off by more than its certificate allows",
    control=(
        r"spurious minima at zero for $\lambda < \lambda_c$ declared to be minimizers, and both minimizers of a "
        r"$3 \times 3$ target with $\sigma_2 = m^*$ declared unexceptional"
    ),
    scope=outside_exceptional_set,
    arms=(
        Arm(
            "departure",
            departure_ratio,
            other_minimizers(),
            other_minimizers(spectrum=Off("predicted_spectrum", SEEN)),
        ),
    ),
    study="hessian",
)


def zero_mode_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """How far the lowest eigenvalues, as many as the orbit has dimensions, are from zero, (cell, start)."""
    return zeros_ratio(evidence, xr.zeros_like(evidence["orbit_dimension"]), evidence["orbit_dimension"])


def positive_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """How near all other eigenvalues are to zero, infinite where one is negative, (cell, start)."""
    return others_ratio(evidence, xr.zeros_like(evidence["orbit_dimension"]), evidence["orbit_dimension"])


def all_eigenvalues_known(evidence: xr.Dataset) -> xr.DataArray:
    """Cells outside the exceptional set where the whole spectrum was computed, (cell,)."""
    return outside_exceptional_set(evidence) & (evidence["dense"] == 1)


ZERO_MODES = Claim(
    title="Minimizers are flat along their orbit and nowhere else",
    source="Beyond Theorem 6",
    statements=("Beyond the paper: zero modes",),
    statement=(
        r"With $r = \operatorname{rank} X^*$, exactly $\sum_{l=1}^{L-1} (d_l r - r(r+1)/2)$ Hessian eigenvalues at a "
        r"minimizer are zero: the dimension of its orbit under $W_l \to Q_l W_l Q_{l-1}^T$. All others are positive."
    ),
    statistic=(
        r"largest of $|e|/\tau$ over the eigenvalues $e$ that should be zero and of $\tau/e$ over all others, "
        r"$\tau$ the tolerance of an eigenvalue"
    ),
    tolerance=r"the one of the Hessian spectrum, $\tau = C\delta + (64 + N)\,\varepsilon\,\lambda_{\max}$",
    refuted_by="a certified minimizer with one zero eigenvalue too many or too few, or with a negative one",
    control="spurious minima at zero, and minimizers declared to have an orbit without dimensions",
    scope=all_eigenvalues_known,
    arms=(
        Arm(
            "zero",
            zero_mode_ratio,
            declared(where(target="spurious"), minimal=ValueOf("certified")),
            other_minimizers(spectrum=Off("predicted_spectrum", SEEN)),
        ),
        Arm(
            "others",
            positive_ratio,
            other_minimizers(orbit_dimension=0),
            other_minimizers(orbit_dimension=0, spectrum=Off("predicted_spectrum", UNSEEN)),
        ),
    ),
    study="hessian",
)


def index_zeros_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """How far the eigenvalues above the negative ones, as many as the orbit has dimensions, are from zero."""
    return zeros_ratio(evidence, evidence["morse_index"], evidence["orbit_dimension"])


def index_others_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """How near all others are to zero, infinite where one has not the sign that the index gives it, (cell, start)."""
    return others_ratio(evidence, evidence["morse_index"], evidence["orbit_dimension"])


def generic_targets(evidence: xr.Dataset) -> xr.DataArray:
    """Cells with distinct singular values, none at m_loc, (cell,)."""
    return (evidence["singular_gap"] > RESOLUTION) & (evidence["degenerate_distance"] > RESOLUTION)


# The first two singular values are equal: both at zero, or both on their large root, they have nothing to trade.
TRADED = tuple(
    " ".join(roots) for roots in product(ROOTS, repeat=3) if roots[:2] not in (("zero", "zero"), ("large", "large"))
)

ONE_TRADED = "zero large zero"


def equal_values(roots: str | tuple[str, ...], **fields: Value) -> Declared:
    """Critical points of a target with two equal singular values, declared distinct.

    Near controls are off by 1e-11, since eleven digits of an eigenvalue are to be seen, or by 3e-13, which is none.
    """
    return declared(where(roots=roots), singular_gap=np.inf, **fields)


MORSE_INDEX = Claim(
    title="The Morse index of every critical point is known",
    source="Beyond Chen et al.",
    statements=("Beyond the paper: Morse index",),
    statement=(
        r"If the $\sigma_i$ are distinct and none equals $m_{loc}$, a critical point that puts each $x_i$ on zero, on "
        r"the small or on the large root has, for $L \geq 3$, as many negative Hessian eigenvalues as there are small "
        r"roots and pairs $i, j$ with $\sigma_i > \sigma_j$, $x_j \neq 0$ and $x_i$ not on its large root. Its zero "
        r"eigenvalues are as many as its orbit has dimensions. (For $L = 2$ each $x_i = 0$ with $\sigma_i > \lambda$ "
        r"adds $d_1 - r$ negative ones.)"
    ),
    statistic=(
        r"over all combinations of roots: largest departure of an eigenvalue from the closed form, in units of "
        r"tolerance $\tau$, of $|e|/\tau$ over those that should be zero, and of $\tau/|e|$ over all others, "
        r"infinite where the sign is wrong"
    ),
    tolerance=r"the one of the Hessian spectrum, with $\delta$ from the smallest nonzero $|e|$",
    refuted_by="a critical point with one eigenvalue off, or one negative or zero eigenvalue too many or too few",
    control=(
        r"a target with $\sigma_1 = \sigma_2$, declared distinct: its roots can trade places at no cost; there, "
        "eigenvalues declared to be off by a hundredth, and an index too large by nine"
    ),
    scope=generic_targets,
    arms=(
        Arm(
            "departure",
            departure_ratio,
            equal_values(TRADED, spectrum=Off("predicted_spectrum", {"1": 0.01})),
            equal_values(TRADED, spectrum=Off("predicted_spectrum", {"1": 1e-11})),
        ),
        Arm(
            "zero",
            index_zeros_ratio,
            equal_values(TRADED, morse_index=Off("morse_index", {"1": 9})),
            equal_values(TRADED, spectrum=Off("predicted_spectrum", {"1": 1e-11})),
        ),
        Arm(
            "others",
            index_others_ratio,
            equal_values(TRADED),
            equal_values("large large large", orbit_dimension=0, spectrum=Off("predicted_spectrum", {"1": 3e-13})),
        ),
    ),
    study="critical_points",
    eligible=is_certified,
    basis="formula",
)


def depth_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Depth -e_1 of the lowest eigenvalue over its tolerance, (cell, start)."""
    return -evidence["spectrum"].isel(eigen=0) / evidence["spectrum_tolerance"]


def saddle_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """The tolerance over the depth -e_1, infinite where e_1 is not negative, (cell, start)."""
    return clearance(depth_ratio(evidence))


def is_prefix(evidence: xr.Dataset) -> xr.DataArray:
    """Cells with large roots on a prefix and zeros after it, (cell,)."""
    return evidence["prefix"] == 1


def is_no_prefix(evidence: xr.Dataset) -> xr.DataArray:
    """All other cells, (cell,)."""
    return ~is_prefix(evidence)


STRICT_SADDLES = Claim(
    title="Every critical point but the large roots on a prefix is a strict saddle",
    source="Chen, Jiang and Wang (2025), eq. 79",
    statements=(
        "Equation 79",
        "Beyond the paper: Morse index",
    ),
    statement=(
        r"If the $\sigma_i$ are distinct and none equals $m_{loc}$, then for $L \geq 3$ a critical point is a local "
        r"minimum if $x_1, \ldots, x_k$ are on their large roots and all others are zero, for some $k$; in every other "
        r"combination of roots $\nabla^2 F$ has a negative eigenvalue. (For $L = 2$ only the largest $k$ is a minimum.)"
    ),
    statistic=(
        r"with $e_1$ the lowest eigenvalue and $\tau$ its tolerance: largest $-e_1/\tau$ over minima and "
        r"$\tau/(-e_1)$ over saddles, infinite where $e_1 \geq 0$"
    ),
    tolerance=r"the one of the Hessian spectrum, with $\delta$ from the smallest nonzero $|e|$",
    refuted_by="a negative eigenvalue at large roots on a prefix, or none at another critical point",
    control=(
        r"a target with $\sigma_1 = \sigma_2$, declared distinct: zero and large, in either order, are minimal; and a "
        "point with a small root, declared to be on a prefix"
    ),
    scope=generic_targets,
    arms=(
        Arm(
            "minimum",
            depth_ratio,
            equal_values("small zero zero", prefix=1),
            equal_values("large large large", spectrum=Off("spectrum", {"1": -1e-11})),
            concerns=is_prefix,
        ),
        Arm(
            "saddle",
            saddle_ratio,
            equal_values(ONE_TRADED),
            equal_values(ONE_TRADED, spectrum=Off("predicted_spectrum", {"1": -3e-13})),
            concerns=is_no_prefix,
        ),
    ),
    study="critical_points",
    eligible=is_certified,
    basis="formula",
)


def sharpness_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Distance of the largest Hessian eigenvalue from that of the run's level, over its tolerance, (cell, start)."""
    return abs(evidence["end_sharpness"] - evidence["predicted_sharpness"]) / evidence["sharpness_tolerance"]


SHARPNESS = Claim(
    title="Every run ends with the sharpness of its level",
    source="Beyond Theorem 6",
    statements=("Beyond the paper: sharpness",),
    statement=(
        r"At every local minimum that keeps the $k$ leading singular values, $\lambda_{\max}(\nabla^2 F)$ is the "
        r"largest eigenvalue of the closed-form spectrum at level $k$. It need not depend on $k$: in the cells "
        r"of this study it is the same for all $k \geq 1$, so that spurious minima are exactly as sharp as global ones "
        r"and sharpness cannot tell them apart; only zero is flatter, with $2\lambda$ for $L \geq 3$."
    ),
    statistic=(
        r"largest distance between $\lambda_{\max}$ at the end of a trained run, from products of the Hessian with "
        "directions, and the closed form of the level it ended on, in units of tolerance"
    ),
    tolerance=(
        r"Weyl: $C\delta + (64 + N)\,\varepsilon\,\lambda_{\max}$, as for the Hessian spectrum, with $\mu_k$, $C$ and "
        "$s_1$ of the level"
    ),
    refuted_by="a certified run whose largest eigenvalue is not that of its level",
    control=r"runs that ended on the levels $k < k^*$, declared to be at the global minimum",
    scope=everywhere,
    arms=(
        Arm(
            "sharpness",
            sharpness_ratio,
            declared(predicted_sharpness=ValueOf("sharpness_at_minimum")),
            declared(end_sharpness=Off("predicted_sharpness", {"gradient_norm": 50, "sigma_1": 1e-12})),
        ),
    ),
    study="trajectories",
    eligible=is_certified,
)
