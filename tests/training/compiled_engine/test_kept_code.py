"""Compiled code that is kept must not take one function for another, whichever processes compiled which part of it."""

import importlib
import pkgutil
from collections import Counter

from numba.core.dispatcher import Dispatcher

from dmf.training import compiled_engine
from dmf.training.compiled_engine import multiply


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
