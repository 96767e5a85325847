"""Section 1: on white inputs, training a deep linear network is factorizing Y X^T, minimum by minimum."""

import xarray as xr

from dmf.claims.layer_norms import layer_norm_ratio
from dmf.claims.levels import away_from_degenerate, level_ratio
from dmf.claims.uniqueness import distance_ratio
from dmf.evidence.claim import Claim
from dmf.evidence.eligibility import is_certified, is_eligible, larger, outside_exceptional_set


def factorization_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """What level, product or layer norms miss of the factorization's, in units of tolerance, (cell, start).

    Product and layer norms count where the run may speak for minimizers.
    """
    at_minimum = larger(distance_ratio(evidence), layer_norm_ratio(evidence))
    level = level_ratio(evidence)
    return larger(level, at_minimum.where(is_eligible(evidence), level))


def white(evidence: xr.Dataset) -> xr.DataArray:
    """Cells with white inputs whose Y X^T meets the hypotheses on levels and minimizers, (cell,)."""
    return (evidence["white"] == 1) & away_from_degenerate(evidence) & outside_exceptional_set(evidence)


def pretend_white(controls: xr.Dataset) -> xr.Dataset:
    """Runs on correlated inputs, declared white."""
    cells = controls.isel(cell=(controls["inputs"] == "correlated").values)
    return cells.assign(white=xr.ones_like(cells["white"]))


CLAIM = Claim(
    order=50,
    title="On white inputs a deep linear network factorizes the correlation of outputs and inputs",
    source="Section 1",
    statement=(
        r"If $X X^\top = I$, then $\|Y - W_L \cdots W_1 X\|_F^2 + \lambda \sum_l \|W_l\|_F^2$ is the objective of "
        r"factorizing $M = Y X^\top$, plus $\|Y\|_F^2 - \|M\|_F^2$. So every run on the data ends on a level of $M$, "
        r"and at the minimum its product is $X^*(M)$ and the norm of all its layers is $\alpha(M)$."
    ),
    statistic=(
        r"over runs trained on $(X, Y)$, which never see $M$: $|F - F_k|$ for the nearest level $k$ of $M$, and at the "
        r"minimum the distance and misalignment of the product and the farthest layer norm, each in units of its "
        "tolerance; the largest"
    ),
    tolerance=(
        r"those of the claims on levels, uniqueness and layer norms, with $\|\nabla F\|$ on the data, and in it what "
        r"sums over $n$ samples may round away, $8\,(n + d_0 + 2)\,\epsilon \sqrt{L}\, s^{L-1} \|X\|_2 (\|Y\|_F + s^L "
        r"\|X\|_2)$, $s$ the largest spectral norm of a layer"
    ),
    refuted_by=r"a run on white inputs that ends elsewhere than a factorization of $Y X^\top$ can",
    control=r"runs on correlated inputs with the same $Y X^\top$, declared white",
    scope=white,
    ratio=factorization_ratio,
    counterexample=pretend_white,
    study="networks",
    eligible=is_certified,
)
