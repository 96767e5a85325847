"""docs/claims.md is what the claims say."""

import re
from pathlib import Path

from dmf.claims import load_claims
from dmf.cli.claims import CLAIMS_FILE, claims_text

ROOT = Path(__file__).parents[2]


def test_the_table_of_claims_has_not_drifted() -> None:
    assert (ROOT / CLAIMS_FILE).read_text(encoding="utf-8") == claims_text(), "run: python -m dmf.cli.claims"


def test_it_has_a_row_of_five_cells_for_each_claim() -> None:
    rows = [line for line in claims_text().splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]
    assert [row[0].strip("`") for row in cells] == list(load_claims())
    assert all(len(row) == 5 and all(row) for row in cells)
    (collapse,) = [row for row in cells if row[0] == "`collapse`"]
    assert collapse[1] == "Corollary 14"
    assert "minimizers trained below λ" in collapse[4]
