"""The table of cells beside a verdict: every cell by the rule, and the same verdict from it as from all runs."""

import csv
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from dmf.claims import load_claim
from dmf.dataset.store import read, write
from dmf.evidence.cases import SAYS, cell_table, shared_table, table_csv
from dmf.evidence.claim import Arm
from dmf.evidence.controls import declared
from dmf.evidence.eligibility import is_eligible
from dmf.evidence.judge import finding
from dmf.grid.config import Certificate
from small import Trained

CERTIFICATE = Certificate(runs_per_cell=2, cells=0.5)


def by_hand() -> tuple[xr.Dataset, xr.Dataset]:
    """Evidence of four cells by what each is to say, in that order, with ratios of its three runs."""
    ratio = np.array([[0.2, 0.5, 0.3], [0.1, 0.9, 1.5], [0.4, 7.0, 7.0], [9.0, 9.0, 9.0]])
    minimal = np.array([[1, 1, 1], [1, 1, 1], [1, 0, 0], [1, 1, 1]])
    evidence = xr.Dataset(
        {
            "imbalance": (("cell", "start"), ratio),
            "certified": (("cell", "start"), np.array([[1, 1, 1], [1, 1, 1], [1, 1, 0], [1, 1, 1]])),
            "minimal": (("cell", "start"), minimal),
            "radius": (("cell", "start"), np.full((4, 3), 1e-9)),
        },
        coords={
            "target": ("cell", list("abcd")),
            "depth": ("cell", [2, 3, 4, 5]),
            "draw": ("start", [0, 1, 2]),
            "scheme": ("start", ["gaussian", "gaussian", "balanced"]),
        },
    )
    return evidence, xr.DataArray([True, True, True, False], dims="cell")


def hand_table() -> xr.Dataset:
    evidence, scope = by_hand()
    arm = Arm("imbalance", lambda part: part["imbalance"], declared())
    claim = replace(load_claim("balancedness"), scope=lambda _: scope, arms=(arm,), eligible=is_eligible)
    return cell_table(claim, [evidence], CERTIFICATE)


def test_every_cell_says_what_the_rule_gives() -> None:
    table = hand_table()
    assert [SAYS[word] for word in table["says"].values] == list(SAYS)
    assert table["counted"].values.tolist() == [3, 3, 1, 0]
    assert table["certified"].values.tolist() == [3, 3, 2, 3]
    np.testing.assert_array_equal(table["statistic"].values, [0.5, 1.5, 0.4, np.nan])
    assert table["worst_draw"].values[:3].tolist() == [1, 2, 0]


def test_the_csv_has_the_worst_cell_first_and_blanks_where_none_spoke() -> None:
    rows = list(csv.DictReader(io.StringIO(table_csv(hand_table()))))
    assert [row["target"] for row in rows] == ["b", "a", "c", "d"]
    assert rows[0] == {
        "target": "b", "depth": "3", "runs": "3", "certified": "3", "counted": "3", "distinct": "3", "statistic": "1.5",
        "tolerance": "1",
        "says": "violates", "worst_draw": "2", "worst_scheme": "balanced",
    }  # fmt: skip
    assert (rows[-1]["statistic"], rows[-1]["worst_draw"], rows[-1]["says"]) == ("", "", "outside the hypotheses")


def test_cells_split_over_parts_give_the_same_table_and_so_the_same_verdict(trained: Trained) -> None:
    claim = load_claim("collapse")
    whole = cell_table(claim, [trained.evidence], CERTIFICATE)
    lone = [trained.evidence.isel(cell=[i]) for i in range(trained.evidence.sizes["cell"])]
    middle = trained.evidence.sizes["start"] // 2
    halves = [part.isel(start=piece) for part in lone for piece in (slice(None, middle), slice(middle, None))]
    parts = cell_table(claim, halves, CERTIFICATE)
    for name in whole.variables:
        assert whole[name].values.tolist() == parts[name].values.tolist() or name == "statistic", name
    np.testing.assert_array_equal(whole["statistic"].values, parts["statistic"].values)
    assert finding(whole, CERTIFICATE) == finding(parts, CERTIFICATE)
    assert finding(whole, CERTIFICATE).word == "confirmed"


def test_the_dataset_comes_back_from_its_file(trained: Trained, tmp_path: Path) -> None:
    table = cell_table(load_claim("collapse"), [trained.evidence], CERTIFICATE)
    write(table, tmp_path / "collapse.nc")
    again = read(tmp_path / "collapse.nc")
    assert again["target"].values.tolist() == trained.evidence["target"].values.tolist()
    assert again["worst_scheme"].values.tolist() == table["worst_scheme"].values.tolist()
    np.testing.assert_array_equal(again["statistic"].values, table["statistic"].values)


def test_claims_on_the_same_cells_share_a_file_that_gives_each_its_own_table(trained: Trained, tmp_path: Path) -> None:
    claims = ("collapse", "levels", "uniqueness")
    tables = {
        claim: cell_table(load_claim(claim), [trained.evidence], CERTIFICATE).assign_attrs(title=f"Cells of {claim}")
        for claim in claims
    }
    write(shared_table(tables), tmp_path / "shared.nc")
    shared = read(tmp_path / "shared.nc")
    for claim, table in tables.items():
        own = shared.isel(claim=shared["claim"].values.tolist().index(claim))
        for name, column in table.variables.items():
            np.testing.assert_array_equal(own[name].values, column.values)
            assert own[name].attrs["long_name"] == column.attrs["long_name"]
    assert (shared["statistic"].isel(claim=0) != shared["statistic"].isel(claim=1)).any()


def test_other_cells_are_not_shared(trained: Trained) -> None:
    table = cell_table(load_claim("collapse"), [trained.evidence], CERTIFICATE)
    with pytest.raises(ValueError, match="the claims one, other do not share their cells"):
        shared_table({"one": table, "other": table.isel(cell=slice(None, None, -1))})
