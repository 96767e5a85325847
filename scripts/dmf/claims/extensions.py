"""Extensions of eq. 2: weights and conventions, bottlenecks."""

from collections.abc import Mapping

import xarray as xr

from dmf.evidence.claim import Arm, Claim
from dmf.evidence.controls import Beyond, Off, Value, ValueOf, Wanted, declared, where
from dmf.theory.certificate import RESOLUTION


def is_lowest(evidence: xr.Dataset) -> xr.DataArray:
    """Certified runs below which no certified run of the cell lies, (cell, start): the theory does not choose them."""
    lowest: xr.DataArray = evidence["lowest"] == 1
    return lowest.transpose("cell", "start")


def product_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Distance of X from the closed form, over its tolerance, (cell, start)."""
    return evidence["distance"] / evidence["distance_tolerance"]


def value_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Distance of F from the closed form, over its tolerance, (cell, start)."""
    return abs(evidence["value_gap"]) / evidence["value_tolerance"]


def norm_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Distance of the layer norms from the closed form, over its tolerance, (cell, start)."""
    return evidence["norm_gap"] / evidence["norm_tolerance"]


# What near controls are off by: a radius is some gradient norms here, F depends on its square, and twelve digits of
# numbers that are not far from 1 are to be seen.
SEEN: Mapping[str, float] = {"gradient_norm": 150, "1": 1e-12}
HIGHER: Mapping[str, float] = {"gradient_norm*gradient_norm": 100, "1": 5e-13}


def departures(first: Arm, cells: Mapping[str, Wanted] | None = None, /, **hypothesis: Value) -> tuple[Arm, ...]:
    """`first`, and the arms of F and of layer norms; their controls are `cells` with the `hypothesis` declared."""
    value = declared(cells, value_gap=Beyond("value_tolerance"), **hypothesis)
    near_value = declared(cells, value_gap=Off(0, HIGHER), **hypothesis)
    norm = declared(cells, norm_gap=Beyond("norm_tolerance"), **hypothesis)
    near_norm = declared(cells, norm_gap=Off(0, SEEN), **hypothesis)
    return (first, Arm("F", value_ratio, value, near_value), Arm("layer norms", norm_ratio, norm, near_norm))


def unequal(evidence: xr.Dataset) -> xr.DataArray:
    """Cells whose layers have different weights, (cell,)."""
    return evidence["unequal"] == 1


def spread_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Departure of weighted layer norms from each other, over its tolerance, (cell, start)."""
    return evidence["spread"] / evidence["spread_tolerance"]


ANOTHER_PRODUCT = Arm("X", product_ratio, declared(distance=ValueOf("distance_read")), declared(distance=Off(0, SEEN)))

LAYER_LAMBDAS = Claim(
    title="A λ for each layer acts as their geometric mean",
    source="Extension of Theorem 10",
    statements=("Beyond the paper: weights",),
    statement=(
        r"$\|M - X\|_F^2 + \sum_l \lambda_l \|W_l\|_F^2$ has the end-to-end minimizer of eq. 2 at $\lambda = "
        r"(\lambda_1 \cdots \lambda_L)^{1/L}$, and $\lambda_l \|W_l\|_F^2$ is the same for every layer."
    ),
    statistic=(
        r"over the lowest trained runs, the largest departure of $X$, of the objective, of $\lambda_l \|W_l\|_F^2$ "
        "from the closed form and from each other, in units of tolerance"
    ),
    tolerance=(
        r"$\delta = 2\|\nabla F\|/\mu$ at the rescaled layers, as for the claims on runs; between neighbouring layers "
        r"$\frac{1}{2} \sum \|W_l\|_F \|G_l\|_F$, with $G_l$ the gradient, which holds at any point and is sharp; and "
        "rounding"
    ),
    refuted_by="trained layers whose product is another, or whose weighted norms differ",
    control="runs held against the minimizer at the arithmetic mean",
    scope=unequal,
    arms=(
        *departures(ANOTHER_PRODUCT),
        Arm(
            "neighbours",
            spread_ratio,
            declared(spread=Beyond("spread_tolerance")),
            # This tolerance needs no curvature.
            declared(spread=Off(0, {"gradient_norm": 3, "1": 3e-14})),
        ),
    ),
    study="weights",
    eligible=is_lowest,
)


def equal(evidence: xr.Dataset) -> xr.DataArray:
    """Cells with one weight for all layers, (cell,)."""
    return evidence["unequal"] == 0


CONVENTION = Claim(
    title="Other conventions are eq. 2 at another λ",
    source="Extension of Theorem 10",
    statements=("Beyond the paper: weights",),
    statement=(
        r"$a\,\|M - X\|_F^2 + b \sum_l \|W_l\|_F^2$ has the minimizers of eq. 2 at $\lambda = b / a$, and $a$ times "
        r"its minimum: $\lambda$ for halves of both terms, $2\lambda$ for half of the data term; an optimizer's "
        "weight_decay $d$ is $b = d/2$, a mean over $n$ entries $a = 1/n$."
    ),
    statistic=(
        r"over the lowest trained runs, the largest departure of $X$, of the objective over $a$ and of $\|W_l\|_F^2$ "
        "from the closed form at $b/a$, in units of tolerance"
    ),
    tolerance=r"$\delta = 2\|\nabla F\|/\mu$ as for the claims on runs, with the trained loss's gradient over $a$",
    refuted_by="a run in some convention that ends elsewhere",
    control=(
        r"runs with $\frac{1}{2}$ on the data term alone, or with weight_decay, read as if their $b$ were $\lambda$"
    ),
    scope=equal,
    arms=departures(ANOTHER_PRODUCT),
    study="weights",
    eligible=is_lowest,
)


def off_both_sets(evidence: xr.Dataset) -> xr.DataArray:
    """Cells with no kept value at m* and no tie at the cut, (cell,)."""
    return (evidence["threshold_distance"] > RESOLUTION) & (evidence["cut_distance"] > RESOLUTION)


BOTTLENECK = Claim(
    title="A bottleneck keeps the largest directions",
    source="Extension of Theorem 10",
    statements=("Beyond the paper: bottleneck",),
    statement=(
        r"With a hidden width $r < \min(d_0, d_L)$, $X^* = \sum_{i \leq r} x^*(\sigma_i)\, u_i v_i^\top$: the "
        r"minimizer of Theorem 10, cut to rank $r$. It is unique unless some $\sigma_i = m^*$ with $i \leq r$, or "
        r"$\sigma_r = \sigma_{r+1} > m^*$."
    ),
    statistic=(
        r"over the lowest trained runs, the largest departure of $X$, of $F$ and of $\|W_l\|_F^2$ from the closed "
        "form, in units of tolerance"
    ),
    tolerance=(
        r"$\delta = 2\|\nabla F\|/\mu$ as for the claims on runs, $\mu$ from the Hessian's blocks at rank $r$; it "
        r"grows as $1/(\sigma_r - \sigma_{r+1})$ towards the cut"
    ),
    refuted_by=(
        r"a lowest run that keeps another direction, however near $\sigma_{r+1}$ is to $\sigma_r$: to $2 \cdot 10^{-5}$"
    ),
    control=r"targets with $\sigma_r = \sigma_{r+1}$, declared to lie off the cut",
    scope=off_both_sets,
    arms=departures(
        Arm(
            "X",
            product_ratio,
            declared(where(target="on the cut"), cut_distance=1),
            declared(where(target="on the cut"), cut_distance=1, distance=Off(0, SEEN)),
        ),
        where(target="on the cut"),
        cut_distance=1,
    ),
    study="bottleneck",
    eligible=is_lowest,
)


def on_the_cut(evidence: xr.Dataset) -> xr.DataArray:
    """Cells with a tie above m* at the cut and no kept value at m*, (cell,)."""
    return (evidence["cut_distance"] <= RESOLUTION) & (evidence["threshold_distance"] > RESOLUTION)


def set_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Distance of X from the set of minimizers, over its tolerance, (cell, start)."""
    return evidence["set_distance"] / evidence["distance_tolerance"]


def apart_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """The tolerance over half of how far minimizers lie apart, (cell, start)."""
    lack = 2 * evidence["distance_tolerance"] / evidence["spread"]  # runs that agree may be two tolerances apart
    return lack.transpose("cell", "start")


def hardly_apart(cells: xr.Dataset, field: xr.DataArray) -> xr.DataArray:
    """half of their largest gradient norm and 3e-14: runs that near to each other agree."""
    return 0.5 * cells["gradient_norm"].max("start") + 3e-14


BOTTLENECK_TIE = Claim(
    title="A tie at the bottleneck is a second exceptional set",
    source="Extension of Corollary 13",
    statements=("Beyond the paper: bottleneck",),
    statement=(
        r"For $\sigma_r = \sigma_{r+1} > m^*$ every choice of directions within the tie is a minimizer of the same "
        "value. $X^*$ is not unique, for $L = 2$ either, but all layers of all minimizers still have one norm: unlike "
        "at $m^*$, Corollary 13 holds on this set."
    ),
    statistic=(
        r"over the lowest trained runs, the largest of: distance of $X$ from the set, departure of $F$ and of "
        r"$\|W_l\|_F^2$ from the closed form, each in units of tolerance; and the tolerance in units of half the "
        "distance between the products of two such runs"
    ),
    tolerance=r"$\delta = 2\|\nabla F\|/\mu$ with $\mu$ the smallest curvature across the set of minimizers",
    refuted_by="runs on the cut that agree in X, end off the set, or have another objective or layer norm",
    control=r"targets with $\sigma_r - \sigma_{r+1} = 0.02$, declared to be tied: their runs agree",
    scope=on_the_cut,
    arms=(
        *departures(
            Arm(
                "set",
                set_ratio,
                declared(where(target="on the cut"), set_distance=Beyond("distance_tolerance")),
                declared(where(target="on the cut"), set_distance=Off(0, SEEN)),
            ),
            where(target="on the cut"),
        ),
        Arm(
            "apart",
            apart_ratio,
            declared(where(target="across the cut"), cut_distance=0),
            declared(where(target="on the cut"), spread=hardly_apart),
        ),
    ),
    study="bottleneck",
    eligible=is_lowest,
)
