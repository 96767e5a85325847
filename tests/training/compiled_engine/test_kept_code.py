"""Compiled code that is kept must not take one function for another, whichever processes compiled which part of it."""

import importlib
import os
import pkgutil
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from numba.core.dispatcher import Dispatcher

from dmf.training import compiled_engine
from dmf.training.compiled_engine import engine, multiply
from dmf.training.engine import train
from dmf.training.settings import Adam, Lbfgs
from dmf.training.tasks import Tasks
from harness import ROOT

COMPILED = """
import sys
from dmf.training.compiled_engine import engine

assert engine.__file__.startswith(sys.argv[1]), engine.__file__
engine.compile_kernels()
kernels = [value for name, module in sys.modules.items() if name.startswith("dmf.") for value in vars(module).values()]
stats = [kernel.stats for kernel in kernels if hasattr(kernel, "stats")]
print(sum(sum(one.cache_misses.values()) for one in stats), sum(sum(one.cache_hits.values()) for one in stats) > 0)
"""


def kernels() -> dict[int, Dispatcher]:
    """Every compiled function of the engine, those made by a function among them, by identity."""
    modules = [
        importlib.import_module(f"{compiled_engine.__name__}.{module.name}")
        for module in pkgutil.iter_modules(compiled_engine.__path__)
    ]
    return {id(value): value for module in modules for value in vars(module).values() if isinstance(value, Dispatcher)}


def test_no_two_kernels_share_a_name() -> None:
    found = kernels()
    assert {id(strip) for strip in (multiply._one, multiply._two, multiply._three, multiply._four)} <= found.keys()
    names = Counter((kernel.py_func.__module__, kernel.py_func.__qualname__) for kernel in found.values())
    assert [name for name, count in names.items() if count > 1] == []


def test_another_checkout_of_the_same_sources_compiles_nothing(tmp_path: Path) -> None:
    engine.compile_once()
    shutil.copytree(ROOT / "scripts/dmf", tmp_path / "dmf", ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-c", COMPILED, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    assert subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout == "0 True\n"


def read_only(array: np.ndarray) -> np.ndarray:
    array = array.copy()
    array.flags.writeable = False
    return array


@pytest.mark.parametrize("optimizer", [Lbfgs(name="lbfgs"), Adam(name="adam")], ids=lambda o: o.name)
@pytest.mark.parametrize("inputs", [None, np.ones((2, 3, 4))], ids=["plain", "network"])
@pytest.mark.parametrize("odd", [read_only, np.asfortranarray, lambda a: np.broadcast_to(a[:1], a.shape)])
def test_no_memory_layout_compiles_anything_again(optimizer, inputs, odd):
    """Arrays from files are read-only, and those of studies often broadcast: to a compiler these are other types."""
    engine.compile_once()
    targets = np.ones((2, 2, 3 if inputs is None else 4))
    numbers = [targets, np.ones(2), np.full(2, 1e-9), inputs]
    starts = [np.ones((2, 2, 3)), np.ones((2, 2, 2))]
    train(Tasks(*numbers), starts, optimizer)
    before = {name: len(kernel.signatures) for name, kernel in kernels().items()}
    train(Tasks(*[None if one is None else odd(one) for one in numbers]), [odd(one) for one in starts], optimizer)
    assert {name: len(kernel.signatures) for name, kernel in kernels().items()} == before
