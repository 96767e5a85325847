"""`dmf.audit_sweep`: which runs of a sweep of weight decay are provably no global minimizers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dmf.theory.adapter import sweep_excess

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Sweep:
    """R runs of one loss l + lambda ||theta||^2 at several lambdas; losses are in its units."""

    lam: Array
    """(R,)"""
    loss: Array
    """(R,) l at the end, without its decay"""
    norm_sq: Array
    """(R,) ||theta||^2 of the decayed weights"""
    excess: Array
    """(R,) how far a run is above another one's weights at its own lambda"""
    not_global: NDArray[np.bool_]
    """(R,) whether that is more than rounding and `tolerance`"""

    def __repr__(self) -> str:
        """One line."""
        worst = f", by up to {self.excess.max():.3g}" if self.not_global.any() else ""
        return f"Sweep({len(self.lam)} runs, {int(self.not_global.sum())} provably not global{worst})"

    def plot(self, axes: Axes | None = None) -> Axes:
        """Every run's value at its lambda, and the concave envelope of all runs' lines. Needs matplotlib."""
        if axes is None:
            from matplotlib import pyplot

            axes = pyplot.subplots(layout="constrained")[1]
        positive = self.lam[self.lam > 0]
        spread = len(positive) == len(self.lam) and positive.max() > 30 * positive.min()
        between = np.geomspace if spread else np.linspace
        grid = np.unique([*between(self.lam.min(), self.lam.max(), 400), *self.lam])
        least = np.min(self.loss[:, None] + self.norm_sq[:, None] * grid, axis=0)
        own = self.loss + self.lam * self.norm_sq
        axes.plot(grid, least, color="C0", label="least of all runs' weights")
        for mask, marker, label in ((~self.not_global, "o", "run"), (self.not_global, "x", "run, not global")):
            axes.plot(self.lam[mask], own[mask], marker, color="C0" if marker == "o" else "C3", label=label)
        axes.set(xlabel=r"$\lambda$", ylabel=r"loss $+\;\lambda\,\|\theta\|^2$", xscale="log" if spread else "linear")
        axes.legend()
        return axes


def audit_sweep(lam: Any, loss: Any, norm_sq: Any, *, tolerance: float = 0.0) -> Sweep:
    r"""Which runs a sweep of coupled L2 proves to be no global minimizers, for any loss and any network.

    The weights of run j cost loss_j + \lambda norm_sq_j at every lambda: a run that costs more at its own is no global
    minimizer. What passes is proved nothing. Decoupled decay (AdamW) minimizes no such loss.

    Args:
        lam: lambdas >= 0, one a run; half of an optimizer's weight_decay.
        loss: the loss at the end of each run without its decay, the same data and loss for all runs.
        norm_sq: squared Euclidean norm of the decayed weights.
        tolerance: what may be wrong with losses, such as their printed digits; in their units.

    Raises ValueError for another number of entries, what is not finite, a lambda, a norm or a tolerance below 0.

    >>> import dmf
    >>> dmf.audit_sweep([0.1, 0.1, 0.2], [1.0, 2.0, 1.5], [5.0, 4.0, 2.0])
    Sweep(3 runs, 1 provably not global, by up to 0.9)
    """
    excess, rounding = sweep_excess(lam, loss, norm_sq)
    if not len(excess):
        raise ValueError("lam: got no runs, expected one or more")
    if not tolerance >= 0:
        raise ValueError(f"tolerance: got {tolerance}, expected a number >= 0")
    lams, losses, norm_sqs = (np.asarray(one, dtype=np.float64) for one in (lam, loss, norm_sq))
    return Sweep(lams, losses, norm_sqs, excess, excess > rounding + 2 * tolerance)
