"""Extension: factors 1/2, means and weight_decay are eq. 2 at another lambda."""

import xarray as xr

from dmf.claims._extensions import departure, is_lowest
from dmf.evidence.claim import Claim


def equal(evidence: xr.Dataset) -> xr.DataArray:
    """Cells with one weight for all layers, (cell,)."""
    return evidence["unequal"] == 0


def pretend_read_off(controls: xr.Dataset) -> xr.Dataset:
    """Runs held against the minimizer at the lambda that their code names."""
    return controls.assign(distance=controls["distance_read"])


CLAIM = Claim(
    order=27,
    title="Other conventions are eq. 2 at another λ",
    source="Extension of Theorem 10",
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
    ratio=departure,
    counterexample=pretend_read_off,
    study="weights",
    eligible=is_lowest,
)
