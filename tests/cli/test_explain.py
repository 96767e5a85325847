"""`dmf explain` tells of every claim what its file declares, where its code is, and what a misspelt name may mean."""

import ast
import re
from pathlib import Path

import pytest

from dmf.claims import claim_names, load_claim, load_claims
from dmf.cli.explain import places
from dmf.cli.main import main
from dmf.formulas import in_unicode

ROOT = Path(__file__).parents[2]


def explained(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["explain", *arguments]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    return shown.out


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("name", ["uniqueness", "measure_zero", "hessian_spectrum"])
def test_a_claim_is_told_whole(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    claim, text = load_claim(name), words(explained(capsys, name))
    for part in (claim.title, claim.statement, claim.statistic, claim.tolerance, claim.refuted_by, claim.control):
        assert words(in_unicode(part)) in text
    assert claim.source in text
    for arm in claim.arms:
        assert f"Declared, arm {arm.name} (far): {words(str(arm.far))}" in text
        assert arm.near is None or f"Declared, arm {arm.name} (near): {words(str(arm.near))}" in text
    assert ("the runs of the grid" if claim.study == "runs" else f"the study {claim.study}") in text
    assert ("docs/theory.md, section 8" in text) == (r"\delta" in claim.tolerance)


def test_the_places_of_all_claims_are_where_the_functions_are() -> None:
    for name in claim_names():
        claim = load_claim(name)
        found_places = places(claim)
        asked = {"cells": claim.scope, "eligibility": claim.eligible}
        asked |= {f"statistic of the arm {arm.name}": arm.ratio for arm in claim.arms}
        for role, function in asked.items():
            assert found_places[role].endswith(f" {function.__name__}")
        for place in found_places.values():
            found = re.fullmatch(r"(\S+):(\d+) (\w+)", place)
            assert found, place
            file, line, function = found.groups()
            tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
            starts = {node.lineno: node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
            assert starts[int(line)] == function, name


def test_without_a_name_all_claims_are_listed_in_the_order_of_the_paper(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [line.split("│") for line in explained(capsys).splitlines() if "│" in line]
    listed = [row[1].strip() for row in rows if row[1].strip()]
    assert sorted(listed) == claim_names()
    assert listed == list(load_claims())


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ("uniqness", "did you mean uniqueness"),
        ("traceBound", "did you mean trace_bound"),
        ("42", "dmf explain lists all"),
    ],
)
def test_an_unknown_claim_is_one_line_with_near_names(
    asked: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", asked]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    assert f"got '{asked}'" in shown.err
    assert hint in shown.err
