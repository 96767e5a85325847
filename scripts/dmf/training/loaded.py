"""Loads every compiled kernel when it is imported: for `dmf.cli.forks`, whose jobs would each take half a second."""

from dmf.training.compiled_engine.engine import compile_kernels

compile_kernels()
