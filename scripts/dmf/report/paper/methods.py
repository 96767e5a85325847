"""A paragraph on methods, from a run's own provenance, configuration and verdicts: no number is written by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from dmf.evidence.claim import Verdict
from dmf.grid.config import Grid, Lambdas
from dmf.report.census import AT_MINIMUM, WITHOUT_CERTIFICATE
from dmf.report.folder import Series
from dmf.report.paper import tex

KINDS = {
    "gaussian": "with independent standard normal entries",
    "spectrum": "with a prescribed spectrum",
    "file": "read from files",
    "dataset": "made from real data",
}
OPTIMIZERS = {
    "lbfgs": "L-BFGS",
    "continuation": r"L-BFGS with continuation in $\lambda$",
    "gd": "gradient descent",
    "nesterov": "Nesterov's accelerated gradient",
    "adam": "Adam",
}
SCHEMES = {"gaussian": "Gaussian", "orthogonal": "orthogonal", "balanced": "balanced", "identity": "identity"}


def methods(
    grid: Grid,
    provenance: Mapping[str, Any],
    verdicts: Sequence[Verdict],
    census: Mapping[Series, Mapping[str, int]],
    citation: Mapping[str, Any],
) -> str:
    """The paragraph as LaTeX, citing keys of the BibTeX beside it."""
    counts = list(census.values())
    words = Counter(verdict.finding.word for verdict in verdicts)
    return (
        tex.environment()
        .get_template("methods.tex.j2")
        .render(
            grid=grid,
            provenance=provenance,
            version=citation["version"],
            kinds=_kinds(provenance["targets"]),
            shapes=_shapes(provenance["targets"]),
            lambdas=_lambdas(grid.lambdas),
            optimizer=OPTIMIZERS[grid.optimizer.name],
            schemes=[SCHEMES[scheme] for scheme in grid.starts.schemes],
            starts=len(grid.starts.schemes) * len(grid.starts.scales) * grid.starts.count,
            uncertified=sum(row[WITHOUT_CERTIFICATE] for row in counts),
            minimal=sum(row[AT_MINIMUM] for row in counts),
            words=words,
            claims=len(verdicts),
            detected=sum(verdict.control_detected for verdict in verdicts),
        )
    )


def _kinds(targets: Sequence[Mapping[str, Any]]) -> str:
    counted = Counter(str(target["kind"]) for target in targets)
    return tex.listed([f"{n} {KINDS[kind]}" for kind, n in counted.items()])


def _shapes(targets: Sequence[Mapping[str, Any]]) -> str:
    shapes = dict.fromkeys(tuple(target["shape"]) for target in targets)
    shown = [rf"${rows}\times{columns}$" for rows, columns in shapes]
    return tex.listed(shown) if len(shown) <= 6 else rf"{len(shown)} shapes from {shown[0]} to {shown[-1]}"


def _lambdas(lambdas: Lambdas) -> str:
    own = r"in units of each target's $\lambda_c(\sigma_1, L)$"
    given = [(lambdas.relative, own), (lambdas.absolute, "the same for all targets and depths")]
    return tex.listed(
        [f"{len(values)} {_value(values)} {unit}" for values, unit in given if values],
    )


def _value(values: Sequence[float]) -> str:
    if len(values) == 1:
        return rf"value of $\lambda$, {tex.given(values[0])},"
    return rf"values of $\lambda$ from {tex.given(min(values))} to {tex.given(max(values))}"
