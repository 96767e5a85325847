"""The figures of a report, one file each. A new figure is a new file here that defines FIGURE, and its test."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure as Canvas


def figure_names() -> list[str]:
    """Names of all figures: the files of this folder. Imports none of them."""
    return sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))


@dataclass(frozen=True)
class Figure:
    """A figure of the report.

    `caption` says what is drawn and `refuted_by` what would have refuted the theory in it; both may hold LaTeX
    between dollar signs. `compose` draws from the grid's evidence and the controls' (both cell, start) and the
    display labels of targets. `claim` is the claim whose section shows it, None for a figure of its own. `study` is the
    study whose evidence it draws, "runs" for the grid's own; "targets" for these, with the grid's targets in place of
    the controls. An `experiment` stands in the section of experiments: no theorem says what comes out of it.
    """

    order: int
    title: str
    caption: str
    refuted_by: str
    claim: str | None
    compose: Callable[[xr.Dataset, xr.Dataset, Mapping[str, str]], Canvas]
    study: str = "runs"
    experiment: bool = False


def figure_studies() -> dict[str, str]:
    """The study that each figure reads, by the figure's name, from their sources.

    Importing them would bring libraries for drawing, which take a second to load, into every look at the plan.
    """
    studies = {}
    for name in figure_names():
        tree = ast.parse(Path(__file__).with_name(f"{name}.py").read_text(encoding="utf-8"))
        (figure,) = [
            node for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "FIGURE"
        ]
        given = [word.value for word in getattr(figure.value, "keywords", []) if word.arg == "study"]
        studies[name] = str(ast.literal_eval(given[0])) if given else "runs"
    return studies


def load_figure(name: str) -> Figure:
    """The figure of that name. Raises KeyError naming the known ones."""
    if name not in figure_names():
        raise KeyError(f"no figure {name!r}; known figures: {', '.join(figure_names())}")
    figure: Figure = import_module(f"dmf.figures.{name}").FIGURE
    return figure


def load_figures() -> dict[str, Figure]:
    """Every figure by name, in the order of the report."""
    figures = {name: load_figure(name) for name in figure_names()}
    return dict(sorted(figures.items(), key=lambda item: item[1].order))


def draw(
    name: str,
    evidence: xr.Dataset,
    controls: xr.Dataset,
    labels: Mapping[str, str],
    files: Iterable[str],
    paper: bool = False,
) -> None:
    """Draw a figure into every file of `files`; the suffix says the format, `paper` that it is for print."""
    from dmf.dataset.store import replace_file
    from dmf.figures._style import applied, save

    with applied(paper):
        canvas = load_figure(name).compose(evidence, controls, labels)
        for file in files:
            replace_file(file, lambda temporary: save(canvas, temporary))
