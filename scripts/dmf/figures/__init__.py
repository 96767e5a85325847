"""The one list of a report's figures: their order, the claim that each belongs to, and what it reads.

What a figure draws is in its file, NAME.py, which defines FIGURE. Nothing here imports a library for drawing: a look at
the plan of a workflow needs the list, and matplotlib and seaborn take two seconds to load.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from dmf.claims import load_claim

if TYPE_CHECKING:
    from dmf.figures.figure import Figure


@dataclass(frozen=True)
class Source:
    """What a figure is of: a claim, in whose section it stands, or a study alone, without a claim.

    It shows the `statements` of the paper; those that its claim checks where none are given. A figure that is
    `labelled` is given the display labels of the grid's targets, and is drawn again where one changes.
    """

    claim: str | None
    own_study: str | None
    own_statements: Sequence[str]
    labelled: bool = False

    @property
    def study(self) -> str:
        """The study whose evidence is drawn, which is that of the claim.

        "runs" are the grid's own runs, "targets" these with the grid's targets in place of the controls.
        """
        return self.own_study or load_claim(str(self.claim)).study

    @property
    def statements(self) -> Sequence[str]:
        """Names of the statements of the paper that the figure shows (see `dmf.report.statements`)."""
        return self.own_statements or load_claim(str(self.claim)).statements


def of_claim(name: str, *statements: str, labelled: bool = False) -> Source:
    """A figure of a claim, which shows these statements instead of all that the claim checks."""
    return Source(name, None, statements, labelled)


def of_study(name: str, *statements: str, labelled: bool = False) -> Source:
    """A figure that belongs to no claim, of a study."""
    return Source(None, name, statements, labelled)


# Every figure, in the order of reports.
FIGURES = {
    "balancedness": of_claim("balancedness"),
    "scalar_objective": of_study("runs", "Figure 1"),
    "scalar_search": of_claim("scalar_formula"),
    "two_minimizers": of_claim("uniqueness", "Figure 2"),
    "scalar_spectrum": of_claim("scalar_hessian", "Theorem 6", "Remark 7"),
    "inequalities": of_claim("von_neumann_equality", "Theorem 9", "Theorem 22"),
    "uniqueness": of_claim("uniqueness"),
    "measure_zero": of_claim("measure_zero"),
    "layer_norms": of_claim("layer_norms", labelled=True),
    "collapse": of_claim("collapse", "Corollary 14", "Figure 3", labelled=True),
    "thresholds": of_claim("threshold", "Corollary 14"),
    "trace_bound": of_claim("trace_bound"),
    "kept": of_claim("levels", "Section 3.3"),
    "census": of_study("runs", "Section 3.3"),
    "trace_slack": of_claim("trace_attained"),
    "hessian_spectrum": of_claim("hessian_spectrum"),
    "distance_bound": of_claim("distance_bound"),
    "trajectories": of_claim("sharpness"),
    "continuation": of_study("continuation", "Section 3.3"),
    "minimum_search": of_study("minimum_search", "Section 3.3"),
    "targets": of_study("targets", "Theorem 10", labelled=True),
    "phase": of_study("runs", "Corollary 14"),
    "orbit": of_claim("orbit"),
    "bottleneck": of_claim("bottleneck_tie"),
    "general_penalty": of_claim("general_penalty"),
    "proximal_descent": of_claim("proximal_decrease"),
    "recovery_phase": of_study("recovery", "Equations 97-99"),
    "recovery_rate": of_study("recovery", "Theorem 3"),
    "white_inputs": of_claim("white_inputs"),
    "any_inputs": of_claim("any_inputs"),
    "branches": of_claim("branches"),
    "any_model": of_claim("any_model"),
    "relu_layers": of_study("relu_layers", "Beyond the paper: any model"),
    "sweeps": of_claim("sweeps"),
    "denoising": of_study("denoising", "Beyond the paper: sensitivity"),
    "missing_entries": of_claim("missing_entries"),
    "components": of_claim("components"),
    "merge_tree": of_claim("merge_tree"),
    "basins": of_claim("basins"),
    "gaussian_starts": of_study("gaussian_starts", "Beyond the paper: basins"),
    "flow_balance": of_claim("flow_balance"),
    "slow_points": of_claim("slow_points"),
    "counterexamples": of_claim("counterexamples"),
    "practice": of_study("practice", "Section 1"),
}


def figure_names() -> list[str]:
    """Names of all figures, sorted. Imports none of them."""
    return sorted(FIGURES)


def figure_studies() -> dict[str, str]:
    """The study that each figure reads, by the figure's name, in the order of reports. Imports no figure."""
    return {name: source.study for name, source in FIGURES.items()}


def load_figure(name: str) -> Figure:
    """The figure of that name. Raises KeyError naming the known ones."""
    if name not in FIGURES:
        raise KeyError(f"no figure {name!r}; known figures: {', '.join(figure_names())}")
    figure: Figure = import_module(f"dmf.figures.{name}").FIGURE
    return figure


def load_figures() -> dict[str, Figure]:
    """Every figure by name, in the order of reports."""
    return {name: load_figure(name) for name in FIGURES}
