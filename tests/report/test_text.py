"""Numbers, formulas and dates as people read them."""

import math

import pytest

from dmf.claims import load_claims
from dmf.figures import load_figures
from dmf.report import text

MINUS = "\u2212"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "none"),
        (0.0, "0"),
        (1.0, "1.00"),
        (0.4449704, "0.445"),
        (-36.24, f"{MINUS}36.2"),
        (14272.4, "14,300"),
        (999.7, "1,000"),
        (0.99999, "0.99999"),
        (2.19e-10, "2.19\u00a0×\u00a010<sup>−10</sup>"),
        (-3.239e8, f"{MINUS}3.24\u00a0×\u00a010<sup>8</sup>"),
        (1.7976931348623157e308, "∞"),
        (-1.7976931348623157e308, f"{MINUS}∞"),
        (math.nan, "not a number"),
    ],
)
def test_numbers_have_three_digits(value: float | None, shown: str) -> None:
    assert text.number(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.5, "0.5"), (20, "20"), (1e-10, "10<sup>−10</sup>"), (2.5e-8, "2.5\u00a0×\u00a010<sup>−8</sup>")],
)
def test_configured_numbers_are_shown_as_written(value: float, shown: str) -> None:
    assert text.given(value) == shown


def test_an_interval_holds_its_share_and_is_empty_without_runs() -> None:
    # z^2 / (n + z^2) for none of n, with z = 1.96
    assert text.interval(0, 10) == "0.0 to 27.8 %"
    assert text.interval(10, 10) == "72.2 to 100.0 %"
    assert text.interval(5000, 10000) == "49.0 to 51.0 %"
    assert text.interval(0, 0) == ""


def test_a_share_is_all_or_nothing_only_where_it_is() -> None:
    assert text.share(0, 10) == "0 %"
    assert text.share(10, 10) == "100 %"
    assert text.share(1, 10**6) == "0.1 %"
    assert text.share(10**6 - 1, 10**6) == "99.9 %"
    assert text.share(0, 0) == "none"


def test_a_singular_value_that_is_zero_to_rounding_is_zero() -> None:
    assert text.singular(3e-16, 4.0) == "0"
    assert text.singular(3e-16, 4e-16) == "3\u00a0×\u00a010<sup>−16</sup>"
    assert text.singular(3.2999, 4.0) == "3.3"


def test_relative_lambda_says_its_unit() -> None:
    assert "λ<sub>c</sub>" in text.lam_text("0.999c")
    assert text.lam_text("0.05") == "0.05"


def test_dates_are_in_words_and_what_is_no_date_stays() -> None:
    assert text.when("2026-03-02T07:05:59+00:00") == "2 March 2026, 07:05 UTC"
    assert text.when("unknown") == "unknown"


def test_text_around_formulas_is_escaped() -> None:
    shown = text.rich("a < b & $a < b$ <i>")
    assert shown.startswith("a &lt; b &amp; <math")
    assert shown.endswith("</math> &lt;i&gt;")


def test_a_relation_in_a_formula_is_an_operator() -> None:
    assert "<mo>&#x0003C;</mo>" in text.formula("a < b")
    assert text.formula("a < b") == text.formula(r"a \lt b")


@pytest.mark.parametrize("broken", ["one $ only", "$x$ and $y", r"$\nosuchcommand x$", "$$", r"$\text{<script>}$"])
def test_broken_latex_is_refused(broken: str) -> None:
    with pytest.raises(ValueError, match=r"\$|LaTeX"):
        text.rich(broken)


def test_plain_text_has_no_traces_of_latex() -> None:
    assert text.plain(r"Collapse at $\lambda_{c}$") == "Collapse at lambda_c"


@pytest.mark.parametrize("name", load_claims())
def test_the_latex_of_every_claim_is_understood(name: str) -> None:
    claim = load_claims()[name]
    for field in (claim.title, claim.statement, claim.statistic, claim.tolerance, claim.refuted_by, claim.control):
        assert "$" not in text.rich(field)


def test_the_latex_of_every_figure_is_understood() -> None:
    for figure in load_figures().values():
        for field in (figure.title, figure.caption, figure.refuted_by):
            assert "$" not in text.rich(field)


def test_symbols_in_words_get_their_subscripts_and_names_keep_their_underscores() -> None:
    assert text.rich("height x_J at λs of the_set in a_run, λ <") == (
        "height x<sub>J</sub> at λ<sub>s</sub> of the_set in a_run, λ &lt;"
    )
