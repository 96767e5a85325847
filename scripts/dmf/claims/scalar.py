"""Theorems 5 and 6, Remark 7: the scalar problem, its minimizers and their Hessian spectrum."""

import numpy as np
import xarray as xr

from dmf.evidence.claim import Arm, Claim
from dmf.evidence.controls import ValueOf, declared, where
from dmf.evidence.eligibility import is_certified, is_minimal, outside_exceptional_set

SMALL = 0.02  # lambda / lambda_c: the expansion's third term is then below its second


def place_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Distance of the minimizer from the formula's, over its tolerance, (cell, start)."""
    return abs(evidence["farthest"] - evidence["predicted"]) / evidence["x_tolerance"]


def minimum_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Distance of the minimum from the formula's, over its tolerance, (cell, start)."""
    return abs(evidence["value"] - evidence["predicted_value"]) / evidence["value_tolerance"]


def too_high(cells: xr.Dataset, field: xr.DataArray) -> xr.DataArray:
    """theirs, and a thousand times its tolerance."""
    return field + 1000 * cells["value_tolerance"]


SCALAR_FORMULA = Claim(
    title="The scalar minimizer is the formula's",
    source="Theorem 5, eq. 13-27",
    statements=("Theorem 5",),
    statement=(
        r"For $|m| \neq m^*(L, \lambda)$ the minimizer of $g(x) = (m - x)^2 + \lambda L |x|^{2/L}$ is $0$ if "
        r"$|m| < m^*$, and the larger root of $x + \lambda x^{2/L - 1} = |m|$, with the sign of $m$, if $|m| > m^*$."
    ),
    statistic=(
        "largest distance of the global minimizer, and of the minimum, found by brute force from those of the formula, "
        "in units of rounding"
    ),
    tolerance=(
        r"rounding: powers make $\lambda x^{2/L-1}$ wrong by $\epsilon = (8 + |\ln\lambda| + |\ln|m||)\,2^{-52}$ of "
        r"itself, which moves a minimizer by at most $\epsilon\,|m| / (1 - 1/L)$, since $g''/2 \geq 1 - 1/L$ there, "
        r"and a minimum by $2\epsilon\,m^2$"
    ),
    refuted_by="a point with a lower objective than the formula's, or a global minimizer elsewhere",
    control=r"scalars at $\pm m^*$, declared not to be there: the minimizer that the formula leaves out is found",
    scope=outside_exceptional_set,
    arms=(
        Arm("minimizer", place_ratio, declared(exceptional_distance=np.inf)),
        Arm("minimum", minimum_ratio, declared(exceptional_distance=np.inf, value=too_high)),
    ),
    study="scalar",
    eligible=is_certified,
    basis="formula",
)


def tie_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Rounding of g over the gap between its two lowest minima, 0 where there is one minimum only, (cell, start)."""
    return evidence["value_tolerance"] / evidence["gap"]


SCALAR_UNIQUE = Claim(
    title="The scalar minimizer is unique except at two scalars",
    source="Theorem 5",
    statements=("Theorem 5",),
    statement=r"For $|m| \neq m^*(L, \lambda)$ the scalar problem has one end-to-end minimizer.",
    statistic="rounding of the objective in units of the gap between its two lowest minima, the largest of all scalars",
    tolerance=(
        r"$2\epsilon\,m^2$ with $\epsilon = (8 + |\ln\lambda| + |\ln|m||)\,2^{-52}$: rounding of $g$, and of $m^*$ "
        "where $m$ is made from it; the objectives of two minimizers would differ by no more"
    ),
    refuted_by=r"two minima of one value at some $|m| \neq m^*$, however near to $m^*$: they are tried to $10^{-9}$",
    control=r"scalars at $\pm m^*$, declared not to be there: two minima of one value are found at each",
    scope=outside_exceptional_set,
    arms=(Arm("tie", tie_ratio, declared(exceptional_distance=np.inf)),),
    study="scalar",
    eligible=is_certified,
    basis="formula",
)


def end_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Distance to the nearer of 0 and x_J, over its tolerance, (cell, start)."""
    return abs(evidence["end_to_end"] - evidence["jump"].where(is_far(evidence), 0.0)) / evidence["tolerance"]


def end_value_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Distance of F to m^2, over its tolerance, (cell, start)."""
    return abs(evidence["objective"] - evidence["m"] ** 2) / evidence["value_tolerance"]


def is_far(evidence: xr.Dataset) -> xr.DataArray:
    """Runs that ended away from zero, (cell, start)."""
    far: xr.DataArray = abs(evidence["end_to_end"]) > abs(evidence["jump"]) / 2
    return far


def both_found(evidence: xr.Dataset) -> xr.DataArray:
    """Certified runs of cells where some certified run ended at zero and some away from it, (cell, start)."""
    certified, far = evidence["certified"] == 1, is_far(evidence)
    both = (certified & far).any("start") & (certified & ~far).any("start")
    return (certified & both).transpose("cell", "start")


def on_exceptional_set(evidence: xr.Dataset) -> xr.DataArray:
    """Cells with |m| = m*, (cell,)."""
    return ~outside_exceptional_set(evidence)


# At depth 3 no run of these ends at zero, so that nothing is counted there.
NOT_AT_TIE = declared(where(depth=(4, 5, 6, 8, 10)), exceptional_distance=0)

TWO_MINIMIZERS = Claim(
    title="Two scalars have two minimizers",
    source="Theorem 5, Fig. 2",
    statements=(
        "Theorem 5",
        "Figure 2",
    ),
    statement=r"For $m = \pm m^*$ and $L \geq 3$ both $0$ and $\pm x_J$ are minimizers, with $F = m^2$ at both.",
    statistic=(
        r"largest distance of a trained product from the nearer of $0$ and $x_J$, and of $F$ from $m^2$, over all runs "
        "of the scalars where both were reached, in units of tolerance"
    ),
    tolerance=(
        r"for the product $\sqrt{L}\,(x_J^{1/L} + \delta)^{L-1}\delta$ with $\delta = 2\|\nabla F\| / \mu$, for $F$ "
        r"$2\|\nabla F\|^2 / \mu$, with $\mu = 2\lambda$, below the curvature at either point; and rounding"
    ),
    refuted_by=r"a run at $\pm m^*$ that converges elsewhere, or runs at $0$ and at $x_J$ with different objectives",
    control=r"scalars trained at $\pm 1.1\,m^*$, declared to be at $\pm m^*$",
    scope=on_exceptional_set,
    arms=(Arm("product", end_ratio, NOT_AT_TIE), Arm("F", end_value_ratio, NOT_AT_TIE)),
    study="two_minimizers",
    eligible=both_found,
)


def spread_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Largest difference of an eigenvalue from the cell's first minimizer's, over both tolerances, (cell, start)."""
    first = is_minimal(evidence).argmax("start")
    away = abs(evidence["spectrum"] - evidence["spectrum"].isel(start=first)).max("eigen")
    return away / (evidence["tolerance"] + evidence["tolerance"].isel(start=first))


HESSIAN_CONSTANT = Claim(
    title="All minimizers of a scalar problem have one Hessian spectrum",
    source="Theorem 6",
    statements=("Theorem 6",),
    statement=r"For $|m| \neq m^*$ the spectrum of $\nabla^2 F$ is the same at all minimizers of the scalar problem.",
    statistic=(
        "largest difference between the eigenvalues at two trained minimizers of one problem, with different signs "
        "and starts, in units of both tolerances; no closed form is used"
    ),
    tolerance="twice that of the spectrum's closed form: each of the two is a certificate away from its minimizer",
    refuted_by="two certified minimizers of one problem with different spectra",
    control=r"scalars at $\pm m^*$, declared not to be there: minimizers at $0$ and at $x_J$ have different spectra",
    scope=outside_exceptional_set,
    arms=(Arm("spread", spread_ratio, declared(where(kind="pair"), exceptional_distance=np.inf)),),
    study="scalar_hessian",
    eligible=is_minimal,
)


def spectrum_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """The eigenvalue farthest from its closed form, over its tolerance, (cell, start)."""
    return abs(evidence["spectrum"] - evidence["predicted"]).max("eigen") / evidence["tolerance"]


SCALAR_HESSIAN = Claim(
    title="The scalar problem's Hessian spectrum is the closed form",
    source="Theorem 6, eq. 29-30",
    statements=("Theorem 6",),
    statement=(
        r"For $|m| \neq m^*$, at every minimizer: $4\lambda$ ($L - 1$ times) and $2Lw^{2L-2} - 2\lambda(L-2)$ if $w = "
        r"|x^*|^{1/L} > 0$; if $x^* = 0$, $2\lambda$ ($L$ times), or $2\lambda \pm 2|m|$ for $L = 2$."
    ),
    statistic="largest distance of an eigenvalue at a trained minimizer from its closed form, in units of tolerance",
    tolerance=(
        r"Weyl: $L\,(4(u^{2L-2} - w^{2L-2}) + 2|m|(u^{L-2} - w^{L-2}))$ with $u = w + 2\|\nabla F\| / \mu$, how far "
        r"the Hessian can differ from that at the nearest minimizer, and $4L^2\,2^{-52}$ of its entries for rounding"
    ),
    refuted_by="a trained minimizer, of any signs of its factors, with another eigenvalue",
    control=r"scalars at $\pm m^*$, declared not to be there: the minimizers away from zero have another spectrum",
    scope=outside_exceptional_set,
    arms=(Arm("spectrum", spectrum_ratio, declared(where(kind="pair"), exceptional_distance=np.inf)),),
    study="scalar_hessian",
    eligible=is_minimal,
)


def expansion_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Distance of lambda_max from limit and slope, over twice the next term and the run's tolerance, (cell, start)."""
    depth, lam = evidence["depth"], evidence["lam"]
    expansion = evidence["limit"] - (6 * depth - 8) * lam
    next_term = 2 * (depth - 1) * (depth - 2) / depth * evidence["reduced"] * lam
    return abs(evidence["largest"] - expansion) / (2 * next_term + evidence["tolerance"])


def small_lambda(evidence: xr.Dataset) -> xr.DataArray:
    """Cells of small lambda, (cell,)."""
    return evidence["relative"] < SMALL


SMALL_LAMBDA = Claim(
    title="As λ vanishes, sharpness tends to that of the flattest unregularized minimum",
    source="Remark 7",
    statements=("Remark 7",),
    statement=(
        r"$\lambda_{\max} = 2L|m|^{2-2/L} - (6L - 8)\lambda + O(\lambda^2)$ at every minimizer. The limit is the "
        r"remark's. The slope follows from $x = m - \lambda m^{2/L-1} + O(\lambda^2)$, and so does the next term, "
        r"$-\frac{2(L-1)(L-2)}{L} |m|^{2/L-2} \lambda^2$."
    ),
    statistic=(
        r"largest distance of $\lambda_{\max}$ at a trained minimizer from its limit and slope, over four decades of "
        r"$\lambda$, in units of tolerance"
    ),
    tolerance="twice the next term of the expansion, and the tolerance of an eigenvalue of Theorem 6",
    refuted_by=r"a trained minimizer at small $\lambda$ whose $\lambda_{\max}$ has another limit or another slope",
    control=r"runs that ended in the spurious zero, where $\lambda_{\max} = 2\lambda$, declared to be minimizers",
    scope=small_lambda,
    arms=(Arm("expansion", expansion_ratio, declared(where(kind="spurious"), minimal=ValueOf("certified"))),),
    study="scalar_hessian",
    eligible=is_minimal,
)
