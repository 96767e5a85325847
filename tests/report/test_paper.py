"""What a paper takes from a report: LaTeX that means what the report says, with its numbers and no other's."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from dmf.claims import load_claims
from dmf.evidence.claim import Verdict
from dmf.figures import load_figures
from dmf.grid.config import Grid, validate
from dmf.grid.kinds import Target
from dmf.report.paper import tex
from dmf.report.paper.pieces import KINDS, SOFTWARE, Float, bibtex, figure_float, figure_floats, methods, verdict_table

CITATION = yaml.safe_load((Path(__file__).parents[2] / "CITATION.cff").read_text(encoding="utf-8"))


def closed(latex: str) -> bool:
    """Whether braces and dollar signs pair, escaped ones aside."""
    bare = re.sub(r"\\.", "", latex)
    return bare.count("{") == bare.count("}") and bare.count("$") % 2 == 0


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("95 % of a_run & #1 {x} ~ ^", r"95 \% of a\_run \& \#1 \{x\} \textasciitilde{} \textasciicircum{}"),
        (r"\input{secret} $", r"\textbackslash{}input\{secret\} \$"),
        ("a jump of height x_J at λc, for λ", r"a jump of height $x_J$ at $\lambda_c$, for $\lambda$"),
        ("a < b", "a $<$ b"),
    ],
)
def test_text_means_no_command(text: str, latex: str) -> None:
    assert tex.plain(text) == latex


def test_formulas_stay_and_the_text_around_them_is_escaped() -> None:
    assert tex.rich(r"norm $\|X\|_F$ of 95 %") == r"norm $\|X\|_F$ of 95 \%"


@pytest.mark.parametrize(
    ("value", "latex"),
    [
        (None, "--"),
        (0.0, "$0$"),
        (0.4449704, "$0.445$"),
        (-36.24, "$-36.2$"),
        (14272.4, "$14300$"),
        (0.99999, "$0.99999$"),
        (2.19e-10, r"$2.19\times10^{-10}$"),
        (1.7976931348623157e308, r"$\infty$"),
        (-1.7976931348623157e308, r"$-\infty$"),
    ],
)
def test_numbers_have_three_digits(value: float | None, latex: str) -> None:
    assert tex.number(value) == latex


@pytest.mark.parametrize(("value", "latex"), [(0.5, "$0.5$"), (1e-10, "$10^{-10}$"), (2.5e-8, r"$2.5\times10^{-8}$")])
def test_configured_numbers_are_as_written(value: float, latex: str) -> None:
    assert tex.given(value) == latex


def test_every_text_of_a_claim_or_figure_is_latex_of_any_engine() -> None:
    texts = [text for claim in load_claims().values() for text in (claim.title, claim.source)]
    texts += [text for figure in load_figures().values() for text in (figure.title, figure.caption)]
    for text in texts:
        assert tex.rich(text).isascii(), text
        assert closed(tex.rich(text)), text


def test_the_table_has_a_row_a_claim_and_marks_a_missed_control(
    verdicts: list[Verdict], blinded: Callable[[Verdict], Verdict]
) -> None:
    verdicts[1] = blinded(verdicts[1])
    table = verdict_table(verdicts, {"runs": 12345})
    rows = [line for line in table.splitlines() if line.endswith(r"\\")][1:]
    assert len(rows) == len(verdicts)
    for row, verdict in zip(rows, verdicts, strict=True):
        cells = [cell.strip() for cell in re.split(r"(?<!\\)&", row.removesuffix(r"\\"))]
        found = verdict.finding
        assert cells[2:5] == ["confirmed", tex.number(found.statistic), tex.count(found.runs_counted)]
        assert ("missed" in cells[5]) == (verdict is verdicts[1])
    assert r"12\,345" in table
    assert closed(table)


def entries(bib: str) -> dict[str, str]:
    return {found[1]: found[2] for found in re.finditer(r"^@\w+\{(\w+),\n(.*?)\n\}$", bib, re.MULTILINE | re.DOTALL)}


def test_references_are_whole_and_the_software_is_the_citation_files() -> None:
    bib = bibtex(CITATION, "abc_1")
    found = entries(bib)
    assert len(found) == bib.count("\n@")
    for key, fields in found.items():
        assert closed(fields), key
        assert {"title", "author", "year"} <= set(re.findall(r"^  (\w+) *= \{", fields, re.MULTILINE)), key
    assert CITATION["title"] in found[SOFTWARE]
    assert f"Version {CITATION['version']}, revision abc\\_1" in found[SOFTWARE]
    assert "2603.27072" in found["paper"]


def test_a_person_is_cited_by_family_name_first() -> None:
    people = [{"family-names": "Doe", "given-names": "Jane & Co"}, {"name": "The team"}]
    assert r"{Doe, Jane \& Co and {The team}}" in bibtex({**CITATION, "authors": people}, "r")


PROVENANCE: dict[str, Any] = {
    "runs": 4321,
    "missing": 0,
    "train_seconds": 12.5,
    "training": {"machine": ["Linux, 3 cores"]},
    "report": {"package_versions": "numpy 2.0", "git_revision": "feed_1"},
    "configuration_fingerprint": "c0ffee",
    "targets": [{"kind": "gaussian", "shape": (2, 3)}, {"kind": "spectrum", "shape": (4, 4)}],
}
CENSUS = {
    (2, "gaussian", 0.5): {"global minimum": 3000, "no level": 1, "uncertified": 0},
    (3, "gaussian", 0.5): {"global minimum": 1000, "no level": 299, "uncertified": 21},
}


def written(grid: Grid, verdicts: list[Verdict], **changes: Any) -> str:
    return " ".join(methods(grid, {**PROVENANCE, **changes}, verdicts, CENSUS, CITATION).split())


def test_the_methods_have_the_numbers_of_the_run(grid: Grid, verdicts: list[Verdict]) -> None:
    verdicts[0] = replace(verdicts[0], finding=replace(verdicts[0].finding, cells_counted=2))
    text, n = written(grid, verdicts), len(verdicts)
    for words in (
        "We drew 2 target matrices $M$ (1 with independent standard normal entries and 1 with a prescribed spectrum; "
        r"shapes $2\times3$ and $4\times4$)",
        "at depths $L$ of 2 and 3 with hidden layers of width",
        r"2 values of $\lambda$ from $0.5$ to $1.5$ in units of each target's",
        "24 runs started from 8 draws of the scheme Gaussian, with layers of $0.5$, $1$ and $2$ times",
        r"by L-BFGS: 4\,321 runs in all, $12.5$ core-seconds (Linux, 3 cores)",
        r"4\,300 runs (99.5\,\%) are, and 4\,000 (92.6\,\%) are certified and at the global minimum",
        rf"Of {n} claims {n - 1} are confirmed, 0 violated and 1 inconclusive; {n} of {n} controls are detected",
        r"at least $50$\,\% of its cells have 2 or more counted ones",
        r"\texttt{feed\_1}, configuration \texttt{c0ffee}",
    ):
        assert words in text
    assert "missing" not in text
    assert "7 runs of the grid are missing" in written(grid, verdicts, missing=7)
    assert closed(text)
    assert set(re.findall(r"\\cite\{(\w+)\}", text)) <= entries(bibtex(CITATION, "r")).keys()


def test_one_of_everything_is_in_the_singular(verdicts: list[Verdict]) -> None:
    raw = {
        "grid": "one",
        "targets": [{"name": "a", "kind": "gaussian", "shape": [2, 2]}],
        "depths": [3],
        "hidden_widths": [4, 5],
        "lambdas": {"absolute": [0.1]},
        "starts": {"count": 1, "scales": [1]},
        "optimizer": {"name": "gd"},
    }
    text = written(validate(raw, "test"), verdicts, targets=PROVENANCE["targets"][:1])
    for words in (
        r"We drew 1 target matrix $M$ (1 with independent standard normal entries; shape $2\times3$)",
        "at depth $L$ of 3 with hidden layers of widths 4 and 5,",
        r"1 value of $\lambda$, $0.1$, the same for all targets and depths.",
        "In each of these cells 1 run started from 1 draw of the scheme Gaussian,",
        "by gradient descent:",
    ):
        assert words in text


def test_targets_of_data_are_named_with_their_file_and_what_was_done_to_it(grid: Grid, verdicts: list[Verdict]) -> None:
    files = f"x_1.csv, SHA-256 {'0123456789abcdef' * 4}; y.csv, SHA-256 {'f' * 64}"
    of_data = [
        {
            "name": "ratings",
            "kind": "file",
            "shape": (4, 3),
            "origin": "my_data.csv",
            "standardisation": "rows centred",
        },
        {"name": "net", "kind": "network", "shape": (1, 2), "origin": files, "standardisation": ""},
    ]
    text = written(grid, verdicts, targets=[*PROVENANCE["targets"], *of_data])
    for words in (
        "We took 4 target matrices $M$ (1 with independent standard normal entries, 1 with a prescribed spectrum, "
        "1 read from files and 1 that linear networks on data factorize;",
        r"Target ratings is from my\_data.csv; rows centred.",
        rf"Target net is from x\_1.csv, SHA-256 0123456789abcdef; y.csv, SHA-256 {'f' * 16}.",
    ):
        assert words in text
    assert closed(text)


def test_every_kind_of_target_has_its_words() -> None:
    members = get_args(get_args(Target)[0])
    assert {get_args(one.model_fields["kind"].annotation)[0] for one in members} == KINDS.keys()


def test_the_paper_has_its_authors_in_the_citation_and_in_the_bibliography() -> None:
    (reference,) = CITATION["references"]
    names = [f"{one['family-names']}, {one['given-names']}" for one in reference["authors"]]
    assert names == ["Kamber, Anil", "Parhi, Rahul"]  # of the record of arXiv:2603.27072
    paper = entries(bibtex(CITATION, "r"))["paper"]
    assert " and ".join(names) in paper
    assert reference["title"] in paper


def test_floats_take_the_columns_that_their_drawing_needs(tmp_path: Path) -> None:
    figure = next(iter(load_figures().values()))
    drawing = tmp_path / "one.pdf"
    for width, wide in ((244.8, False), (504, True)):
        drawing.write_bytes(b"%%PDF-1.4\n<< /MediaBox [ 0 0 %.1f 140 ] >>" % width)
        assert figure_float("one", figure, drawing) == Float("one", figure, wide)
    drawing.write_bytes(b"%PDF-1.4")
    with pytest.raises(ValueError, match=r"one\.pdf: no page size"):
        figure_float("one", figure, drawing)


def test_every_figure_is_a_float_with_its_caption() -> None:
    figures = load_figures()
    text = figure_floats([Float(name, figure, name == "collapse") for name, figure in figures.items()])
    assert text.count(r"\begin{figure}") == len(figures) - 1
    assert text.count(r"\begin{figure*}") == text.count(r"\end{figure*}") == 1
    assert re.findall(r"\\label\{fig:(\w+)\}", text) == list(figures)
    assert closed(text)
