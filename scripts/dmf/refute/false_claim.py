"""The negative control of the search: a statement that is false in a narrow window, which it has to find."""

from dataclasses import replace

import xarray as xr

from dmf.claims.collapse import COLLAPSE, collapse_ratio
from dmf.evidence.claim import Arm

WINDOW = 1e-2


def shifted_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """That of Corollary 14, had the collapse been at (1 + WINDOW) lambda_c, (cell, start)."""
    return collapse_ratio(evidence.assign(relative=evidence["relative"] / (1 + WINDOW)))


FALSE_CLAIM = replace(
    COLLAPSE,
    title="Everything collapses to zero at 1.01 of the critical λ (false)",
    source="Control of the search",
    statement=r"$X^* = 0$ if and only if $\lambda > 1.01\,\lambda_c(\sigma_1, L)$.",
    arms=(Arm("collapse", shifted_ratio, COLLAPSE.arms[0].far),),
)
