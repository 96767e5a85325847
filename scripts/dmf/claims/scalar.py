"""Theorems 5 and 6, Remark 7: the scalar problem, its minimizers and their Hessian spectrum."""

import numpy as np
import xarray as xr

from dmf.evidence.claim import Arm, Claim
from dmf.evidence.controls import Off, ValueOf, declared, where
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
        # Searches end at 12 digits of m: more than that is another minimizer, or another minimum.
        Arm(
            "minimizer",
            place_ratio,
            declared(exceptional_distance=np.inf),
            declared(exceptional_distance=np.inf, farthest=Off("predicted", {"m": 1e-13})),
        ),
        Arm(
            "minimum",
            minimum_ratio,
            declared(exceptional_distance=np.inf, value=too_high),
            declared(exceptional_distance=np.inf, value=Off("predicted_value", {"m*m": 1e-13})),
        ),
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
    arms=(
        Arm(
            "tie",
            tie_ratio,
            declared(exceptional_distance=np.inf),
            # A lead of one rounding is none.
            declared(exceptional_distance=np.inf, gap=Off(0, {"m*m": 1e-15})),
        ),
    ),
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
DEEP = where(depth=(4, 5, 6, 8, 10))
NOT_AT_TIE = declared(DEEP, exceptional_distance=0)


def beside_an_end(cells: xr.Dataset, field: xr.DataArray) -> xr.DataArray:
    """the nearer of 0 and x_J, and off it by 1e-12 of m and a hundred times the gradient norm, both in units of m."""
    return cells["jump"].where(is_far(cells), 0.0) + (1e-12 + 100 * _relative_gradient(cells)) * cells["m"]


def above_the_tie(cells: xr.Dataset, field: xr.DataArray) -> xr.DataArray:
    """m^2, and off it by 1e-13 of it and a hundred times the squared gradient norm, in units of m."""
    return cells["m"] ** 2 * (1 + 1e-13 + 100 * _relative_gradient(cells) ** 2)


def _relative_gradient(cells: xr.Dataset) -> xr.DataArray:
    return cells["gradient_norm"] / abs(cells["m"]) ** (2 - 1 / cells["depth"])


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
    arms=(
        Arm(
            "product",
            end_ratio,
            NOT_AT_TIE,
            declared(DEEP, exceptional_distance=0, end_to_end=beside_an_end),
        ),
        Arm(
            "F",
            end_value_ratio,
            NOT_AT_TIE,
            declared(DEEP, exceptional_distance=0, objective=above_the_tie),
        ),
    ),
    study="two_minimizers",
    eligible=both_found,
)


def spread_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Largest difference of an eigenvalue from the cell's first minimizer's, over both tolerances, (cell, start)."""
    first = is_minimal(evidence).argmax("start")
    away = abs(evidence["spectrum"] - evidence["spectrum"].isel(start=first)).max("eigen")
    return away / (evidence["tolerance"] + evidence["tolerance"].isel(start=first))


# Of the limit of lambda_max: how many digits of an eigenvalue are to be seen, and how many of one in common with the
# first minimizer, which may be certified by a larger gradient than the others.
SEEN, SEEN_OF_TWO = 1e-13, 1e-10


def all_but_the_first(cells: xr.Dataset, field: xr.DataArray) -> xr.DataArray:
    """the closed form at the first minimizer, and off it at the others."""
    first = xr.DataArray(np.arange(cells.sizes["start"]), dims="start") == is_minimal(cells).argmax("start")
    away = (SEEN_OF_TWO * cells["limit"]).where(~first, 0.0)
    return (cells["predicted"] + away).transpose(*field.dims)


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
    arms=(
        Arm(
            "spread",
            spread_ratio,
            declared(where(kind="pair"), exceptional_distance=np.inf),
            declared(where(kind="pair"), exceptional_distance=np.inf, spectrum=all_but_the_first),
        ),
    ),
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
    arms=(
        Arm(
            "spectrum",
            spectrum_ratio,
            declared(where(kind="pair"), exceptional_distance=np.inf),
            declared(where(kind="pair"), exceptional_distance=np.inf, spectrum=Off("predicted", {"limit": SEEN})),
        ),
    ),
    study="scalar_hessian",
    eligible=is_minimal,
)


def expansion_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Distance of lambda_max from limit and slope, over twice the next term and the run's tolerance, (cell, start)."""
    depth, lam = evidence["depth"], evidence["lam"]
    expansion = evidence["limit"] - (6 * depth - 8) * lam
    next_term = 2 * (depth - 1) * (depth - 2) / depth * evidence["reduced"] * lam
    return abs(evidence["largest"] - expansion) / (2 * next_term + evidence["tolerance"])


def with_a_slope_too_small(cells: xr.Dataset, field: xr.DataArray) -> xr.DataArray:
    """limit and slope, the slope too small by a percent."""
    wrong = cells["limit"] - 0.99 * (6 * cells["depth"] - 8) * cells["lam"]
    return wrong.broadcast_like(field).transpose(*field.dims)


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
    arms=(
        Arm(
            "expansion",
            expansion_ratio,
            declared(where(kind="spurious"), minimal=ValueOf("certified")),
            declared(where(kind="spurious"), minimal=ValueOf("certified"), largest=with_a_slope_too_small),
        ),
    ),
    study="scalar_hessian",
    eligible=is_minimal,
)
