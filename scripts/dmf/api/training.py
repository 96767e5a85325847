"""`dmf.train`: trains one matrix from many starts, as a grid of one cell, and says what each run is evidence of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dmf.api.inputs import lam_label, read_depth, read_target, read_widths
from dmf.api.prediction import Prediction, predicted, size_of, table
from dmf.dataset.train import train_block
from dmf.errors import UserError, shown
from dmf.evidence.certify import certify
from dmf.grid.cells import Group, lambda_labels, lambda_value, series_of
from dmf.grid.config import Grid, validate
from dmf.grid.seeds import digest
from dmf.grid.targets import TargetMatrix
from dmf.proof.minimizer import Interval, prove
from dmf.proof.statements import SAYS, decide, minimizer
from dmf.training.settings import Status
from dmf.training.starts import SCHEMES

if TYPE_CHECKING:
    import pandas as pd
    from jaxtyping import Float64
    from matplotlib.axes import Axes

Array = NDArray[np.float64]
NAME = "M"  # of the target: the random numbers of starts depend on it
SCALES = (0.5, 1.0, 2.0)  # of starts, as by default in a grid
COLUMNS = ("objective", "gradient_norm", "radius", "distance", "iterations")


@dataclass(frozen=True, eq=False, repr=False)
class Run:
    """One trained run. Dimensionless."""

    number: int
    """its place among the runs"""
    start: tuple[str, float, int]
    """scheme, scale and draw"""
    layers: tuple[Float64[Array, "_d_l _d_below"], ...]
    """W_1, ..., W_L, of shapes (d_l, d_{l-1})"""
    product: Float64[Array, "d_L d_0"]
    """W_L ... W_1"""
    objective: float
    gradient_norm: float
    kept: int
    """the level that it reached: how many singular values it keeps; -1 for none"""
    minimal: bool
    """whether it is certified at the global minimum"""
    radius: float
    """bound on its distance to the minimizers; infinite where it does not hold"""

    def __repr__(self) -> str:
        """Where the run ended, on one line."""
        scheme, scale, draw = self.start
        where = "at the global minimum" if self.minimal else "not at the global minimum"
        return (
            f"Run {self.number} ({scheme} × {scale:g} no. {draw}): F = {self.objective:.10g}, {where}, "
            f"keeps {self.kept}, gradient norm {self.gradient_norm:.2g}, distance to a minimizer ≤ {self.radius:.2g}"
        )


@dataclass(frozen=True)
class Proved:
    """What ball arithmetic proves near one run; every rounding error is enclosed. Dimensionless."""

    proved: bool
    """whether a local minimizer of F lies within `radius` of the run's layers"""
    reason: str
    radius: float
    objective: Interval
    """of the minimizer: an interval that holds it"""
    curvature: Interval
    """the smallest positive eigenvalue of the Hessian there: an interval that holds it"""
    level: int | None
    """singular values that the minimizer keeps; None where this is not decided"""
    is_global: bool
    """whether it is proved to be a global minimizer"""
    statements: Mapping[str, str]
    """what each claim of the paper says of this minimizer: holds, fails or undecided"""


@dataclass(frozen=True, eq=False, repr=False)
class Training:
    """The runs of one target at one depth and lambda, as `dmf.train` returns them. Dimensionless."""

    prediction: Prediction
    """what the theory says of the same target"""
    evidence: xr.Dataset
    """the runs with their certificates, by `start`; docs/data.md lists the fields"""
    layers: tuple[Float64[Array, "run _d_l _d_below"], ...]
    """W_1, ..., W_L of every run, of shapes (run, d_l, d_{l-1})"""

    def __len__(self) -> int:
        """The number of runs."""
        return int(self.evidence.sizes["start"])

    def __getitem__(self, number: int) -> Run:
        """A run by its place. Raises IndexError."""
        number = range(len(self))[number]
        one = self.evidence.isel(start=number)
        layers = tuple(layer[number] for layer in self.layers)
        product = np.linalg.multi_dot(layers[::-1])
        start = (str(one["scheme"].item()), float(one["scale"]), int(one["draw"]))
        ends = float(one["objective"]), float(one["gradient_norm"]), int(one["kept"]), bool(one["minimal"])
        return Run(number, start, layers, product, *ends, float(one["radius"]))

    @property
    def best(self) -> Run:
        """The certified run with the lowest objective. Raises ValueError where no run is certified."""
        certified = self.evidence["certified"].values == 1
        if not certified.any():
            raise ValueError(
                f"best: none of {len(self)} runs is certified; train with lbfgs, or with more max_iterations"
            )
        return self[int(np.argmin(np.where(certified, self.evidence["objective"].values, np.inf)))]

    @property
    def ends(self) -> dict[int, int]:
        """How many runs reached each level, by the number of singular values kept; -1 for those on no level."""
        counts = Counter(int(kept) for kept in self.evidence["kept"].values)
        return dict(sorted(counts.items(), reverse=True))

    def table(self) -> pd.DataFrame:
        """One row a run: its start, why it ended, its certificate, and the level that it reached."""
        import pandas as pd

        runs = self.evidence
        columns: dict[str, Any] = {name: runs[name].values for name in ("scheme", "scale", "draw")}
        columns["status"] = [Status(int(status)).name.lower() for status in runs["status"].values]
        columns |= {name: runs[name].values == 1 for name in ("certified", "minimal")}
        columns["kept"] = runs["kept"].values
        columns["excess"] = runs["objective"].values - self.prediction.minimum
        columns |= {name: runs[name].values for name in COLUMNS}
        return pd.DataFrame(columns)

    def plot(self, axes: Axes | None = None) -> Axes:
        """F of every run, the lowest first, and the levels of the theory as lines.

        Draws on `axes`, on new ones without. Needs matplotlib.
        """
        if axes is None:
            from matplotlib import pyplot

            axes = pyplot.subplots(layout="constrained")[1]
        for level in self.prediction.levels:
            lowest = level.kind == "global minimum"
            axes.axhline(level.objective, color="C0" if lowest else "0.7", linewidth=1, zorder=0)
            axes.annotate(
                f"keeps {level.kept}: {level.kind}", (1.01, level.objective), xycoords=("axes fraction", "data"),
                va="center", fontsize="small", color="0.3",
            )  # fmt: skip
        runs = self.evidence
        order = np.argsort(runs["objective"].values, kind="stable")
        certified = runs["certified"].values[order] == 1
        for mask, mark, label in ((certified, "o", "certified"), (~certified, "x", "not certified")):
            if mask.any():
                axes.plot(np.flatnonzero(mask), runs["objective"].values[order][mask], mark, color="C1", label=label)
        axes.set(xlabel="run, by its objective", ylabel="F")
        axes.legend()
        return axes

    def prove(self) -> Proved:
        """Try to prove a minimizer near the best run in ball arithmetic; failure is a result with a reason.

        By the code that proves runs of a grid (docs/theory.md, section 8). Raises ValueError where no run is certified.
        """
        layers, matrix, lam = list(self.best.layers), self.prediction.target, self.prediction.lam
        proof = prove(layers, matrix, lam)
        level, is_global, says = None, False, {}
        if proof.proved:
            found = minimizer(layers, matrix, lam, proof)
            level, is_global = found.level, found.is_global
            says = {name: SAYS[word] for name, word in decide(found).items()}
        return Proved(
            proof.proved, proof.reason.value, proof.radius, proof.objective, proof.curvature, level, is_global, says
        )

    def __repr__(self) -> str:
        """Where the runs ended, in a few lines."""
        setting, certified = self.prediction, int((self.evidence["certified"].values == 1).sum())
        lines = [
            f"{len(self)} runs of a {size_of(setting.target)}, depth {setting.depth}, λ = {setting.lam:.6g} "
            f"({setting.relative:.4g} λ_c): {certified} certified, "
            f"{int((self.evidence['minimal'].values == 1).sum())} at the global minimum",
            *(f"  {words}: {count}" for words, count in self._ends()),
        ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """For notebooks: where the runs ended, as a table."""
        return table(
            repr(self).partition("\n")[0], ["level", "runs"], [[one, f"{count}"] for one, count in self._ends()]
        )

    def _ends(self) -> list[tuple[str, int]]:
        kinds = {level.kept: level.kind for level in self.prediction.levels}
        return [
            (f"keeps {kept} ({kinds[kept]})" if kept >= 0 else "on no level, or not certified", count)
            for kept, count in self.ends.items()
        ]


def train(
    target: Any,
    depth: int,
    lam: float | str,
    starts: int = 48,
    widths: int | Sequence[int] | None = None,
    optimizer: str | Mapping[str, Any] = "lbfgs",
    seed: int = 0,
) -> Training:
    r"""Train a factorization of a matrix M from many starts, and hold every run against the closed forms.

    Args:
        target, depth, lam, widths: as in `dmf.predict`.
        starts: number of runs, spread evenly over the schemes gaussian, orthogonal, balanced and identity, at 1/2, 1
            and 2 times the size of a layer of the unregularized solution.
        optimizer: "lbfgs", "continuation", "gd", "nesterov" or "adam", or a mapping with its name and settings, as in
            a grid: {"name": "adam", "step": 0.001}.
        seed: every start depends on it; equal arguments give equal bits.

    Minimizes F = ||M - W_L ... W_1||_F^2 + \lambda \sum_l ||W_l||_F^2 in the compiled engine. A run is certified where
    its gradient norm is at most 1e-10 \sigma_1^(2-1/L). All numbers are dimensionless. Raises TypeError and ValueError
    as `dmf.predict` does, and ValueError for other settings that a grid refuses.

    >>> import dmf
    >>> found = dmf.train([[3, 0], [0, 1]], depth=3, lam="0.5c", starts=12)
    >>> len(found), found.best.kept, bool(found.best.minimal)
    (12, 1, True)
    >>> found.prove().is_global
    True
    """
    read, depth = read_target(target), read_depth(depth)
    rows, columns = read.values.shape
    full = read_widths(widths, (rows, columns), depth)
    grid = _grid(full, {"lam": lam_label(lam), "starts": starts, "optimizer": optimizer, "seed": seed})
    (label,) = lambda_labels(grid.lambdas)
    given = TargetMatrix(NAME, NAME, "array", digest(read.values.tolist()), read.values, read.rows, read.columns)
    series = series_of(grid)
    share, more = divmod(starts, len(series))
    spans = {one: range(share + (place < more)) for place, one in enumerate(series)}
    runs = train_block(Group(full), [given], [label], {one: span for one, span in spans.items() if span}, grid)
    evidence = certify([runs]).isel(cell=0)
    layers = tuple(runs[f"layer_{number}"].values[0, 0] for number in range(1, depth + 1))
    value = lambda_value(label, float(given.singular_values[0]), depth)
    return Training(predicted(read.values, full, value, (read.rows, read.columns)), evidence, layers)


def _grid(widths: tuple[int, ...], given: Mapping[str, Any]) -> Grid:
    """The settings of one cell, refused as a grid's are. Its target stands for the one that no file defines."""
    label, starts, optimizer = given["lam"], given["starts"], given["optimizer"]
    if isinstance(starts, bool) or not hasattr(starts, "__index__"):
        raise TypeError(f"starts: got {shown(starts, quoted=True)}, expected a whole number of runs")
    if starts < 1:
        raise ValueError(f"starts: got {starts}, expected at least 1")
    if not isinstance(optimizer, str | Mapping):
        raise TypeError(f"optimizer: got {shown(optimizer, quoted=True)}, expected a name such as lbfgs or a mapping")
    relative = label.endswith("c")
    series = len(SCHEMES) * len(SCALES)
    try:
        return validate(
            {
                "grid": "train",
                "seed": given["seed"],
                "targets": [{"name": NAME, "kind": "gaussian", "shape": [widths[-1], widths[0]]}],
                "depths": [len(widths) - 1],
                "hidden_widths": list(widths[1:-1]),
                "lambdas": {"relative" if relative else "absolute": [float(label.removesuffix("c"))]},
                "starts": {"schemes": list(SCHEMES), "scales": list(SCALES), "count": -(-starts // series)},
                "optimizer": {"name": optimizer} if isinstance(optimizer, str) else dict(optimizer),
                "keep": {"layers": True},
            },
            "dmf.train",
        )
    except UserError as error:
        raise ValueError(str(error)) from None
