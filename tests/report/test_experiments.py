"""Experiments stand in a separate section that says what they are not; a page without any has none."""

from collections.abc import Callable

from dmf.figures import FIGURES, load_figures
from dmf.report.pictures import Picture, picture


def test_an_experiment_is_shown_in_its_section_and_nowhere_else(build: Callable[..., str]) -> None:
    one = Picture("tried", "Tried out", "What came out.", "R", None, "figures/tried.svg", experiment=True)
    other = Picture("other", "Drawn", "C", "R", None, "figures/other.svg")
    page = build(pictures=[one, other])
    _, found, rest = page.partition('<section id="experiments"')
    assert found
    section, _, _ = rest.partition("</section>")
    assert "No theorem predicts it" in section
    assert "figures/tried.svg" in section
    assert "figures/other.svg" not in section
    assert page.count('src="figures/tried.svg"') == 1
    assert 'href="#experiments"' in page


def test_without_experiments_there_is_no_section(build: Callable[..., str]) -> None:
    assert "experiments" not in build()


def test_experiments_belong_to_no_claim() -> None:
    """In a claim's section they would look like evidence."""
    experiments = {name: figure for name, figure in load_figures().items() if figure.experiment}
    assert {"recovery_phase", "recovery_rate"} <= set(experiments)
    for name, figure in experiments.items():
        assert FIGURES[name].claim is None
        assert picture(name, figure, 1).experiment
