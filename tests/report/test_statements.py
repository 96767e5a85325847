"""Every statement of the paper is in the report, and everything it names is there."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from dmf.claims import claim_names, load_claims
from dmf.evidence.claim import Verdict
from dmf.figures import FIGURES, figure_names
from dmf.report import text
from dmf.report.statements import BEYOND, STATEMENTS, rows

ROOT = Path(__file__).parents[2]
# What the paper numbers in one sequence; 4 does not occur in its text.
NUMBERED = sorted(set(range(1, 33)) - {4})


def test_every_number_of_the_paper_is_listed_once_and_in_its_order() -> None:
    kinds = "Definition|Theorem|Lemma|Corollary|Remark"
    found = [
        int(number)
        for statement in STATEMENTS
        for part in statement.number.split(", ")
        for number in re.findall(rf"^(?:{kinds}) (\d+)$", part)
    ]
    assert found == NUMBERED
    others = [statement.number for statement in STATEMENTS if not re.match(kinds, statement.number)]
    assert {"Figure 1", "Figure 2", "Figure 3", "Equation 79", "Open question", BEYOND} <= set(others)


def test_every_statement_is_checked_by_something_or_says_why_not() -> None:
    for statement in STATEMENTS:
        assert bool(statement.claims + statement.figures + statement.tests) != bool(statement.unchecked), statement
        assert str(text.rich(statement.text))
        assert statement.unchecked == "" or len(statement.unchecked) > 20


def test_every_claim_and_figure_is_named_and_those_named_exist() -> None:
    assert {name for statement in STATEMENTS for name in statement.claims} == set(claim_names())
    assert {name for statement in STATEMENTS for name in statement.figures} == set(figure_names())
    named = [name for claim in load_claims().values() for name in claim.statements]
    named += [name for source in FIGURES.values() for name in source.statements]
    assert set(named) <= {statement.name for statement in STATEMENTS}
    assert len({statement.name for statement in STATEMENTS}) == len(STATEMENTS)


def test_every_test_named_exists() -> None:
    for path in {path for statement in STATEMENTS for path in statement.tests}:
        assert (ROOT / path).is_file(), path


@pytest.mark.parametrize("number", ["Lemma 8", "Lemma 17", "Theorem 19", "Lemma 28", "Lemma 29", "Corollary 30"])
def test_a_property_test_names_the_statement_it_tests(number: str) -> None:
    (statement,) = [one for one in STATEMENTS if one.number == number]
    written = (ROOT / statement.tests[0]).read_text(encoding="utf-8")
    assert f"def test_{number.lower().replace(' ', '_')}" in written


def test_the_page_links_claims_it_has_and_names_those_it_lacks(
    build: Callable[..., str], verdicts: list[Verdict]
) -> None:
    one = [verdict for verdict in verdicts if verdict.claim == "layer_norms"]
    page = build(verdicts=one, pictures=[])
    section = page[page.index('<section id="statements"') :]
    section = section[: section.index("</section>")]
    assert '<a href="#claim-layer_norms">' in section
    assert "#claim-uniqueness" not in section
    assert "uniqueness <span" in section
    assert "#figure-" not in section
    assert "figure scalar_objective <span" in section
    assert section.count("<tr>") == len(STATEMENTS) + 1


def test_rows_carry_the_word_of_each_verdict_and_the_figures_that_were_drawn() -> None:
    found = {row.statement.number: row for row in rows({"collapse": "violated"}, frozenset({"collapse"}))}
    words = {check.claim: check.word for check in found["Corollary 14"].checks}
    assert words["collapse"] == "violated"
    assert words["threshold"] is None
    assert found["Figure 3"].figures == (("collapse", True),)
    assert found["Theorem 10"].figures == (("uniqueness", False), ("targets", False))
    assert all(check.word is None for check in found["Theorem 10"].checks)
