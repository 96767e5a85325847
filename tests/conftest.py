"""One thread, a small grid, and that grid trained once: the runs, the evidence and the controls."""

import os
import signal
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import xarray as xr
from threadpoolctl import threadpool_limits

from chromium import Chromium, chromium
from dmf.claims import load_claims
from dmf.cli.main import ONE_THREAD
from dmf.dataset.assemble import assemble
from dmf.dataset.project import open_project
from dmf.dataset.train import train_tile
from dmf.evidence.certify import certify
from dmf.evidence.choose import choose
from dmf.evidence.proofs import proofs_dataset
from dmf.evidence.prove import control_cells, prove_cells
from dmf.evidence.train_controls import train_controls
from dmf.grid.config import validate
from dmf.studies import Settings, load_study
from dmf.studies.contract import check_study, halves
from shapes import SWITCH, check_shapes
from shared import shared
from small import SMALL, Trained

# Two workers with two threads each take twice as long as with one. A shell may say otherwise to what tests start.
threadpool_limits(1)
for name in ONE_THREAD:
    os.environ.setdefault(name, "1")
os.environ.pop("COLUMNS", None)  # 80 where workers share the tests, unset where one process runs them
check_shapes(globals())  # before tests import what they call
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as under nohup; programs that tests interrupt would inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)


LONGEST = ("faults/test_kill.py", "workflow/test_reruns.py")  # first, so that no worker ends long after the others


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take longest first."""
    places = {Path(__file__).parent / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(LONGEST)))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Shapes are checked in some tests only, for speed."""
    SWITCH.set_for(item.path)


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    try:
        import torch
    except ModuleNotFoundError:  # an extra: tests that need it are not chosen then
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def small() -> dict[str, Any]:
    """A valid configuration that a test may change."""
    return deepcopy(SMALL)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """The small grid, trained. Shared by all tests: copy what you change."""

    def train(folder: Path) -> Trained:
        project = open_project(deepcopy(SMALL), "small.yaml", folder)
        tiles = {tile.name: train_tile(tile, project.targets, project.grid) for tile in project.plan.wanted}
        groups = {
            group: assemble(project.block(group), [(tile.name, tiles[tile.name]) for tile in members])
            for group, members in project.plan.tiles.items()
        }
        return Trained(project, tiles, groups, certify(groups.values()))

    return shared(tmp_path_factory, "trained", train)


@pytest.fixture(scope="session")
def controls(tmp_path_factory: pytest.TempPathFactory, trained: Trained) -> xr.Dataset:
    """Evidence of the control cells. Shared by all tests: copy what you change."""
    return shared(tmp_path_factory, "controls", lambda _: train_controls(trained.project.grid))


@pytest.fixture(scope="session")
def proofs(trained: Trained) -> xr.Dataset:
    """Proofs of runs of the small grid, and their controls. Shared by all tests: copy what you change."""
    claims = {name: claim for name, claim in load_claims().items() if claim.study == "runs"}
    grid, targets, cells = trained.project.grid, trained.project.targets, trained.evidence.sizes["cell"]
    choice = choose([trained.evidence], claims, 4000, cells)
    return proofs_dataset([*prove_cells(choice.chosen, grid, targets), *control_cells(grid)], choice)


@pytest.fixture(scope="session")
def study(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], tuple[xr.Dataset, xr.Dataset]]:
    """Evidence and controls of a study by name, made once; "minimum_search" is of the small grid. Copy to change it."""
    grid = validate(deepcopy(SMALL), "small")

    def make(name: str) -> xr.Dataset:
        one = load_study(name)
        dataset = one.make(grid if one.of_grid else Settings(seed=3, gradient_norm=1e-10))
        check_study(dataset, name)
        return dataset

    @cache
    def made(name: str) -> tuple[xr.Dataset, xr.Dataset]:
        if name == "proofs":
            return halves(request.getfixturevalue("proofs"))
        return halves(shared(tmp_path_factory, f"study-{name}", lambda _: make(name)))

    return made


@pytest.fixture(scope="session")
def browser() -> Iterator[Chromium]:
    """A headless Chromium; tests that ask for it are skipped where there is none."""
    with chromium() as opened:
        yield opened


@pytest.fixture
def in_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The test's own folder as working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
