"""What `dmf.denoise` returns: a matrix without its noise, what was kept and why, and what it costs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dmf.api.complete import Completed
from dmf.api.risks import Noise, Shrinkage
from dmf.json_values import finite

if TYPE_CHECKING:
    from jaxtyping import Float64
    from matplotlib.axes import Axes

Array = NDArray[np.float64]
MOST_DIRECTIONS = 8  # that a report shows
MOST_NAMES = 5  # rows and columns of each


@dataclass(frozen=True)
class Direction:
    """A kept pair of singular vectors, and the rows and columns with the largest entries in them, largest first."""

    observed: float
    """singular value before"""
    shrunk: float
    """and after"""
    rows: tuple[tuple[str, float], ...]
    columns: tuple[tuple[str, float], ...]


@dataclass(frozen=True, eq=False, repr=False)
class Denoised:
    """The minimizer of one noisy matrix at a depth and lambda that its noise chose; in units of the target."""

    target: Float64[Array, "d_L d_0"]
    """NaN where missing"""
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    minimizer: Float64[Array, "d_L d_0"]
    """X*, without the noise"""
    choose: str
    """edge, stein or held-out"""
    depth: int
    lam: float
    threshold: float
    """m*: singular values are kept above it"""
    sigma: Float64[Array, " n"]
    """singular values before, descending; with missing entries of the target that X* fills"""
    singular_values: Float64[Array, " n"]
    """and after"""
    noise: Noise | None
    """None where entries are missing"""
    by_depth: tuple[Shrinkage, ...]
    """what each depth would cost, chosen in the same way; none where entries are missing"""
    peers: tuple[Shrinkage, ...]
    """what others would; none where entries are missing"""
    directions: tuple[Direction, ...]
    """those kept, largest first"""
    completed: Completed | None
    notes: tuple[str, ...]
    """why nothing is kept, and where numbers need care, in words"""

    @property
    def kept(self) -> int:
        """How many singular values are not zero: the rank of X*."""
        return int(np.count_nonzero(self.singular_values))

    @property
    def own(self) -> Shrinkage | None:
        """The chosen depth among `by_depth`; None where entries are missing."""
        return next((one for one in self.by_depth if one.depth == self.depth), None)

    def compare(self) -> list[Shrinkage]:
        """The chosen one, the soft threshold and others on the same matrix, by Stein's estimate; [] if some is missing.

        The soft threshold is depth 2, chosen in the same way.
        """
        own = [one for one in self.by_depth if one.depth in (2, self.depth)]
        return sorted([*own, *self.peers], key=lambda one: one.stein)

    def to_dict(self) -> dict[str, Any]:
        """All numbers, ready for JSON; None: not finite, as missing entries are."""
        found = {
            "shape": list(self.target.shape),
            "rows": list(self.rows),
            "columns": list(self.columns),
            "choose": self.choose,
            "depth": self.depth,
            "lam": self.lam,
            "threshold": self.threshold,
            "kept": self.kept,
            "sigma": self.sigma.tolist(),
            "singular_values": self.singular_values.tolist(),
            "noise": None if self.noise is None else asdict(self.noise) | {"edge": self.noise.edge},
            "by_depth": [asdict(one) for one in self.by_depth],
            "peers": [asdict(one) for one in self.peers],
            "directions": [asdict(one) for one in self.directions],
            "missing": None if self.completed is None else _of_completion(self.completed),
            "notes": list(self.notes),
            "minimizer": self.minimizer.tolist(),
        }
        plain: dict[str, Any] = finite(_lists(found))
        return plain

    def lines(self) -> list[str]:
        """The report: noise, what was chosen, what is kept and its risk, one line each, and the notes."""
        shape = f"{self.target.shape[0]} × {self.target.shape[1]}"
        lines = [f"{shape} matrix: depth {self.depth}, λ = {self.lam:.6g}, keeps {self.kept} of {self.sigma.size}"]
        if self.noise is not None:
            how = "given" if not self.noise.estimated else "estimated from the median singular value"
            lines.append(f"noise: standard deviation {self.noise.level:.4g}, {how}; it ends at {self.noise.edge:.4g}")
        lines.append(f"chosen {_HOW[self.choose]}: singular values above {self.threshold:.4g} are kept")
        if (own := self.own) is not None and self.noise is not None:
            best, hard = (next(one for one in self.peers if one.name == name) for name in _BESIDE)
            others = f" (best shrinkage {best.asymptotic:.4g}, best hard threshold {hard.asymptotic:.4g})"
            seen = f"{own.asymptotic:.4g}{others}; " if own.kept else "what is below the edge costs its square; "
            lines += [
                f"degrees of freedom: {own.degrees:.1f} of {self.target.size:,} entries",
                f"risk: {seen}by Stein {own.stein:.4g} ± {self.noise.error:.2g}",
            ]
        if (done := self.completed) is not None:
            lines += [
                f"missing: {int((~done.observed).sum()):,} of {done.observed.size:,} entries; held-out ones are "
                f"predicted to {done.chosen.error:.4g}, by zeros to {done.zero_error:.4g}",
                f"{len(done.found.objectives) - 1:,} proximal steps, none of which rose; the last moved X* by "
                f"{done.found.residual:.1g} of the target",
            ]
        return [*lines, *self.notes]

    def __repr__(self) -> str:
        """The report, and the kept directions in a line each."""
        kept = [
            f"{one.observed:.4g} → {one.shrunk:.4g}: {_listed(one.rows)} · {_listed(one.columns)}"
            for one in self.directions[:MOST_DIRECTIONS]
        ]
        return "\n  ".join([*self.lines(), *kept])

    def plot(self, axes: Axes | None = None) -> Axes:
        """Singular values before and after, and where noise ends. Draws on `axes`, on new ones without."""
        axes = _axes(axes)
        places = np.arange(1, self.sigma.size + 1)
        axes.plot(places, self.sigma, ".", color="0.55", label="observed")
        axes.plot(places[: self.kept], self.singular_values[: self.kept], "o", color="C0", label="kept, shrunk")
        if self.noise is not None:
            axes.axhline(self.noise.edge, color="C3", linewidth=0.9, label="noise ends")
        axes.axhline(self.threshold, color="0.3", linewidth=0.9, linestyle="--", label="threshold $m^*$")
        axes.set(xlabel="rank of the singular value", ylabel="singular value", xscale="log", ylim=(0, None))
        axes.legend()
        return axes

    def plot_risks(self, axes: Axes | None = None) -> Axes:
        """Risk by depth, or with missing entries the error of held-out ones by lambda."""
        axes = _axes(axes)
        if self.completed is not None:
            for depth in dict.fromkeys(one.depth for one in self.completed.tried):
                part = [one for one in self.completed.tried if one.depth == depth]
                axes.plot([one.lam for one in part], [one.error for one in part], ".-", label=f"depth {depth}")
            axes.set(xlabel=r"$\lambda$", ylabel="error of held-out entries", xscale="log")
            axes.legend()
            return axes
        depths = [one.depth for one in self.by_depth]
        axes.plot(depths, [one.asymptotic for one in self.by_depth], "o-", label="asymptotic")
        axes.plot(depths, [one.stein for one in self.by_depth], "s--", label="by Stein")
        for one, style in zip((one for one in self.peers if one.name in _BESIDE), ("-", ":"), strict=True):
            axes.axhline(one.asymptotic, color="0.4", linestyle=style, linewidth=0.9, label=one.name)
        axes.set(xlabel="depth", ylabel="risk", ylim=(0, None))
        axes.legend()
        return axes


_HOW = {"edge": "at the noise's edge", "stein": "by Stein's estimate", "held-out": "by held-out entries"}
_BESIDE = ("best shrinkage", "best hard threshold")


def loadings(vector: Array, names: tuple[str, ...], kind: str) -> tuple[tuple[str, float], ...]:
    """The largest entries of a singular vector with their names, "row 3" where there are none.

    >>> loadings(np.array([0.1, -0.9, 0.4]), (), "row")[:2]
    (('row 2', -0.9), ('row 3', 0.4))
    """
    order = np.argsort(-np.abs(vector), kind="stable")[:MOST_NAMES]
    return tuple((names[at] if names else f"{kind} {at + 1}", float(vector[at])) for at in order.tolist())


def _of_completion(done: Completed) -> dict[str, Any]:
    return {
        "observed": int(done.observed.sum()),
        "chosen": asdict(done.chosen),
        "tried": [asdict(one) for one in done.tried],
        "zero_error": done.zero_error,
        "steps": len(done.found.objectives) - 1,
        "objectives": done.found.objectives.tolist(),
        "residual": done.found.residual,
        "settled": done.found.settled,
    }


def _lists(value: Any) -> Any:
    """Tuples as lists, inside of lists and mappings too."""
    if isinstance(value, dict):
        return {key: _lists(one) for key, one in value.items()}
    return [_lists(one) for one in value] if isinstance(value, list | tuple) else value


def _listed(names: Iterable[tuple[str, float]]) -> str:
    return ", ".join(f"{name} {share:+.2f}" for name, share in names)


def _axes(axes: Axes | None) -> Axes:
    if axes is not None:
        return axes
    from matplotlib import pyplot

    return pyplot.subplots(layout="constrained")[1]
