"""Beyond the paper: how minimizers move with their target, and Stein's identity with the jump at m*."""

import xarray as xr

from dmf.evidence.claim import Arm, Claim
from dmf.evidence.controls import Off, declared, where
from dmf.evidence.eligibility import is_certified


def derivative_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Departure of entries of the measured derivative from the closed form, over tolerance, (cell, start)."""
    return evidence["derivative_gap"] / evidence["derivative_tolerance"]


def symmetry_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Difference of the measured derivative and its transpose over tolerance, (cell, start)."""
    return evidence["asymmetry"] / (2 * evidence["derivative_tolerance"])


def spectrum_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Departure of its eigenvalues over what all entries allow together, (cell, start)."""
    return evidence["spectrum_gap"] / (evidence["size"] * evidence["derivative_tolerance"])


def degrees_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Departure of its trace from the degrees of freedom over what the diagonal allows, (cell, start)."""
    gap = abs(evidence["degrees"] - evidence["predicted_degrees"])
    return gap / (evidence["size"] * evidence["derivative_tolerance"])


def stein_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """What Stein's identity with the jump leaves, over five standard errors, (cell, start)."""
    left = evidence["covariance"] - evidence["mean_degrees"] - evidence["jump"]
    return abs(left) / evidence["stein_tolerance"]


def of_plain_targets(evidence: xr.Dataset) -> xr.DataArray:
    """Cells of trained minimizers of eq. 2, (cell,)."""
    return (evidence["plain"] == 1) & evidence["size"].notnull().any("start")


def of_independent_noise(evidence: xr.Dataset) -> xr.DataArray:
    """Cells of Stein's identity whose noise is independent, (cell,)."""
    return (evidence["plain"] == 1) & evidence["covariance"].notnull().any("start")


ON_INPUTS = declared(where(problem="correlated inputs"), plain=1)
ORDINARY = where(problem="ordinary")

SENSITIVITY = Claim(
    title="The derivative of the minimizer by its target is symmetric, with a spectrum in closed form",
    source="Beyond Theorem 10",
    statements=("Beyond the paper: sensitivity",),
    statement=(
        r"Where no singular value of $M$ is at $m^*$, $dX^*/dM$ is symmetric, with the eigenvalues $1/h'(x_i)$, "
        r"$(x_i - x_j)/(\sigma_i - \sigma_j)$ and $(x_i + x_j)/(\sigma_i + \sigma_j)$, $i < j$, and $x_i/\sigma_i$, "
        r"$|d_0 - d_L|$ times; their sum is the number of degrees of freedom."
    ),
    statistic=(
        "largest departure of the derivative measured on trained runs from the closed form, its transpose, the "
        "spectrum and the degrees of freedom, in units of tolerance"
    ),
    tolerance=(
        "the change of the last extrapolation of differences, and the radii of runs trained again, over the step; "
        "for the spectrum and the trace times the number of entries"
    ),
    refuted_by="a trained minimizer whose product moves otherwise",
    control=(
        "layers on correlated inputs, as a function of the least-squares solution, declared to be layers on white ones"
    ),
    scope=of_plain_targets,
    arms=(
        Arm("derivative", derivative_ratio, ON_INPUTS, declared(ORDINARY, derivative_gap=Off(0, {"1": 1e-9}))),
        Arm("symmetry", symmetry_ratio, ON_INPUTS, declared(ORDINARY, asymmetry=Off(0, {"1": 2e-9}))),
        Arm("spectrum", spectrum_ratio, ON_INPUTS, declared(ORDINARY, spectrum_gap=Off(0, {"1": 6e-9}))),
        Arm("degrees", degrees_ratio, ON_INPUTS, declared(ORDINARY, degrees=Off("predicted_degrees", {"1": 6e-9}))),
    ),
    study="sensitivity",
    eligible=is_certified,
)

STEIN = Claim(
    title="Stein's identity for the minimizer has one more term, from the jump at m*",
    source="Beyond Corollary 14",
    statements=("Beyond the paper: sensitivity",),
    statement=(
        r"For $Y = M + sZ$ with independent Gaussian noise $\mathbb{E} \langle Z, X^*(Y) \rangle / s = \mathbb{E}\, "
        r"\mathrm{tr}(dX^*/dY) + x_J \sum_i p_i(m^*)$, with $p_i$ the density of $\sigma_i(Y)$."
    ),
    statistic="difference of both sides over many draws of noise, in units of tolerance",
    tolerance=(
        "five standard errors of the mean of the difference, which chance passes once in a million, and what half the "
        "window in which singular values are counted changes the density by"
    ),
    refuted_by="means of both sides that differ by more than five standard errors",
    control=(
        "noise whose size is one of two for all entries of a matrix, declared to be independent; and the jump left out"
    ),
    scope=of_independent_noise,
    arms=(
        Arm(
            "Stein",
            stein_ratio,
            declared(where(problem="noise of two sizes"), plain=1),
            declared(where(problem="noise, ordinary"), jump=0),
        ),
    ),
    study="sensitivity",
    eligible=is_certified,
    basis="formula",
)
