"""From a configuration to a report with verdicts, and what happens when a verdict is bad."""

import csv
import html
import json
import re
import shlex
import shutil
import zipfile
from copy import deepcopy
from pathlib import Path

import pytest

from chromium import Chromium
from dmf.claims import load_claims
from dmf.cli.main import main
from dmf.evidence.claim import Verdict
from harness import ROOT, TINY, Workflow
from signed import changed, sign

CLAIMS = {name for name, claim in load_claims().items() if claim.study == "runs"}


def test_every_claim_is_confirmed_and_every_control_detected(trained: Workflow) -> None:
    folder = trained.folder / "reports/tiny"
    verdicts = [json.loads(file.read_text()) for file in (folder / "verdicts").glob("*.json")]
    assert {verdict["claim"] for verdict in verdicts} == CLAIMS
    assert {verdict["finding"]["word"] for verdict in verdicts} == {"confirmed"}
    controls = [control for verdict in verdicts for control in verdict["controls"]]
    assert all(control["detected"] == control["cells"] > 0 for control in controls)
    assert all(verdict["control_detected"] for verdict in verdicts)
    assert (folder / "verified.txt").exists()


def test_the_report_is_there_with_its_tables(trained: Workflow) -> None:
    folder = trained.folder / "reports/tiny"
    page = (folder / "index.html").read_text(encoding="utf-8")
    rows = list(csv.DictReader((folder / "verdicts.csv").read_text(encoding="utf-8").splitlines()))
    assert {row["claim"] for row in rows} == CLAIMS
    # 2 targets x 2 depths x 2 lambdas x (2 scales x 4 draws)
    assert {int(row["runs"]) for row in rows} == {64}
    assert "64" in page
    assert 'href="explorer.html"' in page
    assert '<option value="0">' in (folder / "explorer.html").read_text(encoding="utf-8")
    assert json.loads((folder / "provenance.json").read_text())
    for figure in (folder / "figures").glob("*.svg"):
        assert figure.with_suffix(".png").stat().st_size > 1000


def test_each_job_has_a_log_that_says_it_finished(trained: Workflow) -> None:
    logs = list((trained.folder / "data/tiny/logs").glob("*.log"))
    assert len(logs) >= 4 + 4 + 4
    assert all("finished" in log.read_text() for log in logs)


@pytest.fixture
def doctored(trained: Workflow, tmp_path: Path) -> Workflow:
    folder = tmp_path / "copy"
    shutil.copytree(trained.folder, folder)
    (folder / "reports/tiny/verified.txt").unlink()
    return Workflow(folder)


@pytest.mark.parametrize(("part", "word"), [("finding", "violated"), ("control", "confirmed")])
def test_verify_fails_on_a_violation_and_on_a_missed_control(doctored: Workflow, part: str, word: str) -> None:
    file = doctored.folder / "reports/tiny/verdicts/collapse.json"
    verdict = changed(Verdict.from_json(json.loads(file.read_text())), part, word)
    file.write_text(json.dumps(verdict.as_json()))
    sign(doctored.folder / "reports/tiny")
    # Keep Snakemake from making the verdict again: only the goal's own script is to run.
    result = doctored("--quiet", "rules", "progress", "--allowed-rules", "verify", "--", "verify")
    assert result.returncode != 0
    log = (doctored.folder / "data/tiny/logs/verify.log").read_text()
    assert "collapse (Corollary 14)" in log
    assert "verdicts/collapse.json" in log
    assert not (doctored.folder / "reports/tiny/verified.txt").exists()


def test_searches_add_what_they_find_and_train_nothing_else(doctored: Workflow) -> None:
    doctored.write({**deepcopy(TINY), "refute": {"runs": 240}, "minimum_search": {"runs": 40}})
    planned = doctored.planned("all")
    jobs = ("refute", "judge_attempts", "study", "draw", "write_report", "verify", "all")
    assert planned == dict.fromkeys(jobs, 1)
    result = doctored("--quiet", "rules", "progress")
    assert result.returncode == 0, result.stderr
    folder = doctored.folder / "reports/tiny"
    record = json.loads((folder / "refute.json").read_text())
    assert {attempt["claim"] for attempt in record["attempts"]} == CLAIMS
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert 'id="attempts"' in page
    assert 'id="minimum_search"' in page
    record["attempts"][0]["finding"].update(word="violated", statistic=2.0, margin=-1.0)
    (folder / "refute.json").write_text(json.dumps(record))
    sign(folder)
    (folder / "verified.txt").unlink()
    failed = doctored("--quiet", "rules", "progress", "--allowed-rules", "verify", "--", "verify")
    assert failed.returncode != 0
    assert "is refuted by the search" in (doctored.folder / "data/tiny/logs/verify.log").read_text()


def test_clean_removes_one_grid_and_leaves_the_other(doctored: Workflow) -> None:
    for folder in ("data/other", "reports/other"):
        (doctored.folder / folder).mkdir()
    assert doctored("--quiet", "all", "--", "clean").returncode == 0
    left = {path.name for top in ("data", "reports") for path in (doctored.folder / top).iterdir()}
    assert left == {"other"}


def test_the_catalog_finds_the_workflow_too(trained: Workflow) -> None:
    """workflow/Snakefile by itself plans the same as the Snakefile that includes it."""
    result = trained("--dry-run", "--snakefile", str(ROOT / "workflow/Snakefile"))
    assert result.returncode == 0, result.stderr
    assert "Nothing to be done" in result.stdout + result.stderr


def test_snakemakes_own_report_holds_figures_and_verdicts_with_captions(trained: Workflow, tmp_path: Path) -> None:
    archive = tmp_path / "report.zip"
    result = trained("--report", str(archive))
    assert result.returncode == 0, result.stderr
    with zipfile.ZipFile(archive) as opened:
        names = [Path(name).name for name in opened.namelist()]
        pages = "".join(opened.read(name).decode() for name in opened.namelist() if name.endswith(".html"))
    folder = trained.folder / "reports/tiny"
    figures = {file.name for file in (folder / "figures").glob("*.png")}
    tables = {file.name for file in (folder / "verdicts").glob("*.csv")}
    assert figures | tables | {"verdicts.csv"} <= set(names)
    assert {file.removesuffix(".csv") for file in tables} == CLAIMS
    for words in ("Figures", "Verdicts", "worst first", "what would have refuted the theory in it", "one row a claim"):
        assert words.lower() in pages.lower(), words


def test_the_page_opens_in_a_browser_and_its_links_lead_to_files(trained: Workflow, browser: Chromium) -> None:
    folder = trained.folder / "reports/tiny"
    with browser.open(folder / "index.html") as page:
        links = page.eval_on_selector_all("a[href]", "all => all.map(a => a.getAttribute('href'))")
        drawn = page.eval_on_selector_all("img", "all => all.every(img => img.complete && img.naturalWidth > 0)")
    files = {link.partition("#")[0] for link in links if not link.startswith(("#", "https://"))}
    assert {"cells/runs.nc", *(f"verdicts/{claim}.{kind}" for claim in CLAIMS for kind in ("csv", "json"))} <= files
    assert [file for file in files if not (folder / file).is_file()] == []
    assert drawn


def test_the_command_on_the_page_finds_the_statistic_of_the_verdict_again(
    trained: Workflow, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(trained.folder)
    page = (trained.folder / "reports/tiny/index.html").read_text(encoding="utf-8")
    command = html.unescape(re.search(r'<code class="command">(dmf cell [^<]*--claim levels)</code>', page)[1])  # type: ignore[index]
    assert main([*shlex.split(command)[1:], "--json"]) == 0
    (run,) = json.loads(capsys.readouterr().out)
    verdict = json.loads((trained.folder / "reports/tiny/verdicts/levels.json").read_text())
    assert run["statistic"] == verdict["finding"]["statistic"]
