"""Beyond the paper: the whole Hessian spectrum is the same at all minimizers, and known in closed form."""

import numpy as np
import xarray as xr

from dmf.claims._spectra import departure_ratio
from dmf.evidence.claim import Claim
from dmf.evidence.eligibility import outside_exceptional_set


def pretend_minimal(controls: xr.Dataset) -> xr.Dataset:
    """Spurious minima declared to be minimizers, and minimizers of an exceptional target declared unexceptional."""
    return controls.assign(
        minimal=controls["certified"],
        exceptional_distance=xr.full_like(controls["exceptional_distance"], np.inf),
    )


CLAIM = Claim(
    order=21,
    title="All minimizers have the same Hessian spectrum, known in closed form",
    source="Beyond Theorem 6",
    statement=(
        r"If no singular value of $M$ equals $m^*(L, \lambda)$, all $N$ eigenvalues of $\nabla^2 F$ are the same at "
        r"every minimizer, also in the matrix case: those of one block of at most $2L$ rows for each pair of singular "
        r"directions. In particular $\lambda_{\max}$ and the smallest positive eigenvalue $\mu$ are known."
    ),
    statistic=(
        r"largest difference between an eigenvalue by automatic differentiation at a trained minimizer and the closed "
        r"form (all $N$ up to $N = 1500$, the smallest and the largest by Lanczos above), in units of tolerance"
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
    ratio=departure_ratio,
    counterexample=pretend_minimal,
    study="hessian",
)
