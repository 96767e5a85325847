"""`dmf.predict`: what the theory says of a matrix, as one object that people print, plot and store. Trains nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dmf import theory
from dmf.api.inputs import read_depth, read_lam, read_target, read_widths
from dmf.json_values import finite
from dmf.theory import prediction

if TYPE_CHECKING:
    from jaxtyping import Bool, Float64
    from matplotlib.axes import Axes

Array = NDArray[np.float64]
MOST_SHOWN = 12  # rows and columns of a table of a notebook, and labels of a line


@dataclass(frozen=True)
class Level:
    """Critical points that keep the `kept` largest singular values: values of F at which runs can end (eq. 79)."""

    kept: int
    kind: str
    """"global minimum", "spurious minimum", "strict saddle", or "undecided: equal values\""""
    objective: float
    excess: float
    """above the minimum"""
    morse_index: int | None
    """negative eigenvalues of the Hessian; None, as `curvature`, where all levels together have too many"""
    curvature: float | None
    """the largest eigenvalue of the Hessian"""


@dataclass(frozen=True, eq=False, repr=False)
class Prediction:
    """The closed forms of one target at one depth and lambda, as `dmf.predict` returns them. Dimensionless.

    Of the minimizers of F = ||M - W_L ... W_1||_F^2 + lambda sum_l ||W_l||_F^2. Arrays are read-only.
    """

    target: Float64[Array, "d_L d_0"]
    rows: tuple[str, ...]
    """labels of the target's rows, d_L or none; those of `minimizer` too"""
    columns: tuple[str, ...]
    """labels of the target's columns, d_0 or none"""
    widths: tuple[int, ...]
    """d_0, ..., d_L"""
    lam: float
    critical_lambda: float
    """lambda_c: above it everything collapses to zero (Corollary 14)"""
    minimizer: Float64[Array, "d_L d_0"]
    """X* = W_L ... W_1 at every minimizer (Theorem 10)"""
    sigma: Float64[Array, " n"]
    """singular values of the target, descending; n = min(d_0, d_L)"""
    singular_values: Float64[Array, " n"]
    """those of X*, in the same order"""
    kept: Bool[NDArray[np.bool_], " n"]
    """which of them are not zero"""
    threshold: float
    """m*: a singular value of the target is kept above it (Theorem 5)"""
    branch_threshold: float
    """m_loc: above it a local minimum may keep it (eq. 79)"""
    jump: float
    """x_J, the singular value of X* just above the threshold (Theorem 5)"""
    exceptional_distance: float
    """min_i |sigma_i - m*| / m*: 0 where X* is not unique (Remark 12); infinite for depth 2"""
    levels: tuple[Level, ...]
    """by number of kept values, from 0"""
    minimum: float
    """of F (Theorem 10)"""
    layer_norm_sq: float
    """||W_l||_F^2 of every layer of every minimizer (Corollary 13)"""
    parameters: int
    """N"""
    trace: float
    """of the Hessian of F at every minimizer"""
    trace_bound: float
    """the lower bound of Theorem 15"""
    curvature: tuple[float, float]
    """smallest positive and largest eigenvalue of that Hessian"""
    zero_modes: int
    """how many eigenvalues are zero: the dimension of the orbit of minimizers"""
    notes: tuple[str, ...]
    """where numbers need care, in words"""
    _found: dict[str, Any]

    @property
    def depth(self) -> int:
        """Number of layers L."""
        return len(self.widths) - 1

    @property
    def rank(self) -> int:
        """Of X*: how many singular values are kept."""
        return int(self.kept.sum())

    @property
    def largest_step(self) -> float:
        """2 / lambda_max: with a larger step gradient descent cannot stay at any minimizer."""
        return 2 / self.curvature[1]

    @property
    def relative(self) -> float:
        """Lambda in units of lambda_c."""
        return self.lam / self.critical_lambda

    def to_dict(self) -> dict[str, Any]:
        """All numbers, ready for JSON: as `dmf predict --json` has them, with X*, its labels; None: not finite."""
        head = {"shape": list(self.target.shape), "depth": self.depth, "lam": self.lam, "widths": list(self.widths)}
        labels = {"rows": list(self.rows), "columns": list(self.columns)}
        found: dict[str, Any] = finite({**head, **self._found, "product": self.minimizer.tolist(), **labels})
        return found

    def plot(self, axes: Axes | None = None) -> Axes:
        """Singular values of X* against those of the target: the curve of Theorem 5, and this target on it.

        Draws on `axes`, on new ones without. Needs matplotlib.
        """
        if axes is None:
            from matplotlib import pyplot

            axes = pyplot.subplots(layout="constrained")[1]
        top = 1.15 * max(float(self.sigma[0]), self.threshold)
        above = np.linspace(self.threshold, top, 400)
        curve = theory.large_root(above, self.depth, self.lam)
        axes.plot([0, self.threshold], [0, 0], color="C0", label=f"closed form, depth {self.depth}")
        axes.plot(above, np.where(above > self.threshold, curve, self.jump), color="C0")
        axes.plot([0, top], [0, top], color="0.7", linewidth=0.8, label="no regularization")
        axes.axvline(self.threshold, color="0.5", linestyle="--", label="threshold $m^*$")
        axes.plot(self.sigma, self.singular_values, "o", color="C1", label="this target")
        axes.set(xlabel="singular value of the target", ylabel="singular value of $X^*$")
        axes.set_title(rf"keeps {self.rank} of {self.sigma.size} at $\lambda$ = {self.lam:.4g}")
        axes.legend()
        return axes

    def __repr__(self) -> str:
        """What matters most, in a few lines."""
        low, high = self.curvature
        lines = [
            f"{size_of(self.target)}, depth {self.depth}, λ = {self.lam:.6g} ({self.relative:.4g} λ_c): "
            f"keeps {self.rank} of {self.sigma.size} singular values, those above {self.threshold:.6g}",
            f"  X*: singular values {_listed(f'{x:.6g}' for x in self.singular_values)}",
            f"  F* = {self.minimum:.10g}, ‖W_l‖_F² = {self.layer_norm_sq:.6g}, {len(self.levels)} levels",
            f"  Hessian: trace {self.trace:.6g} ≥ {self.trace_bound:.6g}, eigenvalues {low:.6g} to {high:.6g}, "
            f"{self.zero_modes} of {self.parameters:,} are zero",
            *(f"  {name}: {_listed(some)}" for name, some in (("rows", self.rows), ("columns", self.columns)) if some),
            *(f"  {note}" for note in self.notes),
        ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """For notebooks: the same text, the singular values, the levels and X* as tables."""
        values = [
            [f"{m:.6g}", f"{x:.6g}", "kept" if kept else "collapsed"]
            for m, x, kept in zip(self.sigma, self.singular_values, self.kept, strict=True)
        ]
        levels = [[str(one.kept), f"{one.objective:.10g}", f"{one.excess:.6g}", one.kind] for one in self.levels]
        rows = self.rows or range(1, self.target.shape[0] + 1)
        columns = self.columns or range(1, self.target.shape[1] + 1)
        entries = [
            [str(name), *(f"{x:.6g}" for x in line[:MOST_SHOWN])]
            for name, line in zip(rows, self.minimizer, strict=True)
        ]
        return "\n".join(
            [
                f"<pre>{escape(repr(self))}</pre>",
                table("Singular values", ["of the target", "of X*", ""], values),
                table("Levels: where training can end", ["k", "F", "F − F*", ""], levels),
                table("X*", ["", *map(str, columns[:MOST_SHOWN])], entries, self.target.shape[1] - MOST_SHOWN),
            ]
        )


def predict(target: Any, depth: int, lam: float | str, widths: int | Sequence[int] | None = None) -> Prediction:
    r"""What the theory says of a matrix M: its minimizer, levels, thresholds, norms and Hessian. Trains nothing.

    Args:
        target: M, (d_L, d_0): nested lists, a NumPy array, a data frame (its labels are kept), an xarray.DataArray, a
            sparse matrix of SciPy or a tensor of torch; real, finite and not zero.
        depth: number of layers L, at least 2.
        lam: \lambda > 0, or text in units of \lambda_c: "0.5c" is half of what makes everything collapse.
        widths: hidden widths d_1, ..., d_(L-1), at least min(d_0, d_L), or one for all; min(d_0, d_L) if None.

    Returns closed forms of F = ||M - W_L ... W_1||_F^2 + \lambda \sum_l ||W_l||_F^2, without factors 1/2 (Theorems 2,
    5, 10 and 15, Corollaries 13 and 14); all are dimensionless. Raises TypeError for what is no number, ValueError for
    numbers and shapes out of range, and for more than 30 million parameters.

    >>> import dmf
    >>> found = dmf.predict([[3, 0], [0, 1]], depth=3, lam="0.5c")
    >>> found
    2 × 2 target, depth 3, λ = 0.858536 (0.5 λ_c): keeps 1 of 2 singular values, those above 1.78381
      X*: singular values 2.35467, 0
      F* = 5.9750664, ‖W_l‖_F² = 1.76992, 2 levels
    ...
    >>> found.kept.tolist(), found.levels[1].kind
    ([True, False], 'global minimum')
    """
    read, depth = read_target(target), read_depth(depth)
    rows, columns = read.values.shape
    full = read_widths(widths, (rows, columns), depth)
    sigma_1 = float(np.linalg.svd(read.values, compute_uv=False)[0])
    return predicted(read.values, full, read_lam(lam, sigma_1, depth), (read.rows, read.columns))


def predicted(
    target: Float64[Array, "d_L d_0"],
    widths: tuple[int, ...],
    lam: float,
    names: tuple[tuple[str, ...], tuple[str, ...]] = ((), ()),
) -> Prediction:
    """The prediction for a checked target, widths (d_0, ..., d_L) and lambda; `names` label rows and columns."""
    found = prediction.predict(target, widths, lam)
    numbers, values = found["numbers"], found["values"]
    singular_values = np.array([value["minimizer"] for value in values])
    levels = [
        Level(one["kept"], one["kind"], one["objective"], one["excess"], one["morseIndex"], one["lambdaMax"])
        for one in found["levels"]
    ]
    return Prediction(
        target=_frozen(target.copy()),
        rows=names[0],
        columns=names[1],
        widths=widths,
        lam=lam,
        critical_lambda=numbers["criticalLambda"],
        minimizer=_frozen(theory.end_to_end_minimizer(target, len(widths) - 1, lam)),
        sigma=_frozen(np.array([value["sigma"] for value in values])),
        singular_values=_frozen(singular_values),
        kept=_frozen(singular_values > 0),
        threshold=numbers["collapseThreshold"],
        branch_threshold=numbers["branchThreshold"],
        jump=numbers["jump"],
        exceptional_distance=numbers["exceptionalDistance"],
        levels=tuple(levels),
        minimum=numbers["minimum"],
        layer_norm_sq=numbers["layerNormSq"],
        parameters=numbers["parameters"],
        trace=numbers["trace"],
        trace_bound=numbers["bound"],
        curvature=(numbers["mu"], numbers["lambdaMax"]),
        zero_modes=numbers["zeroModes"],
        notes=tuple(found["notes"]),
        _found=found,
    )


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]], more_columns: int = 0) -> str:
    """A plain table for a notebook: the first MOST_SHOWN rows, all text escaped."""
    lines = [_row("th", head), *(_row("td", row) for row in rows[:MOST_SHOWN])]
    more = {"rows": len(rows) - MOST_SHOWN, "columns": more_columns}
    left = [f"{count:,} more {what}" for what, count in more.items() if count > 0]
    caption = escape(", ".join([title, *left]))
    return f"<table><caption>{caption}</caption>{''.join(lines)}</table>"


def _row(tag: str, cells: Iterable[str]) -> str:
    return f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in cells)}</tr>"


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    array.flags.writeable = False
    return array


def size_of(target: Array) -> str:
    """The size of a target in words."""
    return f"{target.shape[0]} × {target.shape[1]} target"


def _listed(texts: Iterable[str]) -> str:
    all_of = list(texts)
    more = len(all_of) - MOST_SHOWN
    return ", ".join(all_of[:MOST_SHOWN]) + (f" and {more:,} more" if more > 0 else "")
