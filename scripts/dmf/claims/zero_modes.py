"""Beyond the paper: the minimizers form a Morse-Bott manifold, flat along the symmetry's orbit and nowhere else."""

import xarray as xr

from dmf.claims._spectra import count_ratio
from dmf.claims.hessian_spectrum import pretend_minimal
from dmf.evidence.claim import Claim
from dmf.evidence.eligibility import outside_exceptional_set


def zero_mode_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """How clearly the zero eigenvalues are as many as the orbit has dimensions and none is negative, (cell, start)."""
    return count_ratio(evidence, xr.zeros_like(evidence["orbit_dimension"]), evidence["orbit_dimension"])


def all_eigenvalues_known(evidence: xr.Dataset) -> xr.DataArray:
    """Cells outside the exceptional set where the whole spectrum was computed, (cell,)."""
    return outside_exceptional_set(evidence) & (evidence["dense"] == 1)


CLAIM = Claim(
    order=22,
    title="Minimizers are flat along their orbit and nowhere else",
    source="Beyond Theorem 6",
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
    control="those of the Hessian spectrum: their orbits have other dimensions",
    scope=all_eigenvalues_known,
    ratio=zero_mode_ratio,
    counterexample=pretend_minimal,
    study="hessian",
)
