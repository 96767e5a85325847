"""The sums of proofs are counts of the dataset, and a counted run without a proof is named with its reason."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from dmf.dataset.store import DamagedFile
from dmf.evidence.claim import Verdict
from dmf.proof.minimizer import Reason
from dmf.proof.statements import FAILS
from dmf.report.proofs import FILE, proved_text, read_proved, summarize_proofs
from dmf.report.verdicts import csv_text, reproduce


@pytest.fixture
def spoiled(proofs: xr.Dataset) -> xr.Dataset:
    """Proofs of which one counted run is not proved, and one statement fails at another."""
    data = proofs.copy(deep=True)
    data["certified"].values[0, 0] = 0
    data["reason"].values[0, 0] = list(Reason).index(Reason.CURVATURE)
    data["statements"].values[0, 1, 0] = FAILS
    return data


def test_every_tried_run_is_counted_once_and_controls_are_left_out(proofs: xr.Dataset, spoiled: xr.Dataset) -> None:
    honest = proofs["control"].values == 0
    tried = int((proofs["draw"].values[honest] >= 0).sum())
    whole, less = summarize_proofs(proofs), summarize_proofs(spoiled)
    assert (whole.runs, whole.proved, whole.unproved_counted, list(whole.unproved)) == (tried, tried, 0, [])
    assert (less.runs, less.proved, less.unproved_counted) == (tried, tried - 1, 1)
    assert (whole.cells, whole.of_cells) == (int(honest.sum()), int(honest.sum()))
    for name, one in whole.claims.items():
        assert one.tried == one.proved == one.holds + one.fails + one.undecided > 0
        assert one.fails == 0, name
    assert less.claims["balancedness"].fails == 1
    assert less.claims["balancedness"].proved == whole.claims["balancedness"].proved - 1


def test_a_counted_run_without_a_proof_is_named_with_its_reason(spoiled: xr.Dataset, build: Callable[..., str]) -> None:
    summary = summarize_proofs(spoiled)
    (run,) = summary.unproved
    assert run["reason"] == Reason.CURVATURE.value
    assert (run["target"], run["draw"]) == (spoiled["target"].values[0], spoiled["draw"].values[0, 0])
    assert "balancedness" in run["claims"]
    page = build(proved=summary)
    section = page[page.index('<section id="proofs"') :]
    assert f"{summary.proved} of {summary.runs} runs are proved" in section
    assert Reason.CURVATURE.value in section
    assert '<section id="proofs"' not in build()


def test_the_table_and_the_terminal_have_the_column(proofs: xr.Dataset, verdicts: list[Verdict]) -> None:
    summary = summarize_proofs(proofs)
    rows = {row["claim"]: row for row in csv.DictReader(io.StringIO(csv_text(verdicts, summary)))}
    one = summary.claims["uniqueness"]
    assert (rows["uniqueness"]["runs_tried"], rows["uniqueness"]["runs_proved"]) == (str(one.tried), str(one.proved))
    assert rows["orbit"]["runs_tried"] == ""
    assert proved_text("uniqueness", summary) == f"{one.proved}/{one.tried}"
    assert proved_text("orbit", summary) == proved_text("uniqueness", None) == "–"


def test_sums_are_read_back_and_a_damaged_file_is_one_line(proofs: xr.Dataset, tmp_path: Path) -> None:
    summary = summarize_proofs(proofs)
    assert read_proved(tmp_path) is None
    (tmp_path / FILE).write_text(summary.as_json())
    assert read_proved(tmp_path) == summary
    for content in ("", "{}", "[1]", json.dumps({"claims": {"a": {}}})):
        (tmp_path / FILE).write_text(content)
        with pytest.raises(DamagedFile, match=r"proofs\.json: not readable") as raised:
            read_proved(tmp_path)
        assert "\n" not in str(raised.value)


def test_the_worst_run_of_a_claim_on_proofs_is_proved_again_by_a_command(verdicts: list[Verdict]) -> None:
    one = next(verdict for verdict in verdicts if verdict.claim == "curvature")
    worst = {"target": "a b", "depth": 3, "lam_label": "0.5c", "number": 1}
    command = reproduce(replace(one, finding=replace(one.finding, worst=worst)), "proofs", "tiny")
    assert command == "dmf prove data/tiny/proofs.nc --target 'a b' --depth 3 --lam 0.5c --number 1"


def test_numbers_of_runs_are_whole(proofs: xr.Dataset) -> None:
    raw = json.loads(summarize_proofs(proofs).as_json())
    assert isinstance(raw["runs"], int)
    assert np.isfinite(raw["seconds"])
