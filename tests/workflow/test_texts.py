"""Texts that mean something to Snakemake, a shell, YAML, HTML or TeX go through the whole workflow as they are."""

import re
from copy import deepcopy
from pathlib import Path

import pytest
import xarray as xr

from harness import ROOT, TINY, Workflow

TITLE = "Spectra of $W_{ij}$, {name} & {wildcards.tile} <blink>50%</blink> `id` $(id) \\{x}"
LABEL = "{tile} of {{M}} [red] <blink>"
FOLDER, FILE = "in {braces} $HOME & 'quotes'", "ratings {2024} [final] #1.csv"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """A grid with such texts wherever a person may write one, run to its end."""
    workflow = Workflow(tmp_path_factory.mktemp("texts"))
    (workflow.folder / FOLDER).mkdir()
    (workflow.folder / FOLDER / FILE).write_text("{r},a {b},$c\nrow {1},1,2\nrow %s,3,4\n", encoding="utf-8")
    config = deepcopy(TINY)
    config |= {"title": TITLE, "figures": ["targets"], "depths": [2]}
    config["targets"][0]["label"] = LABEL
    file = {"path": f"{FOLDER}/{FILE}", "header": True, "rows": ["{a}", "{b,c+}"]}
    config["targets"][1] = {"name": "f", "kind": "file", **file}
    workflow.write(config)
    result = workflow("--quiet", "rules", "progress", "--", "all", "paper")
    assert result.returncode == 0, result.stderr[-3000:]
    return workflow


def test_labels_and_paths_with_braces_are_stored_as_they_are(made: Workflow) -> None:
    with xr.open_dataset(made.folder / "data/tiny/targets.nc") as targets:
        texts = " ".join(str(variable.values) for variable in targets.variables.values())
    for text in ("{a}", "{b,c+}", "a {b}", FILE):
        assert text in texts


def test_pages_show_them_and_run_nothing(made: Workflow) -> None:
    page = (made.folder / "reports/tiny/index.html").read_text(encoding="utf-8")
    assert "<blink>" not in page
    assert "&lt;blink&gt;50%&lt;/blink&gt;" in page
    assert "{name}" in page


def test_nothing_is_trained_or_drawn_again_for_them(made: Workflow) -> None:
    assert made.planned("all") == {}


def test_no_parameter_of_a_rule_is_a_text_that_snakemake_expands() -> None:
    """Snakemake looks for wildcards in strings, not in what functions return; lists of ours hold numbers and names."""
    harmless = {"enough", "every", "absent", "settings", "runs_here", "folders"}
    for path in sorted((ROOT / "workflow/rules").glob("*.smk")):
        for block in re.findall(r"\n    params:\n((?:        .*\n)+)", path.read_text(encoding="utf-8")):
            for name, value in re.findall(r"^        (\w+)=(.*)$", block, flags=re.MULTILINE):
                assert value.startswith("lambda wildcards") or name in harmless, f"{path.name}: {name}={value}"


def test_the_folder_of_the_grid_is_all_that_was_written(made: Workflow) -> None:
    assert {path.name for path in made.folder.iterdir()} == {"grid.yaml", FOLDER, "data", "reports", ".snakemake"}
    assert list(Path(made.folder / FOLDER).iterdir()) == [made.folder / FOLDER / FILE]
