"""Corollary 14 and Fig. 3: the collapse to zero, where it happens, its jump, and the end of the last local minimum."""

import xarray as xr

from dmf.evidence.claim import ONE_ORBIT, Arm, Claim
from dmf.evidence.controls import COLLAPSED, ORDINARY, Declared, Off, declared, where
from dmf.evidence.eligibility import BRACKET, everywhere, is_certified, outside_exceptional_set
from dmf.evidence.fields import Evidence
from dmf.theory.certificate import ROUNDING


def inward(evidence: xr.Dataset, measured: str, predicted: str) -> xr.DataArray:
    """How far the closed form lies inside an end of a bracket, in units of it, (cell, start); negative outside."""
    away = (evidence[predicted] - evidence[measured]) / evidence[predicted]
    return away.where(evidence["end"] == "below", -away).transpose("cell", "start")


def end_arms(measured: str, predicted: str) -> tuple[Arm, Arm]:
    """Whether ends lie near the closed form, and on their sides of it; the control is a search by small starts only.

    Near it, ends three times as far as a bracket is wide; and an upper end that is below by a part in 1e13.
    """

    def width_ratio(evidence: xr.Dataset) -> xr.DataArray:
        """How far the closed form lies inside an end, over BRACKET, (cell, start)."""
        return inward(evidence, measured, predicted) / BRACKET

    def side_ratio(evidence: xr.Dataset) -> xr.DataArray:
        """How far the closed form lies outside an end, over ROUNDING, (cell, start)."""
        return -inward(evidence, measured, predicted) / ROUNDING

    def below(part: float) -> Declared:
        return declared(None, **{measured: Off(predicted, {predicted: -part})})

    return (
        Arm("near it", width_ratio, declared(), below(3e-6)),
        Arm("on its side", side_ratio, declared(), below(1e-13)),
    )


BRANCH_END = Claim(
    title="The last nonzero local minimum ends at λs",
    source="Fig. 3, eq. 79",
    statements=(
        "Figure 3",
        "Equation 79",
    ),
    statement=(
        r"Nonzero local minima exist up to $\lambda_s = \frac{L\sigma_1}{2(L-1)} \left(\frac{(L-2)\sigma_1}{2(L-1)}"
        r"\right)^{(L-2)/L} \geq \lambda_c$ and not above it; $\lambda_s = \lambda_c = \sigma_1$ for $L = 2$."
    ),
    statistic=(
        r"distance of an end of the measured bracket from $\lambda_s$ in units of $10^{-6}\lambda_s$, the largest over "
        r"targets and depths; an end on the wrong side counts in units of rounding"
    ),
    tolerance=(
        r"the bracket: narrower than $10^{-6}$ of $\lambda$, found by following the branch. It ends in a fold, so "
        "starts lie between minimum and saddle, from where a step cannot leap over both; the upper end is widened by "
        "a tenth of the bracket of the round that asked there, which the spacing of starts can miss"
    ),
    refuted_by=r"a bracket that does not contain $\lambda_s$",
    control="a search with small starts only, which fall off the branch, declared to follow it",
    scope=everywhere,
    arms=end_arms("branch", "lambda_s"),
    study="thresholds",
    eligible=is_certified,
)


def collapse_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Above lambda_c: ||X||_F over its tolerance. Below: the tolerance over ||X||_F. Shape (cell, start)."""
    return zero_ratio(evidence).where(is_above(evidence), not_zero_ratio(evidence))


def zero_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """||X||_F over its tolerance, (cell, start)."""
    runs = Evidence(evidence)
    return runs.end_to_end_norm / runs.distance_tolerance


def not_zero_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """The tolerance over ||X||_F, (cell, start)."""
    return 1 / zero_ratio(evidence)


def is_above(evidence: xr.Dataset) -> xr.DataArray:
    """Cells above lambda_c, (cell,)."""
    return Evidence(evidence).relative > 1


def is_below(evidence: xr.Dataset) -> xr.DataArray:
    """Cells at lambda_c or below it, (cell,)."""
    return ~is_above(evidence)


def inverse(cells: xr.Dataset, field: xr.DataArray) -> xr.DataArray:
    """its inverse."""
    return 1 / field


COLLAPSE = Claim(
    title="Above a critical λ everything collapses to zero",
    source="Corollary 14",
    statements=("Corollary 14",),
    statement=(
        r"$X^* = 0$ if $\lambda > \lambda_c(\sigma_1, L)$, where "
        r"$\lambda_c = \frac{1}{L-2}\left(\frac{L-2}{L-1}\sigma_1\right)^{2(L-1)/L}$ "
        r"($\lambda_c = \sigma_1$ for $L = 2$), and $X^* \neq 0$ if $\lambda < \lambda_c$."
    ),
    statistic=(
        r"above $\lambda_c$: largest $\|X\|_F$ in units of tolerance; below it: largest tolerance in units of "
        r"$\|X\|_F$"
    ),
    tolerance=r"the one of Theorem 10 for $\|X - X^*\|_F$",
    refuted_by=r"a certified minimizer that is not zero above $\lambda_c$, or is zero below it",
    control=(
        r"minimizers trained below $\lambda_c$, declared to lie above it, and the reverse; near the edge, points with "
        r"$\|X\|_F$ just above the tolerance where it should be zero, and just below it where it should not"
    ),
    scope=outside_exceptional_set,
    arms=(
        Arm(
            "zero above",
            zero_ratio,
            declared(where(kind=ORDINARY), relative=inverse),
            declared(where(kind="near: not zero")),
            concerns=is_above,
        ),
        Arm(
            "not zero below",
            not_zero_ratio,
            declared(where(kind=COLLAPSED), relative=inverse),
            declared(where(kind="near: zero")),
            concerns=is_below,
        ),
    ),
    fact=ONE_ORBIT,
)


def jump_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Below: distance of the largest singular value from x_J over its tolerance. Above: that value, which is 0."""
    away: xr.DataArray = abs(evidence["jump"] - height(evidence)) / evidence["jump_tolerance"]
    return away.transpose("cell", "start")


def height(evidence: xr.Dataset) -> xr.DataArray:
    """The predicted largest singular value of X at either end, (cell, start)."""
    return evidence["predicted_jump"].where(evidence["end"] == "below", 0.0)


def another_height(cells: xr.Dataset, field: xr.DataArray) -> xr.DataArray:
    """x_J below and 0 above, and off these by 5e-6 of sigma_1: five times as much as a bracket is wide."""
    return (height(cells) + 5e-6 * cells["sigma_1"]).transpose(*field.dims)


JUMP = Claim(
    title="The collapse is a jump of height x_J, and continuous only for two layers",
    source="Corollary 14, Fig. 3",
    statements=("Corollary 14",),
    statement=(
        r"As $\lambda$ rises through $\lambda_c$ the largest singular value of $X^*$ falls from $x_J = \frac{L-2}{L-1}"
        r"\sigma_1$ to $0$: discontinuously for $L \geq 3$, continuously for $L = 2$."
    ),
    statistic=(
        r"largest distance from $x_J$ of the largest singular value of the lowest trained run just below the measured "
        "threshold, in units of tolerance"
    ),
    tolerance=(
        r"$\frac{L}{(L-1)^2}\sigma_1$ times the relative width of the bracket, how far $x^*$ moves within it, and what "
        "the gradient norm allows"
    ),
    refuted_by="another height at the threshold, or a height at two layers that does not vanish with the bracket",
    control="the bracket of the search with small starts only, declared exhaustive: its jump is another one",
    scope=everywhere,
    arms=(Arm("jump", jump_ratio, declared(), declared(jump=another_height)),),
    study="thresholds",
    eligible=is_certified,
)


THRESHOLD = Claim(
    title="The measured threshold is λc",
    source="Corollary 14, Fig. 3",
    statements=(
        "Corollary 14",
        "Figure 3",
    ),
    statement=(
        r"The lowest trained run is zero above $\lambda_c(\sigma_1, L) = \frac{1}{L-2}\left(\frac{L-2}{L-1}\sigma_1"
        r"\right)^{2(L-1)/L}$ ($\sigma_1$ for $L = 2$), and is not zero below it."
    ),
    statistic=(
        r"distance of an end of the measured bracket from $\lambda_c$ in units of $10^{-6}\lambda_c$, the largest over "
        r"targets and depths; an end on the wrong side counts in units of rounding"
    ),
    tolerance=(
        r"the bracket: narrower than $10^{-6}$ of $\lambda$, found by training at every $\lambda$ from the last "
        "minimizer, its leading parts of every rank, and cold starts; no closed form enters the search"
    ),
    refuted_by=r"a bracket that does not contain $\lambda_c$",
    control="the same search with small starts only, which reach the spurious zero, declared exhaustive",
    scope=everywhere,
    arms=end_arms("global", "lambda_c"),
    study="thresholds",
    eligible=is_certified,
)
