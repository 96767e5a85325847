"""What a figure declares, and how it is drawn into files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dmf.dataset.store import replace_file
from dmf.figures import load_figure

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure as Canvas


@dataclass(frozen=True)
class Figure:
    """What is drawn; the list of figures (`dmf.figures.FIGURES`) says where it stands and what it reads.

    `caption` says what is drawn and `refuted_by` what would have refuted the theory in it; both may hold LaTeX
    between dollar signs. `compose` draws from the evidence of the figure's study and that of its controls (both cell,
    start; of the study "targets" the grid's targets in place of the controls) and the display labels of targets. An
    `experiment` stands in the section of experiments: no theorem says what comes out of it.
    """

    title: str
    caption: str
    refuted_by: str
    compose: Callable[[xr.Dataset, xr.Dataset, Mapping[str, str]], Canvas]
    experiment: bool = False


def draw(
    name: str,
    evidence: xr.Dataset,
    controls: xr.Dataset,
    labels: Mapping[str, str],
    files: Iterable[str],
    paper: bool = False,
) -> None:
    """Draw a figure into every file of `files`; the suffix says the format, `paper` that it is for print."""
    from dmf.figures._style import applied, save  # matplotlib and seaborn take a second to load

    with applied(paper):
        canvas = load_figure(name).compose(evidence, controls, labels)
        for file in files:
            replace_file(file, lambda temporary: save(canvas, temporary))
