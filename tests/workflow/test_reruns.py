"""A step reruns for the code it runs: held against the functions that Python really calls in every step."""

import json
from copy import deepcopy
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
import pytest

from dmf.claims import claim_module, claim_names
from dmf.code import EXEMPT, SCRIPTS, closure
from dmf.dataset.store import read
from dmf.figures import figure_names
from dmf.grid.chunks import thinning
from harness import ENVIRONMENT, TINY, Workflow

# Python runs this at its start. In each job, a fork that runs a script, it notes the modules of every function called,
# except below those exempt, unless the step's own script is called back there; and which plug-ins were loaded by name.
RECORDER = """
import json, os, runpy, sys
from fnmatch import fnmatchcase
from pathlib import Path

from dmf.grid.chunks import thinning

thinning.__defaults__ = (40,)  # runs that figures draw: fewer than there are, so that a step keeps these
OUT, SCRIPTS, EXEMPT = (json.loads(os.environ[name]) for name in ("R_OUT", "R_SCRIPTS", "R_EXEMPT"))

def module(file):
    if not (file.startswith(SCRIPTS + "/") and file.endswith(".py")):
        return None
    return file[len(SCRIPTS) + 1 :].removesuffix(".py").replace("/", ".").removesuffix(".__init__")

def record(name, script):
    before = set(sys.modules)
    exempt = [*EXEMPT["*"], *EXEMPT.get(name, ())]
    known, called = {}, set()

    def of(file):
        if file not in known:
            one = name if file == script else module(file)
            known[file] = (one, one and any(fnmatchcase(one, pattern) for pattern in exempt))
        return known[file]

    def counts(frame):
        while frame and frame.f_code.co_filename != script:
            if of(frame.f_code.co_filename)[1]:
                return False
            frame = frame.f_back
        return True

    def note(frame, event, _):  # of every call, and of no line: it returns no function to ask about these
        one = of(frame.f_code.co_filename)[0]
        if one and one not in called and frame.f_code.co_name != "<module>" and counts(frame):
            called.add(one)

    def write():
        sys.settrace(None)
        plugins = ("dmf.claims.", "dmf.figures.", "dmf.studies.")
        loaded = [one for one in sys.modules if one.startswith(plugins) and one not in before]
        Path(OUT, f"{name}-{os.getpid()}.json").write_text(json.dumps([name, sorted(called), loaded]))

    sys.settrace(note)
    return write

def run_path(script, **options):
    write = record(Path(script).name.split(".", 1)[1].removesuffix(".py"), script)
    try:
        return run(script, **options)
    finally:
        write()

run, runpy.run_path = runpy.run_path, run_path
"""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A folder in which a small grid was run, and the one with what its jobs called."""
    folder, site = tmp_path_factory.mktemp("recorded"), tmp_path_factory.mktemp("site")
    (site / "sitecustomize.py").write_text(RECORDER, encoding="utf-8")
    out = tmp_path_factory.mktemp("calls")
    recording = {
        "PYTHONPATH": f"{site}:{SCRIPTS}",
        "R_OUT": json.dumps(str(out)),
        "R_SCRIPTS": json.dumps(str(SCRIPTS)),
        "R_EXEMPT": json.dumps(EXEMPT),
    }
    workflow = Workflow(folder, environment={**ENVIRONMENT, **recording})
    grid = deepcopy(TINY) | {
        "refute": {"runs": 200},
        "minimum_search": {"runs": 4},
        "prove": {"runs": 40},
        "studies": ["orbit", "two_minimizers"],
    }
    grid["figures"] = ["collapse", "orbit"]
    workflow.write(grid)
    result = workflow("--quiet", "rules", "progress", "--", "all", "paper")
    assert result.returncode == 0, result.stderr
    return folder, out


@pytest.fixture(scope="module")
def called(recorded: tuple[Path, Path]) -> list[tuple[str, set[str], set[str]]]:
    """Of every job of the grid: its step, the modules whose functions it called, and the plug-ins it loaded."""
    jobs = [json.loads(file.read_text()) for file in sorted(recorded[1].glob("*.json"))]
    return [(step, set(modules), set(plugins)) for step, modules, plugins in jobs]


def test_the_recorder_saw_every_step(called: list[tuple[str, set[str], set[str]]]) -> None:
    steps = {path.stem for path in SCRIPTS.glob("[a-z]*.py")}
    assert {step for step, _, _ in called} == steps - {"assemble_incomplete", "clean", "preflight"}
    training = next(modules for step, modules, _ in called if step == "train")
    assert {"train", "dmf.dataset.train", "dmf.training.engine", "dmf.grid.cells", "dmf.theory.scalar"} <= training


def test_figures_read_every_so_many_draws_of_every_so_many_cells(recorded: tuple[Path, Path]) -> None:
    data = recorded[0] / "data/tiny"
    whole, kept = read(data / "evidence.nc"), read(data / "thinned.nc")
    draw_step, cell_step = thinning(whole.sizes["cell"], 2, 4, 40)
    assert max(draw_step, cell_step) > 1
    drawn = whole.isel(cell=slice(None, None, cell_step), start=whole["draw"].values % draw_step == 0)
    assert 0 < kept["certified"].size < whole["certified"].size
    for name, variable in drawn.variables.items():
        np.testing.assert_array_equal(kept[name].values, variable.values, err_msg=str(name))


def test_every_function_that_a_step_calls_is_in_what_it_reruns_for(
    called: list[tuple[str, set[str], set[str]]],
) -> None:
    everything = [claim_module(name) for name in claim_names()] + [f"dmf.figures.{name}" for name in figure_names()]
    for step, modules, plugins in called:
        alone = step in ("check", "draw", "study")  # these depend on the one plug-in that they load by name
        found = closure(step, *(plugins if alone else everything))
        exempt = [*EXEMPT["*"], *EXEMPT.get(step, ())]
        missing = {name for name in modules - found if not any(fnmatchcase(name, pattern) for pattern in exempt)}
        assert missing == set(), f"{step} ({', '.join(sorted(plugins)[:3])})"
