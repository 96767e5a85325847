"""`dmf.verdicts`: the rows of a report's table, and the refusals of `dmf verdicts`."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

import dmf
from dmf.errors import UserError
from dmf.evidence.claim import Detection, Finding, Verdict
from dmf.report.verdicts import COLUMNS, csv_text
from signed import sign

GOOD = Finding(0.25, 1200, 1100, 1000, 990, 50, 40, 38, 38, None)
VERDICTS = [
    Verdict(name, f"title of {name}", "Theorem 10", finding, (Detection("distance", "near", 3, *seen, {}),))
    for name, finding, seen in (("uniqueness", GOOD, (3, 1.4)), ("collapse", replace(GOOD, statistic=7.0), (2, 0.4)))
]


@pytest.fixture
def report(tmp_path: Path) -> Path:
    folder = tmp_path / "reports" / "tiny"
    (folder / "verdicts").mkdir(parents=True)
    for one in VERDICTS:
        (folder / "verdicts" / f"{one.claim}.json").write_text(json.dumps(one.as_json()))
    sign(folder)
    return folder


def test_the_table_is_that_of_the_report(report: Path) -> None:
    for folder in (report, str(report)):
        table = dmf.verdicts(folder)
        written = list(csv.DictReader(io.StringIO(csv_text(VERDICTS))))
        assert table.index.tolist() == [row["claim"] for row in written]
        assert ["claim", *table.columns] == list(COLUMNS)
        assert table["verdict"].tolist() == ["confirmed", "violated"]
        assert table["control_detected"].tolist() == [True, False]
        assert table.loc["collapse", "statistic"] == 7.0


def test_a_file_that_is_not_what_its_job_wrote_is_refused(report: Path) -> None:
    file = report / "verdicts" / "collapse.json"
    file.write_text(json.dumps(replace(VERDICTS[1], finding=GOOD).as_json()))  # a better verdict, well formed
    with pytest.raises(UserError, match=r"collapse\.json: content does not match its fingerprint"):
        dmf.verdicts(report)
    sign(report)  # the control: the same file is read where a job recorded it
    assert dmf.verdicts(report).loc["collapse", "verdict"] == "confirmed"


def test_a_folder_without_verdicts_is_refused(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(UserError, match="no verdicts here; expected a folder such as reports/default after a run"):
            dmf.verdicts(folder)
