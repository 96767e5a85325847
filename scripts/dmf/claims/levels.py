"""Equation 79 with Chen et al.: away from degenerate lambda every run ends on one of a short list of levels."""

import numpy as np
import xarray as xr

from dmf.evidence.claim import Arm, Claim
from dmf.evidence.controls import DEGENERATE, NEAR_SADDLE, SADDLE, declared, where
from dmf.evidence.eligibility import DENSE, is_certified, larger
from dmf.evidence.fields import Evidence

CLEAR = 100.0  # a gradient so many times smaller moves a point by half a percent of what separates two critical points


def level_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """|F - F_k| over its tolerance, (cell, start); infinite at a saddle of depth 2 from a DENSE start."""
    return larger(value_ratio(evidence), saddle_ratio(evidence))


def value_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """|F - F_k| over its tolerance, (cell, start)."""
    runs = Evidence(evidence)
    return abs(runs.level_gap) / runs.level_tolerance


def saddle_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Infinite where a run of two layers from a DENSE start ended above the minimum, zero elsewhere, (cell, start)."""
    runs = Evidence(evidence)
    at_saddle = (runs.depth == 2) & (runs.kept != runs.kept_at_minimum) & runs.scheme.isin(DENSE)
    return xr.zeros_like(runs.level_gap).where(~at_saddle, np.inf)


def away_from_degenerate(evidence: xr.Dataset) -> xr.DataArray:
    """Cells where a certified gradient norm tells every critical point from its neighbours, (cell,)."""
    runs = Evidence(evidence)
    return runs.gradient_separation > CLEAR * runs.gradient_tolerance


LEVELS = Claim(
    title="Every run ends on a predicted level",
    source="Equation 79",
    statements=(
        "Section 3.3",
        "Equation 79",
    ),
    statement=(
        r"If no $\sigma_i$ equals $m_{loc}(L, \lambda)$, every critical point is a local minimizer or a strict "
        r"saddle, and training from a start with a density ends, almost surely, at a local minimizer. For $L \geq 3$ "
        r"these keep the $k$ leading singular values, $0 \leq k \leq \#\{i : \sigma_i > m_{loc}\}$, with objective "
        r"$F_k = \sum_{i \leq k} g(x_i) + \sum_{i > k} \sigma_i^2$, $x_i$ the large root; for $L = 2$ they are the "
        "global minimizers. Singular values that are equal may be kept in any number: which ones is a rotation "
        "inside their space, and the local minimizers of such a $k$ are one connected set with one $F_k$. A start "
        "without a density may lie on the way into a strict saddle: a symmetry of $F$ that fixes the start keeps "
        "every first-order method, but for rounding, where it fixes the layers. So two orthogonal layers and a $2 "
        r"\times 2$ target, or a $3 \times 3$ one with a repeated singular value, stay where $\det X$ keeps its sign, "
        "and with the wrong sign L-BFGS ends, certified, at the saddle $k = n - 1$ of $L = 2$. Such runs count with "
        "their $k$."
    ),
    statistic=(
        "largest $|F - F_k|$ over all certified runs, wherever they ended, $k$ being the level whose singular values "
        "are nearest to those of $X$, in units of tolerance; infinite for $L = 2$ above the minimum from gaussian or "
        "identity starts"
    ),
    tolerance=(
        r"$2\,\|\nabla F\|^2/\mu_k + 64\,\epsilon\,\|M\|_F^2$, $\mu_k$ the smallest positive Hessian eigenvalue at "
        "level $k$. It needs the gradient to be small against what separates critical points, so a cell is in scope "
        r"where the largest certified $\|\nabla F\|$ is below a hundredth of $2\sqrt{L}\, x_c^{1-1/L} |\sigma_i - "
        r"m_{loc}|$ (the gradient where two roots merge; $\frac{4}{3}\sqrt{2/3}\, |\sigma_i - \lambda|^{3/2}$ for $L "
        r"= 2$), of $\sqrt{2}\, x^{1-1/L} (\sigma_i - \sigma_{i+1})$ between unequal singular values that may be kept, "
        r"and of $2\sqrt{L}\, \lambda w \frac{L-2}{L-1}$ with $w^{L-2} = \frac{\lambda}{(L-1)\sigma_1}$, between zero "
        "and the strict saddle next to it"
    ),
    refuted_by=r"a certified run whose objective is none of the values $F_k$",
    control=(
        r"the $1 \times 1$ target $m = m_{loc}$, declared regular: there runs from large starts end, certified, at "
        "the inflection $x_c$, a critical point that is neither a local minimizer nor a strict saddle; minimizers "
        "enlarged by a tenth; runs of two layers at a strict saddle, declared to have come from gaussian starts; near "
        r"the edge, the same with $\lambda$ just below the singular value that is lost, and minimizers moved "
        "along their softest mode until $F$ is above the level by little more than the tolerance"
    ),
    scope=away_from_degenerate,
    arms=(
        Arm(
            "value",
            value_ratio,
            declared(where(target=f"{DEGENERATE}-scalar"), gradient_separation=np.inf)
            + declared(where(kind="larger layers")),
            declared(where(kind="near: level")),
        ),
        Arm("saddle", saddle_ratio, declared(where(kind=SADDLE)), declared(where(kind=NEAR_SADDLE))),
    ),
    eligible=is_certified,
    fact="certified runs end on the predicted levels",
)
