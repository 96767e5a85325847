"""`dmf explain`: what a claim says, how it is measured, and where its code is."""

from __future__ import annotations

import argparse
import inspect
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.text import Text

import dmf
from dmf.claims import claim_names, load_claim, load_claims
from dmf.cli.output import console
from dmf.cli.tables import Column, left_out, print_table
from dmf.errors import UserError, near
from dmf.evidence.claim import Arm, Claim
from dmf.formulas import in_unicode

ROOT = Path(dmf.__file__).parents[2]
DERIVED = r". docs/theory.md, section 8, derives $\delta$ and what follows from it"


def add_command(commands: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "explain", help="a claim's statement, statistic, tolerance and control, and where they are implemented"
    )
    parser.add_argument("claim", nargs="?", help="name of the claim; without it, all are listed")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print a claim, or the list of all. Raises UserError for a name that is none."""
    if options.claim is None:
        screen = console(sys.stdout)
        missing = print_table(screen, claim_columns(load_claims()), "Claims")
        if missing:
            print(left_out(missing, "dmf explain NAME has all"))
        return 0
    if options.claim not in claim_names():
        hint = near(options.claim, claim_names()) or "; dmf explain lists all"
        raise UserError(f"claim: got {options.claim!r}, expected the name of a claim{hint}")
    claim = load_claim(options.claim)
    screen = console(sys.stdout)
    screen.print(Text.assemble((claim.title, "bold"), f" ({claim.source})\n"))
    for heading, text in sections(claim).items():
        screen.print(Text.assemble((f"{heading}: ", "bold"), f"{in_unicode(text)}\n"))
    screen.print("Implemented in:", style="bold")
    for role, place in places(claim).items():
        screen.print(f"  {role}: {place}", soft_wrap=True)
    return 0


def claim_columns(claims: dict[str, Claim]) -> list[Column]:
    """One row a claim, in the order of the paper."""
    return [
        Column("claim", list(claims), 0),
        Column("source", [claim.source for claim in claims.values()], 2, least=14),
        Column("what it says", [in_unicode(claim.title) for claim in claims.values()], 1, least=24),
    ]


def sections(claim: Claim) -> dict[str, str]:
    """The claim's texts by heading; formulas are LaTeX between dollar signs."""
    evidence = "the runs of the grid" if claim.study == "runs" else f"cases of the study {claim.study}"
    return {
        "Statement": claim.statement,
        "Measured": f"{claim.statistic}. Evidence: {evidence}",
        "Cells in scope": first_line(claim.scope),
        f"Eligible {claim.noun}s": first_line(claim.eligible),
        "Tolerance": claim.tolerance + (DERIVED if r"\delta" in claim.tolerance else ""),
        "Refuted by": claim.refuted_by,
        "Control, in which it is false": claim.control,
        **{f"Declared, arm {name}": text for arm in claim.arms for name, text in _declared(arm).items()},
    }


def _declared(arm: Arm) -> dict[str, str]:
    made = {f"{arm.name} (far)": str(arm.far)}
    return made if arm.near is None else made | {f"{arm.name} (near)": str(arm.near)}


def places(claim: Claim) -> dict[str, str]:
    """Where the functions of a claim are: FILE:LINE NAME, relative to the checkout."""
    parts = {
        **{f"statistic of the arm {arm.name}": arm.ratio for arm in claim.arms},
        "cells": claim.scope,
        "eligibility": claim.eligible,
    }
    return {role: _place(function) for role, function in parts.items()}


def _place(function: Callable[..., Any]) -> str:
    file = Path(inspect.getfile(function))
    shown = file.relative_to(ROOT) if file.is_relative_to(ROOT) else file
    return f"{shown.as_posix()}:{inspect.getsourcelines(function)[1]} {function.__name__}"


def first_line(function: Callable[..., Any]) -> str:
    """The first line of a docstring, without the shape at its end."""
    return re.sub(r"(, \(cell,( start)?\))?\.$", "", (inspect.getdoc(function) or "").partition("\n")[0])
