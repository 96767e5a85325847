"""Where statements stop: small problems that violate a hypothesis, and what holds of them instead."""

import xarray as xr

from dmf.evidence.claim import Arm, Claim
from dmf.evidence.controls import Off, ValueOf, declared, where
from dmf.evidence.eligibility import is_certified


def exact_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Departure of the number from its closed form over its tolerance, (cell, start)."""
    return abs(evidence["found"] - evidence["exact"]) / evidence["tolerance"]


def kept_promise_ratio(evidence: xr.Dataset) -> xr.DataArray:
    """Tolerance over how far the number is from what the theorem promises, (cell, start)."""
    return evidence["tolerance"] / abs(evidence["found"] - evidence["promised"])


def violates(evidence: xr.Dataset) -> xr.DataArray:
    """Cells that violate the hypothesis of their theorem, (cell,)."""
    return evidence["violates"] == 1


COUNTEREXAMPLES = Claim(
    title="Where statements stop, other numbers take the place of theirs, in closed form",
    source="Beyond Theorem 10 and Corollary 13",
    statements=("Beyond the paper: counterexamples",),
    statement=(
        r"Two layers. A penalized bias that fits the share $\rho$ of the target: $\|W_1\|^2 = (1 - \rho) \|W_2\|^2$ "
        r"without it. AdamW rests where $g = (|g| + \epsilon)\, 2\lambda w$, $-g$ the gradient of the data term, and "
        r"keeps what $F$ would not. Dropout of $d$ neurons, kept with probability $1/(1+c)$: $X = (m - \lambda)/(1 + "
        r"c/d)$, which depends on the width. Without a penalty $W_1$ stays as it started on inputs that the data lack. "
        r"Noise with correlated rows exceeds the edge of white noise by a factor in closed form."
    ),
    statistic=(
        "the largest of: departure of the number from its closed form, in units of tolerance; and tolerance over its "
        "distance from what the theorem promises"
    ),
    tolerance=(
        r"$2\|\nabla F\|/\mu$; what AdamW's slowest mode can still move; how far a coarser integration is off; five "
        "standard deviations of the largest singular value of noise; and rounding"
    ),
    refuted_by="a case that keeps the promise nevertheless, or one that breaks it by another amount",
    control="the same problems without the violation, declared to violate the hypothesis",
    scope=violates,
    arms=(
        Arm(
            "exact",
            exact_ratio,
            declared(violates=1, exact=ValueOf("broken")),
            declared(where(problem="biases"), violates=1, found=Off("exact", {"1": 1e-12})),
        ),
        Arm(
            "promise",
            kept_promise_ratio,
            declared(violates=1),
            declared(where(problem="biases"), violates=1, found=Off("promised", {"1": 3e-14})),
        ),
    ),
    study="counterexamples",
    eligible=is_certified,
    basis="formula",
)
