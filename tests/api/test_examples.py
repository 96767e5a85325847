"""The example of every public function runs, and `import dmf` loads none of their libraries."""

import doctest
import inspect
import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import matplotlib as mpl
import pytest

import dmf
import dmf.api
from dmf.claims import CLAIMS
from dmf.cli.cell import train_again
from dmf.dataset.provenance import file_attributes
from dmf.dataset.store import write
from dmf.evidence.claim import Detection, Finding, Verdict
from dmf.grid.config import load
from dmf.grid.targets import build_targets
from harness import ROOT
from signed import sign

ROOM = Path(dmf.__path__[0])
# Closed forms that people call by their module.
OTHERS = sorted(f"dmf.theory.{path.stem}" for path in (ROOM / "theory").glob("[a-z]*.py") if ">>> " in path.read_text())
HOMES = {name: home for name, home in dmf._HOMES.items() if name != "open_grid"}
MODULES = sorted(
    {*HOMES.values(), *OTHERS, *(f"dmf.api.{path.stem}" for path in Path(dmf.api.__path__[0]).glob("[a-z]*.py"))}
)


@pytest.fixture
def results(in_tmp: Path) -> Path:
    """What examples read: verdicts of a report, and a cell of the default grid, trained again."""
    report = in_tmp / "reports" / "default"
    (report / "verdicts").mkdir(parents=True)
    finding = Finding(0.25, 1200, 1100, 1000, 990, 50, 40, 38, 38, None)
    for name in list(CLAIMS)[:2]:
        verdict = Verdict(name, "title", "source", finding, (Detection("distance", "near", 3, 3, 1.4, {}),))
        (report / "verdicts" / f"{name}.json").write_text(json.dumps(verdict.as_json()))
    sign(report)
    grid = load(ROOT / "config" / "config.yaml")
    runs = train_again(grid, build_targets(grid, "default"), ("square", 3, "0.5c"))
    write(
        runs.assign_attrs(file_attributes("runs", "One cell")), in_tmp / "data" / "default" / "runs" / "L3-5x5x5x5.nc"
    )
    return in_tmp


def run_examples(module: str) -> doctest.TestResults:
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    with mpl.rc_context({"backend": "agg"}):
        return doctest.testmod(import_module(module), optionflags=flags, extraglobs={"dmf": dmf})


@pytest.mark.parametrize("module", [*MODULES, "dmf.dataset.tree", "dmf.json_values", "dmf.report.tools.page"])
def test_examples_run(module: str, results: Path) -> None:
    found = run_examples(module)
    assert found.failed == 0
    assert found.attempted > 0


def test_a_wrong_example_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dmf.json_values.math", SimpleNamespace(isfinite=lambda value: True))
    assert run_examples("dmf.json_values").failed == 1


@pytest.mark.parametrize("name", dmf.__all__)
def test_a_public_name_has_an_example_types_and_says_what_it_raises(name: str) -> None:
    function = getattr(dmf, name)
    assert f"dmf.{name}(" in function.__doc__
    assert ">>> " in function.__doc__
    assert "dimensionless" in function.__doc__ or "units" in function.__doc__
    assert "Error" in function.__doc__
    signature = inspect.signature(function)
    assert signature.return_annotation is not inspect.Signature.empty
    assert all(one.annotation is not inspect.Parameter.empty for one in signature.parameters.values())
    assert name in dir(dmf)


def test_the_package_itself_loads_nothing() -> None:
    heavy = ("numpy", "xarray", "torch", "pandas", "matplotlib", "pydantic", "scipy", "sklearn")
    code = f"import sys, dmf; dir(dmf); print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"
