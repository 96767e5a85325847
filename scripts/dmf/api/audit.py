"""`dmf.audit`: what weight decay did to a pair of factored layers, and what the gradient of its loss proves."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from dmf.api.inputs import read_matrix
from dmf.theory import adapter
from dmf.theory.adapter import Stationarity

CRITICAL = 0.01  # of weight decay's own part of the gradient: above, a pair is far from critical
SAYS = {
    "none": "without a gradient nothing is proved",
    "not critical": "far from critical: no verdict",
    "suffices": "no other direction lowers the loss at first order: its rank suffices",
    "too low": "another direction lowers the loss: its rank is too low",
    "saddle": "another direction lowers the loss, for which it has spare rank: a saddle",
}


@dataclass(frozen=True)
class Audit:
    """What is known of one pair, B (d_out, r) and A (r, d_in). Dimensionless but for losses, in units of f."""

    shape: tuple[int, int]
    rank: int
    """r"""
    scale: float
    """c of X = c B A"""
    singular_values: tuple[float, ...]
    """of X, descending"""
    imbalance: float
    """||B^T B - A A^T||_F in units of (||B^T B||_F + ||A A^T||_F): 0 at critical points, at most 1"""
    removable: float
    """share of ||A||^2 + ||B||^2 that factors of the same product do without"""
    effective_rank: float
    """exp of the entropy of the singular values' shares (Roy & Vetterli 2007); 0 where X is zero"""
    lam: float | None
    threshold: float | None
    """tau = 2 lambda / c"""
    least_gradient_norm: float | None
    """what the gradient of any loss with that weight decay is here at least, from the pair alone"""
    gradient: Stationarity | None
    verdict: str
    """a key of SAYS"""
    most_to_gain: float | None
    """for convex f >= 0 of known value: how far the loss may be above its minimum over all ranks"""

    def to_dict(self) -> dict[str, Any]:
        """All of it, ready for JSON."""
        found = asdict(self)
        found["gradient"] = None if self.gradient is None else self.gradient._asdict()
        return found | {"shape": list(self.shape), "singular_values": list(self.singular_values)}

    def __repr__(self) -> str:
        """One line."""
        size = f"{self.shape[0]} x {self.shape[1]}, rank {self.rank}"
        return f"Audit({size}, imbalance {self.imbalance:.3g}, removable {self.removable:.3g}: {SAYS[self.verdict]})"


def audit(
    b: Any,
    a: Any,
    *,
    scale: float = 1.0,
    lam: float | None = None,
    gradient: Any = None,
    loss: float | None = None,
) -> Audit:
    """Audit the pair of f(W_0 + c B A) + lambda (||A||^2 + ||B||^2), for any loss f in any units.

    Args:
        b: B (d_out, r), anything like a matrix.
        a: A (r, d_in).
        scale: c > 0, alpha / r of an adapter.
        lam: lambda > 0, half of an optimizer's coupled weight_decay. Decoupled decay (AdamW) minimizes no such loss.
        gradient: G (d_out, d_in) of f with regard to X = c B A, of the whole data; needs lam.
        loss: f >= 0 at X; with it, and if f is convex, `most_to_gain` is a bound.

    Raises ValueError for shapes that do not fit, numbers that are not finite or positive, a gradient without lambda and
    a loss without a gradient, TypeError for what is no matrix.

    >>> import dmf
    >>> dmf.audit([[4.0]], [[1.0]])
    Audit(1 x 1, rank 1, imbalance 0.882, removable 0.529: without a gradient nothing is proved)
    """
    upper, lower = read_matrix("B", b), read_matrix("A", a)
    c, lam = adapter.positive("scale", scale), None if lam is None else adapter.positive("lam", lam)
    if gradient is not None and lam is None:
        raise ValueError("lam: got none, expected lambda > 0 with a gradient")
    if loss is not None and (gradient is None or not loss >= 0):
        raise ValueError(f"loss: got {loss}, expected f >= 0 with a gradient")
    values = c * adapter.pair_singular_values(upper, lower)
    norm_sq = float(np.sum(upper**2) + np.sum(lower**2))
    grams = float(np.linalg.norm(upper.T @ upper) + np.linalg.norm(lower @ lower.T))
    slope = None
    if gradient is not None and lam is not None:
        slope = adapter.stationarity(upper, lower, read_matrix("gradient", gradient), lam, c)
    gain = None
    if slope is not None and loss is not None and lam is not None:
        gain = adapter.most_to_gain(slope, loss, norm_sq, lam)
    return Audit(
        shape=(len(upper), lower.shape[1]),
        rank=len(lower),
        scale=c,
        singular_values=tuple(values.tolist()),
        imbalance=adapter.imbalance(upper, lower) / grams if grams else 0.0,
        removable=adapter.removable_norm_sq(upper, lower) / norm_sq if norm_sq else 0.0,
        effective_rank=effective_rank(values),
        lam=lam,
        threshold=None if lam is None else 2 * lam / c,
        least_gradient_norm=None if lam is None else adapter.least_gradient_norm(upper, lower, lam),
        gradient=slope,
        verdict=_verdict(slope, len(lower)),
        most_to_gain=gain,
    )


def effective_rank(values: Any) -> float:
    """exp of the entropy of non-negative values' shares; 0 where all are zero.

    >>> effective_rank([2.0, 2.0, 0.0])
    2.0
    """
    values = np.asarray(values, dtype=np.float64)
    shares = values[values > 0] / values.sum() if (values > 0).any() else values[:0]
    return round(float(np.exp(-np.sum(shares * np.log(shares)))), 12) if len(shares) else 0.0


def _verdict(found: Stationarity | None, rank: int) -> str:
    if found is None:
        return "none"
    if found.share > CRITICAL:
        return "not critical"
    if found.gradient_spectral <= found.threshold + found.allowance:
        return "suffices"
    return "saddle" if found.kept < rank else "too low"
